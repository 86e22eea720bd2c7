"""A subscriber's leg in memory, driven by the real planner and driver against a venue that does what a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.driving import OPEN_GATE, Decision, Gate, Order, turn
from copytrade.domain.fills import Quote
from copytrade.domain.instruments import Instrument, Market, MarketRules, Side, Venue
from copytrade.domain.legs import Leg, LiveOrder, Part, Purpose, book, net, pending_total
from copytrade.domain.limits import Around
from copytrade.domain.lots import lead_total, target_total
from copytrade.domain.planning import OrderSoFar, PartKind, Plan, PlanIds, plan, resume
from copytrade.domain.quantities import ZERO
from copytrade.domain.sizing import CopySettings, Equities
from copytrade.domain.skips import SkipReason

D = Decimal
PRICE = D(60000)
RICH = Equities(copy=D(10_000_000), lead=D(100_000_000))
ALONE = Around(copy_equity=D(10_000_000))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BTC = Instrument(Venue.BINANCE, Market.PERPETUAL, "BTC/USDT:USDT")
RULES = MarketRules(
    symbol="BTC/USDT:USDT",
    base="BTC",
    quote="USDT",
    quantity_step=D("0.001"),
    price_tick=D("0.1"),
    min_quantity=D("0.001"),
    max_quantity=D(1000),
    max_market_quantity=D(120),
    min_notional=D(5),
)


def always_fills(order: Order, price: Decimal) -> Decimal:
    """A deep book: everything that is marketable at `price` is filled."""
    if order.price is None:
        return order.quantity
    is_marketable = order.price >= price if order.side is Side.BUY else order.price <= price
    return order.quantity if is_marketable else D(0)


@dataclass
class Copy:
    """One leg, its lead and its venue."""

    settings: CopySettings
    price: Decimal = PRICE
    rules: MarketRules = RULES
    instrument: Instrument = BTC
    equities: Equities = RICH
    around: Around = ALONE
    fills: Callable[[Order, Decimal], Decimal] = always_fills
    gate: Gate = OPEN_GATE
    free: Decimal | None = None
    now: datetime = START
    lead: Decimal = ZERO
    leg: Leg = field(default_factory=Leg)
    history: dict[UUID, Part] = field(default_factory=dict)
    order_so_far: dict[str, OrderSoFar] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    skips: list[tuple[SkipReason, Decimal]] = field(default_factory=list)
    waiting: dict[UUID, LeadChange] = field(default_factory=dict)
    """Changes whose opening part waits to be sized."""
    decision: Decision | None = None
    fee_in_base: Decimal = ZERO

    def trade(
        self,
        quantity: str | Decimal,
        *,
        order: str = "",
        of: str | Decimal | None = None,
        at: datetime | None = None,
        kind: ChangeKind = ChangeKind.FILL,
        is_late: bool = False,
        fee: str | Decimal = "0",
    ) -> None:
        """Let the lead buy (or, negative, sell); `of` is the full quantity of his order, `fee` what it cost in base."""
        before, after = self.lead, self.lead + D(quantity) - D(fee)
        self.lead = max(after, D(0)) if self.instrument.market is Market.SPOT else after
        share = abs(D(quantity)) / D(of) if of is not None else None
        change = LeadChange(
            fill_id=uuid4(),
            instrument=self.instrument,
            before=before,
            after=after,
            price=self.price,
            venue_time=at or self.now,
            received_at=self.now,
            order_id=order,
            order_share=share,
            kind=kind,
            is_late=is_late,
            lead_fill_quantity=abs(D(quantity)),
        )
        self.plan(change)

    def plan(self, change: LeadChange) -> None:
        """Plan one change and keep what it asks and skips."""
        planned = plan(
            change,
            lots=self.leg.lots,
            order=self.order_so_far.get(change.order_id, OrderSoFar()),
            settings=self.settings,
            equities=self.equities,
            around=self.around,
            rules=self.rules,
            ids=PlanIds(uuid4(), uuid4()),
            now=self.now,
            open_parts={part.id for part in self.leg.parts},
        )
        self.keep(change, planned)

    def keep(self, change: LeadChange, planned: Plan) -> None:
        """Take over what a plan makes of the leg."""
        self.order_so_far[change.order_id] = planned.order
        parts = []
        for ask in planned.asks:
            self.skips += [(skip.reason, skip.quantity) for skip in ask.skips]
            cut = sum((skip.quantity for skip in ask.skips), D(0)).copy_sign(ask.asked)
            opens = ask.kind is PartKind.OPENING
            part = Part(ask.part, ask.kind, ask.asked, change.price, change.venue_time, opens, skipped=cut)
            parts.append(replace(part, unsized=ask.unsized))
            if ask.unsized:
                self.waiting[ask.part] = change
        known = {part.id for part in parts}
        kept = [part for part in self.leg.parts if part.id not in known]
        self.leg = replace(self.leg, lots=planned.lots, target=planned.target, parts=(*kept, *parts))
        self.remember()
        self.check()

    def learn(self, *, of: str | None) -> None:
        """Try to size what waits, the lead's order having the full quantity `of` now (None: still not known)."""
        for part_id, change in list(self.waiting.items()):
            part = self.history[part_id]
            share = abs(change.moved) / D(of) if of is not None else None
            planned = resume(
                replace(change, order_share=share),
                part=part_id,
                opened=part.unsized,
                lots=self.leg.lots,
                order=self.order_so_far.get(change.order_id, OrderSoFar()),
                settings=self.settings,
                equities=self.equities,
                around=self.around,
                rules=self.rules,
                now=self.now,
            )
            if planned is not None:
                del self.waiting[part_id]
                self.keep(change, planned)

    def look(self) -> Decision:
        """Run one turn of the driver without sending anything."""
        quote = Quote(self.rules.symbol, self.price, self.price, self.price, self.now)
        turned = turn(
            self.leg,
            rules=self.rules,
            settings=self.settings,
            quote=quote,
            now=self.now,
            real_now=self.now,
            market=self.instrument.market,
            gate=self.gate,
            free=self.free,
        )
        self.leg, self.decision = turned.leg, turned.decision
        self.skips += [(skipped.skip.reason, skipped.skip.quantity) for skipped in turned.skips]
        self.remember()
        self.check()
        return turned.decision

    def drive(self) -> None:
        """Send orders until the leg has none to send now."""
        for _ in range(20):
            decision = self.look()
            if not isinstance(decision, Order):
                return
            self.send(decision)
        raise AssertionError("a leg does not come to rest")

    def send(self, order: Order) -> Decimal:
        """Send one order to the venue and book what it filled."""
        self.orders.append(order)
        filled = self.fills(order, self.price)
        self.booked(order, filled)
        if order.purpose is Purpose.ENTRY:
            pause = None if filled == order.quantity else self.now + timedelta(milliseconds=500)
            reason = SkipReason.SLIPPAGE if pause else self.leg.last_reason
            self.leg = replace(self.leg, entry_attempts=1 if pause else 0, enter_after=pause, last_reason=reason)
        else:
            self.leg = replace(self.leg, exit_attempts=0 if filled else self.leg.exit_attempts + 1)
        return filled

    def booked(self, order: Order, filled: Decimal) -> None:
        """Book a fill of one of our orders, now or long after."""
        if filled:
            fee = filled * self.fee_in_base if order.side is Side.BUY else D(0)
            self.leg, _, skips = book(
                self.leg,
                filled * order.side.sign,
                purpose=order.purpose,
                price=self.price,
                at=self.now,
                late_id=uuid4(),
                base_fee=fee,
            )
            self.skips += [(one.skip.reason, one.skip.quantity) for one in skips]
        self.remember()
        self.check()

    def live(self, order: Order, *, is_unknown: bool) -> None:
        """Leave an order at the venue with nobody knowing what became of it."""
        self.orders.append(order)
        self.leg = replace(
            self.leg, live=(*self.leg.live, LiveOrder(order.purpose, order.signed, self.now, is_unknown))
        )

    def resolve(self, order: Order, filled: Decimal) -> None:
        """Learn what became of a live order."""
        self.leg = replace(self.leg, live=())
        self.booked(order, filled)

    def later(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=seconds)

    def check(self) -> None:
        """Hold what must be true at all times."""
        assert pending_total(self.leg) == self.leg.target - self.leg.held
        assert target_total(self.leg.lots) == self.leg.target
        assert lead_total(self.leg.lots) == self.lead
        assert self.leg.target * self.lead >= 0, "a copy stood against its lead"
        if not self.leg.live:
            # What was taken back is set off: no two parts pull in different directions.
            pulls = [part.pending for part in self.leg.parts if part.pending]
            assert all(pull * pulls[0] > 0 for pull in pulls)
        for part in self.history.values():
            assert part.copied + part.skipped + part.netted + part.pending == part.asked
            for piece in (part.copied, part.skipped, part.netted, part.pending):
                assert piece * part.asked >= 0, part

    def skipped(self, reason: SkipReason) -> Decimal:
        """Return how much was skipped for a reason."""
        return sum((quantity for why, quantity in self.skips if why is reason), D(0))

    def sent(self) -> list[tuple[str, Decimal, bool]]:
        """Return side, quantity and reduce-only of all orders."""
        return [(order.side.value, order.quantity, order.reduce_only) for order in self.orders]

    def remember(self) -> None:
        """Net, keep the parts as they are now, and let the closed ones go."""
        self.leg = net(self.leg)
        self.history |= {part.id: part for part in self.leg.parts}
        self.leg = replace(self.leg, parts=tuple(part for part in self.leg.parts if part.is_open))


def following(ratio: str = "1", *, lead: str = "0", held: str = "0", **changes: object) -> Copy:
    """A copy by ratio whose lead holds `lead` and that already holds `held` for it."""
    settings = CopySettings(factor=D(ratio), max_leverage=D(1000))
    copy = Copy(settings=settings)
    for name, value in changes.items():
        setattr(copy, name, value)
    if D(lead):
        copy.settings = replace(copy.settings, is_paused=not D(held))
        copy.trade(lead)
        copy.drive()
        copy.settings = replace(copy.settings, is_paused=False)
        copy.orders.clear()
        copy.skips.clear()
    assert copy.leg.held == D(held)
    return copy
