"""Binance's user-data events as messages of ours, with the venue's own position after a fill where it is certain."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import EntryKind, Fill, LedgerEntry, Position
from copytrade.domain.instruments import PositionSide
from copytrade.exchanges.binance import shapes
from copytrade.exchanges.port import StreamMessage
from copytrade.exchanges.rows import ODD, as_sent
from copytrade.exchanges.values import moment, number, text

_EXECUTIONS = ("TRADE", "CALCULATED")
_TRANSFERS = frozenset({"DEPOSIT", "WITHDRAW", "MARGIN_TRANSFER", "ASSET_TRANSFER", "ADMIN_DEPOSIT", "ADMIN_WITHDRAW"})
_Key = tuple[str, PositionSide]


class Chain:
    """Follows one account's positions through its events, so that a fill and the update of its moment can be matched.

    An update is taken for a fill only when both are of one millisecond, it is the only one open, and it moved the
    position by exactly that fill: several fills may share one update, and then nothing is claimed of any.
    """

    def __init__(self, symbol_of: Callable[[str], str]) -> None:
        self._symbol_of = symbol_of
        self._held: dict[_Key, Decimal] = {}
        self._updates: dict[_Key, tuple[datetime, Decimal, Decimal]] = {}
        self._is_known = False

    def start(self, positions: list[Position] | None) -> None:
        """Begin at a reading of all positions; None: nothing is known, nothing will be claimed before it is."""
        self._held = {(one.symbol, one.position_side): one.quantity for one in positions or ()}
        self._updates = {}
        self._is_known = positions is not None

    def messages(self, event: Any) -> list[StreamMessage]:
        """Return what an event says, in order; an event that cannot be read comes as `spoiled`."""
        try:
            match event.get("e"):
                case "ORDER_TRADE_UPDATE":
                    return self._order(event)
                case "ACCOUNT_UPDATE":
                    return self._account(event)
                case _:
                    return []
        except ODD:
            return [StreamMessage(spoiled=as_sent(event))]

    def _order(self, event: Mapping[str, Any]) -> list[StreamMessage]:
        row: Mapping[str, Any] = event["o"]
        symbol, at = self._symbol_of(row["s"]), moment(event["T"])
        found: list[StreamMessage] = []
        if row["x"] in _EXECUTIONS:
            fill = shapes.streamed_fill(event, symbol=symbol)
            found.append(StreamMessage(fill=self._with_position(fill), venue_time=at))
        found.append(StreamMessage(order=shapes.streamed_order(event, symbol=symbol), venue_time=at))
        return found

    def _with_position(self, fill: Fill) -> Fill:
        key = (fill.symbol, fill.position_side)
        at, after, before = self._updates.get(key, (None, Decimal(0), Decimal(0)))
        if at != fill.venue_time:
            return fill
        del self._updates[key]
        return replace(fill, position_after=after) if after - before == fill.signed else fill

    def _account(self, event: Mapping[str, Any]) -> list[StreamMessage]:
        at, account = moment(event["T"]), event["a"]
        found: list[StreamMessage] = []
        for row in account.get("P", ()):
            position = shapes.streamed_position(row, symbol=self._symbol_of(row["s"]))
            key = (position.symbol, position.position_side)
            before = self._held.get(key, Decimal(0) if self._is_known else None)
            is_alone = self._updates.get(key, (None,))[0] != at
            if before is not None and is_alone:
                self._updates[key] = (at, position.quantity, before)
            else:
                self._updates.pop(key, None)
            self._held[key] = position.quantity
            found.append(StreamMessage(position=position, venue_time=at))
        if account.get("m") in _TRANSFERS:
            found += [StreamMessage(transfer=_transfer(row, at=at), venue_time=at) for row in account.get("B", ())]
        return found


def _transfer(row: Mapping[str, Any], *, at: datetime) -> LedgerEntry:
    return LedgerEntry(
        entry_id="", kind=EntryKind.TRANSFER, asset=text(row["a"]), amount=number(row["bc"]), venue_time=at
    )
