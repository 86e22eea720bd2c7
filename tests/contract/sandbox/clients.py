"""Unmodified ccxt with only its addresses changed."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro

BTC = "BTC/USDT:USDT"


def addresses(url: str) -> dict[str, Any]:
    """Return ccxt's `urls` with the sandbox in the place of Binance's hosts."""
    base, sockets = f"{url}/binance", f"{url}/binance".replace("http", "ws", 1)
    api: dict[str, Any] = dict.fromkeys(("public", "private"), f"{base}/api/v3")
    api["v1"] = f"{base}/api/v1"
    for name, path in (("sapi", "sapi/v1"), ("sapiV2", "sapi/v2"), ("sapiV3", "sapi/v3"), ("sapiV4", "sapi/v4")):
        api[name] = f"{base}/{path}"
    for side in ("Public", "Private"):
        api |= {
            f"fapi{side}": f"{base}/fapi/v1",
            f"fapi{side}V2": f"{base}/fapi/v2",
            f"fapi{side}V3": f"{base}/fapi/v3",
        }
        api |= {f"dapi{side}": f"{base}/dapi/v1", f"eapi{side}": f"{base}/eapi/v1"}
    api |= {"dapiPrivateV2": f"{base}/dapi/v2", "papi": f"{base}/papi/v1", "papiV2": f"{base}/papi/v2"}
    api["ws"] = dict.fromkeys(("spot", "margin", "linear", "inverse"), f"{sockets}/ws")
    return {"api": api}


@asynccontextmanager
async def client(url: str, account: dict[str, Any] | None = None, **options: Any) -> AsyncGenerator[Any]:
    """Open a ccxt client, keyless or for an account, and close it afterwards; untyped, as ccxt's rows are."""
    keys = {"apiKey": account["api_key"], "secret": account["api_secret"]} if account else {}
    config: Any = {**keys, "urls": addresses(url), **options}
    exchange = ccxt.pro.binance(config)
    try:
        yield exchange
    finally:
        await exchange.close()
