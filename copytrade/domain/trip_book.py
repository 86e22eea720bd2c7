"""The open positions of an account at average cost: fills and funding in, closed round trips out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, localcontext
from heapq import merge
from typing import Any

from copytrade.domain.instruments import PositionSide
from copytrade.domain.trips import DUST_SHARE, DUST_WORTH, EXACT, ZERO, Execution, Funding, Realization, Trip

_DECIMALS = (
    *("quantity", "cost", "open_fee", "peak_quantity", "entry_quantity", "entry_notional"),
    *("exit_quantity", "exit_notional", "gross", "fee", "funding"),
)
_FLAGS = ("is_liquidated", "is_estimated")


@dataclass(frozen=True, slots=True)
class Applied:
    """What a fill did; `missing` is a closing quantity beyond the position: a fill was missed, nothing is invented."""

    closed: Trip | None = None
    realized: Realization | None = None
    missing: Decimal = ZERO


@dataclass(slots=True)
class TripBook:
    """The open positions of one account, fed with its fills and funding in the venue's order."""

    trips: dict[tuple[str, PositionSide], Trip] = field(default_factory=dict[tuple[str, PositionSide], Trip])

    def apply(self, execution: Execution) -> Applied:
        """Book one fill and return what it closed and realized."""
        with localcontext(EXACT):
            delta = execution.quantity - execution.base_fee
            if delta == 0:
                return Applied()
            trip = self.trips.get((execution.symbol, execution.position_side))
            if trip is None or (delta > 0) == (trip.sign > 0):
                if _may_open(execution):
                    self._open(execution, trip=trip, part=_Part.whole(execution))
                    return Applied()
                return Applied(missing=abs(delta))
            return self._reduce(execution, trip=trip, delta=abs(delta))

    def fund(self, funding: Funding) -> bool:
        """Add funding to the open position of its symbol; False when none is open. A hedge shares it by cost."""
        sides = [funding.position_side] if funding.position_side else list(PositionSide)
        open_trips = [trip for side in sides if (trip := self.trips.get((funding.symbol, side)))]
        total = sum((trip.cost for trip in open_trips), ZERO)
        left = funding.amount
        for index, trip in enumerate(open_trips, start=1):
            last = index == len(open_trips) or not total
            part = left if last else EXACT.divide(funding.amount * trip.cost, total)
            self.trips[trip.symbol, trip.position_side] = replace(trip, funding=trip.funding + part)
            left -= part
        return bool(open_trips)

    def seed(
        self, symbol: str, *, quantity: Decimal, price: Decimal, at: datetime, position_side: PositionSide
    ) -> None:
        """Put in a position (signed) that was open before the first known fill, at an assumed entry price."""
        before = Execution(symbol=symbol, quantity=quantity, price=price, at=at, position_side=position_side)
        self._open(before, trip=None, part=_Part.whole(before))
        self.trips[symbol, position_side] = replace(self.trips[symbol, position_side], is_estimated=True, fills=0)

    def unrealized(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Return the unrealized PnL of all open positions; every open symbol needs a mark."""
        return sum((trip.unrealized(marks[trip.symbol]) for trip in self.trips.values()), ZERO)

    def dump(self) -> list[dict[str, Any]]:
        """Return the open positions as JSON values; `load` gives the same book back."""
        return [_dump(trip) for trip in self.trips.values()]

    @classmethod
    def load(cls, state: Iterable[Mapping[str, Any]]) -> "TripBook":
        """Return the book that `dump` wrote."""
        trips = [_load(row) for row in state]
        return cls(trips={(trip.symbol, trip.position_side): trip for trip in trips})

    def _open(self, execution: Execution, *, trip: Trip | None, part: "_Part") -> None:
        trip = trip or Trip(execution.symbol, execution.position_side, execution.quantity > 0, execution.at)
        held = trip.quantity + part.quantity
        self.trips[execution.symbol, execution.position_side] = replace(
            trip,
            opened_at=execution.at if trip.is_dust else trip.opened_at,
            quantity=held,
            cost=trip.cost + part.notional,
            open_fee=trip.open_fee + part.fee,
            peak_quantity=max(trip.peak_quantity, held),
            entry_quantity=trip.entry_quantity + part.quantity,
            entry_notional=trip.entry_notional + part.notional,
            fee=trip.fee + part.fee,
            fills=trip.fills + 1,
        )

    def _reduce(self, execution: Execution, *, trip: Trip, delta: Decimal) -> Applied:
        whole, closes = _Part.whole(execution), delta >= trip.quantity
        part = whole.cut(min(delta, trip.quantity))
        cost = trip.cost if closes else trip.cost * part.quantity / trip.quantity
        entry_fee = trip.open_fee if closes else trip.open_fee * part.quantity / trip.quantity
        gross = (part.notional - cost) * trip.sign
        after = replace(
            trip,
            closed_at=execution.at if closes else None,
            quantity=trip.quantity - part.quantity,
            cost=trip.cost - cost,
            open_fee=trip.open_fee - entry_fee,
            exit_quantity=trip.exit_quantity + part.quantity,
            exit_notional=trip.exit_notional + part.notional,
            gross=trip.gross + gross,
            fee=trip.fee + part.fee,
            fills=trip.fills + 1,
            is_liquidated=trip.is_liquidated or execution.is_liquidation,
        )
        realized = Realization(trip.symbol, execution.at, part.quantity, gross, part.fee + entry_fee)
        if not closes and execution.only_closes and _is_dust(after, price=execution.price):
            return Applied(closed=self._leave_dust(after, at=execution.at), realized=realized)
        if not closes:
            self.trips[trip.symbol, trip.position_side] = after
            return Applied(realized=realized)
        del self.trips[trip.symbol, trip.position_side]
        rest = whole.without(part)
        if rest.quantity and _may_open(execution):
            self._open(execution, trip=None, part=rest)
            return Applied(closed=after, realized=realized)
        return Applied(closed=after, realized=realized, missing=rest.quantity)

    def _leave_dust(self, trip: Trip, *, at: datetime) -> Trip:
        """Close a trip whose rest cannot be sold; the rest with its cost and fees goes into the next one."""
        self.trips[trip.symbol, trip.position_side] = Trip(
            trip.symbol,
            trip.position_side,
            trip.is_long,
            at,
            quantity=trip.quantity,
            cost=trip.cost,
            open_fee=trip.open_fee,
            peak_quantity=trip.quantity,
            entry_quantity=trip.quantity,
            entry_notional=trip.cost,
            fee=trip.open_fee,
        )
        return replace(
            trip,
            closed_at=at,
            quantity=ZERO,
            cost=ZERO,
            open_fee=ZERO,
            entry_quantity=trip.entry_quantity - trip.quantity,
            entry_notional=trip.entry_notional - trip.cost,
            fee=trip.fee - trip.open_fee,
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A share of a fill: quantity that reaches the position, its notional and its fee, all of it shared exactly."""

    quantity: Decimal
    notional: Decimal
    fee: Decimal

    @classmethod
    def whole(cls, execution: Execution) -> "_Part":
        reached = abs(execution.quantity - execution.base_fee)
        # What was taken out of the base is a fee like any other, told at the price of its fill.
        return cls(reached, reached * execution.price, execution.fee + execution.base_fee * execution.price)

    def cut(self, quantity: Decimal) -> "_Part":
        if quantity == self.quantity:
            return self
        return _Part(quantity, self.notional * quantity / self.quantity, self.fee * quantity / self.quantity)

    def without(self, other: "_Part") -> "_Part":
        return _Part(self.quantity - other.quantity, self.notional - other.notional, self.fee - other.fee)


def replay(book: TripBook, *, executions: Sequence[Execution], fundings: Sequence[Funding] = ()) -> list[Trip]:
    """Feed the book with fills and funding, each in time order, and return the trips that closed."""
    closed: list[Trip] = []
    for event in merge(fundings, executions, key=_time):
        if isinstance(event, Funding):
            book.fund(event)
        elif trip := book.apply(event).closed:
            closed.append(trip)
    return closed


def _time(event: Execution | Funding) -> datetime:
    return event.at


def _is_dust(trip: Trip, *, price: Decimal) -> bool:
    return trip.quantity < trip.peak_quantity * DUST_SHARE and trip.quantity * price < DUST_WORTH


def _may_open(execution: Execution) -> bool:
    if execution.only_closes:
        return False
    away = {PositionSide.LONG: execution.quantity > 0, PositionSide.SHORT: execution.quantity < 0}
    return away.get(execution.position_side, True)


def _dump(trip: Trip) -> dict[str, Any]:
    return {
        "symbol": trip.symbol,
        "position_side": trip.position_side.value,
        "is_long": trip.is_long,
        "opened_at": trip.opened_at.isoformat(),
        "fills": trip.fills,
        **{name: str(getattr(trip, name)) for name in _DECIMALS},
        **{name: getattr(trip, name) for name in _FLAGS},
    }


def _load(row: Mapping[str, Any]) -> Trip:
    return Trip(
        symbol=row["symbol"],
        position_side=PositionSide(row["position_side"]),
        is_long=row["is_long"],
        opened_at=datetime.fromisoformat(row["opened_at"]),
        fills=row["fills"],
        **{name: Decimal(row[name]) for name in _DECIMALS},
        **{name: row[name] for name in _FLAGS},
    )
