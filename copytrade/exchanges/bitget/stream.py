"""Bitget's private channels on one socket: login, subscriptions, text pings."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from copytrade.domain.fills import Fill, Position
from copytrade.domain.instruments import Market, PositionSide
from copytrade.domain.orders import VenueOrder
from copytrade.exchanges import holdings
from copytrade.exchanges.bitget import shapes, spot_shapes
from copytrade.exchanges.facts import QUOTE
from copytrade.exchanges.naming import pair, symbol_of
from copytrade.exchanges.port import StreamMessage
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.streaming import Frames, answer, dial, send
from copytrade.exchanges.values import moment
from copytrade.exchanges.wire import Wire

_VERIFY = "GET/user/verify"
_MIX, _SPOT = "USDT-FUTURES", "SPOT"
Reader = Callable[[list[Any], datetime], list[StreamMessage]]
"""Reads the rows of a channel's message, which was sent at a time."""


class TextPongs(Frames):
    """The venue answers a text `ping` by a text `pong`, which ccxt must see and nobody else needs."""

    def handle_message(self, client: Any, message: Any) -> None:
        if message == "pong":
            client.lastPong = self.milliseconds()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
            return
        super().handle_message(client, message)


class _Refused(ConnectionError):
    """The venue did not let us in, or not hear a channel."""


class PrivateChannels:
    """The dialect of one account's private channels; `readers` says how the rows of each are read."""

    mixin: type[Frames] = TextPongs

    def __init__(self, *, kind: str, readers: Mapping[str, Reader]) -> None:
        self._readers = readers
        self._args = [
            {"instType": kind, "channel": channel, "coin" if channel == "account" else "instId": "default"}
            for channel in readers
        ]

    async def connect(self, exchange: Any) -> "asyncio.Future[Any]":
        """Dial, log in and subscribe to every channel."""
        is_demo = bool(exchange.options.get("sandboxMode"))
        urls = exchange.urls["api"]
        url = urls["demo"]["private"] if is_demo else urls["ws"]["private"]
        ended = await dial(exchange, url)
        await send(exchange, url, message={"op": "login", "args": [_login(exchange)]})
        await _agreed(exchange, "login", ended=ended)
        await send(exchange, url, message={"op": "subscribe", "args": self._args})
        for _ in self._args:
            await _agreed(exchange, "subscribe", ended=ended)
        return ended

    def ends(self, frame: Any) -> str:
        """Return the code of an error that comes out of turn: what it means for the channels is not told."""
        return f"error {frame.get('code')}" if frame.get("event") == "error" else ""

    async def begin(self) -> None:
        """Do nothing: the channels need no reading before them."""

    def messages(self, frame: Any) -> Sequence[StreamMessage]:
        """Return what a frame says; a row that cannot be read comes as `spoiled`, its neighbours are read."""
        if frame.get("event") in ("login", "subscribe", "unsubscribe"):
            return []
        reader = self._readers[frame["arg"]["channel"]]
        return reader(list(frame["data"]), moment(frame["ts"]))


def perpetual_channels(wire: Wire) -> PrivateChannels:
    """Return the channels of a futures account."""
    symbol = partial(symbol_of, wire.ground)
    held: set[tuple[str, PositionSide]] = set()

    def positions(rows: list[Any], at: datetime) -> list[StreamMessage]:
        read, spoiled = read_rows(rows, lambda row: shapes.position(row, symbol=symbol(row["instId"])))
        now_held = {(one.symbol, one.position_side) for one in read}
        # a position that was closed is told by not being there any more
        gone = [] if spoiled else [_flat(*key) for key in sorted(held - now_held)]
        held.clear()
        held.update(now_held)
        return _told(position=[*read, *gone], spoiled=spoiled, at=at)

    readers: dict[str, Reader] = {
        "fill": _fills(lambda row: shapes.streamed_fill(row, symbol=symbol(row["symbol"]))),
        "orders": _orders(lambda row: shapes.streamed_order(row, symbol=symbol(row["instId"]))),
        "positions": positions,
    }
    return PrivateChannels(kind=_MIX, readers=readers)


def spot_channels(wire: Wire) -> PrivateChannels:
    """Return the channels of a spot account; its balances are told as positions."""
    symbol = partial(symbol_of, wire.ground)

    def balances(rows: list[Any], at: datetime) -> list[StreamMessage]:
        read, spoiled = read_rows(rows, spot_shapes.balance)
        held = [holdings.position(pair(one.asset, market=Market.SPOT), one.total) for one in read if one.asset != QUOTE]
        return _told(position=held, spoiled=spoiled, at=at)

    readers: dict[str, Reader] = {
        "fill": _fills(lambda row: spot_shapes.fill(row, symbol=symbol(row["symbol"]))),
        "orders": _orders(lambda row: spot_shapes.streamed_order(row, symbol=symbol(row["instId"]))),
        "account": balances,
    }
    return PrivateChannels(kind=_SPOT, readers=readers)


def _fills(parse: Callable[[Any], Fill]) -> Reader:
    def reader(rows: list[Any], _: datetime) -> list[StreamMessage]:
        read, spoiled = read_rows(rows, parse)
        read.sort(key=lambda one: (one.venue_time, len(one.trade_id), one.trade_id))
        return [StreamMessage(fill=one, venue_time=one.venue_time) for one in read] + _spoiled(spoiled)

    return reader


def _orders(parse: Callable[[Any], VenueOrder]) -> Reader:
    def reader(rows: list[Any], _: datetime) -> list[StreamMessage]:
        read, spoiled = read_rows(rows, parse)
        return [StreamMessage(order=one, venue_time=one.venue_time) for one in read] + _spoiled(spoiled)

    return reader


def _told(*, position: list[Position], spoiled: tuple[str, ...], at: datetime) -> list[StreamMessage]:
    return [StreamMessage(position=one, venue_time=at) for one in position] + _spoiled(spoiled)


def _spoiled(rows: tuple[str, ...]) -> list[StreamMessage]:
    return [StreamMessage(spoiled=row) for row in rows]


def _flat(symbol: str, position_side: PositionSide) -> Position:
    zero = Decimal(0)
    return Position(symbol, zero, zero, zero, zero, position_side)


def _login(exchange: Any) -> dict[str, str]:
    stamp = str(exchange.nonce() // 1000)
    sign = exchange.hmac((stamp + _VERIFY).encode(), exchange.secret.encode(), hashlib.sha256, "base64")
    return {"apiKey": exchange.apiKey, "passphrase": exchange.password, "timestamp": stamp, "sign": sign}


async def _agreed(exchange: Any, event: str, *, ended: "asyncio.Future[Any]") -> None:
    frame = await answer(exchange, is_wanted=lambda one: one.get("event") in (event, "error"), ended=ended)
    if frame["event"] == "error":
        raise _Refused(f"the venue refused: code {frame.get('code')}")
