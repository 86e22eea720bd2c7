from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session

from copytrade import clock
from copytrade.analytics import queries, service
from copytrade.analytics.refreshing import refresh_account
from copytrade.copying import queries as copying
from copytrade.domain.instruments import Role
from copytrade.domain.ranking import Unranked
from copytrade.errors import NotFound
from copytrade.subscriptions import service as subscriptions
from tests.integration.accounts.linking import linked
from tests.integration.analytics.account import (
    BTC,
    CapturedAccount,
    closes,
    day_of,
    days_ago,
    never_read,
    swing,
)
from tests.integration.analytics.copied import copied, setting
from tests.integration.subscriptions.market import Market, opened, subscribed
from tests.integration.users import people


@pytest.fixture
def market(session: Session) -> Market:
    return opened(session)


@pytest.fixture
def nordwind(session: Session, market: Market) -> CapturedAccount:
    """Alice's account after ninety days of a trade a day, refreshed."""
    lead = never_read(session, market.lead, owner=market.alice.id)
    closes(session, BTC, swing(lead, days=91))
    lead.read(days_ago(0, hour=0) + timedelta(seconds=1), {})
    refresh_account(session, lead.id, has_history=True)
    session.commit()
    return lead


def test_a_trader_of_ninety_days_is_ranked(session: Session, market: Market, nordwind: CapturedAccount) -> None:
    board = queries.leaderboard(session, window="30d")
    [row] = board.rows
    assert (board.total, board.ranked) == (1, 1)
    assert (row.slug, row.place, row.unranked, row.age_days, row.days) == (market.slug, 1, None, 92, 30)
    assert row.total_return is not None
    assert row.sharpe is not None
    assert row.equity == sum((cash.amount for cash in nordwind.wallet), Decimal(0))
    assert len(row.spark.split()) == 31
    assert row.is_reconciled


def test_a_trader_without_a_record_is_listed_without_a_rank(session: Session, market: Market) -> None:
    [row] = queries.leaderboard(session).rows
    assert (row.place, row.unranked, row.total_return, row.spark) == (None, Unranked.TOO_YOUNG, None, "")


@pytest.mark.parametrize("sort", ["risk", "return", "subscribers", "fall", "age", "price"])
def test_every_order_lists_everybody(session: Session, market: Market, sort: str) -> None:
    assert queries.leaderboard(session, sort=sort).total == 1


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"search": "NORD"}, 1),
        ({"search": "sued"}, 0),
        ({"venue": "binance", "market": "perpetual"}, 1),
        ({"venue": "bybit"}, 0),
        ({"market": "spot"}, 0),
    ],
)
def test_the_leaderboard_is_filtered(session: Session, market: Market, asked: dict[str, str], found: int) -> None:
    assert queries.leaderboard(session, **asked).total == found  # pyright: ignore[reportArgumentType]


def test_the_pages_of_the_leaderboard_end(session: Session, market: Market) -> None:
    board = queries.leaderboard(session, limit=25, offset=25)
    assert (list(board.rows), board.total) == ([], 1)


def test_a_profile_shows_its_window(session: Session, market: Market, nordwind: CapturedAccount) -> None:
    month = queries.profile_page(session, slug=market.slug, window="30d")
    whole = queries.profile_page(session, slug=market.slug, window="all")
    assert (len(month.days), len(whole.days)) == (31, 93)
    assert (month.days[0].level, month.days[-1].day) == (1.0, day_of(0))
    assert whole.numbers.closed == 90
    assert month.numbers.closed == len(month.trips) == month.symbols[0].closed == 29
    assert sum(trip.net for trip in whole.trips) == whole.numbers.net == whole.symbols[0].net
    assert whole.rebuilt_days == 92
    assert (month.place, month.unranked, month.restarts) == (1, None, 0)
    assert month.benchmark[0][1] == 1.0
    assert whole.benchmark[-1][1] == pytest.approx(190 / 101)
    assert {row.year for row in whole.months} >= {day_of(60).year}
    assert month.numbers.total_return == pytest.approx(month.days[-1].level - 1)


