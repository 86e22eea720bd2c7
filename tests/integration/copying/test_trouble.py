"""Streams lose messages, liquidations go unreported, orders stay unknown: never twice, and never against the lead."""

from decimal import Decimal

import pytest

from copytrade.copying import engine
from tests.integration.copying import sight
from tests.stage import Pair, ledger
from tests.waiting import wait_until
from workers.loop import WarmLoop

ORDER = "/fapi/v1/order"


def test_17_a_buy_that_the_stream_lost_never_becomes_a_short(stage: Pair) -> None:
    before = sight.count(stage)
    stage.control.stream_fault("lose", account=stage.lead.key.account_id, event="ORDER_TRADE_UPDATE", count=1)
    stage.trade("BUY", "1")
    stage.trade("SELL", "1")
    wait_until(lambda: _is_planned(stage), timeout=30, what="both fills")
    wait_until(lambda: stage.copy_position() == 0 and sight.leg(stage).held == 0, timeout=30, what="a flat copy")
    assert all(side == "BUY" or reduces for side, _, reduces in sight.at_venue(stage, since=before))


def test_18_a_liquidation_is_followed_out_and_nothing_is_sold_against_the_lead(stage: Pair) -> None:
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")
    before = sight.count(stage)
    stage.control.silence_streams(stage.lead.key.account_id)
    stage.control.liquidate(stage.lead.key.account_id, "BTCUSDT")
    stage.wait_for_copy("0", timeout=40)
    stage.control.silence_streams(stage.lead.key.account_id, silent=False)
    assert sight.at_venue(stage, since=before) == [("SELL", "0.100", True)]
    assert sight.leg(stage).target == 0


@pytest.mark.timeout(120)
def test_21_his_own_position_stays_while_ours_is_closed_at_once(stage: Pair) -> None:
    account = stage.copy.key.account_id
    stage.trade("BUY", "0.5")
    stage.wait_for_copy("0.05")
    stage.control.place(account, "BTCUSDT", "BUY", "2")
    stage.control.fault(path=ORDER, method="POST", account=account, answer="drop")
    stage.control.fault(path=ORDER, method="GET", account=account, answer="status", status=503, count=-1, execute="no")
    stage.trade("BUY", "0.5")
    stage.wait_for_copy("2.1")
    stage.trade("SELL", "1")
    stage.wait_for_copy("2.05", timeout=10)
    stage.control.clear_faults()
    stage.wait_for_copy("2", timeout=30)
    wait_until(lambda: sight.leg(stage).held == 0)
    stage.control.place(account, "BTCUSDT", "SELL", "2")


def test_two_engines_on_the_same_rows_send_each_order_once(stage: Pair) -> None:
    before = sight.count(stage)
    second = WarmLoop([engine.run])
    second.start()
    try:
        for side in ("BUY", "SELL", "BUY", "SELL", "BUY"):
            stage.trade(side, "1")
            stage.wait_for_copy("0.1" if side == "BUY" else "0")
        wait_until(lambda: ledger(stage.lead.id).unended == 0)
    finally:
        second.stop()
    mine = sight.at_venue(stage, since=before)
    assert sum(Decimal(quantity) for _, quantity, _ in mine) == Decimal("0.5")
    ids = [order.client_order_id for order in sight.orders(stage)]
    assert len(ids) == len(set(ids))
    assert sight.leg(stage).held == Decimal("0.1")


def _is_planned(stage: Pair) -> bool:
    told = ledger(stage.lead.id)
    return told.fills == told.planned == len(stage.control.fills(stage.lead.key.account_id))
