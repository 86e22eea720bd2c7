"""What settings would make of a trader's order, by the planner and driver that copy in earnest. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.driving import Order, turn
from copytrade.domain.fills import Quote
from copytrade.domain.instruments import Instrument, MarketRules
from copytrade.domain.legs import Leg, Part, book
from copytrade.domain.limits import Around
from copytrade.domain.planning import OrderSoFar, PartKind, PlanIds, plan
from copytrade.domain.quantities import ONE, ZERO, product, ratio
from copytrade.domain.sizing import FIXED_MODES, CopySettings, Equities
from copytrade.domain.skips import Skip, SkipReason

FIRST_SHARE = Decimal("0.25")
"""How much of an order its first part brings in an example of an order in two parts."""
HALF = Decimal("0.5")
MOST_ORDERS = 50
"""Orders that one target may take where the venue's largest is small."""
_LATE = UUID(int=1 << 100)


@dataclass(frozen=True, slots=True)
class Occasion:
    """An order of the trader's in the terms of its market; `quantity` > 0 in base units, `price` in quote."""

    instrument: Instrument
    rules: MarketRules
    quantity: Decimal
    price: Decimal
    sells: bool = False
    """He opens a short position."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What one part of the order becomes: asked by the sizing, left by the limits, and ordered at the venue."""

    lead: Decimal
    asked: Decimal
    target: Decimal
    ordered: Decimal
    """In all so far: 0 while it is below the venue's minimum and waits for more."""
    skips: tuple[Skip, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A trader's order part by part, and his sale of half of it afterwards; quantities unsigned, in base units."""

    parts: tuple[Copied, ...]
    exit_lead: Decimal
    exit_ordered: Decimal
    left: Decimal
    """What is still held after the exit."""

    @property
    def copied(self) -> Copied:
        """Return what becomes of the whole order."""
        return self.parts[-1]


@dataclass(frozen=True, slots=True)
class _Stand:
    leg: Leg
    so_far: OrderSoFar
    lead: Decimal


def example(occasion: Occasion, *, settings: CopySettings, equities: Equities, now: datetime) -> Example:
    """Plan and drive one order of the trader's from flat, then his exit from half of it, all filled at his price."""
    settings = replace(settings, is_paused=False)
    first = occasion.rules.round_quantity(product(occasion.quantity, FIRST_SHARE))
    is_split = settings.mode in FIXED_MODES and 0 < first < occasion.quantity
    quantities = (first, occasion.quantity - first) if is_split else (occasion.quantity,)
    stand, parts = _Stand(Leg(), OrderSoFar(), ZERO), list[Copied]()
    for quantity in quantities:
        share = ONE if not is_split else ratio(quantity, occasion.quantity)
        stand, copied = _step(stand, quantity, share, occasion=occasion, settings=settings, equities=equities, now=now)
        parts.append(copied)
    half = occasion.rules.round_quantity(product(occasion.quantity, HALF)) or occasion.quantity
    held = abs(stand.leg.held)
    after, _ = _step(stand, -half, None, occasion=occasion, settings=settings, equities=equities, now=now)
    left = abs(after.leg.held)
    return Example(tuple(parts), half, held - left, left)


def _step(
    stand: _Stand,
    quantity: Decimal,
    share: Decimal | None,
    *,
    occasion: Occasion,
    settings: CopySettings,
    equities: Equities,
    now: datetime,
) -> tuple[_Stand, Copied]:
    sign = -1 if occasion.sells else 1
    change = LeadChange(
        fill_id=None,
        instrument=occasion.instrument,
        before=stand.lead,
        after=stand.lead + quantity * sign,
        price=occasion.price,
        venue_time=now,
        received_at=now,
        kind=ChangeKind.FILL,
        order_share=share,
        lead_fill_quantity=abs(quantity),
    )
    reducing, opening = UUID(int=len(stand.leg.parts) * 2 + 1), UUID(int=len(stand.leg.parts) * 2 + 2)
    planned = plan(
        change,
        lots=stand.leg.lots,
        order=stand.so_far,
        settings=settings,
        equities=equities,
        around=Around(copy_equity=equities.copy),
        rules=occasion.rules,
        ids=PlanIds(reducing, opening),
        now=now,
        open_parts={part.id for part in stand.leg.parts if part.pending},
    )
    skips = tuple(skip for ask in planned.asks for skip in ask.skips if skip.reason is not SkipReason.NOTHING_TO_REDUCE)
    cut = {ask.part: sum((skip.quantity for skip in ask.skips), ZERO) for ask in planned.asks}
    asked = [
        Part(
            ask.part, ask.kind, ask.asked, occasion.price, now, ask.kind is PartKind.OPENING,
            skipped=cut[ask.part].copy_sign(ask.asked) if ask.asked else ZERO,
        )
        for ask in planned.asks
    ]  # fmt: skip
    leg = replace(stand.leg, lots=planned.lots, target=planned.target, parts=(*stand.leg.parts, *asked))
    leg = _filled(leg, occasion=occasion, settings=settings, now=now)
    whole = sum((abs(part.asked) for part in asked), ZERO)
    copied = Copied(abs(quantity), whole, abs(planned.target), abs(leg.held), skips)
    return _Stand(leg, planned.order, change.after), copied


def _filled(leg: Leg, *, occasion: Occasion, settings: CopySettings, now: datetime) -> Leg:
    """Return the leg with its next order executed, as many orders as the venue's largest asks for."""
    price = occasion.price
    quote = Quote(occasion.rules.symbol, price, price, price, now)
    for _ in range(MOST_ORDERS):
        turned = turn(
            leg, rules=occasion.rules, settings=settings, quote=quote, now=now, real_now=now,
            market=occasion.instrument.market,
        )  # fmt: skip
        if not isinstance(turned.decision, Order):
            return turned.leg
        order = turned.decision
        leg, _, _ = book(turned.leg, order.signed, purpose=order.purpose, price=price, at=now, late_id=_LATE)
    return leg
