"""What differs on spot: no reduce-only, minimums for sales too, rests nobody could sell, coins that are not free."""

from dataclasses import replace

from copytrade.domain.driving import Done, Order, Wait, WaitReason
from copytrade.domain.instruments import Instrument, Market, Venue
from copytrade.domain.legs import Purpose
from copytrade.domain.sizing import CopySettings
from tests.unit.domain.copying import RULES, Copy, D

BTC = Instrument(Venue.BITGET, Market.SPOT, "BTC/USDT")
FINE = replace(RULES, quantity_step=D("0.00001"), min_quantity=D("0.00001"), exits_exempt_from_minimum=False)


def on_spot(*, fee: str = "0.001") -> Copy:
    return Copy(CopySettings(max_leverage=D(1000)), instrument=BTC, rules=FINE, fee_in_base=D(fee))


def test_a_sale_is_never_reduce_only() -> None:
    copy = on_spot()
    copy.trade("0.01")
    copy.drive()
    copy.trade("-0.004")
    copy.drive()
    assert copy.sent() == [("buy", D("0.01"), False), ("sell", D("0.00399"), False)]
    assert copy.orders[1].purpose is Purpose.EXIT


def test_a_purchase_that_could_not_be_sold_again_is_not_made() -> None:
    copy = on_spot()
    copy.trade("0.00009")
    copy.drive()
    assert (copy.orders, copy.decision) == ([], Wait(WaitReason.TOO_SMALL))
    copy.trade("0.00002")
    copy.drive()
    assert copy.sent() == [("buy", D("0.00011"), False)]


def test_a_small_purchase_beside_a_large_holding_waits_for_the_minimum_of_an_order() -> None:
    copy = on_spot()
    copy.trade("1")
    copy.drive()
    copy.trade("0.00005")
    copy.drive()
    assert (len(copy.orders), copy.decision) == (1, Wait(WaitReason.TOO_SMALL))


def test_a_rest_that_could_not_be_sold_alone_goes_along() -> None:
    copy = on_spot(fee="0")
    copy.trade("0.001")
    copy.drive()
    copy.trade("-0.00095")
    copy.drive()
    assert copy.sent()[1] == ("sell", D("0.001"), False)
    assert (copy.leg.held, copy.leg.target) == (0, D("0.00005"))
    copy.later(120)
    copy.drive()
    assert copy.leg.target == D("0.00005")
    copy.trade("-0.00005")
    copy.drive()
    assert (len(copy.orders), copy.leg.target, copy.decision) == (2, 0, Done())


def test_a_small_sale_of_a_large_holding_waits_for_more() -> None:
    copy = on_spot()
    copy.trade("1")
    copy.drive()
    copy.trade("-0.00005")
    copy.drive()
    assert (len(copy.orders), copy.decision) == (1, Wait(WaitReason.TOO_SMALL))
    copy.trade("-0.5")
    copy.drive()
    assert len(copy.orders) == 2


def test_a_sale_just_above_the_minimum_is_not_priced_below_it() -> None:
    copy = on_spot(fee="0")
    copy.trade("0.001")
    copy.drive()
    copy.price = D(5050)
    copy.later(5)
    copy.trade("-0.001")
    decision = copy.look()
    assert isinstance(decision, Order)
    assert decision.price == D(5000)


def test_no_more_is_sold_than_is_free() -> None:
    copy = on_spot(fee="0")
    copy.trade("1")
    copy.drive()
    copy.trade("-1")
    copy.free = D("0.400007")
    decision = copy.look()
    assert isinstance(decision, Order)
    assert decision.quantity == D("0.4")
    copy.free = D("0.00001")
    waiting = copy.look()
    assert isinstance(waiting, Wait)
    assert waiting.reason is WaitReason.NOT_FREE
    assert waiting.until is not None


def test_the_fee_of_a_purchase_is_borne_by_what_it_bought() -> None:
    copy = on_spot()
    for quantity in ("0.6", "0.4"):
        copy.trade(quantity, fee=D(quantity) * D("0.001"))
        copy.drive()
    assert copy.leg.held == D("0.999")
    copy.trade("-0.3996")
    copy.drive()
    assert copy.sent()[-1] == ("sell", D("0.3996"), False)
    assert (copy.leg.held, copy.leg.target) == (D("0.5994"), D("0.5994"))


def test_the_fee_of_one_order_over_two_purchases_is_shared_by_them() -> None:
    copy = on_spot()
    for quantity in ("0.6", "0.4"):
        copy.trade(quantity, fee=D(quantity) * D("0.001"))
    copy.drive()
    assert [lot.target for lot in copy.leg.lots] == [D("0.5994"), D("0.3996")]


def test_the_lead_sells_more_than_he_is_known_to_hold() -> None:
    copy = on_spot(fee="0")
    copy.trade("1")
    copy.drive()
    copy.trade("-3")
    copy.drive()
    assert (copy.leg.target, copy.leg.held, copy.leg.lots) == (0, 0, ())
