"""The user-data stream of Binance spot: a signed subscription on the WebSocket API, no listen key."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from copytrade.domain.fills import EntryKind, LedgerEntry
from copytrade.domain.instruments import Market
from copytrade.exchanges import holdings
from copytrade.exchanges.binance import spot_shapes
from copytrade.exchanges.naming import pair, symbol_of
from copytrade.exchanges.port import StreamMessage
from copytrade.exchanges.streaming import Frames, answer, dial, send
from copytrade.exchanges.values import moment, number, text
from copytrade.exchanges.wire import Wire

_SUBSCRIBE = "userDataStream.subscribe.signature"
_ENDS = frozenset({"eventStreamTerminated", "serverShutdown"})
_OK = 200


class SpotUser:
    """The dialect of one account's spot user-data stream."""

    mixin = Frames

    def __init__(self, wire: Wire) -> None:
        self._ground = wire.ground
        self._symbol_of = partial(symbol_of, wire.ground)

    async def connect(self, exchange: Any) -> "asyncio.Future[Any]":
        """Dial the WebSocket API and subscribe this key's events."""
        url = exchange.urls["api"]["ws"]["ws-api"]["spot"]
        ended = await dial(exchange, url)
        await send(exchange, url, message={"id": "1", "method": _SUBSCRIBE, "params": exchange.sign_params({})})
        told = await answer(exchange, is_wanted=lambda frame: str(frame.get("id")) == "1", ended=ended)
        if told.get("status") != _OK:
            raise ConnectionRefusedError("the venue did not take the subscription")
        return ended

    def ends(self, frame: Any) -> str:
        """Return the event's name where the subscription ends though the socket stays."""
        event: Any = frame.get("event", frame)
        kind = event.get("e") if isinstance(event, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        return str(kind) if kind in _ENDS else ""  # pyright: ignore[reportUnknownArgumentType]

    async def begin(self) -> None:
        """Prepare nothing: each event says all there is."""

    def messages(self, frame: Any) -> Sequence[StreamMessage]:
        """Return what an event says."""
        if "event" not in frame:
            return self._odd(frame)
        event: Mapping[str, Any] = frame["event"]
        match event["e"]:
            case "executionReport":
                return self._execution(event)
            case "outboundAccountPosition":
                return self._balances(event)
            case "balanceUpdate":
                return [self._moved(event)]
            case _:
                return []

    def _odd(self, frame: Any) -> Sequence[StreamMessage]:
        if isinstance(frame, dict):
            return []  # an answer of the WebSocket API, no event
        raise ValueError("a frame was no object")

    def _execution(self, event: Mapping[str, Any]) -> list[StreamMessage]:
        symbol, at = self._symbol_of(event["s"]), moment(event["T"])
        order = StreamMessage(order=spot_shapes.streamed_order(event, symbol=symbol), venue_time=at)
        if event["x"] != "TRADE":
            return [order]
        return [StreamMessage(fill=spot_shapes.streamed_fill(event, symbol=symbol), venue_time=at), order]

    def _balances(self, event: Mapping[str, Any]) -> list[StreamMessage]:
        at = moment(event["u"])
        found = [spot_shapes.balance(row["a"], row["f"], row["l"]) for row in event["B"]]
        named = {pair(one.asset, market=Market.SPOT): one.total for one in found}
        return [
            StreamMessage(position=holdings.position(symbol, total), venue_time=at)
            for symbol, total in named.items()
            if symbol in self._ground.ids
        ]

    def _moved(self, event: Mapping[str, Any]) -> StreamMessage:
        at = moment(event["T"])
        entry = LedgerEntry(
            entry_id="", kind=EntryKind.TRANSFER, asset=text(event["a"]), amount=number(event["d"]), venue_time=at
        )
        return StreamMessage(transfer=entry, venue_time=at)
