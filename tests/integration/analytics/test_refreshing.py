from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.analytics.models import AccountRecord, AccountStatistics, DailyEquity, RoundTrip
from copytrade.analytics.refreshing import GAP_PATIENCE, is_reconciled, refresh_account
from copytrade.domain.instruments import Role
from tests.integration.accounts.linking import linked
from tests.integration.analytics.account import BTC, ETH, CapturedAccount, closes, day_of, days_ago, never_read, swing
from tests.integration.subscriptions.market import opened
from tests.integration.users import people


@pytest.fixture
def lead(session: Session) -> CapturedAccount:
    market = opened(session)
    return never_read(session, market.lead, owner=market.alice.id)


def another(session: Session) -> CapturedAccount:
    mallory = people.mallory(session)
    return never_read(session, linked(session, mallory.id, role=Role.LEAD, api_key="c" * 64), owner=mallory.id)


def record_of(session: Session, account_id: UUID) -> AccountRecord:
    return session.exec(select(AccountRecord).where(AccountRecord.exchange_account_id == account_id)).one()


def trips_of(session: Session, account_id: UUID) -> list[dict[str, object]]:
    rows = session.exec(
        select(RoundTrip).where(RoundTrip.exchange_account_id == account_id).order_by(col(RoundTrip.closed_at))
    )
    return [row.model_dump(exclude={"id"}) for row in rows]


def days_of(session: Session, account_id: UUID) -> list[DailyEquity]:
    query = select(DailyEquity).where(DailyEquity.exchange_account_id == account_id)
    return list(session.exec(query.order_by(col(DailyEquity.day))))


def statistics_of(session: Session, account_id: UUID) -> dict[str, dict[str, object]]:
    rows = session.exec(select(AccountStatistics).where(AccountStatistics.exchange_account_id == account_id))
    return {row.window: row.model_dump(exclude={"exposure"}) for row in rows}


def test_nothing_is_known_before_the_first_reading(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(2), "1000")
    assert refresh_account(session, lead.id, has_history=True) is None


def test_the_past_is_rebuilt_and_the_days_since_are_read(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(5), "1000")
    lead.trade(days_ago(4), BTC, "2", "100")
    lead.fund(days_ago(3, hour=8), BTC, "-3")
    closes(session, BTC, {4: "110", 3: "130"})
    before = lead.read(days_ago(1, hour=9), {BTC: "120"})
    lead.trade(days_ago(1, hour=10), BTC, "-2", "125")
    after = lead.read(days_ago(1, hour=11), {})
    done = refresh_account(session, lead.id, has_history=True)
    assert done is not None
    assert (done.fills, done.closed) == (2, 1)
    fee = Decimal("0.08")
    expected = [
        (day_of(6), Decimal(0), True),
        (day_of(5), Decimal(1000), True),
        (day_of(4), 1020 - fee, True),
        (day_of(3), 1060 - 3 - fee, True),
        (day_of(2), 1060 - 3 - fee, True),
        (day_of(1), after, False),
    ]
    rows = days_of(session, lead.id)
    assert [(row.day, row.equity, row.is_rebuilt) for row in rows] == expected
    assert before == 1037 - fee
    assert rows[1].flow == 1000
    assert rows[1].nav == 1
    assert round(rows[-1].nav, 12) == round(after / 1000, 12)


def test_a_trip_is_stored_with_its_funding_and_fees(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(3), "1000")
    lead.trade(days_ago(2, hour=3), BTC, "2", "100")
    lead.fund(days_ago(2, hour=8), BTC, "-3")
    lead.trade(days_ago(2, hour=15), BTC, "-3", "110")
    lead.read(days_ago(1), {BTC: "100"})
    refresh_account(session, lead.id, has_history=True)
    [trip] = trips_of(session, lead.id)
    assert (trip["gross"], trip["funding"], trip["quantity"]) == (20, -3, 2)
    assert trip["fee"] == Decimal("0.08") + Decimal("0.088")
    assert trip["net"] == Decimal(17) - Decimal("0.168")
    record = record_of(session, lead.id)
    assert (record.open_positions, record.trips_closed, record.missing_fills) == (1, 1, 0)
    assert abs(record.gap) < Decimal("1e-12")


def test_piece_by_piece_is_the_same_as_all_at_once(session: Session, lead: CapturedAccount) -> None:
    other = another(session)
    for ago in range(9, 0, -1):
        for account in (lead, other):
            if ago == 9:
                account.deposit(days_ago(9, hour=1), "10000")
                account.read(days_ago(9, hour=2), {})
            account.trade(days_ago(ago, hour=3), BTC, "-10" if ago % 2 else "13", "100")
            account.fund(days_ago(ago, hour=8), BTC, "-0.5")
            account.trade(days_ago(ago, hour=9), ETH, "4" if ago % 3 else "-8", str(20 + ago))
            if ago == 4:
                account.deposit(days_ago(ago, hour=10), "5000")
            account.read(days_ago(ago, hour=18), {BTC: str(101 + ago % 4), ETH: str(20 + ago)})
        assert refresh_account(session, lead.id, has_history=False) is not None
    assert refresh_account(session, other.id, has_history=False) is not None
    ours, theirs = (
        [{**trip, "exchange_account_id": None} for trip in trips_of(session, one.id)] for one in (lead, other)
    )
    assert len(ours) > 5
    assert ours == theirs
    assert [row.model_dump(exclude={"exchange_account_id"}) for row in days_of(session, lead.id)] == [
        row.model_dump(exclude={"exchange_account_id"}) for row in days_of(session, other.id)
    ]
    mine, others = statistics_of(session, lead.id), statistics_of(session, other.id)
    for window, row in mine.items():
        assert {**row, "exchange_account_id": None} == {**others[window], "exchange_account_id": None}


