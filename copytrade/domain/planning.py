"""Step 2 of the copy engine: what one change of the lead means for one leg. Pure: no clock, no I/O, no randomness."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.instruments import Market, MarketRules, PositionSide
from copytrade.domain.limits import Around, allowed, forbidden
from copytrade.domain.lots import Lot, Lots, align, fill_in, put, take, target_total
from copytrade.domain.quantities import EXACT, ONE, ZERO, proportion, sign
from copytrade.domain.sizing import FIXED_MODES, CopySettings, Equities, size
from copytrade.domain.skips import Skip, SkipReason


class PartKind(StrEnum):
    """Where a part of a leg's history comes from."""

    OPENING = "opening"
    REDUCING = "reducing"
    JOIN = "join"
    """A position that the lead held when the subscription started."""
    STOP = "stop"
    """The end of the subscription."""
    DRIFT = "drift"
    """What the subscriber or the venue did to the copied position."""
    LATE = "late"
    """More came in than was asked: an order that we thought lost."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the sizing asks of a leg for one part of a change: signed base quantity, and what a limit cut from it."""

    part: UUID
    kind: PartKind
    asked: Decimal
    skips: tuple[Skip, ...] = ()
    unsized: Decimal = ZERO
    """The lead's opening quantity, signed, that waits to be sized; nothing is asked for it yet."""


@dataclass(frozen=True, slots=True)
class OrderSoFar:
    """What one lead order was already let through for on this leg: quote notional, and the share of the order."""

    notional: Decimal = ZERO
    share: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PlanIds:
    """Ids of the parts that a plan may write, chosen outside so that the plan stays pure."""

    reducing: UUID
    opening: UUID


@dataclass(frozen=True, slots=True)
class Plan:
    """The leg after the change."""

    lots: Lots
    target: Decimal
    order: OrderSoFar
    asks: tuple[Ask, ...]


@dataclass(slots=True)
class _Opening:
    asked: Decimal
    left: Decimal
    """What the limits let through of it."""
    skips: tuple[Skip, ...]
    order: OrderSoFar
    waits: bool = False


WAITS_FOR: Collection[SkipReason] = (SkipReason.ORDER_UNKNOWN,)
"""What an opening waits for, while it is young, instead of being skipped."""


def plan(
    change: LeadChange,
    *,
    lots: Lots,
    order: OrderSoFar,
    settings: CopySettings,
    equities: Equities,
    around: Around,
    rules: MarketRules,
    ids: PlanIds,
    now: datetime,
    open_parts: Collection[UUID] = (),
    waits_for: Collection[SkipReason] = WAITS_FOR,
) -> Plan:
    """Return lots, target, and what is asked and skipped, after `change`; the reducing part goes before the opening.

    Lots that do not stand for `change.before` are aligned with it first: what is missing was not copied. An opening
    whose size is not known for a reason in `waits_for` asks nothing: `resume` sizes it when it is.
    """
    after = _flat_or(change, rules)
    lots, given = align(lots, change.before, open_parts=open_parts)
    crosses = sign(after) != sign(change.before)
    reduced = abs(change.before) if crosses else max(abs(change.before) - abs(after), ZERO)
    asks: list[Ask] = []
    if reduced:
        lots, more = take(lots, reduced) if after and not crosses else ((), target_total(lots))
        given += more
        none = (Skip(SkipReason.NOTHING_TO_REDUCE, ZERO),) if not given else ()
        asks.append(Ask(ids.reducing, PartKind.REDUCING, -given, none))
    elif given:
        asks.append(Ask(ids.reducing, PartKind.REDUCING, -given))
    opened = after if crosses else ZERO if reduced else after - change.before
    if opened:
        found = _open(
            change, opened, ordered=_ordered(change, opened), lots=lots, order=order, settings=settings,
            equities=equities, around=_with(around, order), rules=rules, now=now, waits_for=waits_for,
        )  # fmt: skip
        order = found.order
        lots = _with_opening(lots, opened, found=found, part=ids.opening, open_parts=open_parts)
        if found.asked or found.skips or found.waits:
            kind = PartKind.JOIN if change.kind is ChangeKind.JOIN else PartKind.OPENING
            unsized = opened if found.waits else ZERO
            asks.append(Ask(ids.opening, kind, found.asked.copy_sign(opened), found.skips, unsized))
    return Plan(lots, target_total(lots), order, tuple(asks))


