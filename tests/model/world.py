"""Virtual time, and everything that takes some: streams, polls, orders on their way, look-ups, readings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from copytrade.copying.asking import TRY_AGAIN
from copytrade.copying.models import LIVE, OrderState
from copytrade.copying.readiness import Ready
from copytrade.copying.records import OrderRecord
from copytrade.copying.telling import Told
from copytrade.copying.work import Claimed, Sending
from copytrade.domain import proofs
from copytrade.domain.fills import Quote
from copytrade.domain.instruments import PositionSide
from copytrade.domain.legs import Purpose
from copytrade.domain.orders import Outcome, OutcomeKind, Refusal
from copytrade.domain.quantities import ZERO, sign
from copytrade.domain.readings import AGAIN
from copytrade.domain.sizing import SizingMode
from tests.model.broken import hold
from tests.model.capture import Capture
from tests.model.chance import START, Chance, Place, Trouble
from tests.model.lead import Lead, TrueFill
from tests.model.reading import reconcile
from tests.model.service import COPY, LOST_AFTER, WINDOW, Service
from tests.model.shared import Timeline
from tests.model.venue import Venue

SECOND = timedelta(seconds=1)
POLL_EVERY = timedelta(seconds=5)
READ_EVERY = timedelta(seconds=60)
TIMEOUT = timedelta(seconds=10)


@dataclass(slots=True)
class World:
    """All parts of a run, and the events that are to come."""

    chance: Chance
    lead: Lead
    venue: Venue
    capture: Capture
    service: Service
    timeline: Timeline
    driving_at: datetime | None = None
    read_every: timedelta = READ_EVERY
    was_wrong: bool = False
    """Whether there was a reading that was nonsense: two of them are more than two readings can tell."""
    no_poll_until: datetime | None = None
    told_at: datetime = START
    """When the stream told last, where it keeps its order."""
    trace: list[str] | None = None

    def say(self, what: str, *facts: object) -> None:
        """Note what happens, where somebody wants to know."""
        if self.trace is not None:
            at = (self.now - START).total_seconds()
            self.trace.append(f"{at:9.3f} {self.venue.rules.base} {what} {' '.join(str(fact) for fact in facts)}")

    @property
    def now(self) -> datetime:
        return self.timeline.now

    def later(self, pause: timedelta, work: Callable[..., None], *facts: Any) -> None:
        """Have something happen after a pause."""
        self.timeline.later(pause, work, facts)

    def soon(self, work: Callable[..., None], *facts: Any, least: float = 0.005, most: float = 0.2) -> None:
        """Have something happen after a moment."""
        self.later(self.chance.seconds(least, most), work, *facts)

    def is_settled(self) -> bool:
        """Tell whether all is known, nothing is on its way, and readings were held against all of it since."""
        orders, legs = self.service.store.orders, self.service.store.legs.values()
        if any(leg.due_at is not None or leg.drift_reading is not None or leg.leg.live for leg in legs):
            return False
        capture, lead = self.capture, self.lead
        is_told = not capture.is_waiting() and all(
            str(fill.number) in capture.stored or not fill.is_reported for fill in lead.fills
        )
        newest = [*(one.visible_at for one in self.venue.executions.values()), *(fill.at for fill in lead.fills[-1:])]
        newest += [when for when, _, _ in self.venue.past[-1:]]
        newest += [at for at in (leg.last_order_ended_at for leg in legs) if at is not None]
        is_old = max(newest, default=START) + READ_EVERY + 2 * AGAIN + SECOND < self.now
        is_ended = all(order.state not in LIVE for order in orders.values())
        return (
            is_told
            and capture.is_settled
            and is_old
            and is_ended
            and not any(part.unsized for leg in legs for part in leg.leg.parts)
        )

    def begin(self) -> None:
        """Start what repeats itself."""
        self.capture.begin()
        self.tick()
        self.soon(self.poll, least=0, most=5)
        self.soon(self.read_account, least=0, most=60)

    def tick(self) -> None:
        """Sweep, as all processes do each second, whatever has been told or not."""
        self.later(SECOND, self.tick)
        self.plan()
        self.size()
        self.drive()
        self.look_up()
        if not self.service.shared.may_enter:
            self.service.settle(now=self.now)

    def stream(self, fill: TrueFill) -> None:
        """Let the stream tell of a fill of the lead, or not."""
        if self.chance.strikes(Trouble.LOST):
            self.say("stream loses", fill.number)
            return
        for _ in range(2 if self.chance.strikes(Trouble.DOUBLED) else 1):
            is_late = self.chance.strikes(Trouble.LATE)
            arrives = self.now + self.chance.seconds(0.01, 9 if is_late else 0.3)
            if self.lead.place is Place.SPOT:
                # One connection tells in order; without a position after each fill nothing else could prove it.
                arrives = self.told_at = max(arrives, self.told_at)
            self.later(arrives - self.now, self.hear, fill)

    def hear(self, fill: TrueFill) -> None:
        heard = self.service.transaction(lambda: self.capture.hear(fill, now=self.now))
        if heard is None:
            # A stream process that dies takes its connection with it.
            self.capture.cut(until=self.now + self.chance.seconds(0.5, 3), now=self.now)
        elif heard:
            self.say("heard", fill.number, fill.side.value, fill.signed)
            self.soon(self.plan, most=0.02)

    def poll(self) -> None:
        """Begin a poll, and the next one in time."""
        self.later(POLL_EVERY, self.poll)
        if self.no_poll_until is None or self.now >= self.no_poll_until:
            self.soon(self._read_list, self.now)

    def _read_list(self, began: datetime) -> None:
        if self.service.transaction(lambda: self.capture.keep(now=self.now) or True):
            self.soon(self._read_lead, began)

    def _read_lead(self, began: datetime) -> None:
        self.soon(self._settle, self.capture.read(now=self.now), began)

    def _settle(self, reading: Any, began: datetime) -> None:
        price = self.venue.price
        if self.service.transaction(lambda: self.capture.settle(reading, began=began, price=price) or True):
            self.plan()

    def read_lead_equity(self) -> None:
        """Read what the lead is worth."""
        self.service.equities.lead = self.service.equities.true_lead

    def read_copy_equity(self) -> None:
        """Read what the subscriber is worth."""
        self.service.equities.copy = self.service.equities.true_copy

    def _ask_equity(self) -> None:
        # Openings wait for the lead's equity where what is known does not explain them; it is asked for once.
        equities = self.service.equities
        is_lately = equities.asked is not None and self.now - equities.asked < TRY_AGAIN
        waits = any(part.unsized for leg in self.service.store.legs.values() for part in leg.leg.parts)
        if waits and self.service.settings.mode is SizingMode.EQUITY and not is_lately:
            equities.asked = self.now
            if self.chance.rng.random() < 0.8:
                self.read_lead_equity()

    def plan(self) -> None:
        """Plan all that may be planned."""
        while (claimed := self.service.plan(now=self.now, price=self.venue.price)) is not None:
            self.say("planned", {at.position_side.value: leg.leg.target for at, leg in self.service.store.legs.items()})
            self._act(claimed)
            self.soon(self.drive, most=0.02)

    def size(self) -> None:
        """Size the openings that waited."""
        self._ask_equity()
        claimed = self.service.size(now=self.now)
        if claimed is not None:
            self._act(claimed)
            self.drive()

    def drive(self) -> None:
        """Claim what is due, and what is due a little later when it is."""
        claimed = self.service.claim(now=self.now)
        if claimed is not None:
            self.say("claimed", [(leg.waits_for, leg.due_at) for leg in self.service.store.legs.values()])
        if claimed is not None:
            self._act(claimed)
        due = min((leg.due_at for leg in self.service.store.legs.values() if leg.due_at is not None), default=None)
        if due is not None and self.now < due < self.now + SECOND and self.driving_at != due:
            self.driving_at = due
            self.later(due - self.now, self.drive)

    def _act(self, claimed: Claimed) -> None:
        for sending in claimed.sendings:
            is_slow = self.chance.strikes(Trouble.SLOW_SENDER)
            self.say("sending", sending.order_id, sending.request.side.value, sending.request.quantity)
            self.soon(self.send, sending, most=70 if is_slow else 0.05)
        if claimed.quotes:
            self.soon(self._learn_quote, claimed.waiting)
        if claimed.balances:
            self.soon(self._learn_free, claimed.selling)
        if claimed.preparing:
            ours = {leg.instrument.symbol: leg.leg.held for leg in self.service.store.legs.values()}
            self.soon(self._prepare, ours)

    def _learn_quote(self, waiting: list[UUID]) -> None:
        price = self.venue.price
        self.service.quote = Quote(self.venue.rules.symbol, price, price, price, self.now)
        self._wake(waiting)

    def _learn_free(self, waiting: list[UUID]) -> None:
        self.service.free = (self.venue.free(), self.now)
        self._wake(waiting)

    def _wake(self, waiting: list[UUID]) -> None:
        for leg in self.service.store.legs.values():
            if leg.id in waiting and leg.due_at is not None:
                leg.due_at = min(leg.due_at, self.now)
        self.drive()

    def _prepare(self, ours: dict[str, Any]) -> None:
        symbol = self.venue.rules.symbol
        own = self.venue.held.get(PositionSide.NET, ZERO) - ours.get(symbol, ZERO)
        self.soon(self._prepared, symbol, own, self.now)

    def _prepared(self, symbol: str, own: Any, read_at: datetime) -> None:
        self.service.ready[COPY, symbol] = Ready(sign(own), None, True, read_at)
        for leg in self.service.store.legs.values():
            if leg.leg.target != leg.leg.held:
                leg.due_at = self.now
        self.drive()

    def send(self, sending: Sending) -> None:
        """Send an order, unless its lease would not outlive it any more."""
        if self.now >= sending.not_after:
            self._answer(sending.order_id, Outcome(OutcomeKind.NOT_SENT, message="too late"))
        elif self.chance.strikes(Trouble.NOT_SENT):
            self._answer(sending.order_id, Outcome(OutcomeKind.NOT_SENT, message="no connection"))
        elif self.chance.strikes(Trouble.NEVER_ARRIVES):
            self._no_answer(sending.order_id, self.now)
        else:
            is_late = self.chance.strikes(Trouble.LATE_EXECUTION)
            self.soon(self.arrive, sending, self.now, least=0.01, most=7 if is_late else 0.2)

    def arrive(self, sending: Sending, sent_at: datetime) -> None:
        """Let an order arrive at the venue, which takes it while it is valid."""
        if self.now - sent_at > WINDOW:
            self._no_answer(sending.order_id, sent_at)
            return
        result = self.venue.place_order(sending.order_id, sending.request, now=self.now, lost_after=LOST_AFTER)
        self._must_not_exceed(sending)
        self.say("arrived", sending.order_id, result if isinstance(result, Refusal) else result.signed)
        if self.chance.strikes(Trouble.NO_ANSWER):
            self._no_answer(sending.order_id, sent_at)
        elif isinstance(result, Refusal):
            self._answer(sending.order_id, Outcome(OutcomeKind.REFUSED, sent_at, self.now, refusal=result))
        else:
            order = None if self.chance.strikes(Trouble.BARE_ANSWER) else result.told()
            self._answer(sending.order_id, Outcome(OutcomeKind.PLACED, sent_at, self.now, order))

    def _must_not_exceed(self, sending: Sending) -> None:
        order = self.service.store.orders[sending.order_id]
        if order.purpose is not Purpose.ENTRY or self.venue.has_promise_broken or self.venue.is_meddled:
            return
        ours = self.venue.ours(sending.request.position_side)
        most = self.service.store.peaks.get((order.leg_id, ours >= 0), ZERO) if order.leg_id else ZERO
        hold(abs(ours) <= most, "more was entered than was ever to be held", ours, most, order)

    def _answer(self, order_id: UUID, outcome: Outcome) -> None:
        self.soon(self._tell, Told(order_id, outcome=outcome))

    def _no_answer(self, order_id: UUID, sent_at: datetime) -> None:
        if self.chance.rng.random() < 0.3:
            return
        told = Told(order_id, outcome=Outcome(OutcomeKind.UNKNOWN, sent_at, message="timeout"))
        self.later(max(sent_at + TIMEOUT - self.now, timedelta(0)), self._tell, told)

    def _tell(self, told: Told) -> None:
        if self.service.write([told], now=self.now):
            order = self.service.store.orders[told.order_id]
            self.say("told", told.order_id, order.state.value, order.filled)
            if self.service.wants_reading:
                self.service.wants_reading = False
                self.soon(self._read_account)
            self.drive()

    def look_up(self) -> None:
        """Look up the orders that are due."""
        for order, until in self.service.take_look_ups(now=self.now):
            self.soon(self._search, order, until)

    def _search(self, order: OrderRecord, until: datetime | None) -> None:
        found = self.venue.look_up(order.id, now=self.now)
        if found is None and proofs.is_proof(until=until, real_now=self.now):
            found = self.venue.listed(order.id, now=self.now)
            if found is None:
                self.soon(self._tell, Told(order.id, is_lost=True))
        if found is not None:
            self.soon(self._tell, Told(order.id, found=found))

    def read_account(self) -> None:
        """Read the copy account, and again a minute later."""
        self.later(self.read_every, self.read_account)
        self._read_account()

    def _read_account(self) -> None:
        lag = self.chance.seconds(0, 8) if self.chance.strikes(Trouble.LAGGING_READS) else timedelta(0)
        sides = (PositionSide.NET,) if self.venue.place is not Place.HEDGE else (PositionSide.LONG, PositionSide.SHORT)
        held = {side: self.venue.held_at(side, self.now - lag) for side in sides}
        # What is his own is believed at the first reading: a nonsense one would hide it.
        may_be_wrong = not self.was_wrong and not any(self.venue.own.values())
        if may_be_wrong and self.chance.strikes(Trouble.WRONG_READS):
            self.was_wrong, held = True, dict.fromkeys(sides, ZERO)
        self.soon(self._compare, held, self.now)

    def _compare(self, held: dict[PositionSide, Any], read_at: datetime) -> None:
        if reconcile(self.service, held, read_at=read_at):
            self.later(max(read_at + AGAIN - self.now, timedelta(0)), self._read_account)
        for leg in self.service.store.legs.values():
            if held.get(leg.instrument.position_side, ZERO) != leg.leg.held:
                self._book_unknown()

    def _book_unknown(self) -> None:
        for order in self.service.store.orders.values():
            found = self.venue.listed(order.id, now=self.now)
            if found is not None and found.filled > order.filled and order.state is not OrderState.PLANNED:
                self.soon(self._tell, Told(order.id, found=found))
