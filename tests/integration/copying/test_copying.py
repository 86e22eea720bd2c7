"""What a trader does arrives at his subscriber: fills, closes and flips through capture, planner, driver and venue."""

from decimal import Decimal

import pytest

from copytrade.copying import queries
from copytrade.db.session import reading
from tests.stage import Pair, ledger
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("copying")


def test_an_entry_an_exit_and_a_flip_are_copied_by_a_tenth(stage: Pair) -> None:
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")
    stage.trade("SELL", "0.4")
    stage.wait_for_copy("0.06")
    stage.trade("SELL", "1.6")
    stage.wait_for_copy("-0.1")
    wait_until(lambda: ledger(stage.lead.id).unended == 0)
    told = ledger(stage.lead.id)
    assert told.asked == told.copied
    assert [(order["side"], order["reduceOnly"]) for order in stage.copy_orders()] == [
        ("BUY", False),
        ("SELL", True),
        ("SELL", True),
        ("SELL", False),
    ]


def test_a_copy_has_a_receipt_that_nobody_else_sees(stage: Pair) -> None:
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")

    def copied() -> list[queries.CopyRow]:
        with reading() as session:
            return queries.copies(session, owner=stage.copy.owner, limit=10, state="copied").rows

    row = wait_until(copied)[0]
    assert (row.side, row.quantity, row.trader_name) == ("buy", Decimal("0.1"), "alice")
    with reading() as session:
        receipt = queries.receipt(session, owner=stage.copy.owner, copy_order_id=row.id)
        assert queries.copies(session, owner=stage.lead.owner, limit=10).rows == []
    times = [receipt.lead_at, receipt.planned_at, receipt.sent_at, receipt.accepted_at]
    assert None not in times
    assert receipt.fills == 1
    assert receipt.quantity == Decimal("0.1")
