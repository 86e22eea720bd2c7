"""How many orders a second the sandbox takes from a bare client: below 2,000 the fan-out's ratio would say nothing."""

import asyncio
import hmac
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from copytrade.sandbox.client import Control

ROOT = Path(__file__).resolve().parent.parent
_READY_S = 15.0


@dataclass(frozen=True, slots=True)
class Keys:
    """An account's key as the bare client uses it."""

    api_key: str
    secret: bytes


def signed_order(secret: bytes, *, symbol: str, side: str, quantity: str, client_id: str) -> str:
    """Return the signed form body of a market order."""
    stamp = time.time_ns() // 1_000_000
    form = (
        f"timestamp={stamp}&symbol={symbol}&side={side}&newClientOrderId={client_id}"
        f"&newOrderRespType=RESULT&type=MARKET&quantity={quantity}&recvWindow=5000"
    )
    return f"{form}&signature={hmac.digest(secret, form.encode(), 'sha256').hex()}"


async def _send(session: aiohttp.ClientSession, url: str, keys: Keys, *, number: int) -> None:
    side = "BUY" if number % 2 else "SELL"
    body = signed_order(keys.secret, symbol="BTCUSDT", side=side, quantity="0.002", client_id=f"bench-{number}")
    headers = {"X-MBX-APIKEY": keys.api_key, "Content-Type": "application/x-www-form-urlencoded"}
    async with session.post(url, data=body, headers=headers) as response:
        content = await response.read()
        if response.status != 200 or b'"FILLED"' not in content:
            raise RuntimeError(f"an order was not filled: {response.status} {content.decode(errors='replace')}")


async def _measure(base_url: str, accounts: list[Keys], *, orders: int, at_once: int) -> float:
    url = f"{base_url}/binance/fapi/v1/order"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        waiting = iter(zip(range(orders), cycle(accounts), strict=False))

        async def sender() -> None:
            for number, keys in waiting:
                await _send(session, url, keys, number=number)

        await asyncio.gather(*(_send(session, url, keys, number=n) for n, keys in enumerate(accounts)))
        began = time.perf_counter()
        await asyncio.gather(*(sender() for _ in range(at_once)))
        return orders / (time.perf_counter() - began)


def orders_per_s(base_url: str, *, orders: int = 12_000, at_once: int = 64, accounts: int = 20) -> float:
    """Return the market orders a second that a running sandbox takes from bare aiohttp with HMAC."""
    with Control(base_url) as control:
        control.limits(weight_per_minute=10**9, orders_per_10s=10**9, orders_per_minute=10**9)
        made: list[dict[str, Any]] = [control.create_account(f"bench {n}", deposit=100_000) for n in range(accounts)]
    keys = [Keys(row["api_key"], row["api_secret"].encode()) for row in made]
    return uvloop.run(_measure(base_url, keys, orders=orders, at_once=at_once))


@contextmanager
def running_sandbox() -> Generator[str]:
    """Run an empty sandbox on a free port in a temporary folder; yield its address."""
    with socket.socket() as probe, tempfile.TemporaryDirectory(prefix="copytrade-bench-") as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        variables = {"VAR": folder, "SANDBOX_PORT": str(port), "SANDBOX_HISTORY_DAYS": "0", "DEMO_BOTS": "0"}
        environment = os.environ | {f"COPYTRADE_{name}": value for name, value in variables.items()}
        command = [sys.executable, "-m", "copytrade.sandbox.server"]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=15)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the sandbox did not start")


def measure() -> dict[str, float]:
    """Return `sandbox.orders_per_s`."""
    with running_sandbox() as base_url:
        return {"sandbox.orders_per_s": orders_per_s(base_url)}
