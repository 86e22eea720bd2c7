"""Guards at the sandbox's venue: a loss that is reached closes what is copied, and so does the big button."""

from collections.abc import Generator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlmodel import select

from copytrade.copying import service, standing
from copytrade.copying.models import CopyOrder, CopyStand, SwitchMode, SwitchScope
from copytrade.db.session import reading, transaction
from copytrade.domain.sizing import CopySettings, SizingMode, StopMode
from tests.integration.copying import sight
from tests.stage import Pair, ledger
from tests.waiting import wait_until

TENTH = CopySettings(mode=SizingMode.RATIO, factor=Decimal("0.1"))


@pytest.fixture
def guarded(stage: Pair) -> Generator[Pair]:
    """The two, flat; afterwards nothing holds Bob back any more."""
    yield stage
    stage.choose(TENTH)
    put(stage, SwitchMode.ON)


def put(stage: Pair, mode: SwitchMode) -> None:
    bob = stage.copy.owner
    with transaction() as session:
        service.set_switch(session, by=bob, scope=SwitchScope.SUBSCRIBER, scope_id=str(bob), mode=mode)


def stand(stage: Pair) -> CopyStand | None:
    with reading() as session:
        return session.get(CopyStand, stage.subscription_id)


def earned(stage: Pair) -> Decimal:
    """Return what Bob's copies made by the rows of his orders, at the venue's price."""
    with reading() as session:
        rows = session.exec(select(CopyOrder).where(CopyOrder.subscription_id == stage.subscription_id)).all()
    signs = {"buy": Decimal(-1), "sell": Decimal(1)}
    cash = sum((signs[row.side] * row.filled * (row.average_price or 0) - (row.fee or 0) for row in rows), Decimal(0))
    return cash + stage.copy_position() * Decimal(60_000)


def test_what_is_read_is_what_the_orders_made_and_a_loss_closes_it(guarded: Pair) -> None:
    guarded.trade("BUY", "1")
    guarded.wait_for_copy("0.1")
    wait_until(lambda: ledger(guarded.lead.id).unended == 0, what="an order that has ended")
    guarded.choose(replace(TENTH, max_daily_loss=Decimal(300), stop_mode=StopMode.CLOSE))
    wait_until(
        lambda: (found := stand(guarded)) is not None and abs(found.pnl - earned(guarded)) < 1,
        timeout=15,
        what="a stand that is read at market",
    )
    guarded.control.set_price("BTCUSDT", 56_000)
    guarded.wait_for_copy("0")
    assert guarded.lead_position() == 1
    with reading() as session:
        [shown] = [
            row for row in standing.of(session, owner=guarded.copy.owner)
            if row.subscription_id == guarded.subscription_id
        ]  # fmt: skip
    assert shown.daily_stopped_until is not None
    assert shown.loss_today >= 300
    assert [part.reason for part in sight.parts(guarded) if part.kind == "stop"] == ["daily_loss"]
    held = sight.count(guarded)
    guarded.trade("BUY", "1")
    wait_until(
        lambda: [part.reason for part in sight.parts(guarded)][-1] == "daily_loss", what="an opening that is skipped"
    )
    assert sight.count(guarded) == held


def test_the_big_button_closes_everything_and_copying_goes_on_when_it_is_lifted(guarded: Pair) -> None:
    guarded.trade("BUY", "1")
    guarded.wait_for_copy("0.1")
    put(guarded, SwitchMode.FLATTEN)
    guarded.wait_for_copy("0", timeout=10)
    assert guarded.lead_position() == 1
    put(guarded, SwitchMode.ON)
    guarded.trade("BUY", "1")
    guarded.wait_for_copy("0.1")
    assert guarded.lead_position() == 2
