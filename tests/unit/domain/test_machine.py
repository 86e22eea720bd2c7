"""Any sequence of fills, partial fills, rejections, unknowns, pauses and settings: the books agree after each step.

Beside the leg that is netted, driven and booked stands its history alone: lots and targets rebuilt from the changes in
one go are those of the leg at all times ("incremental equals rebuild").
"""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.driving import Order
from copytrade.domain.legs import Leg, Purpose, adopt, close
from copytrade.domain.lots import Lots, lead_total, lower, scale, target_total
from copytrade.domain.planning import OrderSoFar, PlanIds, plan
from copytrade.domain.quantities import ZERO
from copytrade.domain.sizing import CopySettings
from copytrade.domain.skips import SkipReason
from tests.unit.domain.copying import ALONE, BTC, RICH, RULES, Copy, D

STEPS = st.integers(1, 900).map(lambda number: D(number) / 1000)
SIDES = st.sampled_from([1, -1])


class Machine(RuleBasedStateMachine):
    """One leg, its lead, and a venue that does what the rules say."""

    @initialize(ratio=st.sampled_from(["1", "0.5", "0.1", "0.0137"]), limit=st.sampled_from([None, D(9000), D(300)]))
    def begin(self, ratio: str, limit: Decimal | None) -> None:
        chosen = CopySettings(factor=D(ratio), max_leverage=D(1000), max_position_notional=limit)
        self.copy = Copy(settings=chosen)
        self.unknown: list[Order] = []
        self.rebuilt: Lots = ()

    @rule(quantity=STEPS, side=SIDES, is_late=st.booleans())
    def lead_trades(self, quantity: Decimal, side: int, is_late: bool) -> None:
        self._change(quantity * side, is_late=is_late)

    @precondition(lambda self: self.copy.lead)
    @rule(further=st.sampled_from([ZERO, D("0.3")]))
    def lead_closes_or_turns(self, further: Decimal) -> None:
        self._change(-self.copy.lead - further.copy_sign(self.copy.lead))

    @precondition(lambda self: self.copy.lead)
    @rule(share=st.integers(0, 9))
    def lead_is_re_based(self, share: int) -> None:
        nearer = (self.copy.lead * share / 10).quantize(D("0.001"))
        if nearer != self.copy.lead:
            self._change(nearer - self.copy.lead, kind=ChangeKind.REBASE_REDUCE)

    @rule(share=st.integers(0, 10))
    def order_is_filled(self, share: int) -> None:
        decision = self._look()
        if isinstance(decision, Order):
            filled = self.copy.rules.round_quantity(decision.quantity * share / 10)
            self.copy.fills = lambda order, price: filled
            self.copy.send(decision)

    @rule()
    def order_is_refused(self) -> None:
        if isinstance(self._look(), Order):
            self.copy.leg = replace(self.copy.leg, last_reason=SkipReason.FUNDS)

    @rule()
    def order_is_unknown(self) -> None:
        decision = self._look()
        if isinstance(decision, Order):
            self.copy.live(decision, is_unknown=True)
            self.unknown.append(decision)

    @precondition(lambda self: self.unknown)
    @rule(is_there=st.booleans())
    def order_is_found_or_lost(self, is_there: bool) -> None:
        order = self.unknown.pop()
        live = tuple(one for one in self.copy.leg.live if one.purpose is not order.purpose)
        self.copy.leg = replace(self.copy.leg, live=live)
        there = -self.copy.leg.held * order.side.sign
        most = order.quantity if order.purpose is Purpose.ENTRY else min(order.quantity, max(there, ZERO))
        self.copy.booked(order, RULES.round_quantity(most) if is_there else ZERO)

    @rule(is_paused=st.booleans(), ratio=st.sampled_from(["1", "0.5", "0.1"]))
    def settings_change(self, is_paused: bool, ratio: str) -> None:
        self.copy.settings = replace(self.copy.settings, is_paused=is_paused, factor=D(ratio))

    @rule(seconds=st.sampled_from([1, 20, 61]))
    def time_goes_by(self, seconds: int) -> None:
        self.copy.later(seconds)

    @precondition(lambda self: self.copy.leg.held and not self.copy.leg.live)
    @rule(share=st.integers(0, 9))
    def he_sells_himself(self, share: int) -> None:
        reading = (self.copy.leg.held * share / 10).quantize(D("0.001"))
        was = self.copy.leg.target
        leg, _ = adopt(self.copy.leg, reading, drift_id=uuid4(), price=self.copy.price, at=self.copy.now)
        assert abs(leg.target) <= abs(was)
        self._moved(leg)
        self.rebuilt = scale(self.rebuilt, leg.target)

    @precondition(lambda self: not self.copy.leg.live)
    @rule()
    def copying_is_stopped(self) -> None:
        self._moved(close(self.copy.leg, stop_id=uuid4(), price=self.copy.price, at=self.copy.now))
        self.rebuilt = scale(self.rebuilt, ZERO)

    @invariant()
    def books_agree(self) -> None:
        self.copy.check()

    @invariant()
    def incremental_equals_rebuild(self) -> None:
        assert target_total(self.rebuilt) == self.copy.leg.target
        assert lead_total(self.rebuilt) == lead_total(self.copy.leg.lots) == self.copy.lead
        assert _merged(self.rebuilt) == _merged(self.copy.leg.lots)

    @invariant()
    def exits_are_written_off_only_by_his_own_hand(self) -> None:
        for part in self.copy.history.values():
            assert part.opens or not part.skipped or part.kind.value in ("drift", "reducing", "late", "stop")

    def _change(self, quantity: Decimal, *, kind: ChangeKind = ChangeKind.FILL, is_late: bool = False) -> None:
        known = set(self.copy.history)
        before = self.copy.lead
        self.copy.trade(quantity, kind=kind, is_late=is_late)
        fresh = [part for part_id, part in self.copy.history.items() if part_id not in known]
        opening = next((part.id for part in fresh if part.opens), uuid4())
        change = LeadChange(
            fill_id=None, instrument=BTC, before=before, after=before + quantity, price=self.copy.price,
            venue_time=self.copy.now, received_at=self.copy.now, kind=kind, is_late=is_late,
            lead_fill_quantity=abs(quantity),
        )  # fmt: skip
        replayed = plan(
            change, lots=self.rebuilt, order=OrderSoFar(), settings=self.copy.settings, equities=RICH, around=ALONE,
            rules=RULES, ids=PlanIds(uuid4(), opening), now=self.copy.now, open_parts=self._open(),
        )  # fmt: skip
        self.rebuilt = replayed.lots

    def _look(self) -> object:
        skipped = {part.id: part.skipped for part in self.copy.history.values()}
        decision = self.copy.look()
        for part in self.copy.history.values():
            more = abs(part.skipped - skipped.get(part.id, ZERO))
            if more and part.opens:
                self.rebuilt = lower(self.rebuilt, more, part=part.id)
        return decision

    def _moved(self, leg: Leg) -> None:
        self.copy.leg = leg
        self.copy.remember()

    def _open(self) -> set[UUID]:
        return {part.id for part in self.copy.leg.parts}

    def teardown(self) -> None:
        """In the end all is known, the lead goes home, the venue is deep: nothing is left."""
        if not hasattr(self, "copy"):
            return
        while self.unknown:
            self.order_is_found_or_lost(True)
        self.copy.fills = lambda order, price: order.quantity
        if self.copy.lead:
            self._change(-self.copy.lead)
        for _ in range(6):
            self.copy.later(61)
            self.copy.drive()
        assert self.copy.leg.target == 0
        assert abs(self.copy.leg.held) < RULES.quantity_step


def _merged(stack: Lots) -> list[tuple[Decimal, Decimal]]:
    """Return the stack with neighbours of one rate together: when they were merged is of no matter."""
    found = list[tuple[Decimal, Decimal]]()
    for lot in stack:
        if found and found[-1][1] * lot.lead == lot.target * found[-1][0]:
            found[-1] = (found[-1][0] + lot.lead, found[-1][1] + lot.target)
        else:
            found.append((lot.lead, lot.target))
    return found


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
