"""Several fills at once, on the real engine: an order in fifty parts, fifty leads, a crowd, settings changed meanwhile.

Each leg ends with its share of what its lead holds at the exchange, to the step; and every receipt adds up, exactly.
"""

from collections.abc import Generator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlmodel import col, select

from benchmarks import crowd
from copytrade.capture import polling, streaming
from copytrade.capture.models import CaptureState
from copytrade.copying import engine, service, settings_rows
from copytrade.copying.models import CopySetting, LegRow, PartRow
from copytrade.db.session import reading, transaction
from copytrade.engines import Engines
from copytrade.sandbox.client import Control
from tests import engines as test_engines
from tests.conftest import Sandbox
from tests.stage import SYMBOL, ledger
from tests.waiting import wait_until
from workers.loop import WarmLoop

D = Decimal
LEADS = 50
CROWD = 30
PARTS = 50


@pytest.fixture(scope="module")
def leads(database: Engines, sandbox: Sandbox) -> Generator[list[crowd.Lead]]:
    """Fifty traders with a subscriber each, the first with a crowd."""
    control = sandbox.control
    control.clear_faults()
    control.set_price(SYMBOL, 60_000)
    # Fifty accounts begin within a second at one address: how a venue's limits are kept is tried elsewhere.
    narrow = control.limits(venue="binance")
    control.limits(venue="binance", weight_per_minute=10_000_000, orders_per_10s=100_000, orders_per_minute=1_000_000)
    loop = WarmLoop([polling.run, streaming.run, engine.run])
    try:
        found = [crowd.gather(control, subscribers=CROWD if not number else 1) for number in range(LEADS)]
        loop.start()
        wait_until(lambda: _baselines() == LEADS, timeout=60, what=f"all baselines ({_baselines()} there)")
        yield found
    finally:
        control.limits(venue="binance", **narrow)
        control.clear_book(SYMBOL)
        loop.stop()
        test_engines.wipe(database)


def test_all_of_it_at_the_same_time_is_copied_to_the_last_step(leads: list[crowd.Lead], sandbox: Sandbox) -> None:
    control = sandbox.control
    first, *others = leads
    # Alice's order meets fifty small ones and is filled in as many parts.
    control.set_book(SYMBOL, asks=[(60_000 + level, "0.1") for level in range(PARTS)], bids=[(59_990, 1000)])
    control.place(first.sandbox_id, SYMBOL, "BUY", "5")
    control.clear_book(SYMBOL)
    _choose(first, factor="0.02")
    for lead in others:
        control.place(lead.sandbox_id, SYMBOL, "BUY", "1")
    control.place(first.sandbox_id, SYMBOL, "BUY", "5")
    for lead in leads:
        control.place(lead.sandbox_id, SYMBOL, "SELL", "0.5")
    for lead in leads:
        fills = len(control.fills(lead.sandbox_id))
        wait_until(lambda one=lead, count=fills: _is_done(one, count), timeout=60, what=f"{_open(lead)} of {fills}")
    for lead in leads:
        _assert_exact(control, lead)


def _baselines() -> int:
    with reading() as session:
        rows = session.exec(select(CaptureState).where(col(CaptureState.baseline_at).is_not(None)))
        return len([row for row in rows if row.role == "lead"])


def _choose(lead: crowd.Lead, *, factor: str) -> None:
    """Let every other subscriber of a lead choose another ratio."""
    with transaction() as session:
        rows = session.exec(select(CopySetting).where(CopySetting.lead_account_id == lead.account_id)).all()
        for row in rows[::2]:
            chosen = settings_rows.of(session, [row.subscription_id])[row.subscription_id]
            service.save_settings(
                session,
                owner=row.subscriber_id,
                subscription_id=row.subscription_id,
                settings=replace(chosen, factor=D(factor)),
            )


def _is_done(lead: crowd.Lead, fills: int) -> bool:
    told = ledger(lead.account_id)
    return told.fills == told.planned == fills and told.unended == 0 and not _open(lead)


def _open(lead: crowd.Lead) -> list[tuple[Decimal, Decimal, str]]:
    with reading() as session:
        legs = session.exec(select(LegRow).where(LegRow.lead_account_id == lead.account_id))
        return [(leg.held, leg.target, leg.waits_for) for leg in legs if abs(leg.target - leg.held) >= D("0.001")]


def _assert_exact(control: Control, lead: crowd.Lead) -> None:
    with reading() as session:
        legs = session.exec(select(LegRow).where(LegRow.lead_account_id == lead.account_id)).all()
        parts = session.exec(select(PartRow).where(PartRow.lead_account_id == lead.account_id)).all()
    position = control.position(lead.sandbox_id, SYMBOL)
    assert len(legs) == lead.subscribers
    for leg in legs:
        mine = [part for part in parts if part.leg_id == leg.id]
        pending = [part.asked - part.copied - part.skipped - part.netted for part in mine]
        assert sum(pending) == leg.target - leg.held
        assert sum((D(lot[0]) for lot in leg.lots), D(0)) == position
        asked = sum((part.asked for part in mine), D(0)) - sum((part.skipped for part in mine), D(0))
        assert asked == leg.target
        for part in mine:
            factors = {abs(part.asked) / part.lead_quantity} if part.opens else set()
            assert factors <= {D("0.01"), D("0.02")}
        assert len({(part.fill_id, part.kind) for part in mine}) == len(mine)
