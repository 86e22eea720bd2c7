"""Positions as people read them: open and closed ones, contracts with a direction, coins just held."""

from dataclasses import dataclass

from copytrade import clock
from copytrade.analytics.rows import OpenPositionRow, TripRow
from copytrade.i18n.names import base_asset, is_spot, symbol_name
from copytrade.i18n.voice import Figure, Moment, Voice


@dataclass(frozen=True, slots=True)
class PositionLine:
    """A position held now."""

    symbol: str
    side: str
    tone: str
    quantity: str
    entry: str
    mark: str
    notional: str
    pnl: Figure
    leverage: str
    venue: str = ""
    """Told where positions of several accounts stand together."""


@dataclass(frozen=True, slots=True)
class TripLine:
    """A closed position."""

    symbol: str
    side: str
    closed: Moment
    quantity: str
    entry: str
    exit: str
    net: Figure
    result: Figure
    note: str


def position_line(row: OpenPositionRow, voice: Voice) -> PositionLine:
    """Return an open position as it is shown."""
    return PositionLine(
        symbol=symbol_name(row.symbol),
        side=_side(voice, row.symbol, is_long=row.quantity > 0),
        tone="muted" if is_spot(row.symbol) else "gain" if row.quantity > 0 else "loss",
        quantity=f"{voice.quantity(abs(row.quantity))} {base_asset(row.symbol)}",
        entry=voice.price(row.entry_price or None),
        mark=voice.price(row.mark_price),
        notional=voice.money(abs(row.notional)),
        # What a coin was bought for is known only where its purchase was seen.
        pnl=voice.change(row.unrealized_pnl if row.entry_price else None),
        leverage=f"{row.leverage}×" if row.leverage and not is_spot(row.symbol) else "",
    )


def trip_line(row: TripRow, voice: Voice) -> TripLine:
    """Return a closed position as it is shown."""
    note = voice.say("liquidated") if row.is_liquidated else voice.say("estimated") if row.is_estimated else ""
    return TripLine(
        symbol=symbol_name(row.symbol),
        side=_side(voice, row.symbol, is_long=row.is_long),
        closed=voice.moment(row.closed_at, now=clock.now()),
        quantity=f"{voice.quantity(row.quantity)} {base_asset(row.symbol)}",
        entry=voice.price(row.entry_price),
        exit=voice.price(row.exit_price),
        net=voice.change(row.net),
        result=voice.move(row.net_return),
        note=note,
    )


def _side(voice: Voice, symbol: str, *, is_long: bool) -> str:
    """Return the direction of a position; a coin is just held."""
    if is_spot(symbol):
        return voice.say("spot")
    return voice.say("long") if is_long else voice.say("short")
