"""What limits leave of an increase. They cut on targets, at the fill's price, and never lower a target."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.quantities import EXACT, ZERO, at_most, plain
from copytrade.domain.sizing import CopySettings, Direction
from copytrade.domain.skips import Skip, SkipReason


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a leg when it is planned: the subscription's other legs and what forbids entries."""

    other_notional: Decimal = ZERO
    """Σ |T| × price over the subscription's other legs, in quote."""
    other_positions: int = 0
    """How many other legs have a target."""
    order_notional: Decimal = ZERO
    """What earlier fills of the same lead order were let through for, in quote."""
    copy_equity: Decimal | None = None
    blocked: SkipReason | None = None
    """Forbids every entry of this subscription: not paid, stopped, a daily loss reached …"""
    symbol_notional_left: Decimal | None = None
    """What the platform's own cap leaves in this symbol, in quote."""


def forbidden(
    change: LeadChange, *, opening: Decimal, settings: CopySettings, around: Around, now: datetime
) -> SkipReason | None:
    """Return why nothing of an opening part may be copied, None where it may."""
    if change.kind is ChangeKind.MISSED:
        return SkipReason.MISSED
    if around.blocked is not None:
        return around.blocked
    if settings.is_paused:
        return SkipReason.PAUSED
    if settings.symbols and change.instrument.symbol not in settings.symbols:
        return SkipReason.SYMBOL_NOT_ALLOWED
    wanted = Direction.LONG if opening > 0 else Direction.SHORT
    if settings.directions not in (Direction.BOTH, wanted):
        return SkipReason.DIRECTION_NOT_ALLOWED
    if now - change.venue_time > timedelta(seconds=settings.max_entry_age_s):
        return SkipReason.TOO_OLD
    return SkipReason.OUT_OF_ORDER if change.is_late else None


def allowed(
    size: Decimal, *, target: Decimal, price: Decimal, settings: CopySettings, around: Around
) -> tuple[Decimal, tuple[Skip, ...]]:
    """Return how much of `size` the amounts allow beside `target` (unsigned), and a skip for each cut."""
    left, worth, skips = size, EXACT.multiply(size, price), list[Skip]()
    for reason, room, limit in _rooms(EXACT.multiply(target, price), not target, settings=settings, around=around):
        if left and worth > room:
            fits = at_most(room, price)
            skips.append(Skip(reason, left - fits, {"limit": plain(limit)} if limit is not None else {}))
            left, worth = fits, EXACT.multiply(fits, price)
    return left, tuple(skips)


_Room = tuple[SkipReason, Decimal, Decimal | None]
"""Why, how much is left in quote, and the limit that is told with it."""


def _rooms(here: Decimal, is_new: bool, *, settings: CopySettings, around: Around) -> Iterator[_Room]:
    if (most := settings.max_order_notional) is not None:
        yield SkipReason.MAX_ORDER, most - around.order_notional, most
    if (most := settings.max_position_notional) is not None:
        yield SkipReason.MAX_POSITION, most - here, most
    if (most := settings.max_total_notional) is not None:
        yield SkipReason.MAX_TOTAL, most - here - around.other_notional, most
    count = settings.max_open_positions
    if count is not None and is_new and around.other_positions >= count:
        yield SkipReason.MAX_OPEN_POSITIONS, ZERO, Decimal(count)
    yield _leverage_room(here, settings=settings, around=around)
    if (left := around.symbol_notional_left) is not None:
        yield SkipReason.ILLIQUID, left, left.to_integral_value()


def _leverage_room(here: Decimal, *, settings: CopySettings, around: Around) -> _Room:
    if around.copy_equity is None:
        return SkipReason.EQUITY_UNKNOWN, ZERO, None
    if around.copy_equity <= 0:
        return SkipReason.NO_EQUITY, ZERO, None
    most = EXACT.multiply(around.copy_equity, settings.max_leverage)
    return SkipReason.MAX_LEVERAGE, most - here - around.other_notional, settings.max_leverage
