"""The worked examples of the copy engine's specification that need no venue; each test bears its number."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from copytrade.domain.driving import Done, Gate, Order, Wait, WaitReason
from copytrade.domain.instruments import Instrument, Market, Venue
from copytrade.domain.legs import Purpose, adopt
from copytrade.domain.limits import Around
from copytrade.domain.orders import OrderKind
from copytrade.domain.sizing import CopySettings, Equities, SizingMode
from copytrade.domain.skips import SkipReason
from tests.unit.domain.copying import RULES, Copy, D, following

SPOT = Instrument(Venue.BINANCE, Market.SPOT, "BTC/USDT")


def test_1_a_purchase_in_three_fills_is_copied_by_half() -> None:
    copy = following("0.5")
    for quantity in ("0.2", "0.5", "0.3"):
        copy.trade(quantity)
        copy.drive()
    assert (copy.leg.target, copy.leg.held) == (D("0.5"), D("0.5"))
    assert len(copy.orders) <= 3


def test_1_fills_that_come_together_are_one_order() -> None:
    copy = following("0.5")
    for quantity in ("0.2", "0.5", "0.3"):
        copy.trade(quantity)
    copy.drive()
    assert copy.sent() == [("buy", D("0.5"), False)]


def test_2_a_partial_sale_is_one_reduce_only_order() -> None:
    copy = following("0.5", lead="1", held="0.5")
    copy.trade("-0.4")
    copy.drive()
    assert copy.leg.target == D("0.3")
    assert copy.sent() == [("sell", D("0.2"), True)]


def test_3_a_full_sale_closes() -> None:
    copy = following("0.5", lead="0.6", held="0.3")
    copy.trade("-0.6")
    copy.drive()
    assert copy.leg.target == 0
    assert copy.sent() == [("sell", D("0.3"), True)]
    assert copy.leg.lots == ()


def test_4_a_flip_is_two_orders() -> None:
    copy = following("0.5", lead="1", held="0.5")
    copy.trade("-1.5")
    assert copy.leg.target == D("-0.25")
    copy.drive()
    assert copy.sent() == [("sell", D("0.5"), True), ("sell", D("0.25"), False)]
    assert copy.leg.held == D("-0.25")


def test_5_small_fills_add_up_to_one_order() -> None:
    copy = following("0.00005")
    for count in range(1, 21):
        copy.trade("1")
        copy.drive()
        assert copy.leg.target == D("0.00005") * count
        assert len(copy.orders) == (count == 20)
    assert copy.sent() == [("buy", D("0.001"), False)]


def test_6_by_equity_the_copy_is_as_large_as_the_account() -> None:
    settings = CopySettings(mode=SizingMode.EQUITY, factor=D(1))
    copy = Copy(settings, equities=Equities(copy=D(2000), lead=D(100_000)), around=Around(copy_equity=D(2000)))
    copy.trade("1")
    assert copy.leg.target == D("0.02")


def test_7_an_exit_of_what_was_not_copied_asks_for_nothing() -> None:
    copy = following(lead="2")
    copy.trade("-1")
    copy.drive()
    assert copy.orders == []
    assert copy.skips == [(SkipReason.NOTHING_TO_REDUCE, D(0))]


def test_8_what_was_bought_last_is_sold_first() -> None:
    copy = following(lead="2")
    copy.trade("-1")
    copy.trade("1")
    assert copy.leg.target == 1
    copy.trade("-1")
    assert copy.leg.target == 0


def test_9_a_fixed_amount_is_shared_over_the_fills_of_an_order() -> None:
    copy = Copy(CopySettings(mode=SizingMode.FIXED_QUOTE, factor=D(300), max_position_notional=D(1500)))
    copy.trade("0.25", order="a", of="1")
    assert copy.leg.target == D("0.00125")
    copy.trade("0.75", order="a", of="1")
    assert copy.leg.target == D("0.005")


def test_9_the_shares_of_an_amended_order_never_exceed_one() -> None:
    copy = Copy(CopySettings(mode=SizingMode.FIXED_QUANTITY, factor=D("0.4"), max_position_notional=D(100_000)))
    for _ in range(3):
        copy.trade("0.5", order="a", of="1")
    assert copy.leg.target == D("0.4")


def test_10_a_position_limit_cuts() -> None:
    copy = following()
    copy.settings = replace(copy.settings, max_position_notional=D(30_000))
    copy.trade("1")
    assert copy.leg.target == D("0.5")
    assert copy.skips == [(SkipReason.MAX_POSITION, D("0.5"))]


def test_11_he_sold_what_was_skipped() -> None:
    copy = following(lead="1", held="1")
    copy.settings = replace(copy.settings, is_paused=True)
    copy.trade("1")
    assert (copy.leg.target, copy.skips[0]) == (D(1), (SkipReason.PAUSED, D(1)))
    copy.trade("-1")
    assert copy.leg.target == 1


def test_12_dust_of_a_fee_in_base_stays_and_is_known() -> None:
    copy = Copy(
        CopySettings(factor=D(1), max_leverage=D(1)),
        instrument=SPOT,
        rules=replace(RULES, quantity_step=D("0.00001"), min_quantity=D("0.00001")),
        fee_in_base=D("0.001"),
    )
    copy.trade("0.01")
    copy.drive()
    assert copy.leg.held == D("0.00999")
    copy.trade("-0.01")
    copy.drive()
    assert copy.sent()[1] == ("sell", D("0.00999"), False)
    assert copy.leg.held == 0
    copy.fee_in_base = D("0.0015")
    copy.trade("0.01")
    copy.trade("-0.01")
    copy.drive()
    copy.trade("0.01")
    copy.drive()
    copy.trade("-0.01")
    copy.drive()
    assert copy.leg.held == D("0.000005")
    assert copy.decision in (Done(), Wait(WaitReason.TOO_SMALL))


def test_13_an_entry_that_the_market_ran_away_from_is_given_up_after_a_minute() -> None:
    copy = following()
    copy.trade("1")
    copy.price = D(60_400)
    copy.drive()
    assert (copy.orders[0].price, copy.orders[0].kind) == (D(60_300), OrderKind.LIMIT_IOC)
    for _ in range(59):
        copy.later(1)
        copy.drive()
    assert copy.leg.target == 1
    copy.later(1.01)
    copy.drive()
    assert (copy.leg.target, copy.leg.held) == (0, 0)
    assert copy.skips == [(SkipReason.SLIPPAGE, D(1))]


def test_14_15_an_entry_that_nobody_knows_of_holds_back_the_next() -> None:
    copy = following()
    copy.trade("1")
    order = _order(copy)
    copy.live(order, is_unknown=True)
    copy.trade("1")
    assert copy.look() == Wait(WaitReason.LIVE_ORDER)
    copy.resolve(order, D(1))
    copy.drive()
    assert copy.sent() == [("buy", D(1), False), ("buy", D(1), False)]


def test_16_a_hundred_round_trips_leave_nothing() -> None:
    copy = following(lead="10")
    for _ in range(100):
        copy.trade("0.1")
        copy.drive()
        copy.trade("-0.1")
        copy.drive()
        assert (copy.leg.target, copy.leg.held) == (0, 0)


def test_19_after_a_halt_the_exit_goes_and_the_old_entry_does_not() -> None:
    copy = following("0.5", lead="1", held="0.5")
    copy.trade("-1.5")
    copy.gate = Gate(hands_off=True)
    assert copy.look() == Wait(WaitReason.HANDS_OFF, copy.now.replace(second=copy.now.second + 5))
    copy.later(70)
    copy.gate = Gate()
    copy.drive()
    assert copy.sent() == [("sell", D("0.5"), True)]
    assert (copy.leg.target, copy.leg.held) == (0, 0)


def test_20_an_order_that_was_only_intended_is_not_sent_once_the_lead_is_out() -> None:
    copy = following()
    copy.trade("1")
    assert isinstance(copy.look(), Order)
    copy.trade("-1")
    assert copy.look() == Done()
    assert [(part.netted, part.pending) for part in copy.history.values()] == [(1, 0), (-1, 0)]


def test_21_what_is_known_to_be_held_is_closed_at_once() -> None:
    copy = following(lead="0.5", held="0.5")
    copy.trade("0.5")
    entry = _order(copy)
    copy.live(entry, is_unknown=True)
    copy.trade("-1")
    exit_order = _order(copy)
    assert (exit_order.quantity, exit_order.reduce_only) == (D("0.5"), True)
    copy.send(exit_order)
    assert copy.leg.held == 0
    copy.resolve(entry, D("0.5"))
    copy.drive()
    assert copy.sent()[-1] == ("sell", D("0.5"), True)
    assert copy.leg.held == 0


def test_21_an_exit_waits_two_seconds_for_an_entry_that_is_being_sent() -> None:
    copy = following(lead="0.5", held="0.5")
    copy.trade("0.5")
    copy.live(_order(copy), is_unknown=False)
    copy.trade("-1")
    waiting = copy.look()
    assert isinstance(waiting, Wait)
    assert waiting.reason is WaitReason.LIVE_ORDER
    copy.later(2.1)
    assert isinstance(copy.look(), Order)


def test_22_a_lost_order_that_was_executed_after_all_is_driven_back() -> None:
    copy = following()
    copy.trade("1")
    lost = _order(copy)
    copy.live(lost, is_unknown=True)
    copy.resolve(lost, D(0))
    copy.drive()
    assert copy.leg.held == 1
    copy.booked(lost, D(1))
    assert copy.leg.held == 2
    copy.drive()
    assert (copy.leg.target, copy.leg.held) == (1, 1)
    assert copy.sent()[-1] == ("sell", D(1), True)


def test_23_a_fee_in_base_is_a_cost_and_no_new_entry() -> None:
    copy = Copy(CopySettings(factor=D(1), max_leverage=D(1000)), instrument=SPOT, fee_in_base=D("0.001"))
    copy.trade("100")
    copy.drive()
    assert copy.sent() == [("buy", D(100), False)]
    assert (copy.leg.target, copy.leg.held) == (D("99.9"), D("99.9"))


def test_23_a_lead_who_pays_his_fee_in_base_is_copied_by_what_he_ordered() -> None:
    copy = Copy(CopySettings(factor=D(1), max_leverage=D(1000)), instrument=SPOT, fee_in_base=D("0.001"))
    copy.trade("100", fee="0.1")
    copy.drive()
    assert copy.sent() == [("buy", D(100), False)]
    assert (copy.lead, copy.leg.target, copy.leg.held) == (D("99.9"), D("99.9"), D("99.9"))
    copy.trade("-49.95")
    copy.drive()
    copy.trade("-49.95")
    copy.drive()
    assert copy.sent()[1:] == [("sell", D("49.95"), False), ("sell", D("49.95"), False)]
    assert (copy.leg.target, copy.leg.held, copy.leg.lots) == (0, 0, ())


def test_23_what_a_fee_in_base_leaves_nothing_for_is_skipped_and_told() -> None:
    copy = Copy(CopySettings(factor=D(1), max_leverage=D(1000)), instrument=SPOT, fee_in_base=D("0.001"))
    copy.trade("100")
    copy.drive()
    copy.trade("100")
    order = _order(copy)
    copy.trade("-150", fee="0")
    copy.send(order)
    told = {reason: copy.skipped(reason) for reason, _ in copy.skips}
    assert sum(abs(part.skipped) for part in copy.history.values()) == sum(told.values())
    assert told.get(SkipReason.TOO_SMALL, 0) > 0


def test_24_what_the_subscriber_sold_himself_is_taken_over() -> None:
    copy = following(lead="1", held="1")
    copy.trade("-0.8")
    assert (copy.leg.target, copy.leg.held) == (D("0.2"), D(1))
    copy.leg, skips = adopt(copy.leg, D("0.5"), drift_id=uuid4(), price=copy.price, at=copy.now)
    assert (copy.leg.held, copy.leg.target) == (D("0.5"), D("0.2"))
    assert [(skip.skip.reason, skip.skip.quantity) for skip in skips] == [(SkipReason.OWN_TRADE, D("0.5"))]
    copy.check()
    copy.drive()
    assert copy.sent() == [("sell", D("0.3"), True)]


def test_24_what_he_sold_himself_scales_the_lots() -> None:
    copy = following(lead="1", held="1")
    copy.leg, _ = adopt(copy.leg, D("0.5"), drift_id=uuid4(), price=copy.price, at=copy.now)
    copy.trade("-0.5")
    assert copy.leg.target == D("0.25")


def test_25_the_limit_of_an_order_counts_over_all_its_fills() -> None:
    copy = following()
    copy.settings = replace(copy.settings, max_order_notional=D(1000))
    for _ in range(20):
        copy.trade("0.05", order="big")
    assert D(999) < copy.leg.target * copy.price <= D(1000)
    copy.trade("0.05", order="next")
    assert copy.leg.target * copy.price > D(1999)


def test_what_a_live_order_carries_is_pending_until_it_has_ended() -> None:
    copy = following()
    copy.trade("1")
    entry = _order(copy)
    copy.live(entry, is_unknown=True)
    copy.trade("-1")
    assert [(part.netted, part.pending) for part in copy.history.values()] == [(0, 1), (0, -1)]
    copy.resolve(entry, D("0.4"))
    assert [(part.copied, part.netted) for part in copy.history.values()] == [(D("0.4"), D("0.6")), (0, D("-0.6"))]


def _order(copy: Copy) -> Order:
    decision = copy.look()
    assert isinstance(decision, Order)
    assert decision.purpose in (Purpose.ENTRY, Purpose.EXIT)
    assert isinstance(decision.quantity, Decimal)
    return decision
