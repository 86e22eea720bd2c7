"""The user-data stream of Binance's perpetuals: ccxt.pro's socket, every frame straight into a queue.

ccxt.pro's own handlers lose what we need (liquidations, the expiry of the listen key) and hold messages back from a
slow consumer; so only its connection is used: listen key, its renewal, dialling, pings.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog

from copytrade.domain.fills import Position
from copytrade.errors import ExchangeError
from copytrade.exchanges.binance.chain import Chain
from copytrade.exchanges.binance.naming import symbol_of
from copytrade.exchanges.judge import failure_of
from copytrade.exchanges.port import StreamMessage
from copytrade.exchanges.wire import Wire

log = structlog.get_logger()
_CONNECTED, _KEY_EXPIRED = "connected", "listenKeyExpired"
_LONGEST_PAUSE_S = 30.0
_ROTATE_AFTER_S = 23 * 3600
"""The venue cuts every connection at 24 hours; we change before."""
_KIND = "linear"
"""ccxt's name of this user stream; its renewal of the listen key looks for a subscription called so."""


class _Frames:
    """Handlers that put what the socket says into `inbox` and nothing else."""

    inbox: "asyncio.Queue[Any]"

    def handle_message(self, client: Any, message: Any) -> None:
        self.inbox.put_nowait(message)

    def on_connected(self, client: Any, message: Any = None) -> None:
        super().on_connected(client, message)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        self.inbox.put_nowait(_CONNECTED)


@asynccontextmanager
async def user_stream(
    wire: Wire, *, positions: Callable[[], Awaitable[list[Position]]]
) -> AsyncGenerator[AsyncIterator[StreamMessage]]:
    """Give the messages of an account until the block ends; connects again by itself, whatever happens."""
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    keeper = asyncio.create_task(_keep_connected(wire, inbox))
    try:
        yield _messages(wire, inbox, positions)
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


async def _messages(
    wire: Wire, inbox: "asyncio.Queue[Any]", positions: Callable[[], Awaitable[list[Position]]]
) -> AsyncGenerator[StreamMessage]:
    chain = Chain(partial(symbol_of, wire.ground))
    while True:
        frame = await inbox.get()
        if frame == _CONNECTED:
            yield StreamMessage(connected=True)
            chain.start(await _held(positions))
            continue
        for message in chain.messages(frame):
            yield message


async def _held(positions: Callable[[], Awaitable[list[Position]]]) -> list[Position] | None:
    try:
        return await positions()
    except ExchangeError:
        return None


async def _keep_connected(wire: Wire, inbox: "asyncio.Queue[Any]") -> None:
    pause = 0.1
    while True:
        loop = asyncio.get_running_loop()
        began = loop.time()
        reason = await _connect_once(wire, inbox)
        pause = 0.1 if loop.time() - began > _LONGEST_PAUSE_S else min(pause * 2, _LONGEST_PAUSE_S)
        log.info("stream.lost", venue=wire.ground.facts.venue.value, reason=reason, again_in=pause)
        await asyncio.sleep(pause)


async def _connect_once(wire: Wire, inbox: "asyncio.Queue[Any]") -> str:
    """Connect, stay until the connection ends, and return why it did."""
    exchange: Any = wire.ground.streaming(_Frames, wire.credentials)
    frames: asyncio.Queue[Any] = asyncio.Queue()
    exchange.inbox = frames
    relay = asyncio.create_task(_relay(frames, inbox))
    try:
        await exchange.authenticate({})
        url = exchange.get_private_ws_url(_KIND, exchange.options[_KIND]["listenKey"])
        ended = asyncio.ensure_future(exchange.watch(url, "user", None, _KIND))
        done, _ = await asyncio.wait({ended, relay}, timeout=_ROTATE_AFTER_S, return_when=asyncio.FIRST_COMPLETED)
        if relay in done:
            return _KEY_EXPIRED
        return failure_of(error, departed=True).text if done and (error := ended.exception()) else "a day is over"
    except Exception as error:  # noqa: BLE001 - ccxt and the venue may raise anything; the stream goes on
        return failure_of(error, departed=True).text
    finally:
        relay.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await relay
        while not frames.empty():
            inbox.put_nowait(frames.get_nowait())
        with contextlib.suppress(Exception):
            await exchange.close()


async def _relay(frames: "asyncio.Queue[Any]", inbox: "asyncio.Queue[Any]") -> None:
    while True:
        frame = await frames.get()
        if isinstance(frame, dict) and frame.get("e") == _KEY_EXPIRED:  # pyright: ignore[reportUnknownMemberType]
            return
        inbox.put_nowait(frame)