def test_a_fill_that_comes_late_causes_a_rebuild(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(3), "1000")
    lead.trade(days_ago(2, hour=3), BTC, "2", "100", is_captured=False)
    lead.trade(days_ago(2, hour=15), BTC, "-2", "110")
    lead.read(days_ago(1), {})
    refresh_account(session, lead.id, has_history=True)
    assert trips_of(session, lead.id)[0]["is_estimated"] is True
    lead.capture(days_ago(2, hour=3), BTC, "2", "100")
    done = refresh_account(session, lead.id, has_history=True)
    assert done is not None
    assert done.was_rebuilt
    [trip] = trips_of(session, lead.id)
    assert (trip["gross"], trip["is_estimated"]) == (20, False)


def test_nothing_new_is_nothing_done(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(3), "1000")
    lead.read(days_ago(1), {})
    assert refresh_account(session, lead.id, has_history=True) is not None
    assert refresh_account(session, lead.id, has_history=True) is None


def test_history_that_arrives_is_put_before_what_was_read(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(30), "1000")
    lead.read(days_ago(1), {})
    refresh_account(session, lead.id, has_history=False)
    assert [row.day for row in days_of(session, lead.id)] == [day_of(2), day_of(1)]
    refresh_account(session, lead.id, has_history=True)
    assert len(days_of(session, lead.id)) == 31


def test_a_wallet_that_the_ledger_does_not_explain_is_told_after_a_while(
    session: Session, lead: CapturedAccount
) -> None:
    lead.deposit(days_ago(3), "1000")
    lead.read(days_ago(2), {})
    lead.trade(days_ago(1, hour=3), BTC, "2", "100", is_captured=False)
    lead.trade(days_ago(1, hour=4), BTC, "-2", "150", is_captured=False)
    lead.read(days_ago(1), {})
    refresh_account(session, lead.id, has_history=False)
    record = record_of(session, lead.id)
    assert record.gap == 100 - 500 * Decimal("0.0004")
    assert record.gap_since == days_ago(1)
    assert is_reconciled(record, now=days_ago(1) + GAP_PATIENCE)
    assert not is_reconciled(record, now=days_ago(1) + GAP_PATIENCE + timedelta(seconds=1))


def test_a_deposit_of_a_subscriber_is_no_growth(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(3), "1000")
    lead.read(days_ago(2, hour=9), {})
    lead.read(days_ago(2, hour=11) + timedelta(minutes=59), {})
    lead.deposit(days_ago(2, hour=12), "500")
    lead.trade(days_ago(1, hour=3), BTC, "10", "100")
    lead.read(days_ago(1), {BTC: "115"})
    refresh_account(session, lead.id, has_history=False)
    first, middle, last = days_of(session, lead.id)
    assert (first.equity, middle.equity) == (1000, 1000)
    assert last.flow == 500
    assert last.change == Decimal("149.6")
    assert round(last.nav, 6) == round(Decimal("1.09973333"), 6)


def test_ninety_days_are_measured(session: Session, lead: CapturedAccount) -> None:
    closes(session, BTC, swing(lead, days=91))
    lead.read(days_ago(0, hour=0) + timedelta(seconds=1), {})
    refresh_account(session, lead.id, has_history=True)
    found = statistics_of(session, lead.id)
    record = record_of(session, lead.id)
    whole = found["all"]
    assert set(found) == {"7d", "30d", "90d", "180d", "all"}
    assert (record.days, whole["closed"], whole["wins"], whole["losses"]) == (92, 90, 60, 30)
    assert found["30d"]["days"] == 30
    assert found["30d"]["sharpe"] is not None
    assert whole["cagr"] is not None
    assert whole["pnl"] == sum((cash.amount for cash in lead.wallet), Decimal(0)) - 10_000
    assert whole["net"] == whole["pnl"]
    assert whole["funding"] == -45
    curve = whole["curve"]
    assert isinstance(curve, list)
    assert len(curve) == 40


def test_the_present_is_left_to_settle(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(3), "1000")
    lead.read(clock.now(), {})
    assert refresh_account(session, lead.id, has_history=False) is None


def test_a_rebuild_waits_until_the_newest_reading_has_settled(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(3), "1000")
    lead.read(days_ago(1), {})
    lead.trade(clock.now() - timedelta(seconds=2), BTC, "1", "100", is_captured=False)
    lead.read(clock.now(), {BTC: "100"})
    assert refresh_account(session, lead.id, has_history=True) is None
    assert trips_of(session, lead.id) == []


def test_a_position_from_before_the_first_reading_has_the_venues_entry(session: Session, lead: CapturedAccount) -> None:
    lead.deposit(days_ago(5), "1000")
    lead.trade(days_ago(4), BTC, "2", "100")
    lead.read(days_ago(3), {BTC: "110"})
    refresh_account(session, lead.id, has_history=False)
    assert record_of(session, lead.id).open_positions == 1
    lead.trade(days_ago(2), BTC, "-2", "130")
    lead.read(days_ago(1), {})
    refresh_account(session, lead.id, has_history=False)
    [trip] = trips_of(session, lead.id)
    assert (trip["gross"], trip["entry_price"], trip["is_estimated"]) == (60, 100, False)
    assert abs(record_of(session, lead.id).gap) < Decimal("1e-12")
