"""Each labelled failpoint is passed in the ordinary life of a trade: a label that nobody reaches proves nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest

from copytrade import clock, failpoints
from copytrade.copying import service as copying
from copytrade.db.session import transaction
from copytrade.demo import filling
from copytrade.domain.instruments import Role
from copytrade.domain.sizing import CopySettings, EndMode, SizingMode, StartMode
from copytrade.failpoints import Label
from copytrade.subscriptions import service as subscriptions
from tests.chaos.seeds.running import WINDOWS
from tests.conftest import HOME, Sandbox
from tests.processes import WORKERS, Processes
from tests.stage import Pair, account, pair
from tests.waiting import wait_until

NEVER = 1_000_000
"""So often nobody passes: who takes the label lives on, and the label is known to be passed."""


@pytest.fixture
def stage(processes: Processes, sandbox: Sandbox) -> Pair:
    processes.variables |= WINDOWS
    failpoints.disarm(var=HOME / "var")
    for label in Label:
        failpoints.arm(label, var=HOME / "var", times=NEVER)
    processes.start(*WORKERS)
    sandbox.control.clear_faults()
    return pair(sandbox.control)


def _join(stage: Pair) -> None:
    """Carol subscribes while Alice holds something, and takes it over."""
    carol = filling.person("carol@copytrade.example", is_subscriber=True)
    copy = account(stage.control, carol, role=Role.COPY, name="carol-copy")
    settings = CopySettings(mode=SizingMode.RATIO, factor=Decimal("0.2"), start_mode=StartMode.ALL)
    with transaction() as session:
        id = copying.subscribe(
            session, owner=carol, profile_id=stage.profile_id, copy_account_id=copy.id, settings=settings
        )
        subscriptions.entitle(session, subscription_id=id, until=clock.now() + timedelta(days=30))
    wait_until(
        lambda: stage.control.position(copy.key.account_id, "BTCUSDT") == Decimal("0.2"), timeout=40, what="the join"
    )


@pytest.mark.timeout(180)
def test_every_label_is_passed_in_the_life_of_a_trade(stage: Pair) -> None:
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")
    _join(stage)
    stage.control.fault(answer="drop", method="POST", path="/fapi/v1/order", account=stage.copy.key.account_id)
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.2")
    with transaction() as session:
        copying.stop(session, owner=stage.copy.owner, subscription_id=stage.subscription_id, mode=EndMode.CLOSE)
    stage.wait_for_copy("0")
    wait_until(lambda: not failpoints.armed(var=HOME / "var"), timeout=40, what="every label passed")
