"""Two stream processes share the leads of every place; one is killed, the other takes them over, no fill is lost."""

from collections.abc import Generator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from copytrade import clock
from copytrade.capture.models import CaptureLease
from copytrade.db.session import reading
from tests.conftest import HOME, Sandbox
from tests.engines import EngineProcesses
from tests.integration.capture.conftest import Lead
from tests.integration.capture.test_places import PLACES, lead_at
from tests.processes import Processes
from tests.waiting import wait_until

WITHIN = timedelta(seconds=10)


@pytest.fixture
def other(engine_processes: EngineProcesses) -> Generator[Processes]:
    """The same installation's processes on a second machine."""
    running = Processes(HOME / "log-other", engines=engine_processes)
    yield running
    running.stop(*running.running)


@pytest.fixture
def leads(processes: Processes, sandbox: Sandbox) -> list[Lead]:
    sandbox.control.clear_faults()
    sandbox.control.limits(weight_per_minute=1_000_000, spot_weight_per_minute=1_000_000)
    sandbox.control.limits(venue="bybit", requests_per_5s=1_000_000, reads_per_s=1_000_000)
    sandbox.control.limits(venue="bitget", user_percent=1_000_000)
    return [lead_at(sandbox.control, venue, market) for venue, market in PLACES]


def holders() -> dict[UUID, set[UUID]]:
    """Return who streams which accounts."""
    with reading() as session:
        leases = session.exec(select(CaptureLease).where(CaptureLease.kind == "stream")).all()
    found: dict[UUID, set[UUID]] = {}
    for lease in leases:
        found.setdefault(lease.owner, set()).add(lease.exchange_account_id)
    return found


def are_shared_out(leads: list[Lead]) -> bool:
    shares = sorted(len(accounts) for accounts in holders().values())
    return shares == [len(leads) // 2] * 2 and all(lead.state().stream_connected_at for lead in leads)


@pytest.mark.timeout(120)
def test_a_killed_streams_accounts_are_taken_over_and_no_fill_is_lost(
    leads: list[Lead], processes: Processes, other: Processes
) -> None:
    processes.start("worker-capture", "stream")
    (first,) = wait_until(holders, timeout=30, what="the first stream's leases")
    other.start("stream")
    wait_until(lambda: are_shared_out(leads), timeout=40, what="two shares")
    for lead in leads:
        lead.wait_for_baseline()
    doomed = [lead for lead in leads if lead.ref.id in holders()[first]]
    assert len(doomed) == len(leads) // 2
    trade_all(leads)
    killed_at = clock.now()
    processes.kill("stream")
    wait_until(lambda: trade_all(leads) or is_taken_over(doomed, killed_at), timeout=20, every=0.2, what="takeover")
    connected = [lead.state().stream_connected_at for lead in doomed]
    assert max(at for at in connected if at) - killed_at < WITHIN
    trade_all(leads)
    for lead in leads:
        wait_until(lambda lead=lead: stored_ids(lead) == lead.venue_trades(), timeout=20, what=str(lead.ref))
        assert len(lead.stored()) == len(stored_ids(lead))
        wait_until(lambda lead=lead: not lead.plan() and all(fill.planned_at for fill in lead.stored()), timeout=20)
    last = {fill.source for lead in doomed for fill in lead.stored()[-1:]}
    assert last == {"stream"}, "the other stream told nothing"


def is_taken_over(doomed: list[Lead], killed_at: datetime) -> bool:
    connected = [lead.state().stream_connected_at for lead in doomed]
    return all(at is not None and at > killed_at for at in connected)


def stored_ids(lead: Lead) -> set[str]:
    return {fill.trade_id for fill in lead.stored()}


def trade_all(leads: list[Lead]) -> None:
    for lead in leads:
        lead.trade("BUY", "0.01")
