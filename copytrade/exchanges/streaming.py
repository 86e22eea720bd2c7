"""A private stream that keeps itself connected; the venues differ by their dialect.

ccxt.pro's own handlers lose what we need (liquidations, the expiry of a listen key) and hold messages back from a
slow consumer; so only its connection is used: signing, dialling, pings. Every frame goes straight into a queue.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol

import structlog

from copytrade.exchanges.judge import failure_of
from copytrade.exchanges.port import StreamMessage
from copytrade.exchanges.rows import ODD, as_sent
from copytrade.exchanges.wire import Wire

log = structlog.get_logger()
_CONNECTED, _ALIVE = object(), object()
_ALIVE_EVERY_S = 10.0
"""How often a connection that stands says so; ccxt ends one whose pings are not answered."""
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 30.0
_ROTATE_AFTER_S = 23 * 3600
"""Binance cuts every connection at 24 hours; we change before, everywhere."""
_LOGIN_WITHIN_S = 10.0


class Frames:
    """Goes before a ccxt.pro class: what the socket says comes into `inbox`, ccxt's own handlers do not hear it."""

    inbox: "asyncio.Queue[Any]"
    early: list[Any]
    """Frames that came while the login was waited for and were not its answer."""
    opened: asyncio.Event

    def handle_message(self, client: Any, message: Any) -> None:
        self.inbox.put_nowait(message)

    def on_connected(self, client: Any, message: Any = None) -> None:
        super().on_connected(client, message)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        self.opened.set()

    def client(self, url: str) -> Any:
        made = super().client(url)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        made.handle_text_or_binary_message = partial(self._hear, made)  # pyright: ignore[reportUnknownArgumentType]
        return made  # pyright: ignore[reportUnknownVariableType]

    def _hear(self, client: Any, data: str | bytes) -> None:
        # ccxt's own reader dies of a frame that is no JSON, and the socket stays deaf until a ping is missed
        try:
            text = data.decode() if isinstance(data, bytes) else data
            frame = json.loads(text) if text.lstrip()[:1] in ("{", "[") else text
        except (ValueError, RecursionError):
            frame = repr(data[:200])
        client.on_message_callback(client, frame)


class Dialect(Protocol):
    """How one venue's private stream is opened and read. One object an account; it lives as long as the stream."""

    mixin: type[Frames]

    async def connect(self, exchange: Any) -> "asyncio.Future[Any]":
        """Dial, log in and subscribe; return what ends when the connection does. Raises where that fails."""
        ...

    def ends(self, frame: Any) -> str:
        """Return why this frame makes the connection useless, an empty text where it does not."""
        ...

    async def begin(self) -> None:
        """Prepare for the frames after a (re)connect; called when `connected` was told."""
        ...

    def messages(self, frame: Any) -> Sequence[StreamMessage]:
        """Return what a frame says, in order; what is raised here makes the frame `spoiled`."""
        ...


