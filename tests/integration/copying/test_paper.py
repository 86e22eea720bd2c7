"""Copying on paper: the live code path with play money; free, active at once, and no subscriber in any count."""

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal

import pytest

from copytrade import clock
from copytrade.accounts import checking, snapshots
from copytrade.accounts import queries as accounts
from copytrade.analytics import queries as analytics
from copytrade.analytics import shown
from copytrade.analytics.results import refresh_results
from copytrade.capture import polling, streaming
from copytrade.copying import engine, quality
from copytrade.copying import queries as copies
from copytrade.db.session import reading, transaction
from copytrade.demo import filling
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.engines import Engines
from copytrade.errors import Conflict
from copytrade.payments import service as payments
from copytrade.subscriptions import queries as subscriptions
from tests import engines as test_engines
from tests.conftest import Sandbox
from tests.integration.copying import sight
from tests.stage import Account, Pair, account, has_baseline, ledger
from tests.waiting import wait_until
from workers.loop import WarmLoop

PLACE = (Venue.BINANCE, Market.PERPETUAL)
RATIO = CopySettings(mode=SizingMode.RATIO, factor=Decimal("0.1"))


@pytest.fixture(scope="module")
def stage(database: Engines, sandbox: Sandbox) -> Generator[Pair]:
    """Alice, and Bob who copies a tenth of what she trades to a paper account; all workers' parts run."""
    sandbox.control.clear_faults()
    sandbox.control.set_price("BTCUSDT", 60_000)
    loop = WarmLoop([polling.run, streaming.run, checking.run, snapshots.run, engine.run])
    loop.start()
    try:
        yield _begun(sandbox)
    finally:
        loop.stop()
        test_engines.wipe(database)


def _begun(sandbox: Sandbox) -> Pair:
    control = sandbox.control
    alice = filling.person("alice@copytrade.example", is_trader=True)
    bob = filling.person("bob@copytrade.example", is_subscriber=True)
    lead = account(control, alice, role=Role.LEAD, name="alice-lead", place=PLACE)
    copy_id = filling.paper_account(bob, place=PLACE, label="Bob tries", funds=Decimal(20_000))
    profile_id = filling.profile(alice, lead_account_id=lead.id, name="alice", about="", price=Decimal(25))
    made = filling.paper_copy(bob, profile_id=profile_id, copy_account_id=copy_id, settings=RATIO)
    number = next(row["account_id"] for row in control.accounts() if str(copy_id) in row["name"])
    at_sandbox = Account(copy_id, bob, lead.key.__class__(number, "", ""))
    joined = Pair(control, lead, at_sandbox, profile_id, made)
    wait_until(lambda: has_baseline(joined), timeout=40, what="the lead's baseline")
    return joined


def round_trip(stage: Pair) -> None:
    """Let Alice buy one and sell it again, and Bob follow on paper."""
    stage.trade("BUY", "1")
    stage.wait_for_copy("0.1")
    stage.trade("SELL", "1")
    stage.wait_for_copy("0")
    wait_until(lambda: ledger(stage.lead.id).unended == 0, what="orders that have ended")


def test_a_trade_is_copied_to_the_paper_account_and_out_again(stage: Pair) -> None:
    round_trip(stage)
    done = [(order.side, order.state, order.filled) for order in sight.orders(stage)[-2:]]
    assert done == [("buy", "filled", Decimal("0.1")), ("sell", "filled", Decimal("0.1"))]
    with reading() as session:
        rows = copies.copies(session, owner=stage.copy.owner).rows
    for side in ("buy", "sell"):
        assert sum(row.copied for row in rows if row.side == side) == Decimal("0.1")
    for row in rows:
        assert (row.state, row.pending, row.copied) == ("copied", 0, row.asked)
        assert row.slippage_bps is not None
        assert row.delay_ms is not None


def test_it_is_free_active_and_counted_nowhere(stage: Pair) -> None:
    round_trip(stage)
    long_ago, bob = clock.now() - timedelta(days=1), stage.copy.owner
    with transaction() as session:
        refresh_results(session)
    with reading() as session:
        row = subscriptions.subscription(session, owner=bob, subscription_id=stage.subscription_id)
        assert (row.state, row.is_paper, row.price, row.entitled_until) == ("active", True, 0, None)
        assert subscriptions.profile(session, stage.profile_id).subscribers == 0
        assert subscriptions.subscribers_of(session, owner=stage.lead.owner, profile_id=stage.profile_id) == []
        assert subscriptions.subscribers_of_person(session, trader_id=stage.lead.owner, now=clock.now()) == []
        platform = analytics.platform_numbers(session)
        assert (platform.subscribers, platform.copies_today, platform.median_delay_ms) == (0, 0, None)
        assert quality.delays(session, profile_ids=[stage.profile_id], since=long_ago) == {}
        assert quality.delays_of(session, subscription_ids=[stage.subscription_id], since=long_ago).count >= 2
        assert shown.subscribers_results(session, [stage.profile_id]) == {}
    with pytest.raises(Conflict, match="on paper"), transaction() as session:
        payments.start_payment(session, owner=bob, subscription_id=stage.subscription_id)


def test_play_money_stands_apart_from_the_wallet(stage: Pair) -> None:
    round_trip(stage)
    with transaction() as session:
        refresh_results(session)
    with reading() as session:
        mine = analytics.wallet(session, owner=stage.copy.owner)
        paper = analytics.wallet(session, owner=stage.copy.owner, is_paper=True)
        (row,) = accounts.accounts(session, owner=stage.copy.owner)
    assert (mine.accounts, mine.equity, mine.traders) == (0, None, [])
    assert paper.accounts == 1
    assert paper.equity is not None
    assert 19_000 < paper.equity <= 20_000
    assert [one.subscription_id for one in paper.traders] == [stage.subscription_id]
    assert (row.is_paper, row.mode, row.role, len(row.key_hint)) == (True, "paper", "copy", 4)
