"""Whatever is killed while a trader trades: each lead fill ends copied once."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from sqlalchemy.exc import DBAPIError

from tests.conftest import Sandbox
from tests.processes import WORKERS, Processes
from tests.stage import Pair, ledger, pair
from tests.waiting import wait_until

TRADES = 10
STEP = Decimal("0.001")


@dataclass(slots=True)
class Stage:
    """A pair and the lot its lead trades by, so that one run of the processes serves several deaths."""

    pair: Pair
    chance: random.Random

    def trade_and(self, act: Callable[[], None]) -> None:
        """Let the lead trade, with something happening in the middle."""
        for number in range(TRADES):
            if number == TRADES // 2:
                act()
            side = "BUY" if self.chance.random() < 0.6 else "SELL"
            self.pair.trade(side, str(self.chance.randrange(10, 90) * STEP))

    def ends_copied_once(self, what: str) -> None:
        """Wait until a tenth of what he holds is held, less than a step off, and each fill was taken once."""
        stage = self.pair
        wanted = stage.lead_position() / 10

        def settled() -> bool:
            try:
                told = ledger(stage.lead.id)
            except DBAPIError:
                return False  # by a connection of this test to the database that was killed
            at_venue = len(stage.control.fills(stage.lead.key.account_id))
            is_planned = told.fills == told.planned == at_venue and not told.unended
            return is_planned and abs(stage.copy_position() - wanted) < STEP

        wait_until(settled, timeout=90, what=f"each fill planned once and a copy of {wanted} after {what}")
        told = ledger(stage.lead.id)
        assert told.parts_twice == 0, what
        ids = [order["clientOrderId"] for order in stage.copy_orders()]
        assert len(ids) == len(set(ids)), what


@pytest.fixture
def stage(processes: Processes, sandbox: Sandbox) -> Stage:
    processes.start(*WORKERS)
    sandbox.control.clear_faults()
    return Stage(pair(sandbox.control), random.Random(3))


@pytest.mark.timeout(600)
def test_whatever_is_killed_loses_and_doubles_nothing(stage: Stage, processes: Processes) -> None:
    _an_answer_is_dropped_after_the_venue_executed(stage.pair)
    for victims in (*((name,) for name in WORKERS), WORKERS, ("postgres", "valkey")):
        stage.trade_and(lambda victims=victims: processes.restart(*victims))
        stage.ends_copied_once(f"the death of {', '.join(victims)}")
    _workers_start_while_valkey_is_away(stage, processes)


def _an_answer_is_dropped_after_the_venue_executed(stage: Pair) -> None:
    stage.control.fault(answer="drop", method="POST", path="/fapi/v1/order", account=stage.copy.key.account_id)
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1", timeout=60)
    stage.trade("SELL", "1")
    stage.wait_for_copy("0", timeout=60)
    filled = [order for order in stage.copy_orders() if Decimal(order["executedQty"])]
    assert [order["executedQty"] for order in filled] == ["0.100", "0.100"], "the venue saw a trade twice"
    wait_until(lambda: ledger(stage.lead.id).unended == 0, timeout=60, what="the end of every order")
    told = ledger(stage.lead.id)
    assert (told.asked, told.copied) == (Decimal("0.2"), Decimal("0.2"))


def _workers_start_while_valkey_is_away(stage: Stage, processes: Processes) -> None:
    processes.kill("valkey")
    processes.restart("worker-copy", "worker-capture")
    for name in ("worker-copy", "worker-capture"):
        processes.wait_for_line(name, "worker.redis_away")
    stage.pair.trade("BUY", "1")
    stage.ends_copied_once("the start without Valkey")
    processes.start("valkey")
    assert processes.crashed() == {}
