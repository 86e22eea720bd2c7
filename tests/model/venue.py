"""The copy account at its venue: the truth, against which everything that we believe is held in the end."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from copytrade.domain.instruments import MarketRules, PositionSide, Side
from copytrade.domain.orders import OrderKind, OrderRequest, Refusal, VenueOrder, VenueOrderStatus
from copytrade.domain.quantities import ZERO, nearer_zero, sign
from tests.model.broken import broken
from tests.model.chance import Chance, Place, Trouble

FEE = Decimal("0.001")


@dataclass(slots=True)
class Execution:
    """An order of ours that reached the venue; it shows in look-ups from `visible_at`, in lists from `listed_at`."""

    order_id: UUID
    request: OrderRequest
    signed: Decimal
    price: Decimal
    fee: Decimal
    at: datetime
    visible_at: datetime
    listed_at: datetime

    def told(self) -> VenueOrder:
        """Return it as the venue tells it."""
        filled = abs(self.signed)
        is_whole = filled == self.request.quantity
        return VenueOrder(
            venue_order_id=str(self.order_id),
            client_order_id=self.request.client_order_id,
            symbol=self.request.symbol,
            side=self.request.side,
            quantity=self.request.quantity,
            filled=filled,
            average_price=self.price if filled else None,
            status=VenueOrderStatus.FILLED if is_whole else VenueOrderStatus.EXPIRED,
            venue_time=self.at,
            fee=self.fee,
            fee_asset=self.request.symbol.partition("/")[0] if self.fee else "USDT",
        )


@dataclass(slots=True)
class Venue:
    """One account; `held` is all it holds by position side, `own` what of it is the subscriber's own."""

    place: Place
    rules: MarketRules
    chance: Chance
    price: Decimal
    held: dict[PositionSide, Decimal] = field(default_factory=dict)
    own: dict[PositionSide, Decimal] = field(default_factory=dict)
    executions: dict[UUID, Execution] = field(default_factory=dict)
    halted_until: datetime | None = None
    past: list[tuple[datetime, PositionSide, Decimal]] = field(default_factory=list)
    """What was held before each change, for readings that lag."""
    has_promise_broken: bool = False
    """Whether an execution showed up later than the venue promises."""
    is_meddled: bool = False
    """Whether its owner trades while orders of ours are on their way: nobody can tell then whose is what."""

    def ours(self, side: PositionSide) -> Decimal:
        """Return what of the position came about by our orders."""
        return self.held.get(side, ZERO) - self.own.get(side, ZERO)

    def held_at(self, side: PositionSide, at: datetime) -> Decimal:
        """Return what was held at a moment."""
        for when, where, before in self.past:
            if where is side and when > at:
                return before
        return self.held.get(side, ZERO)

    def place_order(
        self, order_id: UUID, request: OrderRequest, *, now: datetime, lost_after: timedelta
    ) -> Refusal | Execution:
        """Take an order as venues do: refuse it for certain, or carry out what the book has."""
        self._must_be_well_formed(request)
        if order_id in self.executions:
            broken("one order reached the venue twice", request)
        refusal = self._refusal(request, now)
        if refusal is not None:
            return refusal
        signed, limit = request.quantity * request.side.sign, request.price
        if self._only_reduces(request):
            there = self.held.get(request.position_side, ZERO)
            signed = -nearer_zero(there, -signed)
            if not signed:
                return Refusal.NOTHING_TO_REDUCE
        is_marketable = limit is None or (limit >= self.price if request.side is Side.BUY else limit <= self.price)
        filled = self.rules.round_quantity(abs(signed) * self._depth()) if is_marketable else ZERO
        return self._execute(order_id, request, filled, now=now, lost_after=lost_after)

    def move(self, side: PositionSide, change: Decimal, *, now: datetime) -> None:
        """Move the position; whoever moves it says whose it is."""
        before = self.held.get(side, ZERO)
        self.past.append((now, side, before))
        self.held[side] = before + change

    def trade_himself(self, side: PositionSide, quantity: Decimal, *, now: datetime) -> None:
        """The subscriber trades: his own part goes first, then ours, and what is left is a position of his own."""
        own, ours = self.own.get(side, ZERO), self.ours(side)
        self.move(side, quantity, now=now)
        taken_of_ours = ZERO
        if sign(quantity) == -sign(ours):
            own_first = nearer_zero(own, -quantity)
            taken_of_ours = nearer_zero(ours, -(quantity + own_first))
        self.own[side] = own + quantity + taken_of_ours

    def liquidate(self, *, now: datetime) -> None:
        """The venue closes everything."""
        for side, held in list(self.held.items()):
            if held:
                self.move(side, -held, now=now)
                self.own[side] = ZERO

    def look_up(self, order_id: UUID, *, now: datetime) -> VenueOrder | None:
        found = self.executions.get(order_id)
        return found.told() if found is not None and found.visible_at <= now else None

    def listed(self, order_id: UUID, *, now: datetime) -> VenueOrder | None:
        """Return an order from the list of recent ones, or from the trades."""
        found = self.executions.get(order_id)
        return found.told() if found is not None and found.listed_at <= now else None

    def free(self) -> Decimal:
        """Return what a spot account can sell."""
        return self.held.get(PositionSide.NET, ZERO)

    def _execute(
        self, order_id: UUID, request: OrderRequest, filled: Decimal, *, now: datetime, lost_after: timedelta
    ) -> Execution:
        signed = filled * request.side.sign
        takes_base = self.place is Place.SPOT and Trouble.FEES in self.chance.troubles and request.side is Side.BUY
        fee = filled * FEE if takes_base else ZERO
        side = request.position_side
        before = self.ours(side)
        self.move(side, signed - fee, now=now)
        sells = request.reduce_only or (self.place is Place.SPOT and request.side is Side.SELL)
        if sells and not self.has_promise_broken and not self.is_meddled and sign(self.ours(side)) == -sign(before):
            broken("something of the subscriber's own was sold", request, before, signed)
        lag = self._lag(lost_after)
        execution = Execution(order_id, request, signed, self.price, fee, now, now + lag, now + lag / 2)
        self.executions[order_id] = execution
        return execution

    def _lag(self, lost_after: timedelta) -> timedelta:
        if self.chance.strikes(Trouble.FORGETFUL):
            self.has_promise_broken = True
            return 2 * (lost_after + self.chance.seconds(6, 30))
        if self.chance.strikes(Trouble.LAGGING_READS):
            return self.chance.seconds(0, lost_after.total_seconds())
        return timedelta(0)

    def _depth(self) -> Decimal:
        if not self.chance.strikes(Trouble.THIN):
            return Decimal(1)
        return Decimal(self.chance.rng.randint(0, 10)) / 10

    def _only_reduces(self, request: OrderRequest) -> bool:
        if self.place is Place.ONE_WAY:
            return request.reduce_only
        opens = Side.SELL if request.position_side is PositionSide.SHORT else Side.BUY
        return request.side is not opens

    def _refusal(self, request: OrderRequest, now: datetime) -> Refusal | None:
        if self.halted_until is not None and now < self.halted_until:
            return Refusal.MARKET_CLOSED
        if self.place is Place.SPOT and request.side is Side.SELL and request.quantity > self.free():
            return Refusal.FUNDS
        if self.chance.strikes(Trouble.REFUSALS):
            opens = [Refusal.FUNDS, Refusal.LEVERAGE, Refusal.OTHER, Refusal.POSITION_MODE]
            return self.chance.rng.choice([Refusal.OTHER] if request.reduce_only else opens)
        price = request.price
        if price is not None and not (
            self.price * self.rules.price_band_down <= price <= self.price * self.rules.price_band_up
        ):
            return Refusal.PRICE
        is_exempt = request.reduce_only and self.rules.exits_exempt_from_minimum
        if price is None and not is_exempt and request.quantity * self.price < self.rules.min_notional:
            return Refusal.MIN_NOTIONAL
        return None

    def _must_be_well_formed(self, request: OrderRequest) -> None:
        rules = self.rules
        most = rules.max_market_quantity if request.kind is OrderKind.MARKET else rules.max_quantity
        if not rules.min_quantity <= request.quantity <= most or request.quantity % rules.quantity_step:
            broken("an order had a quantity that no venue takes", request)
        if request.price is None:
            return
        if request.price % rules.price_tick:
            broken("an order's price was off the tick", request)
        is_exempt = request.reduce_only and rules.exits_exempt_from_minimum
        if not is_exempt and request.quantity * request.price < rules.min_notional:
            broken("an order was under the venue's minimum", request)
