"""The engine's rules against a model of the world: a venue that loses, delays and half fills, a lead who does anything.

After each step the books agree (the harness looks); in the end, when all is known and the lead is flat, so is the copy.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from copytrade.domain.changes import ChangeKind
from copytrade.domain.driving import Done, Gate, Order
from copytrade.domain.instruments import Instrument, Market, Venue
from copytrade.domain.legs import Purpose, adopt
from copytrade.domain.quantities import nearer_zero
from copytrade.domain.skips import SkipReason
from tests.unit.domain.copying import RULES, Copy, D, following

# Names by weight, and a number from which each action takes what it needs.
NAMES = (
    ["trade"] * 6 + ["flip"] * 2 + ["drive"] * 4 + ["send"] * 4 + ["unknown"] * 2 + ["resolve"] * 2 + ["late"]
    + ["time"] * 4 + ["price", "pause", "gate", "own", "rebase", "missed"]
)  # fmt: skip
FEE = D("0.001")
SPOT_RULES = replace(RULES, quantity_step=D("0.00001"), min_quantity=D("0.00001"), exits_exempt_from_minimum=False)
ON_SPOT: dict[str, Any] = {
    "instrument": Instrument(Venue.BINANCE, Market.SPOT, "BTC/USDT"),
    "rules": SPOT_RULES,
    "fee_in_base": FEE,
}
ACTIONS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 999)), min_size=12, max_size=60)
SECONDS = (0.3, 1.0, 3.0, 20.0, 61.0)
GATES = (
    Gate(),
    Gate(),
    Gate(hands_off=True),
    Gate(drop_entries=SkipReason.HALTED),
    Gate(hold_entries=SkipReason.OWN_POSITION),
)


class World:
    """One copy and its venue; `act` does one thing that may happen."""

    def __init__(self, ratio: str, limit: Decimal | None, *, market: Market = Market.PERPETUAL) -> None:
        self.is_spot = market is Market.SPOT
        self.copy = following(ratio, **(ON_SPOT if self.is_spot else {}))
        self.copy.settings = replace(self.copy.settings, max_position_notional=limit)
        self.unknown: list[Order] = []
        self.executed: list[Order] = []
        """Judged lost, and executed all the same: it shows up later."""

    def act(self, name: str, number: int) -> None:
        getattr(self, f"_{name}")(number)
        self.copy.check()

    def _trade(self, number: int) -> None:
        quantity = D(number - 500) / 1000
        if quantity:
            self.copy.trade(quantity, fee=quantity * FEE if self.is_spot and quantity > 0 else D(0))

    def _flip(self, number: int) -> None:
        if self.copy.lead and not self.is_spot:
            self.copy.trade(-self.copy.lead - (D(number + 1) / 1000).copy_sign(self.copy.lead))

    def _drive(self, number: int) -> None:
        """A deep venue: every exit is carried out, and an entry too unless it is too small or the price ran away."""
        self.copy.fills = lambda order, price: order.quantity
        self.copy.later(1)
        self.copy.drive()
        leg, decision = self.copy.leg, self.copy.decision
        if leg.live or self.copy.gate.hands_off or self.is_spot:
            return
        wanted = nearer_zero(leg.target, leg.held)
        assert abs(leg.held - wanted) < RULES.quantity_step
        if isinstance(decision, Done):
            assert abs(leg.target - leg.held) < RULES.quantity_step

    def _rebase(self, number: int) -> None:
        nearer = (self.copy.lead * number / 999).quantize(D("0.001"))
        if not self.is_spot and abs(nearer) < abs(self.copy.lead):
            self.copy.trade(nearer - self.copy.lead, kind=ChangeKind.REBASE_REDUCE)

    def _missed(self, number: int) -> None:
        if self.is_spot:
            return
        self.copy.trade((D(number + 1) / 1000).copy_sign(self.copy.lead or D(1)), kind=ChangeKind.MISSED)

    def _send(self, number: int) -> None:
        decision = self.copy.look()
        if isinstance(decision, Order):
            self.copy.fills = lambda order, price: _share(self.copy, order, number)
            self.copy.send(decision)

    def _unknown(self, number: int) -> None:
        decision = self.copy.look()
        if isinstance(decision, Order):
            self.copy.live(decision, is_unknown=number % 2 == 0)
            self.unknown.append(decision)

    def _resolve(self, number: int) -> None:
        if not self.unknown:
            return
        order = self.unknown.pop()
        self._end(order, _reducible(self.copy, order) if number % 3 else D(0))

    def _late(self, number: int) -> None:
        if self.unknown:
            order = self.unknown.pop()
            self._end(order, D(0))
            self.executed.append(order)
        elif self.executed:
            order = self.executed.pop()
            self.copy.booked(order, _reducible(self.copy, order))

    def _time(self, number: int) -> None:
        self.copy.later(SECONDS[number % len(SECONDS)])

    def _price(self, number: int) -> None:
        self.copy.price = D(59_000 + 2 * number)

    def _pause(self, number: int) -> None:
        self.copy.settings = replace(self.copy.settings, is_paused=number % 3 == 0)

    def _gate(self, number: int) -> None:
        self.copy.gate = GATES[number % len(GATES)]

    def _own(self, number: int) -> None:
        if not self.copy.leg.live and self.copy.leg.held:
            reading = (self.copy.leg.held * number / 999).quantize(D("0.001"))
            self.copy.leg, skips = adopt(
                self.copy.leg, reading, drift_id=uuid4(), price=self.copy.price, at=self.copy.now
            )
            self.copy.skips += [(one.skip.reason, one.skip.quantity) for one in skips]
            self.copy.remember()

    def _end(self, order: Order, filled: Decimal) -> None:
        live = tuple(one for one in self.copy.leg.live if one.purpose is not order.purpose)
        self.copy.leg = replace(self.copy.leg, live=live)
        self.copy.booked(order, filled)

    def end(self) -> None:
        """Everything becomes known, the venue is deep, and the lead goes home."""
        while self.unknown:
            self._resolve(1)
        while self.executed:
            self._late(0)
        self.copy.gate, self.copy.fills = Gate(), lambda order, price: order.quantity
        if self.copy.lead:
            self.copy.trade(-self.copy.lead)
        for _ in range(6):
            self.copy.later(61)
            self.copy.drive()


def _share(copy: Copy, order: Order, number: int) -> Decimal:
    return copy.rules.round_quantity(order.quantity * number / 999)


def _reducible(copy: Copy, order: Order) -> Decimal:
    """A venue cuts a reduce-only order to the position that it finds."""
    if order.purpose is Purpose.ENTRY:
        return order.quantity
    there = -copy.leg.held * order.side.sign
    return min(order.quantity, max(RULES.round_quantity(there), D(0)))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ratio=st.sampled_from(["1", "0.5", "0.1", "0.0137", "0.003"]),
    limit=st.sampled_from([None, D(9000), D(300)]),
    actions=ACTIONS,
)
@example(ratio="1", limit=None, actions=[("trade", 600), ("unknown", 1), ("trade", 400), ("late", 0), ("late", 0)])
def test_whatever_happens_the_books_agree_and_the_copy_ends_flat(
    ratio: str, limit: Decimal | None, actions: list[tuple[str, int]]
) -> None:
    world = World(ratio, limit)
    for name, number in actions:
        world.act(name, number)
    world.end()
    copy = world.copy
    assert copy.leg.target == 0
    assert abs(copy.leg.held) < RULES.quantity_step
    assert sum(abs(part.pending) for part in copy.history.values()) == abs(copy.leg.held)
    exits = [order for order in copy.orders if order.purpose is Purpose.EXIT]
    assert all(order.reduce_only for order in exits)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ratio=st.sampled_from(["1", "0.5", "0.1", "0.0137", "0.003"]),
    limit=st.sampled_from([None, D(9000), D(300)]),
    actions=ACTIONS,
)
def test_on_spot_too_and_what_is_left_in_the_end_could_not_be_sold(
    ratio: str, limit: Decimal | None, actions: list[tuple[str, int]]
) -> None:
    world = World(ratio, limit, market=Market.SPOT)
    for name, number in actions:
        world.act(name, number)
        assert world.copy.leg.target >= 0
    world.end()
    copy = world.copy
    assert copy.leg.target == 0
    left = SPOT_RULES.round_quantity(copy.leg.held)
    assert left * copy.price < SPOT_RULES.min_notional
    assert -SPOT_RULES.quantity_step < copy.leg.held
    assert not any(order.reduce_only for order in copy.orders)
    assert all(order.quantity * (order.price or copy.price) >= SPOT_RULES.min_notional for order in copy.orders)
