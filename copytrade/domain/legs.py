"""A leg: what the subscriber should hold and does hold of one instrument, and the parts that lie between the two.

Always: sum of the parts' pending = target − held, and for each part copied + skipped + netted + pending = asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from copytrade.domain.lots import Lots, charge, lower, scale
from copytrade.domain.planning import PartKind
from copytrade.domain.quantities import ZERO, nearer_zero, sign
from copytrade.domain.skips import Skip, SkipReason


class Purpose(StrEnum):
    """What an order is for: towards a target away from zero, back towards zero, or asked for by a service."""

    ENTRY = "entry"
    EXIT = "exit"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a leg's history. All quantities are signed like `asked`."""

    id: UUID
    kind: PartKind
    asked: Decimal
    price: Decimal
    at: datetime
    """The venue's time of the lead's fill, from which an opening part ages."""
    opens: bool
    """Whether it moves the target away from zero: such a part ages, is bounded by slippage and may be stepped back."""
    copied: Decimal = ZERO
    skipped: Decimal = ZERO
    netted: Decimal = ZERO
    unsized: Decimal = ZERO
    """The lead's opening quantity, signed, whose size is not known yet: nothing is asked until it is."""

    @property
    def pending(self) -> Decimal:
        """Return what is still to be traded."""
        return self.asked - self.copied - self.skipped - self.netted

    @property
    def is_open(self) -> bool:
        """Return whether the part may still change."""
        return bool(self.pending or self.unsized)


@dataclass(frozen=True, slots=True)
class LiveOrder:
    """An order of the leg that has not ended; `remaining` is signed. What it carries is pending until it has."""

    purpose: Purpose
    remaining: Decimal
    since: datetime
    """Real time of its claim."""
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """The subscriber's side of one instrument; `parts` are the open ones, oldest first."""

    target: Decimal = ZERO
    held: Decimal = ZERO
    lots: Lots = ()
    parts: tuple[Part, ...] = ()
    live: tuple[LiveOrder, ...] = ()
    last_reason: SkipReason | None = None
    """Why the last attempt to enter brought nothing."""
    entry_attempts: int = 0
    exit_attempts: int = 0
    enter_after: datetime | None = None
    exit_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class SkippedPart:
    """A skip written after the plan: a part that was stepped back, dropped, or taken over by the subscriber."""

    part: UUID
    skip: Skip


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of a part an order's fill carried out, unsigned."""

    part: UUID
    quantity: Decimal


def pending_total(leg: Leg) -> Decimal:
    """Return Σ pending, which is `target − held` at all times."""
    return sum((part.pending for part in leg.parts), ZERO)


def net(leg: Leg) -> Leg:
    """Set off what the trader took back before it could be traded: newest open part first, on both rows."""
    if len({sign(part.pending) for part in leg.parts} - {0}) < 2:
        return leg
    free = _free(leg)
    netted = {part.id: ZERO for part in leg.parts}
    newest = leg.parts[::-1]
    openings = [part for part in newest if part.opens]
    others = [part for part in newest if not part.opens]
    for left, right in ((openings, others), (newest, newest)):
        for one in left:
            for other in right:
                if sign(free[one.id]) * sign(free[other.id]) < 0:
                    amount = min(abs(free[one.id]), abs(free[other.id]))
                    for part in (one, other):
                        change = sign(free[part.id]) * amount
                        netted[part.id] += change
                        free[part.id] -= change
    return _with_parts(leg, [replace(part, netted=part.netted + netted[part.id]) for part in leg.parts])


def book(
    leg: Leg,
    quantity: Decimal,
    *,
    purpose: Purpose,
    price: Decimal,
    at: datetime,
    late_id: UUID,
    base_fee: Decimal = ZERO,
) -> tuple[Leg, tuple[Covered, ...], tuple[SkippedPart, ...]]:
    """Book a signed fill of one of our orders; what no part asked for becomes a part of its own that drives it back.

    A `base_fee` (spot) lowers what is held, and the target as far as it is above it: it is cost, not a new entry. What
    parts can then not bring any more is skipped.
    """
    left, covered, changed = quantity, list[Covered](), dict[UUID, Part]()
    for part in _in_turn(leg.parts, purpose=purpose, towards=sign(quantity)):
        if not left:
            break
        amount = nearer_zero(part.pending, left)
        changed[part.id] = replace(part, copied=part.copied + amount)
        covered.append(Covered(part.id, abs(amount)))
        left -= amount
    parts = [changed.get(part.id, part) for part in leg.parts]
    if left:
        parts.append(Part(late_id, PartKind.LATE, -left, price, at, opens=sign(leg.target) == sign(-left)))
    leg = replace(leg, held=leg.held + quantity, parts=tuple(parts))
    if not base_fee:
        return leg, tuple(covered), ()
    return _pay_in_base(leg, base_fee, covered)