def resume(
    change: LeadChange,
    *,
    part: UUID,
    opened: Decimal,
    lots: Lots,
    order: OrderSoFar,
    settings: CopySettings,
    equities: Equities,
    around: Around,
    rules: MarketRules,
    now: datetime,
    waits_for: Collection[SkipReason] = WAITS_FOR,
) -> Plan | None:
    """Size the opening `opened` of `change` that waited, under the limits of now; None while it still has to wait.

    What is left of it on the stack is asked for: what the lead took back before never was.
    """
    left = sum((lot.lead for lot in lots if lot.part == part), ZERO)
    if not left:
        skip = Skip(SkipReason.ORDER_UNKNOWN, ZERO)
        return Plan(lots, target_total(lots), order, (Ask(part, PartKind.OPENING, ZERO, (skip,)),))
    found = _open(
        change, left, ordered=proportion(_ordered(change, opened), left, opened), lots=lots, order=order,
        settings=settings, equities=equities, around=_with(around, order),
        rules=rules, now=now, waits_for=waits_for,
    )  # fmt: skip
    if found.waits:
        return None
    copied = proportion(left, found.left, found.asked) if found.left else ZERO
    lots = fill_in(lots, part, lead=copied, target=sign(left) * found.left)
    ask = Ask(part, PartKind.OPENING, sign(left) * found.asked, found.skips)
    return Plan(lots, target_total(lots), found.order, (ask,))


def _flat_or(change: LeadChange, rules: MarketRules) -> Decimal:
    after = change.after
    one_sided = change.instrument.market is Market.SPOT or change.instrument.position_side is PositionSide.LONG
    if (one_sided and after < 0) or (change.instrument.position_side is PositionSide.SHORT and after > 0):
        return ZERO
    return after if abs(after) >= rules.quantity_step else ZERO


def _open(
    change: LeadChange,
    opened: Decimal,
    *,
    ordered: Decimal,
    lots: Lots,
    order: OrderSoFar,
    settings: CopySettings,
    equities: Equities,
    around: Around,
    rules: MarketRules,
    now: datetime,
    waits_for: Collection[SkipReason],
) -> _Opening:
    share = _opening_share(change, opened, order)
    sized = size(ordered, price=change.price, share=share, settings=settings, equities=equities, base=rules.base)
    reason = forbidden(change, opening=opened, settings=settings, around=around, now=now) or sized.reason
    if reason is SkipReason.TOO_OLD and sized.reason is SkipReason.ORDER_UNKNOWN:
        reason = sized.reason
    elif reason is None and around.copy_equity is None:
        reason = SkipReason.EQUITY_UNKNOWN
    if (
        reason is not None
        and reason in waits_for
        and now - change.venue_time <= timedelta(seconds=settings.max_entry_age_s)
    ):
        return _Opening(ZERO, ZERO, (), order, waits=True)
    if settings.mode in FIXED_MODES and share is not None:
        order = OrderSoFar(order.notional, order.share + share)
    if reason is not None:
        return _Opening(sized.quantity, ZERO, (Skip(reason, sized.quantity),), order)
    target = abs(target_total(lots))
    left, skips = allowed(sized.quantity, target=target, price=change.price, settings=settings, around=around)
    if left and skips and not proportion(opened, left, sized.quantity):
        # So little that no part of the lead's quantity would stand for it: it would be pending for ever.
        left, skips = ZERO, (*skips[:-1], replace(skips[-1], quantity=skips[-1].quantity + left))
    order = OrderSoFar(order.notional + EXACT.multiply(left, change.price), order.share)
    return _Opening(sized.quantity, left, skips, order)


def _with(around: Around, order: OrderSoFar) -> Around:
    # A caller who knows it spares the copy, which costs as much as a third of a plan.
    known = around.order_notional == order.notional
    return around if known else replace(around, order_notional=order.notional)


def _ordered(change: LeadChange, opened: Decimal) -> Decimal:
    """Return what the lead bought for this opening: on spot more than came in, where the fee was taken out of it."""
    if change.kind is not ChangeKind.FILL or change.instrument.market is not Market.SPOT:
        return opened
    return max(opened, change.lead_fill_quantity)


def _opening_share(change: LeadChange, opened: Decimal, order: OrderSoFar) -> Decimal | None:
    # Amended orders would add up to more than one; only what opens counts in a flip.
    if change.order_share is None:
        return None
    part = proportion(change.order_share, abs(opened), abs(change.moved))
    return min(part, max(ONE - order.share, ZERO))


def _with_opening(lots: Lots, opened: Decimal, *, found: _Opening, part: UUID, open_parts: Collection[UUID]) -> Lots:
    if found.waits:
        return put(lots, Lot(opened, ZERO, part), open_parts=(*open_parts, part))
    if not found.left:
        return put(lots, Lot(opened, ZERO), open_parts=open_parts)
    copied = proportion(opened, found.left, found.asked)
    # The part is new, so it is open: it is not merged before it is done.
    lots = put(lots, Lot(copied, found.left.copy_sign(opened), part), open_parts=(*open_parts, part))
    return lots if copied == opened else put(lots, Lot(opened - copied, ZERO), open_parts=open_parts)
