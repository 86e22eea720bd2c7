"""Legs and orders between the database and the pure engine: loaded under the leg's lock, written in batches."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlmodel import Session

from copytrade.copying import bulk
from copytrade.copying.models import LegState, OrderState
from copytrade.db.trips import Ask, Asking, Row, Trip
from copytrade.domain.instruments import Instrument, Market, PositionSide, Side, Venue
from copytrade.domain.legs import Covered, Leg, LiveOrder, Part, Purpose, SkippedPart
from copytrade.domain.lots import Lot, Lots
from copytrade.domain.planning import OrderSoFar, PartKind
from copytrade.domain.quantities import ZERO
from copytrade.domain.skips import SkipReason

REMEMBERED_ORDERS = 20
READ_AGAIN = 2_000
"""Texts of lots and orders whose reading is kept: those of the legs on their way now. Each is kilobytes when read."""
"""Lead orders of which a leg remembers what they were let through for."""


@dataclass(slots=True)
class OrderRecord:
    """An order of ours as its row says; `remaining` is signed."""

    id: UUID
    leg_id: UUID | None
    account_id: UUID
    symbol: str
    side: Side
    purpose: Purpose
    kind: str
    quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    reference: Decimal
    client_order_id: str
    state: OrderState
    filled: Decimal
    average_price: Decimal | None
    venue_order_id: str
    created_at: datetime
    claimed_at: datetime | None
    sent_at: datetime | None
    lease_until: datetime | None
    checks: int
    fee: Decimal | None = None
    fee_asset: str = ""

    @property
    def remaining(self) -> Decimal:
        return max(self.quantity - self.filled, ZERO) * self.side.sign


@dataclass(frozen=True, slots=True)
class Place:
    """Which place a subscriber has among those `served` with a change, and how many go after him in all."""

    rank: int = 0
    served: int = 0
    ahead: int = 0


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Birth:
    """What a new part's row knows beside the part."""

    received_at: datetime
    fill_id: UUID | None = None
    lead_quantity: Decimal = ZERO
    place: Place = NOWHERE
    lead_before: Decimal | None = None
    lead_after: Decimal | None = None


@dataclass(slots=True)
class LegRecord:
    """A leg's row and its state in the pure engine; what changed is written by `save`."""

    id: UUID
    subscription_id: UUID
    subscriber_id: UUID
    profile_id: UUID
    lead_account_id: UUID
    copy_account_id: UUID
    instrument: Instrument
    leg: Leg = field(default_factory=Leg)
    state: LegState = LegState.FOLLOWING
    lead_orders: dict[str, OrderSoFar] = field(default_factory=dict[str, OrderSoFar])
    price: Decimal = ZERO
    waits_for: str = ""
    refusals: int = 0
    due_at: datetime | None = None
    ahead: int = 0
    """How many are served after it with the newest change."""
    is_halted: bool = False
    is_ending: bool = False
    last_order_ended_at: datetime | None = None
    drift_reading: Decimal | None = None
    drift_read_at: datetime | None = None
    is_new: bool = False
    orders: list[OrderRecord] = field(default_factory=list[OrderRecord])
    """The live ones."""
    loaded: dict[UUID, Part] = field(default_factory=dict[UUID, Part])
    births: dict[UUID, Birth] = field(default_factory=dict[UUID, Birth])
    skips: list[SkippedPart] = field(default_factory=list[SkippedPart])
    covered: list[tuple[UUID, Covered]] = field(default_factory=list[tuple[UUID, Covered]])
    loaded_leg: Leg | None = None
    has_new_orders: bool = False

    @property
    def planned(self) -> OrderRecord | None:
        """Return the intention that nobody has claimed yet."""
        return next((order for order in self.orders if order.state is OrderState.PLANNED), None)

    def so_far(self, order_id: str) -> OrderSoFar:
        return self.lead_orders.get(order_id, OrderSoFar())

    def remember(self, order_id: str, so_far: OrderSoFar) -> None:
        """Remember what one lead order was let through for, of the newest orders only."""
        if order_id:
            self.has_new_orders = True
            self.lead_orders.pop(order_id, None)
            self.lead_orders[order_id] = so_far
            while len(self.lead_orders) > REMEMBERED_ORDERS:
                del self.lead_orders[next(iter(self.lead_orders))]

    def skip(self, skips: Iterable[SkippedPart]) -> None:
        self.skips.extend(skips)

    @property
    def has_new_lots(self) -> bool:
        """Tell whether lots or remembered orders, the large columns, have to be written."""
        return self.has_new_orders or self.loaded_leg is None or self.leg.lots is not self.loaded_leg.lots

    def refresh_live(self) -> None:
        """Tell the pure leg of the live orders; an intention carries nothing yet."""
        self.leg = replace(self.leg, live=live_of(self.orders))


