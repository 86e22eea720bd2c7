"""Each labelled failpoint is passed in the ordinary life of a trade: a label that nobody reaches proves nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from copytrade import clock, failpoints
from copytrade.copying import service as copying
from copytrade.db.session import transaction
from copytrade.demo import filling
from copytrade.domain.instruments import Role
from copytrade.domain.sizing import CopySettings, EndMode, SilenceMode, SizingMode, StartMode
from copytrade.failpoints import OF_MONEY, Label
from tests import paid
from tests.chaos.seeds.running import WINDOWS
from tests.conftest import HOME, Sandbox
from tests.processes import WORKERS, Processes
from tests.stage import PERPETUAL, Pair, account, pair
from tests.waiting import wait_until

NEVER = 1_000_000
"""So often nobody passes: who takes the label lives on, and the label is known to be passed."""
BOB = CopySettings(
    mode=SizingMode.RATIO, factor=Decimal("0.1"), max_daily_loss=Decimal(50_000), silence=SilenceMode.PROTECT
)
ALL = CopySettings(mode=SizingMode.RATIO, factor=Decimal("0.2"), start_mode=StartMode.ALL)


@pytest.fixture
def stage(processes: Processes, sandbox: Sandbox) -> Pair:
    processes.variables |= WINDOWS | {"COPYTRADE_SILENCE_AFTER_S": "3"}
    failpoints.disarm(var=HOME / "var")
    for label in set(Label) - OF_MONEY:
        failpoints.arm(label, var=HOME / "var", times=NEVER)
    processes.start(*WORKERS)
    sandbox.control.clear_faults()
    return pair(sandbox.control, settings=BOB)


def _join(stage: Pair) -> None:
    """Carol subscribes while Alice holds something, and takes it over; Dave does on paper."""
    carol = filling.person("carol@copytrade.example", is_subscriber=True)
    dave = filling.person("dave@copytrade.example", is_subscriber=True)
    copy = account(stage.control, carol, role=Role.COPY, name="carol-copy")
    paper = filling.paper_account(dave, place=PERPETUAL, label="Dave tries", funds=Decimal(50_000))
    filling.paper_copy(dave, profile_id=stage.profile_id, copy_account_id=paper, settings=ALL)
    with transaction() as session:
        id = copying.subscribe(session, owner=carol, profile_id=stage.profile_id, copy_account_id=copy.id, settings=ALL)
        paid.entitle(session, subscription_id=id, until=clock.now() + timedelta(days=30))
    wait_until(
        lambda: stage.control.position(copy.key.account_id, "BTCUSDT") == Decimal("0.2"), timeout=60, what="the join"
    )


def _sell_by_hand(stage: Pair) -> None:
    """Bob sells a part of what he copies, and nothing is heard of Alice: both are seen to by and by."""
    stage.control.place(stage.copy.key.account_id, "BTCUSDT", "SELL", Decimal("0.05"))


def _read_now() -> None:
    """Have the copy accounts' turn to be read come at once."""
    with transaction() as session:
        session.connection().execute(text("update trades.copy_readings set due_at = now()"))


def _passed(*labels: Label) -> bool:
    return not set(labels) & failpoints.armed(var=HOME / "var")


@pytest.mark.timeout(300)
def test_every_label_is_passed_in_the_life_of_a_trade(stage: Pair, processes: Processes) -> None:
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1", timeout=60)
    _join(stage)
    stage.control.fault(answer="drop", method="POST", path="/fapi/v1/order", account=stage.copy.key.account_id)
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.2", timeout=60)
    _sell_by_hand(stage)
    processes.freeze("stream")
    processes.freeze("worker-capture")
    silent = (Label.SILENCE_BEGUN, Label.SILENCE_PROTECTED)
    wait_until(lambda: _passed(*silent), timeout=60, what="the trader's silence seen to")
    processes.thaw("stream")
    processes.thaw("worker-capture")
    wait_until(lambda: _passed(Label.DRIFT_NOTED) or _read_now(), timeout=90, every=0.5, what="Bob's sale seen")
    with transaction() as session:
        copying.stop(session, owner=stage.copy.owner, subscription_id=stage.subscription_id, mode=EndMode.CLOSE)
    stage.wait_for_copy("0", timeout=60)
    wait_until(_all_passed, timeout=60, what="every label passed")


def _all_passed() -> bool:
    return not failpoints.armed(var=HOME / "var")
