"""Copying as it is, but for its tables: each transaction runs the service's own code on rows in memory.

A crash comes before a commit, and nothing of the transaction is there, or right after it, and what it was for is not
done. Who swept before sweeps again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from copytrade.accounts.queries import Standing
from copytrade.copying import claims, desks, ending, planner, resuming
from copytrade.copying.asking import TRY_AGAIN
from copytrade.copying.desks import Desk, Venues
from copytrade.copying.models import LIVE, LegState, OrderState
from copytrade.copying.readiness import Ready
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.copying.telling import Told, tell
from copytrade.copying.terms import QUOTE_AGE
from copytrade.copying.work import Claimed, Known, Read
from copytrade.domain import proofs
from copytrade.domain.changes import LeadChange
from copytrade.domain.fills import Equity, Quote
from copytrade.domain.instruments import Instrument, Market, MarketRules, PositionSide, Venue
from copytrade.domain.legs import Part
from copytrade.domain.quantities import ZERO
from copytrade.domain.sizing import CopySettings
from copytrade.exchanges.port import AccountRef
from copytrade.subscriptions.rows import ActiveSubscription
from tests.model.capture import Capture
from tests.model.chance import START, Chance, Trouble
from tests.model.promises import decided, planned
from tests.model.shared import Equities, Shared
from tests.model.store import Store

T = TypeVar("T")
LEAD, COPY, SUBSCRIPTION, BOB, PROFILE = (UUID(int=number) for number in range(1, 6))
WINDOW = timedelta(seconds=5)
LOST_AFTER = timedelta(seconds=10)
"""What the venue promises: an order shows up this long after it can last arrive."""
Stored = tuple[Decimal, datetime]


@dataclass(slots=True)
class Service:
    """The subscriber's side: rows, and the transactions that change them."""

    rules: MarketRules
    chance: Chance
    capture: Capture
    shared: Shared
    account: AccountRef
    store: Store = field(default_factory=Store)
    ready: dict[tuple[UUID, str], Ready] = field(default_factory=dict)
    quote: Quote | None = None
    free: Stored | None = None
    known_more: dict[UUID, Decimal] = field(default_factory=dict)
    """What of his own is known beside legs, on their side."""
    wants_reading: bool = False
    """Whether the account is to be read soon."""

    @property
    def settings(self) -> CopySettings:
        return self.shared.settings

    @property
    def equities(self) -> Equities:
        return self.shared.equities

    def transaction(self, work: Callable[[], T]) -> T | None:
        """Do the work and commit, unless a crash comes first; None too where it comes right after the commit."""
        fate = self.chance.rng.random() if self.chance.strikes(Trouble.CRASH) else 1
        if fate < 0.5:
            return None
        done = work()
        return None if fate < 1 else done

    def plan(self, *, now: datetime, price: Decimal) -> Claimed | None:
        """Plan what may be planned now, the mark on the fills in the same transaction; return what is sent at once."""

        def work() -> Claimed | None:
            changes = self.capture.take_next(now=now, price=price)
            if not changes:
                return None
            claimed = self.plan_changes(changes, now=now)
            self.mark(changes)
            return claimed

        return self.transaction(work) if self.capture.is_waiting() else None

    def mark(self, changes: list[LeadChange]) -> None:
        """Mark what was planned."""
        self.capture.mark_planned(changes)

    def plan_changes(self, changes: list[LeadChange], *, now: datetime) -> Claimed:
        """Plan changes for this subscription; who plans may take the legs and send for them right away."""
        desk = self._desk(changes, now=now)
        for change in changes:
            for copy in desk.copies:
                at = (SUBSCRIPTION, change.instrument)
                before = desk.legs[at].leg.target if at in desk.legs else ZERO
                planner.plan_one(desk, copy, change)
                planned(self, desk, desk.legs.get(at), price=change.price, before=before)
        return self._write(desk)

    def size(self, *, now: datetime) -> Claimed | None:
        """Size the openings that waited for the lead's order."""
        legs = [leg for leg in self.store.legs.values() if leg.leg.parts and leg.state is LegState.FOLLOWING]
        waiting = [(leg, part) for leg in legs for part in leg.leg.parts if part.unsized]
        return self.transaction(lambda: self._size(waiting, now=now)) if waiting else None

    def _size(self, waiting: list[tuple[LegRecord, Part]], *, now: datetime) -> Claimed:
        changes = [(leg, part, self._opening(leg, part, now=now)) for leg, part in waiting]
        desk = self._desk([change for _, _, change in changes], now=now)
        for leg, part, change in changes:
            if not desk.copies or leg.is_ending:
                left = tuple(replace(one, unsized=ZERO) if one.id == part.id else one for one in leg.leg.parts)
                leg.leg = replace(leg.leg, parts=left)
                self.store.save(leg)
                continue
            waits, before = resuming._Waiting(part.id, SUBSCRIPTION, BOB, change, part.unsized), leg.leg.target
            resuming._size(desk, desk.copies[0], leg, waits)
            planned(self, desk, leg, price=change.price, before=before)
        return self._write(desk)

    def _opening(self, leg: LegRecord, part: Part, *, now: datetime) -> LeadChange:
        """Return an opening that waited as `resuming` reads it from its rows."""
        fill = self.capture.fill_of(self.store.fill_of[part.id])
        traded = abs(fill.signed)
        is_spot = leg.instrument.market is Market.SPOT
        moved = part.unsized if is_spot else traded.copy_sign(part.unsized)
        return LeadChange(
            fill_id=fill.id,
            instrument=leg.instrument,
            before=ZERO,
            after=moved,
            price=part.price,
            venue_time=part.at,
            received_at=fill.received_at,
            order_id=fill.order_id,
            order_share=self.capture.share_of(fill, now=now),
            lead_fill_quantity=traded,
        )

    def _desk(self, changes: list[LeadChange], *, now: datetime) -> Desk:
        lead, asked = _equity(self.equities.lead, now), self.equities.asked
        following = {
            (SUBSCRIPTION, at): self.store.load(leg)
            for at, leg in self.store.legs.items()
            if leg.state is LegState.FOLLOWING
        }
        return Desk(
            lead_account_id=LEAD,
            now=now,
            venues=Venues({self.rules.symbol: self.rules}),
            copies=[] if self.shared.is_gone else [self.subscription()],
            read=self._read(now),
            lead_equity=self.equities.lead if desks._explains(lead, changes) else None,
            legs=following,
            instruments=frozenset(change.instrument for change in changes),
            others={SUBSCRIPTION: self._others(frozenset(change.instrument for change in changes))},
            asked=frozenset({LEAD}) if asked is not None and now - asked < TRY_AGAIN else frozenset(),
        )

    def _others(self, instruments: frozenset[Instrument]) -> tuple[Decimal, int]:
        legs = [leg for one in self.shared.services for leg in one.store.legs.values()]
        others = [leg for leg in legs if leg.leg.target and leg.instrument not in instruments]
        return sum((abs(leg.leg.target) * leg.price for leg in others), ZERO), len(others)

    def _read(self, now: datetime) -> Read:
        lead = replace(self.account, id=LEAD)
        return Read(
            settings={SUBSCRIPTION: self.settings},
            accounts={
                COPY: Standing(self.account, "active", _equity(self.equities.copy, now)),
                LEAD: Standing(lead, "active", _equity(self.equities.lead, now)),
            },
            switches=self.shared.switches,
            ready=self.ready,
            held={SUBSCRIPTION: self.shared.held} if self.shared.held else {},
        )

    def _write(self, desk: Desk) -> Claimed:
        touched, claimed = list(desk.touched.values()), Claimed()
        if self.chance.rng.random() < 0.5:
            claimed = self._look(touched, now=desk.now)
        else:
            dropped, intended = planner.intend(
                touched, rules=desk.venues.real, chosen=desk.read.settings, now=desk.now, real_now=desk.now
            )
            self.store.drop(dropped)
            for leg in touched:
                self.store.save(leg)
            self.store.insert(order for _, order in intended)
        return claimed

    def claim(self, *, now: datetime) -> Claimed | None:
        """Take the legs that are due and commit what is sent for them."""
        due = [leg for leg in self.store.legs.values() if leg.due_at is not None and leg.due_at <= now]
        return self.transaction(lambda: self._look([self.store.load(leg) for leg in due], now=now)) if due else None

    def _look(self, legs: list[LegRecord], *, now: datetime) -> Claimed:
        account = self.account
        place: tuple[str, str, str] = (account.venue.value, account.market.value, account.mode)
        quotes = dict[tuple[str, str, str, str], Quote]()
        if self.quote is not None and _is_fresh(self.quote.read_at, now):
            quotes[*place, self.rules.symbol] = self.quote
        free = {COPY: {self.rules.base: self.free[0]}} if self.free and _is_fresh(self.free[1], now) else {}
        known = Known(rules={place: {self.rules.symbol: self.rules}}, quotes=quotes, free=free)
        desk = claims._Desk(now, now, known, self._read(now))
        for leg in legs:
            self.look_at(desk, leg)
        self.store.drop(desk.dropped)
        for leg in legs:
            self.store.save(leg)
        self.store.insert(order for _, order in desk.written)
        sent = [*desk.confirmed, *(order for _, order in desk.written)]
        decided(self, legs, sent)
        for order in sent:
            self.store.checks[order.id] = now + claims.FIRST_LOOK_UP
        return desk.claimed

    def look_at(self, desk: claims._Desk, leg: LegRecord) -> None:
        """Run the driver's decision on a leg that is locked."""
        claims._look_at(desk, leg)

    def write(self, told: list[Told], *, now: datetime) -> bool | None:
        """Write what is told of orders."""

        def work() -> bool:
            for one in told:
                order = self.store.orders[one.order_id]
                leg = self.store.load(self.leg_of(order))
                change = tell(
                    order, leg, one, steps={self.rules.symbol: self.rules.quantity_step}, now=now, real_now=now
                )
                self._schedule(order, change.next_check_at)
                if change.ended_at is not None:
                    self.store.ended[order.id] = change.ended_at
                self.wants_reading |= change.conclusion.has_account_read
                if change.conclusion.has_account_prepared:
                    self.ready.clear()
                self.store.save(leg)
            return True

        return self.transaction(work)

    def leg_of(self, order: OrderRecord) -> LegRecord:
        """Return the leg of an order."""
        return next(leg for leg in self.store.legs.values() if leg.id == order.leg_id)

    def take_look_ups(self, *, now: datetime) -> list[tuple[OrderRecord, datetime | None]]:
        """Take the orders whose look-up is due, each with when its absence is a proof."""
        due = [self.store.orders[order_id] for order_id, at in self.store.checks.items() if at <= now]
        if not due:
            return []
        return self.transaction(lambda: [(order, self._take(order, now=now)) for order in due]) or []

    def _take(self, order: OrderRecord, *, now: datetime) -> datetime | None:
        until = None
        if order.state in (OrderState.SENDING, OrderState.UNKNOWN):
            until = proofs.proof_at(
                sent_at=order.sent_at, lease_until=order.lease_until, window=WINDOW, lost_after=LOST_AFTER
            )
        order.checks += 1
        is_lost = order.state is OrderState.LOST
        self._schedule(order, proofs.next_look_up(checks=order.checks, is_lost=is_lost, until=until, real_now=now))
        if order.state is OrderState.SENDING and order.lease_until is not None and order.lease_until < now:
            order.state = OrderState.UNKNOWN
        return until

    def settle(self, *, now: datetime) -> None:
        """Bring the legs of an ended subscription a step nearer their end."""
        legs = [leg for leg in self.store.legs.values() if leg.state is LegState.FOLLOWING]

        def work() -> bool:
            for leg in legs:
                if ending._step(self.store.load(leg), self.settings.end_mode, now=now):
                    self.store.save(leg)
            return True

        self.transaction(work)

    def subscription(self) -> ActiveSubscription:
        """Return the subscription as planning sees it."""
        return ActiveSubscription(
            SUBSCRIPTION, BOB, PROFILE, COPY, START, self.shared.may_enter, self.settings.end_mode
        )

    def instrument(self, side: PositionSide) -> Instrument:
        return Instrument(Venue.BINANCE, self.capture.lead.place.market, self.rules.symbol, side)

    def _schedule(self, order: OrderRecord, at: datetime | None) -> None:
        if at is not None:
            self.store.checks[order.id] = at
        else:
            self.store.checks.pop(order.id, None)

    def live(self) -> list[OrderRecord]:
        return [order for order in self.store.orders.values() if order.state in LIVE]


def _is_fresh(at: datetime, now: datetime) -> bool:
    return now - at <= QUOTE_AGE


def _equity(total: Decimal, now: datetime) -> Equity:
    return Equity(total, total, ZERO, total, now)