def step_back(leg: Leg, part: Part, *, amount: Decimal, reason: SkipReason) -> tuple[Leg, SkippedPart | None]:
    """Move the target towards zero by `amount` ≥ 0 of an opening part, never past zero."""
    amount = min(amount, abs(part.pending))
    amount = min(amount, abs(leg.target)) if sign(part.pending) == sign(leg.target) else ZERO
    if not amount:
        return leg, None
    change = sign(part.pending) * amount
    stepped = replace(part, skipped=part.skipped + change)
    leg = replace(
        leg,
        target=leg.target - change,
        lots=lower(leg.lots, amount, part=part.id),
        parts=tuple(stepped if one.id == part.id else one for one in leg.parts),
    )
    return leg, SkippedPart(part.id, Skip(reason, amount))


def adopt(
    leg: Leg, reading: Decimal, *, drift_id: UUID, price: Decimal, at: datetime
) -> tuple[Leg, tuple[SkippedPart, ...]]:
    """Take over a reading that is less than what is held (never past zero): nothing opens because of it."""
    held = nearer_zero(reading, leg.held)
    moved = held - leg.held
    if not moved:
        return leg, ()
    target = nearer_zero(leg.target, held) if sign(leg.target) == sign(leg.held) else leg.target
    drift = Part(drift_id, PartKind.DRIFT, moved, price, at, opens=False, copied=moved)
    leg = replace(
        leg, held=held, target=target, lots=scale(leg.lots, target), parts=(*leg.parts, drift)
    )  # fmt: skip
    return _fit(leg, SkipReason.OWN_TRADE)


def close(leg: Leg, *, stop_id: UUID, price: Decimal, at: datetime) -> Leg:
    """End the leg: its target becomes 0."""
    if not leg.target:
        return replace(leg, lots=scale(leg.lots, ZERO))
    stop = Part(stop_id, PartKind.STOP, -leg.target, price, at, opens=False)
    return net(replace(leg, target=ZERO, lots=scale(leg.lots, ZERO), parts=(*leg.parts, stop)))


def freeze(leg: Leg) -> tuple[Leg, tuple[SkippedPart, ...]]:
    """Keep what is held as the subscriber's own: nothing is pending any more."""
    return _fit(replace(leg, target=leg.held, lots=scale(leg.lots, leg.held)), SkipReason.STOPPED)


def _free(leg: Leg) -> dict[UUID, Decimal]:
    """Return what no live order carries of each part."""
    free = {part.id: part.pending for part in leg.parts}
    for order in leg.live:
        left = order.remaining
        for part in _in_turn(leg.parts, purpose=order.purpose, towards=sign(left)):
            amount = nearer_zero(free[part.id], left)
            free[part.id] -= amount
            left -= amount
    return free


def _in_turn(parts: Sequence[Part], *, purpose: Purpose, towards: int) -> Iterator[Part]:
    """Give the parts that an order of this purpose and side carries out, in the order in which it does."""
    fitting = [part for part in parts if sign(part.pending) == towards]
    opens = purpose is Purpose.ENTRY
    yield from (part for part in fitting if part.opens is opens)
    yield from (part for part in fitting if part.opens is not opens)


def _with_parts(leg: Leg, parts: Sequence[Part]) -> Leg:
    return replace(leg, parts=tuple(parts))


def _pay_in_base(
    leg: Leg, fee: Decimal, covered: Sequence[Covered]
) -> tuple[Leg, tuple[Covered, ...], tuple[SkippedPart, ...]]:
    held = leg.held - fee
    cut = min(fee, max(leg.target - held, ZERO), max(leg.target, ZERO))
    target = leg.target - cut
    lots = charge(leg.lots, target, carried={one.part: one.quantity for one in covered})
    leg, skips = _fit(replace(leg, held=held, target=target, lots=lots), SkipReason.TOO_SMALL)
    return *_not_brought(leg, covered, leg.target - leg.held - pending_total(leg)), skips


def _not_brought(leg: Leg, covered: Sequence[Covered], fee: Decimal) -> tuple[Leg, tuple[Covered, ...]]:
    """What bought back too much that was sold paid a fee too: so much of it did not come and is still pending."""
    brought, changed = list[Covered](), dict[UUID, Part]()
    known = {part.id: part for part in leg.parts} if fee else {}
    for one in covered:
        amount = min(fee, one.quantity)
        if amount:
            changed[one.part] = replace(known[one.part], copied=known[one.part].copied - amount)
        fee -= amount
        brought.append(Covered(one.part, one.quantity - amount))
    return _with_parts(leg, [changed.get(part.id, part) for part in leg.parts]) if changed else leg, tuple(brought)


def _fit(leg: Leg, reason: SkipReason) -> tuple[Leg, tuple[SkippedPart, ...]]:
    """Shrink the parts so that they add up to `target − held` again: exits first, newest first."""
    gap = leg.target - leg.held - pending_total(leg)
    skips, changed = list[SkippedPart](), dict[UUID, Part]()
    newest = leg.parts[::-1]
    for part in [*(one for one in newest if not one.opens), *(one for one in newest if one.opens)]:
        amount = nearer_zero(-gap, part.pending)
        if amount:
            changed[part.id] = replace(part, skipped=part.skipped + amount)
            skips.append(SkippedPart(part.id, Skip(reason, abs(amount))))
            gap += amount
    return _with_parts(leg, [changed.get(part.id, part) for part in leg.parts]), tuple(skips)
