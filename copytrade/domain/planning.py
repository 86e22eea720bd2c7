"""Step 2 of the copy engine: what one change of the lead means for one leg. Pure: no clock, no I/O, no randomness."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.instruments import Market, MarketRules, PositionSide
from copytrade.domain.limits import Around, allowed, forbidden
from copytrade.domain.lots import Lot, Lots, align, put, take, target_total
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
) -> Plan:
    """Return lots, target, and what is asked and skipped, after `change`; the reducing part goes before the opening.

    Lots that do not stand for `change.before` are aligned with it first: what is missing was not copied.
    """
    after = _flat_or(change, rules)
    lots, given = align(lots, change.before)
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
        around = replace(around, order_notional=order.notional)
        asked, left, skips, order = _open(
            change, opened, lots=lots, order=order, settings=settings, equities=equities, around=around,
            rules=rules, now=now,
        )  # fmt: skip
        lots = _with_opening(lots, opened, asked=asked, left=left, part=ids.opening, open_parts=open_parts)
        if asked or skips:
            kind = PartKind.JOIN if change.kind is ChangeKind.JOIN else PartKind.OPENING
            asks.append(Ask(ids.opening, kind, sign(opened) * asked, skips))
    return Plan(lots, target_total(lots), order, tuple(asks))


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
    lots: Lots,
    order: OrderSoFar,
    settings: CopySettings,
    equities: Equities,
    around: Around,
    rules: MarketRules,
    now: datetime,
) -> tuple[Decimal, Decimal, tuple[Skip, ...], OrderSoFar]:
    share = _opening_share(change, opened, order)
    ordered = _ordered(change, opened)
    sized = size(ordered, price=change.price, share=share, settings=settings, equities=equities, base=rules.base)
    reason = forbidden(change, opening=opened, settings=settings, around=around, now=now) or sized.reason
    if settings.mode in FIXED_MODES and share is not None:
        order = replace(order, share=order.share + share)
    if reason is not None:
        return sized.quantity, ZERO, (Skip(reason, sized.quantity),), order
    target = abs(target_total(lots))
    left, skips = allowed(sized.quantity, target=target, price=change.price, settings=settings, around=around)
    return sized.quantity, left, skips, replace(order, notional=order.notional + EXACT.multiply(left, change.price))


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


def _with_opening(
    lots: Lots, opened: Decimal, *, asked: Decimal, left: Decimal, part: UUID, open_parts: Collection[UUID]
) -> Lots:
    if not left:
        return put(lots, Lot(opened, ZERO), open_parts=open_parts)
    copied = proportion(opened, left, asked)
    # The part is new, so it is open: it is not merged before it is done.
    lots = put(lots, Lot(copied, sign(opened) * left, part), open_parts=(*open_parts, part))
    return put(lots, Lot(opened - copied, ZERO), open_parts=open_parts)