def live_of(orders: Sequence[OrderRecord]) -> tuple[LiveOrder, ...]:
    """Return the orders that are on their way or at the venue."""
    return tuple(
        LiveOrder(
            order.purpose, order.remaining, order.claimed_at or order.created_at, order.state is OrderState.UNKNOWN
        )
        for order in orders
        if order.state is not OrderState.PLANNED
    )


_LEG = (
    "id, subscription_id, subscriber_id, profile_id, lead_account_id, copy_account_id, venue, market, symbol, "
    "position_side, state, target, held, lots::text, lead_orders::text, price, last_reason, waits_for, entry_attempts, "
    "exit_attempts, refusals, enter_after, exit_after, due_at, is_halted, is_ending, last_order_ended_at, "
    "drift_reading, drift_read_at"
)
ORDER = (
    "id, leg_id, exchange_account_id, symbol, side, purpose, kind, quantity, price, reduce_only, reference, "
    "client_order_id, state, filled, average_price, venue_order_id, created_at, claimed_at, sent_at, lease_until, "
    "checks, fee, fee_asset"
)

_PART = "leg_id, id, kind, asked, price, venue_time, opens, copied, skipped, netted, unsized"


def lock(session: Session, where: str, **values: object) -> list[LegRecord]:
    """Lock and load the legs that fit `where` (its locking clause included), with open parts and live orders."""
    rows = bulk.fetch(session, f"SELECT {_LEG} FROM trades.legs WHERE {where}", **values)  # noqa: S608 - text of ours
    if not rows:
        return []
    legs = {"legs": [row[0] for row in rows]}
    trip = Trip(session)
    found = trip.ask(_asking_parts_and_orders("leg_id = ANY(%(legs)s)", legs))
    trip.go()
    return _records(rows, *found.value)


def asking_locked(where: str, **values: object) -> Asking[list[LegRecord]]:
    """Ask for the legs that fit `where`, locked in the order of their ids, with open parts and live orders."""
    query = f"SELECT {_LEG} FROM trades.legs WHERE {where} ORDER BY id FOR UPDATE"  # noqa: S608 - text of ours
    # Read after they are locked: what belongs to them cannot change any more.
    of_them = f"leg_id IN (SELECT id FROM trades.legs WHERE {where})"  # noqa: S608 - text of ours
    rows, parts, orders = yield [Ask(query, values), *_parts_and_orders(of_them, values)]
    return _records(rows, parts, orders)


def _asking_parts_and_orders(where: str, values: Mapping[str, object]) -> Asking[Sequence[list[Row]]]:
    return (yield _parts_and_orders(where, values))


def _parts_and_orders(where: str, values: Mapping[str, object]) -> list[Ask]:
    return [
        Ask(
            f"SELECT {_PART} FROM trades.copy_parts WHERE {where} AND is_open ORDER BY planned_at, id",  # noqa: S608 - text of ours
            values,
        ),
        Ask(
            f"SELECT {ORDER} FROM trades.copy_orders WHERE {where}"  # noqa: S608 - text of ours
            " AND state IN ('planned', 'sending', 'unknown', 'placed')",
            values,
        ),
    ]


