"""The service's rows in memory, under the constraints that the database holds, and all that a receipt would say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from copytrade.copying.models import LIVE, OrderState
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.domain.instruments import Instrument
from copytrade.domain.legs import Part, Purpose
from copytrade.domain.planning import PartKind
from copytrade.domain.quantities import ZERO
from copytrade.domain.skips import SkipReason
from tests.model.broken import broken, hold


@dataclass(slots=True)
class Store:
    """Legs, orders and the ledger of parts and skips of one subscription."""

    legs: dict[Instrument, LegRecord] = field(default_factory=dict)
    orders: dict[UUID, OrderRecord] = field(default_factory=dict)
    checks: dict[UUID, datetime] = field(default_factory=dict)
    """When orders are looked up next."""
    peaks: dict[tuple[UUID, bool], Decimal] = field(default_factory=dict)
    """The most that a leg ever was to hold on each side."""
    ended: dict[UUID, datetime] = field(default_factory=dict)
    parts: dict[UUID, Part] = field(default_factory=dict)
    of_leg: dict[UUID, UUID] = field(default_factory=dict)
    fills: dict[tuple[UUID, UUID, PartKind], UUID] = field(default_factory=dict)
    fill_of: dict[UUID, UUID] = field(default_factory=dict)
    skips: list[tuple[UUID, SkipReason, Decimal]] = field(default_factory=list)
    covered: dict[UUID, Decimal] = field(default_factory=dict)
    """What orders carried out of each part."""
    check: Callable[[LegRecord], None] = lambda leg: None

    def load(self, leg: LegRecord) -> LegRecord:
        """Give a leg its live orders, as a transaction reads them under its lock."""
        orders = [order for order in self.orders.values() if order.leg_id == leg.id and order.state in LIVE]
        if leg.orders or orders:
            leg.orders = orders
            leg.refresh_live()
        return leg

    def insert(self, orders: Iterable[OrderRecord]) -> None:
        """Insert orders; one live entry and one live exit a leg, as the index has it."""
        for order in orders:
            hold(order.id not in self.orders, "an order's row was written twice", order)
            for other in self.orders.values():
                if other.leg_id == order.leg_id and other.purpose is order.purpose and other.state in LIVE:
                    broken("two live orders of one purpose", order, other)
            self.orders[order.id] = order

    def drop(self, orders: Iterable[OrderRecord]) -> None:
        """End intentions that were never sent."""
        for order in orders:
            order.state = OrderState.DROPPED
            self.checks.pop(order.id, None)

    def save(self, leg: LegRecord) -> None:
        """Write a leg with its parts and skips, and hold what must be true of them."""
        self.legs[leg.instrument] = leg
        self.check(leg)
        side = leg.leg.target >= 0
        peak = (leg.id, side)
        self.peaks[peak] = max(self.peaks.get(peak, ZERO), abs(leg.leg.target), abs(leg.leg.held))
        for part in leg.leg.parts:
            if part.id not in self.parts:
                self._birth(leg, part)
            self.parts[part.id] = part
        for one in leg.skips:
            self.skips.append((one.part, one.skip.reason, one.skip.quantity))
        for _, one in leg.covered:
            self.covered[one.part] = self.covered.get(one.part, ZERO) + one.quantity
        leg.skips, leg.covered, leg.births, leg.is_new = [], [], {}, False
        leg.leg = replace(leg.leg, parts=tuple(part for part in leg.leg.parts if part.is_open))
        leg.loaded = {part.id: part for part in leg.leg.parts}
        leg.loaded_leg = leg.leg

    def live(self, purpose: Purpose | None = None) -> list[OrderRecord]:
        """Return the orders that are on their way or may be, intentions too."""
        return [
            order
            for order in self.orders.values()
            if order.state in LIVE and (purpose is None or order.purpose is purpose)
        ]

    def parts_of(self, leg: LegRecord) -> list[Part]:
        """Return the whole history of a leg."""
        return [part for part in self.parts.values() if self.of_leg[part.id] == leg.id]

    def _birth(self, leg: LegRecord, part: Part) -> None:
        self.of_leg[part.id] = leg.id
        birth = leg.births.get(part.id)
        if part.kind is PartKind.OPENING and (birth is None or birth.fill_id is None):
            hold(not part.pending and not part.copied, "something was opened without a fill of the lead", part)
        if birth is not None and birth.fill_id is not None:
            change = (leg.id, birth.fill_id, part.kind)
            if change in self.fills:
                broken("one change of the lead was copied twice", part)
            self.fills[change] = part.id
            self.fill_of[part.id] = birth.fill_id
