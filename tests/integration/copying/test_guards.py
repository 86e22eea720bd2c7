"""Guards at the sandbox's venue: a loss that is reached closes what is copied, and so does the big button."""

from collections.abc import Generator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlmodel import select

from copytrade.capture import queries as capture
from copytrade.copying import service, silence, standing
from copytrade.copying.models import CopyOrder, CopyStand, SwitchMode, SwitchScope
from copytrade.db.session import reading, transaction
from copytrade.domain.sizing import CopySettings, SilenceMode, SizingMode, StopMode
from copytrade.exchanges import streaming
from copytrade.settings import settings
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


@pytest.fixture
def hasty(guarded: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Let a lead count as silent after three seconds, and his stream say each second that it stands."""
    monkeypatch.setattr(streaming, "_ALIVE_EVERY_S", 1.0)
    quick = settings().model_copy(update={"silence_after_s": 3.0})
    monkeypatch.setattr(silence, "settings", lambda: quick)
    guarded.control.cut_streams(guarded.lead.key.account_id)
    return guarded


def test_a_trader_who_cannot_be_heard_by_stream_nor_poll_is_left(hasty: Pair) -> None:
    hasty.choose(replace(TENTH, silence=SilenceMode.FLATTEN))
    hasty.trade("BUY", "1")
    hasty.wait_for_copy("0.1")
    wait_until(lambda: stand(hasty) is not None, what="a stand")
    lead = hasty.lead.key.account_id
    hasty.control.fault(account=lead, answer="status", status=503, count=-1, execute="no")
    wait_until(lambda: unpolled_s(hasty) > 6, timeout=20, what="a stream that stands though no poll is answered")
    assert not is_silent(hasty)
    hasty.control.cut_streams(lead)
    hasty.wait_for_copy("0", timeout=30)
    assert is_silent(hasty)
    assert hasty.lead_position() == 1
    hasty.control.clear_faults()
    wait_until(lambda: not is_silent(hasty), timeout=30, what="a trader who is heard again")
    hasty.trade("BUY", "1")
    hasty.wait_for_copy("0.1")


def unpolled_s(stage: Pair) -> float:
    """Return for how long nothing but the stream told that Alice's account is there."""
    with reading() as session:
        heard = capture.heard(session, [stage.lead.id])[stage.lead.id]
        polled = capture.standings(session, [stage.lead.id])[stage.lead.id].last_polled_at
    return (heard - polled).total_seconds() if polled else 0.0


def is_silent(stage: Pair) -> bool:
    found = stand(stage)
    return found is not None and found.silent_since is not None


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