def test_an_empty_profile_is_shown(session: Session, market: Market) -> None:
    stats = queries.profile_page(session, slug=market.slug)
    assert (list(stats.days), list(stats.trips), stats.numbers.days, stats.as_of) == ([], [], 0, None)


def test_a_profile_that_was_never_published_is_its_owners(session: Session, market: Market) -> None:
    from copytrade.domain.instruments import Role
    from tests.integration.accounts.linking import linked

    lead = linked(session, market.alice.id, role=Role.LEAD, api_key="d" * 64)
    hidden = subscriptions.save_profile(
        session, owner=market.alice.id, lead_account_id=lead, name="Hidden", about="", price="10"
    )
    session.commit()
    assert queries.profile_page(session, slug=hidden.slug, viewer=market.alice.id).is_published is False
    for viewer in (None, people.mallory(session).id):
        with pytest.raises(NotFound):
            queries.profile_page(session, slug=hidden.slug, viewer=viewer)


def subscription_that_copied(session: Session, market: Market) -> tuple[UUID, CapturedAccount]:
    """Bob's account holds 1,000; he bought 2 at 100.1 and sold 1 at 110, fees 0.5 each; BTC is at 120."""
    account = never_read(session, market.copy, owner=market.bob.id)
    account.deposit(days_ago(3), "1000")
    account.read(days_ago(2), {})
    subscription_id = subscribed(session, market)
    setting(session, market, subscription_id, at=days_ago(2))
    copied(session, subscription_id, at=days_ago(1), quantity="2", price="100.1", lead_price="100", delay_ms=60)
    copied(session, subscription_id, at=days_ago(1, hour=13), quantity="-1", price="110", lead_price="110", delay_ms=80)
    account.trade(days_ago(1), BTC, "2", "100.1")
    account.trade(days_ago(1, hour=13), BTC, "-1", "110")
    account.read(clock.now() - timedelta(minutes=1), {BTC: "120"})
    return subscription_id, account


def test_a_subscription_earned_what_its_orders_earned(session: Session, market: Market) -> None:
    subscription_id, _ = subscription_that_copied(session, market)
    assert service.refresh_results(session) == 1
    assert service.refresh_results(session) == 0
    [row] = queries.traders_pnl(session, owner=market.bob.id)
    assert (row.subscription_id, row.name) == (subscription_id, "Nordwind")
    assert (row.realized, row.unrealized, row.fees) == (Decimal("9.9"), Decimal("19.9"), 1)
    assert row.net == Decimal("28.8")
    assert row.net_return == pytest.approx(0.0288)
    [leader] = queries.leaderboard(session).rows
    assert (leader.results.count, leader.results.net, leader.results.share_in_profit) == (1, row.net, 1.0)
    assert leader.results.median == pytest.approx(0.0288)


def test_a_later_mark_moves_the_result(session: Session, market: Market) -> None:
    _, account = subscription_that_copied(session, market)
    service.refresh_results(session)
    account.read(clock.now(), {BTC: "90"})
    service.refresh_results(session)
    assert queries.traders_pnl(session, owner=market.bob.id)[0].unrealized == Decimal("-10.1")


def test_delays_and_slippage_are_public(session: Session, market: Market) -> None:
    subscription_that_copied(session, market)
    quality = queries.profile_page(session, slug=market.slug).quality
    assert (quality.count, quality.delay_p50_ms) == (2, pytest.approx(70))
    assert quality.delay_p99_ms == pytest.approx(79.8)
    assert quality.slippage_p50_bps == pytest.approx(5)
    assert quality.slippage_p95_bps == pytest.approx(9.5)
    assert quality.slippage_p99_bps == pytest.approx(9.9)


def test_delay_and_slippage_mean_the_same_wherever_they_are_told(session: Session, market: Market) -> None:
    subscription_that_copied(session, market)
    page = queries.profile_page(session, slug=market.slug)
    assert page.place_quality == page.quality
    assert queries.quality_by_place(session) == {("binance", "perpetual"): page.quality}
    own = copying.copy_summary(session, owner=market.bob.id)
    assert (own.delay_p50_ms, own.slippage_p50_bps) == (page.quality.delay_p50_ms, page.quality.slippage_p50_bps)


