"""Runs of the model in which a rule was broken, told again as plain examples."""

from dataclasses import replace
from uuid import UUID

from copytrade.domain.driving import Gate, Order, Wait, WaitReason
from copytrade.domain.instruments import Instrument, Market, MarketRules, Venue
from copytrade.domain.legs import Leg, Part, Purpose, book, pending_total
from copytrade.domain.lots import target_total
from copytrade.domain.planning import PartKind
from copytrade.domain.sizing import CopySettings
from copytrade.domain.skips import SkipReason
from tests.unit.domain.copying import PRICE, RULES, START, Copy, D, following

SPOT = Instrument(Venue.BINANCE, Market.SPOT, "BTC/USDT")
ODD = replace(RULES, max_quantity=D("0.30005"), max_market_quantity=D("0.10005"))
"""A venue whose largest orders do not lie on its own step, as Binance tells them on spot."""


def largest(rules: MarketRules) -> tuple[str, str]:
    return str(rules.round_quantity(rules.max_quantity)), str(rules.round_quantity(rules.max_market_quantity))


def test_an_order_cut_to_the_venues_largest_stays_on_its_step() -> None:
    copy = following("1", rules=ODD)
    copy.trade("0.5")
    copy.drive()
    copy.trade("-0.5")
    copy.fills = lambda order, price: D(0) if order.price is not None else order.quantity
    copy.drive()
    quantities = {order.quantity for order in copy.orders}
    assert {str(quantity) for quantity in quantities} >= set(largest(ODD))
    assert all(quantity % ODD.quantity_step == 0 for quantity in quantities)


def test_what_a_limit_leaves_of_rounding_alone_is_not_copied() -> None:
    """A limit that was used up but for the eighteenth decimal left a part that nothing could ever carry out."""
    copy = following("1", price=D("1999.79"))
    # room for three 10⁻¹⁸ parts of what 10 × 0.0789 asks for: none of the lead's quantity stands for so little
    copy.settings = replace(copy.settings, factor=D(10), max_position_notional=D("1999.79") * 3 * D("1e-18"))
    copy.trade("0.078941622203664718")
    [part] = copy.history.values()
    assert (part.pending, copy.leg.target) == (0, 0)
    assert sum(quantity for _, quantity in copy.skips) == part.asked


def test_buying_back_what_was_sold_too_much_pays_its_fee_out_of_what_it_brings() -> None:
    """On spot an exit counted twice left H below 0; the fee of the purchase back made a target of less than nothing."""
    late = Part(UUID(int=5), PartKind.LATE, D("0.02"), PRICE, START, opens=False)
    leg = Leg(held=D("-0.02"), parts=(late,))
    leg, covered, skips = book(
        leg, D("0.02"), purpose=Purpose.EXIT, price=PRICE, at=START, late_id=UUID(int=6), base_fee=D("0.00002")
    )
    assert (leg.target, target_total(leg.lots), leg.held) == (0, 0, D("-0.00002"))
    assert pending_total(leg) == D("0.00002")
    assert [one.quantity for one in covered] == [D("0.01998")]
    assert not skips


def on_its_way_over_zero() -> Copy:
    """A rest of 0.005 that no order could close alone, and a target on the other side."""
    rules = replace(RULES, exits_exempt_from_minimum=False, min_notional=D(20), price_tick=D("0.01"))
    copy = following("1", lead="0.02", held="0.02", rules=rules, price=D(2009))
    copy.trade("-0.015")
    copy.drive()
    copy.trade("-0.025")
    assert copy.leg.held == D("0.005")
    return copy


def test_one_order_over_zero_is_bounded_as_the_entry_that_it_is() -> None:
    """It went out at the market of the day, however far from where the lead had turned round."""
    copy = on_its_way_over_zero()
    decision = copy.look()
    assert isinstance(decision, Order)
    assert (decision.purpose, decision.quantity, decision.reference) == (Purpose.ENTRY, D("0.025"), D(2009))
    copy.price = D(1900)
    limit = D(2009) * (1 - copy.settings.slippage("BTC"))
    copy.send(decision)
    assert copy.leg.held == D("0.005")
    assert decision.price is not None
    assert decision.price >= limit


def test_one_order_over_zero_is_held_back_as_the_entry_that_it_is() -> None:
    copy = on_its_way_over_zero()
    copy.gate = Gate(hold_entries=SkipReason.DRIFT_HALT)
    copy.drive()
    assert copy.leg.held == D("0.005")
    assert isinstance(copy.decision, Wait)
    assert copy.decision.reason is WaitReason.HELD_BACK


def test_what_was_sold_of_his_own_coins_is_bought_back_though_nothing_is_free() -> None:
    """What was sold twice waited for coins to be free, of which a purchase needs none."""
    copy = Copy(
        CopySettings(max_leverage=D(1000)), instrument=SPOT, rules=replace(RULES, exits_exempt_from_minimum=False)
    )
    late = Part(UUID(int=5), PartKind.LATE, D("0.75"), PRICE, START, opens=False)
    copy.leg, copy.free = Leg(held=D("-0.75"), parts=(late,)), D(0)
    copy.drive()
    assert copy.sent() == [("buy", D("0.75"), False)]
    assert copy.leg.held == 0


def test_one_order_over_zero_reaches_the_minimum_at_its_own_price() -> None:
    """Reckoned at the market it was just enough; at the limit, a little below, the venue refused it for ever."""
    rules = replace(RULES, exits_exempt_from_minimum=False, min_notional=D(20), price_tick=D("0.01"))
    copy = following("1", lead="0.02", held="0.02", rules=rules, price=D(2009))
    copy.trade("-0.015")
    copy.drive()
    copy.trade("-0.010")
    copy.drive()
    sent = [order for order in copy.orders if order.price is not None]
    assert copy.leg.held == D("0.005")
    assert all(order.quantity * order.price >= rules.min_notional for order in sent if order.price is not None)


def test_rests_below_a_step_of_openings_that_were_given_up_do_not_add_up_to_more_than_one() -> None:
    """A seed of chaos: a position of his own held entries back, and each part kept a rest that nobody would order."""
    copy = following("0.37")
    copy.gate = Gate(hold_entries=SkipReason.OWN_POSITION)
    for _ in range(3):
        copy.trade("0.005")
        copy.drive()
        copy.later(61)
        copy.drive()
    assert copy.leg.held == 0
    assert 0 < copy.leg.target < RULES.quantity_step
    assert target_total(copy.leg.lots) == copy.leg.target == pending_total(copy.leg)
    assert {reason for reason, _ in copy.skips} == {SkipReason.OWN_POSITION}
