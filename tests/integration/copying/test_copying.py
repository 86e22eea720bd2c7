"""What a trader does arrives at his subscriber: fills, closes and flips through capture, planner, driver and venue."""

from decimal import Decimal
from itertools import groupby

import pytest

from copytrade import clock
from copytrade.copying import queries
from copytrade.db.session import reading
from copytrade.errors import NotFound
from tests.integration.copying import sight
from tests.stage import Pair, ledger
from tests.waiting import wait_until


def test_an_entry_an_exit_and_a_flip_are_copied_by_a_tenth(stage: Pair) -> None:
    before = sight.count(stage)
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")
    stage.trade("SELL", "0.4")
    stage.wait_for_copy("0.06")
    stage.trade("SELL", "1.6")
    stage.wait_for_copy("-0.1")
    wait_until(lambda: ledger(stage.lead.id).unended == 0)
    # a trade of Alice's may take two levels of the book, which may be copied one by one
    runs = groupby(sight.at_venue(stage, since=before), key=lambda order: (order[0], order[2]))
    assert [(*kind, sum(Decimal(quantity) for _, quantity, _ in orders)) for kind, orders in runs] == [
        ("BUY", False, Decimal("0.1")),
        ("SELL", True, Decimal("0.1")),
        ("SELL", False, Decimal("0.1")),
    ]
    for part in sight.parts(stage):
        assert part.copied + part.skipped + part.netted == part.asked


def test_a_copy_has_a_receipt_that_nobody_else_sees(stage: Pair) -> None:
    began = clock.now()
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")

    def copied() -> list[queries.CopyRow]:
        with reading() as session:
            rows = queries.copies(session, owner=stage.copy.owner, limit=20).rows
        mine = [row for row in rows if row.at >= began and row.state == "copied"]
        return mine if sum((row.quantity for row in mine), Decimal(0)) == Decimal("0.1") else []

    rows = wait_until(copied)
    assert {(row.side, row.trader_name) for row in rows} == {("buy", "alice")}
    with reading() as session:
        receipt = queries.receipt(session, owner=stage.copy.owner, copy_order_id=rows[0].id)
        assert queries.copies(session, owner=stage.lead.owner, limit=10).rows == []
        with pytest.raises(NotFound):
            queries.receipt(session, owner=stage.lead.owner, copy_order_id=rows[0].id)
    [order] = receipt.orders
    times = [receipt.lead_at, receipt.planned_at, order.sent_at, order.accepted_at]
    assert None not in times
    assert 1 <= order.fills <= len(rows)


def test_leverage_is_made_equal_to_the_leads_and_capped(stage: Pair) -> None:
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")
    [position] = stage.control.account(stage.copy.key.account_id)["positions"]
    assert (str(position["leverage"]), position.get("isolated", False)) == ("5", False)


def test_a_thin_book_is_climbed_and_an_entry_is_never_bought_beyond_the_slippage(stage: Pair) -> None:
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")
    stage.control.set_book("BTCUSDT", bids=[("57000", "5")], asks=[("60000", "5")])
    stage.control.place(stage.lead.key.account_id, "BTCUSDT", "SELL", "1")
    stage.wait_for_copy("0")
    kinds = [order.kind for order in sight.orders(stage)[-3:]]
    assert "limit_ioc" in kinds
    stage.control.set_book("BTCUSDT", bids=[("59000", "5")], asks=[("60000", "1"), ("60900", "9")])
    stage.trade("BUY", "1")
    assert sight.waiting_for(stage, purpose="entry").price == Decimal("60300.0")
    wait_until(lambda: sight.leg(stage).waits_for == "market_moved", timeout=10, what="the wait for a better price")
    assert stage.copy_position() == 0
    stage.control.set_book("BTCUSDT", bids=[("59900", "5")], asks=[("60100", "9")])
    stage.wait_for_copy("0.1")