def _records(rows: Sequence[Row], parts: Sequence[Row], orders: Sequence[Row]) -> list[LegRecord]:
    legs = {row[0]: _leg(row) for row in rows}
    _give_parts(legs, parts)
    _give_orders(legs, orders)
    for record in legs.values():
        record.loaded_leg = record.leg
    return list(legs.values())


def order_record(row: Row) -> OrderRecord:
    """Return an order from a row of the columns `ORDER`."""
    values: list[Any] = list(row)
    values[4], values[5], values[12] = Side(values[4]), Purpose(values[5]), OrderState(values[12])
    return OrderRecord(*values)


def _give_parts(legs: Mapping[UUID, LegRecord], rows: Sequence[Row]) -> None:
    parts: dict[UUID, list[Part]] = {}
    for leg_id, part_id, kind, asked, price, at, opens, copied, skipped, netted, unsized in rows:
        part = Part(part_id, PartKind(kind), asked, price, at, opens, copied, skipped, netted, unsized or ZERO)
        parts.setdefault(leg_id, []).append(part)
    for leg_id, found in parts.items():
        record = legs[leg_id]
        record.leg = replace(record.leg, parts=tuple(found))
        record.loaded = {part.id: part for part in found}


def _give_orders(legs: Mapping[UUID, LegRecord], rows: Sequence[Row]) -> None:
    for row in rows:
        order = order_record(row)
        if order.leg_id is not None:
            legs[order.leg_id].orders.append(order)
    for record in legs.values():
        if record.orders:
            record.refresh_live()


def _leg(row: Row) -> LegRecord:
    (
        leg_id, subscription, subscriber, profile, lead, copy, venue, market, symbol, position_side, state, target,
        held, lots, lead_orders, price, last_reason, waits_for, entries, exits, refusals, enter_after, exit_after,
        due_at, is_halted, is_ending, ended_at, drift_reading, drift_read_at,
    ) = row  # fmt: skip
    return LegRecord(
        id=leg_id,
        subscription_id=subscription,
        subscriber_id=subscriber,
        profile_id=profile,
        lead_account_id=lead,
        copy_account_id=copy,
        instrument=_instrument(venue, market, symbol, position_side),
        leg=Leg(
            target=target,
            held=held,
            lots=_lots(lots),
            last_reason=SkipReason(last_reason) if last_reason else None,
            entry_attempts=entries,
            exit_attempts=exits,
            enter_after=enter_after,
            exit_after=exit_after,
        ),
        state=_STATES[state],
        lead_orders=dict(_so_far(lead_orders)),
        price=price,
        waits_for=waits_for,
        refusals=refusals,
        due_at=due_at,
        is_halted=is_halted,
        is_ending=is_ending,
        last_order_ended_at=ended_at,
        drift_reading=drift_reading,
        drift_read_at=drift_read_at,
    )


_STATES = {state.value: state for state in LegState}


@lru_cache(maxsize=20_000)
def _instrument(venue: str, market: str, symbol: str, position_side: str) -> Instrument:
    return Instrument(Venue(venue), Market(market), symbol, PositionSide(position_side))


@lru_cache(maxsize=READ_AGAIN)
def _lots(text: str) -> Lots:
    # The same leg is read three times on the way of a fill; what was read is never changed.
    return tuple(
        Lot(Decimal(lead), Decimal(target), UUID(part) if part else None) for lead, target, part in json.loads(text)
    )


@lru_cache(maxsize=READ_AGAIN)
def _so_far(text: str) -> tuple[tuple[str, OrderSoFar], ...]:
    orders: dict[str, tuple[str, str]] = json.loads(text)
    return tuple((name, OrderSoFar(Decimal(notional), Decimal(share))) for name, (notional, share) in orders.items())
