"""Step 3 of the copy engine: looks at a leg: nets, steps back what is too old, and asks for the next order. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from copytrade.domain.fills import Quote
from copytrade.domain.instruments import Market, MarketRules
from copytrade.domain.legs import Leg, SkippedPart, close, freeze, net, step_back
from copytrade.domain.next_orders import (
    ENTRY_PAUSE,
    HOLD_PAUSE,
    Decision,
    Done,
    Order,
    Wait,
    WaitReason,
    next_order,
)
from copytrade.domain.quantities import EXACT, ZERO, sign
from copytrade.domain.sizing import CopySettings
from copytrade.domain.skips import Skip, SkipReason

__all__ = [
    "ENTRY_PAUSE", "HOLD_PAUSE", "OPEN_GATE", "Decision", "Done", "Flatten", "Gate", "Order", "Turn", "Wait",
    "WaitReason", "drop_openings", "flatten", "next_order", "turn",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flatten:
    """All that is copied is to be closed: why, the id of the part that says so, and the price it is reckoned at."""

    reason: SkipReason
    stop_id: UUID
    price: Decimal


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands in the way at send time."""

    drop_entries: SkipReason | None = None
    """Openings are skipped with this reason: halted, paused, stopped."""
    hold_entries: SkipReason | None = None
    """Openings wait, and step back with this reason: own position, leverage refused, drift."""
    hands_off: bool = False
    """Nothing is sent; capture and plans go on."""
    frozen: bool = False
    """The position is the subscriber's own: nothing is sent ever again."""
    flatten: Flatten | None = None
    """The target is 0 for as long as this stands, whatever fills late; openings are skipped with its reason."""


OPEN_GATE = Gate()


@dataclass(frozen=True, slots=True)
class Turn:
    """A leg after it was looked at, what was skipped on the way, and what to do."""

    leg: Leg
    skips: tuple[SkippedPart, ...]
    decision: Decision


def turn(
    leg: Leg,
    *,
    rules: MarketRules,
    settings: CopySettings,
    quote: Quote | None,
    now: datetime,
    real_now: datetime,
    market: Market = Market.PERPETUAL,
    gate: Gate = OPEN_GATE,
    free: Decimal | None = None,
) -> Turn:
    """Net what was taken back, step back what is too old, and choose the next order."""
    leg = net(leg)
    if gate.frozen and not leg.live:
        leg, skips = freeze(leg)
        return Turn(leg, skips, Done())
    if gate.hands_off:
        leg, skips = drop_openings(leg, gate.drop_entries) if gate.drop_entries and not leg.live else (leg, ())
        return Turn(leg, skips, Wait(WaitReason.HANDS_OFF, now + HOLD_PAUSE) if leg.target != leg.held else Done())
    skips = ()
    if gate.hold_entries is not None:
        leg = replace(leg, last_reason=gate.hold_entries)
    drop = gate.flatten.reason if gate.flatten else gate.drop_entries
    if not leg.live:
        leg, skips = drop_openings(leg, drop) if drop else _expire(leg, rules, settings, now)
    if gate.flatten is not None:
        leg, said = flatten(leg, gate.flatten, now=now)
        skips = (*skips, *said)
    held_back = gate.hold_entries is not None or drop is not None
    decision = next_order(
        leg,
        rules=rules,
        settings=settings,
        quote=quote,
        now=now,
        real_now=real_now,
        market=market,
        held_back=held_back,
        free=free,
    )
    return Turn(leg, skips, decision)


def flatten(leg: Leg, order: Flatten, *, now: datetime) -> tuple[Leg, tuple[SkippedPart, ...]]:
    """Close what is copied; the part that does it bears the reason as a skip of nothing."""
    if not leg.target:
        return leg, ()
    closed = close(leg, stop_id=order.stop_id, price=order.price, at=now)
    return closed, (SkippedPart(order.stop_id, Skip(order.reason, ZERO)),)


def drop_openings(leg: Leg, reason: SkipReason) -> tuple[Leg, tuple[SkippedPart, ...]]:
    """Step back whatever of a leg is still to be opened; no order of it may be live."""
    skips = list[SkippedPart]()
    for part in leg.parts:
        if part.opens and part.pending:
            leg, skip = step_back(leg, part, amount=abs(part.pending), reason=reason)
            skips += [skip] if skip else []
    return leg, tuple(skips)


def _expire(leg: Leg, rules: MarketRules, settings: CopySettings, now: datetime) -> tuple[Leg, tuple[SkippedPart, ...]]:
    """Step back what was not opened in time, as much of all such parts together as could be ordered.

    Their rests below a step are reckoned together: else they add up to more than one, which nobody would order.
    """
    oldest = now - timedelta(seconds=settings.max_entry_age_s)
    old = [part for part in leg.parts if part.opens and part.pending and part.at < oldest]
    skips = list[SkippedPart]()
    for towards in (1, -1):
        some = [part for part in old if sign(part.pending) == towards]
        left = rules.round_quantity(sum((abs(part.pending) for part in some), ZERO))
        if left < rules.min_quantity or not some or EXACT.multiply(left, some[-1].price) < rules.min_notional:
            continue
        for part in some:
            amount = min(abs(part.pending), left)
            left -= amount
            if amount:
                leg, skip = step_back(leg, part, amount=amount, reason=leg.last_reason or SkipReason.TOO_OLD)
                skips += [skip] if skip else []
    return leg, tuple(skips)
