"""Whatever is killed while a trader trades: each lead fill ends copied once."""

import random
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.conftest import Sandbox
from tests.processes import WORKERS, Processes
from tests.stage import Pair, ledger, pair
from tests.waiting import wait_until

TRADES = 14
STEP = Decimal("0.001")


@pytest.fixture
def stage(processes: Processes, sandbox: Sandbox) -> Pair:
    processes.start(*WORKERS)
    sandbox.control.clear_faults()
    return pair(sandbox.control)


def _trade_and(stage: Pair, *, at: int, act: Callable[[], None], seed: int) -> None:
    chance = random.Random(seed)
    for number in range(TRADES):
        if number == at:
            act()
        stage.trade("BUY" if chance.random() < 0.6 else "SELL", str(chance.randrange(10, 90) * STEP))


def _ends_copied_once(stage: Pair) -> None:
    wanted = stage.lead_position() / 10
    step_down = (wanted / STEP).to_integral_value(rounding="ROUND_DOWN") * STEP

    def settled() -> bool:
        told = ledger(stage.lead.id)
        return told.fills == told.planned >= TRADES and not told.unended and stage.copy_position() == step_down

    wait_until(settled, timeout=60, what=f"a copy of {step_down}")
    told = ledger(stage.lead.id)
    at_venue = len(stage.control.fills(stage.lead.key.account_id))
    assert told.fills == at_venue, "a lead fill was lost or stored twice"
    assert told.parts_twice == 0
    ids = [order["clientOrderId"] for order in stage.copy_orders()]
    assert len(ids) == len(set(ids))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("victim", WORKERS)
def test_a_killed_process_loses_and_doubles_nothing(stage: Pair, processes: Processes, victim: str) -> None:
    _trade_and(stage, at=TRADES // 2, act=lambda: processes.restart(victim), seed=3)
    _ends_copied_once(stage)


@pytest.mark.timeout(180)
def test_all_of_them_killed_at_once(stage: Pair, processes: Processes) -> None:
    _trade_and(stage, at=TRADES // 2, act=lambda: processes.restart(*WORKERS), seed=4)
    _ends_copied_once(stage)


@pytest.mark.timeout(180)
def test_postgresql_and_valkey_killed_and_back(stage: Pair, processes: Processes) -> None:
    _trade_and(stage, at=TRADES // 2, act=lambda: processes.restart("postgres", "valkey"), seed=5)
    _ends_copied_once(stage)


@pytest.mark.timeout(180)
def test_the_answer_is_dropped_after_the_venue_executed(stage: Pair, processes: Processes) -> None:
    stage.control.fault(answer="drop", method="POST", path="/fapi/v1/order", account=stage.copy.key.account_id)
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1", timeout=40)
    stage.trade("SELL", "1")
    stage.wait_for_copy("0", timeout=60)
    filled = [order for order in stage.copy_orders() if Decimal(order["executedQty"])]
    assert [order["executedQty"] for order in filled] == ["0.100", "0.100"], "the venue saw a trade twice"
    wait_until(lambda: ledger(stage.lead.id).unended == 0, timeout=30, what="the end of every order")
    told = ledger(stage.lead.id)
    assert (told.asked, told.copied) == (Decimal("0.2"), Decimal("0.2"))


@pytest.mark.timeout(180)
def test_workers_that_start_while_valkey_is_away_copy_all_the_same(stage: Pair, processes: Processes) -> None:
    processes.kill("valkey")
    processes.restart("worker-copy", "worker-capture")
    for name in ("worker-copy", "worker-capture"):
        processes.wait_for_line(name, "worker.redis_away")
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1", timeout=40)
    processes.start("valkey")
    assert processes.crashed() == {}
