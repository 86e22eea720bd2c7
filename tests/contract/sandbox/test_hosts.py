"""ccxt with Binance's own addresses, resolved to the sandbox's TLS listener: the error classes are the real ones."""

import asyncio
import socket
from typing import Any

import aiohttp
import ccxt.pro
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.contract.sandbox.clients import BTC
from tests.contract.sandbox.served import SandboxServer
from tests.contract.sandbox.test_faults import ONLY_LINEAR
from tests.contract.sandbox.test_streams import heard


class ToSandbox(AbstractResolver):
    """Sends every host to one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        where = {"hostname": host, "host": "127.0.0.1", "port": self._port, "family": socket.AF_INET, "proto": 0}
        return [ResolveResult(**where, flags=socket.AI_NUMERICHOST)]  # pyright: ignore[reportArgumentType]

    async def close(self) -> None:
        return None


def test_errors_of_the_linear_map_by_the_venues_own_hosts(tls: tuple[SandboxServer, int]) -> None:
    server, port = tls
    alice = server.control.create_account("alice", deposit=1_000)
    server.control.set_price("BTCUSDT", 60_000)

    async def run() -> None:
        connector = aiohttp.TCPConnector(resolver=ToSandbox(port), ssl=False, limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            keys = {"apiKey": alice["api_key"], "secret": alice["api_secret"]}
            config: Any = {**keys, "session": session, "verify": False, "options": ONLY_LINEAR}
            exchange: Any = ccxt.pro.binance(config)
            await exchange.load_markets()
            watch = asyncio.create_task(exchange.watch_my_trades(BTC))
            await heard(exchange)
            assert (await exchange.create_order(BTC, "market", "buy", 0.1))["status"] == "closed"
            assert (await asyncio.wait_for(watch, 5))[0]["amount"] == 0.1
            with pytest.raises(ccxt.InsufficientFunds, match="-2019"):
                await exchange.create_order(BTC, "market", "buy", 10)
            with pytest.raises(ccxt.InvalidOrder, match="-2022"):
                await exchange.create_order(BTC, "market", "buy", 0.1, None, {"reduceOnly": True})
            form = {"clientOrderId": "cp-open"}
            await exchange.create_order(BTC, "limit", "buy", 0.01, 58_000, form)
            with pytest.raises(ccxt.InvalidOrder, match="-4116"):
                await exchange.create_order(BTC, "limit", "buy", 0.01, 58_000, form)
            await exchange.close()

    asyncio.run(run())
