"""An end that races with a plan: no subscription is finished while a plan that began before it may make a leg."""

from collections.abc import Generator

import pytest

from copytrade import clock
from copytrade.capture import service as capture
from copytrade.capture.models import CaptureState
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.engines import Engines
from tests import engines as test_engines


@pytest.fixture
def lead(database: Engines) -> Generator[CaptureState]:
    """A lead's state that other connections see."""
    row = CaptureState(
        exchange_account_id=new_id(), user_id=new_id(), venue="binance", market="perpetual", role="lead",
        created_at=clock.now(),
    )  # fmt: skip
    with transaction() as session:
        session.add(row)
    yield row
    test_engines.wipe(database)


def test_a_lead_is_planned_while_another_holds_his_lock_and_not_after_it(lead: CaptureState) -> None:
    with transaction() as planning:
        capture.lock_state(planning, lead.exchange_account_id)
        with transaction() as ending:
            assert capture.is_planned_now(ending, lead.exchange_account_id)
    with transaction() as ending:
        assert not capture.is_planned_now(ending, lead.exchange_account_id)
        with transaction() as other:
            assert capture.is_planned_now(other, lead.exchange_account_id), "nobody plans until the end is committed"


def test_nobody_plans_a_lead_who_is_gone(lead: CaptureState) -> None:
    with transaction() as session:
        assert not capture.is_planned_now(session, new_id())