def test_the_platform_counts_what_is_live(session: Session, market: Market) -> None:
    subscription_id, _ = subscription_that_copied(session, market)
    copied(session, subscription_id, at=clock.now(), quantity="1", price="120", lead_price="120", delay_ms=40)
    found = service.platform_numbers(session)
    assert (found.traders, found.copies_today, found.median_delay_ms) == (1, 1, pytest.approx(40))


def test_a_wallet_shows_equity_positions_and_results(session: Session, market: Market) -> None:
    subscription_that_copied(session, market)
    refresh_account(session, market.copy, has_history=False)
    service.refresh_results(session)
    found = queries.wallet(session, owner=market.bob.id, window="7d")
    fees = (Decimal("200.2") + 110) * Decimal("0.0004")
    assert found.equity == Decimal("1029.8") - fees
    assert (found.pnl, found.growth) == (Decimal("29.8") - fees, pytest.approx(0.0297, abs=1e-3))
    assert [point.value for point in found.curve] == [1000, found.equity]
    assert [(row.symbol, row.quantity, row.notional) for row in found.positions] == [(BTC, 1, 120)]
    assert found.unrealized_pnl == Decimal("19.9")
    assert [row.name for row in found.traders] == ["Nordwind"]
    assert found.accounts == 1


def test_deposits_are_marked_in_a_wallet_and_are_no_result(session: Session, market: Market) -> None:
    account = never_read(session, market.copy, owner=market.bob.id)
    account.deposit(days_ago(9), "1000")
    account.read(days_ago(5), {})
    account.deposit(days_ago(3), "500")
    account.read(days_ago(1), {})
    found = queries.wallet(session, owner=market.bob.id, window="30d")
    assert [(flow.at, flow.amount) for flow in found.flows] == [(days_ago(3), 500)]
    assert (found.pnl, found.growth, found.equity) == (0, 0.0, 1500)


def test_what_was_deposited_before_linking_on_the_same_day_is_no_loss(session: Session, market: Market) -> None:
    account = never_read(session, market.copy, owner=market.bob.id)
    account.deposit(days_ago(1, hour=9), "1000")
    account.read(days_ago(1, hour=10), {})
    account.deposit(days_ago(1, hour=11), "50")
    account.read(days_ago(1, hour=12), {})
    refresh_account(session, market.copy, has_history=False)
    found = queries.wallet(session, owner=market.bob.id, window="all")
    assert (found.pnl, found.equity) == (0, 1050)
    assert [flow.amount for flow in found.flows] == [50]
    assert found.curve[0].at == days_ago(1, hour=10)


def test_an_account_linked_later_brings_its_equity_in_and_is_no_profit(session: Session, market: Market) -> None:
    first = never_read(session, market.copy, owner=market.bob.id)
    first.deposit(days_ago(5), "1000")
    first.read(days_ago(4), {})
    other = linked(session, market.bob.id, role=Role.COPY, api_key="c" * 64)
    second = never_read(session, other, owner=market.bob.id)
    second.deposit(days_ago(3), "400")
    second.read(days_ago(2), {})
    first.read(days_ago(1), {})
    found = queries.wallet(session, owner=market.bob.id, window="30d")
    assert (found.pnl, found.equity, found.accounts) == (0, 1400, 2)
    assert [(flow.at, flow.amount) for flow in found.flows] == [(days_ago(2), 400)]


def test_a_wallet_is_its_owners_alone(session: Session, market: Market) -> None:
    subscription_that_copied(session, market)
    service.refresh_results(session)
    found = queries.wallet(session, owner=people.mallory(session).id)
    assert (found.equity, list(found.curve), list(found.positions), list(found.traders)) == (None, [], [], [])
    assert (found.accounts, list(found.trips), list(found.symbols)) == (0, [], [])


def test_all_accounts_are_refreshed_once(session: Session, market: Market) -> None:
    lead = never_read(session, market.lead, owner=market.alice.id)
    lead.deposit(days_ago(3), "1000")
    lead.read(days_ago(1), {})
    assert service.refresh_all() == 1
    assert service.refresh_all() == 0
    assert service.refresh_profile(session, market.profile_id) is None