async def dial(exchange: Any, url: str, *, name: str = "user", subscription: Any = None) -> "asyncio.Future[Any]":
    """Open the socket and return what ends with it; raises what kept it from opening."""
    ended: asyncio.Future[Any] = asyncio.ensure_future(exchange.watch(url, name, None, name, subscription))
    opened = asyncio.create_task(exchange.opened.wait())
    try:
        await asyncio.wait({ended, opened}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        opened.cancel()
    if ended.done():
        await ended
    return ended


async def send(exchange: Any, url: str, *, message: Any) -> None:
    """Send a message on an open socket."""
    await exchange.client(url).send(message)


async def answer(exchange: Any, *, is_wanted: Callable[[Any], bool], ended: "asyncio.Future[Any]") -> Any:
    """Return the first frame that is wanted; others wait for their turn. Raises when the connection ends or is mute."""
    async with asyncio.timeout(_LOGIN_WITHIN_S):
        while True:
            frame = await _next(exchange.inbox, ended=ended)
            if isinstance(frame, dict) and is_wanted(frame):
                return frame  # pyright: ignore[reportUnknownVariableType] - JSON
            exchange.early.append(frame)


async def _next(inbox: "asyncio.Queue[Any]", *, ended: "asyncio.Future[Any]") -> Any:
    coming = asyncio.ensure_future(inbox.get())
    try:
        await asyncio.wait({coming, ended}, return_when=asyncio.FIRST_COMPLETED)
        if coming.done():
            return coming.result()
        raise ConnectionError("the connection ended at the login")
    finally:
        coming.cancel()


@asynccontextmanager
async def private_stream(wire: Wire, dialect: Dialect) -> AsyncGenerator[AsyncIterator[StreamMessage]]:
    """Give the messages of an account until the block ends; connects again by itself, whatever happens."""
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    keeper = asyncio.create_task(_keep_connected(wire, dialect, inbox))
    try:
        yield _messages(dialect, inbox)
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


async def _messages(dialect: Dialect, inbox: "asyncio.Queue[Any]") -> AsyncGenerator[StreamMessage]:
    while True:
        frame = await inbox.get()
        if frame is _CONNECTED:
            yield StreamMessage(connected=True)
            await dialect.begin()
            continue
        if frame is _ALIVE:
            yield StreamMessage(alive=True)
            continue
        for message in _read(dialect, frame):
            yield message


def _read(dialect: Dialect, frame: Any) -> Sequence[StreamMessage]:
    try:
        return dialect.messages(frame)
    except ODD:
        return [StreamMessage(spoiled=as_sent(frame))]


async def _keep_connected(wire: Wire, dialect: Dialect, inbox: "asyncio.Queue[Any]") -> None:
    pause, loop = _SHORTEST_PAUSE_S, asyncio.get_running_loop()
    while True:
        await wire.may_connect()
        began = loop.time()
        reason = await _connect_once(wire, dialect, inbox)
        lasted = loop.time() - began > _LONGEST_PAUSE_S
        pause = _SHORTEST_PAUSE_S if lasted else min(pause * 2, _LONGEST_PAUSE_S)
        log.info("stream.lost", venue=wire.ground.facts.venue.value, reason=reason, again_in=pause)
        await asyncio.sleep(pause)


async def _connect_once(wire: Wire, dialect: Dialect, inbox: "asyncio.Queue[Any]") -> str:
    """Connect, stay until the connection ends, and return why it did."""
    exchange: Any = wire.streaming(dialect.mixin)
    exchange.inbox, exchange.early, exchange.opened = asyncio.Queue[Any](), [], asyncio.Event()
    relay: asyncio.Task[str] | None = None
    try:
        ended = await dialect.connect(exchange)
        inbox.put_nowait(_CONNECTED)
        relay = asyncio.create_task(_relay(exchange, dialect, inbox))
        done = await _stands({ended, relay}, inbox)
        if relay in done:
            return relay.result()
        return failure_of(error, departed=True).text if done and (error := ended.exception()) else "a day is over"
    except Exception as error:  # noqa: BLE001 - ccxt and the venue may raise anything; the stream goes on
        failure = failure_of(error, departed=True)
        wire.heed(failure)
        return failure.text
    finally:
        if relay is not None:
            relay.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await relay
            while not exchange.inbox.empty():
                inbox.put_nowait(exchange.inbox.get_nowait())
        with contextlib.suppress(Exception):
            await exchange.close()


async def _stands(ending: "set[asyncio.Future[Any]]", inbox: "asyncio.Queue[Any]") -> "set[asyncio.Future[Any]]":
    """Say that the connection stands while it does; return what ended it, nothing where a day is over."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _ROTATE_AFTER_S
    while (left := until - loop.time()) > 0:
        pause = min(left, _ALIVE_EVERY_S)
        done, _ = await asyncio.wait(ending, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        if done:
            return done
        inbox.put_nowait(_ALIVE)
    return set()


async def _relay(exchange: Any, dialect: Dialect, inbox: "asyncio.Queue[Any]") -> str:
    """Pass the frames on until one ends the connection; return why."""
    for frame in exchange.early:
        inbox.put_nowait(frame)
    while True:
        frame = await exchange.inbox.get()
        reason = dialect.ends(frame) if isinstance(frame, dict) else ""
        if reason:
            return reason
        inbox.put_nowait(frame)
