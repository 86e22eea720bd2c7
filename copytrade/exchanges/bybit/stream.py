"""Bybit's private stream: one socket, a login, and the topics of executions, orders, positions and the wallet."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, cast

from copytrade.domain.fills import EntryKind, LedgerEntry
from copytrade.domain.instruments import Market, PositionSide
from copytrade.exchanges.bybit import shapes
from copytrade.exchanges.bybit.sides import Sides, side_of
from copytrade.exchanges.naming import symbol_of
from copytrade.exchanges.port import StreamMessage
from copytrade.exchanges.rows import ODD, as_sent
from copytrade.exchanges.streaming import Frames, answer, dial, send
from copytrade.exchanges.values import moment, number, text
from copytrade.exchanges.wire import Wire

_TOPICS = ["execution", "order", "position", "wallet"]
_VALID_MS = 10_000


class _Ponged(Frames):
    """Takes the venue's answers to pings for what ccxt waits for."""

    def handle_message(self, client: Any, message: Any) -> None:
        if isinstance(message, dict) and cast("dict[str, Any]", message).get("op") == "pong":
            client.lastPong = self.milliseconds()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
            return
        super().handle_message(client, message)


class PrivateSocket:
    """The dialect of one account's private stream, reduced to one market.

    An execution does not tell its position's side. It waits for the message of its order, which does; on spot, and
    where the order is known, it need not. What still waits when the connection ends is left to the poll.
    """

    mixin: type[Frames] = _Ponged

    def __init__(self, wire: Wire, *, sides: Sides) -> None:
        self._category = shapes.CATEGORIES[wire.ground.market]
        self._is_spot = wire.ground.market is Market.SPOT
        self._symbol_of = partial(symbol_of, wire.ground)
        self._sides = sides
        self._waiting: dict[str, list[Any]] = {}
        self._wallet: dict[str, Decimal] = {}
        self._has_traded = False

    async def connect(self, exchange: Any) -> "asyncio.Future[Any]":
        """Dial, log in and subscribe; raises where the venue does not want it."""
        url = exchange.implode_hostname(exchange.urls["api"]["ws"]["private"]["contract"])
        ended = await dial(exchange, url)
        expires = str(exchange.nonce() + _VALID_MS)
        signed = exchange.hmac(
            exchange.encode(f"GET/realtime{expires}"), exchange.encode(exchange.secret), hashlib.sha256
        )
        await send(exchange, url, message={"op": "auth", "args": [exchange.apiKey, expires, signed]})
        await _agreed(exchange, "auth", ended=ended)
        await send(exchange, url, message={"op": "subscribe", "req_id": "topics", "args": _TOPICS})
        await _agreed(exchange, "subscribe", ended=ended)
        return ended

    def ends(self, frame: Any) -> str:
        """Return nothing: no frame of this venue ends a connection."""
        return ""

    async def begin(self) -> None:
        """Forget what waited and what was in the wallet: a gap lies behind."""
        self._waiting, self._wallet, self._has_traded = {}, {}, False

    def messages(self, frame: Any) -> Sequence[StreamMessage]:
        """Return what a frame says."""
        topic, rows = frame.get("topic"), frame.get("data")
        readers: dict[str, Callable[[Any], Iterator[StreamMessage]]] = {
            "execution": self._execution,
            "order": self._order,
            "position": self._position,
            "wallet": partial(self._of_wallet, at=frame.get("creationTime")),
        }
        if "topic" not in frame:
            return []
        if topic not in readers or not isinstance(rows, list):
            raise ValueError("the frame has no topic of ours or no rows")
        read: list[StreamMessage] = []
        for row in rows:  # pyright: ignore[reportUnknownVariableType] - JSON
            try:
                read += readers[topic](row)
            except ODD:
                read.append(StreamMessage(spoiled=as_sent(row)))
        return read

    def _execution(self, row: Any) -> Iterator[StreamMessage]:
        self._has_traded = True
        if row["category"] != self._category or row.get("execType") in shapes.NO_TRADES:
            return
        order_id = text(row["orderId"])
        side = PositionSide.NET if self._is_spot else self._sides.of(order_id)
        if side is None:
            self._waiting.setdefault(order_id, []).append(row)
        else:
            yield self._fill(row, side)

    def _fill(self, row: Any, side: PositionSide) -> StreamMessage:
        try:
            fill = shapes.fill(row, symbol=self._symbol_of(text(row["symbol"])), position_side=side)
        except ODD:
            return StreamMessage(spoiled=as_sent(row))
        return StreamMessage(fill=fill, venue_time=fill.venue_time)

    def _order(self, row: Any) -> Iterator[StreamMessage]:
        if row["category"] != self._category:
            return
        if not self._is_spot:
            order_id, side = side_of(row)
            self._sides.learn(order_id, side)
            yield from (self._fill(waiting, side) for waiting in self._waiting.pop(order_id, ()))
        order = shapes.order(row, symbol=self._symbol_of(text(row["symbol"])))
        yield StreamMessage(order=order, venue_time=order.venue_time)

    def _position(self, row: Any) -> Iterator[StreamMessage]:
        if row["category"] != self._category:
            return
        if row["positionIdx"] == 0:
            # one-way mode: whatever waits in this symbol belongs here
            ready = [key for key, rows in self._waiting.items() if rows[0].get("symbol") == row["symbol"]]
            for order_id in ready:
                self._sides.learn(order_id, PositionSide.NET)
                yield from (self._fill(waiting, PositionSide.NET) for waiting in self._waiting.pop(order_id))
        position = shapes.position(row, symbol=self._symbol_of(text(row["symbol"])))
        yield StreamMessage(position=position, venue_time=moment(row["updatedTime"]))

    def _of_wallet(self, row: Any, *, at: Any) -> Iterator[StreamMessage]:
        """Tell a transfer where balances moved and nothing was executed: a hint, the ledger knows."""
        before, self._wallet = self._wallet, {text(coin["coin"]): number(coin["walletBalance"]) for coin in row["coin"]}
        had_traded, self._has_traded = self._has_traded, False
        if had_traded or not before:
            return
        for asset in sorted(before.keys() | self._wallet.keys()):
            change = self._wallet.get(asset, shapes.ZERO) - before.get(asset, shapes.ZERO)
            if change:
                moved = LedgerEntry("", EntryKind.TRANSFER, asset, change, moment(at))
                yield StreamMessage(transfer=moved, venue_time=moved.venue_time)


async def _agreed(exchange: Any, operation: str, *, ended: "asyncio.Future[Any]") -> None:
    told = await answer(exchange, is_wanted=lambda frame: frame.get("op") == operation, ended=ended)
    if told.get("success") is not True:
        raise ConnectionError(f"the venue did not accept: {operation}")
