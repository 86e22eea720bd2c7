from decimal import Decimal

from sqlmodel import Session, select

from copytrade.analytics import sources
from copytrade.capture.models import DailyClose, StoredFill
from copytrade.domain.instruments import Market, Venue
from copytrade.exchanges.port import AccountRef
from tests.integration.analytics.account import BTC, CapturedAccount, day_of, days_ago, never_read
from tests.integration.subscriptions.market import opened


def filled(session: Session, *, fee_asset: str, symbol: str = BTC) -> CapturedAccount:
    """Return an account with one fill of 1 at 100 whose fee was 0.1 of an asset."""
    market = opened(session)
    account = never_read(session, market.lead, owner=market.alice.id)
    account.capture(days_ago(2), symbol, "1", "100")
    fill = session.exec(select(StoredFill).where(StoredFill.exchange_account_id == account.id)).one()
    fill.fee, fill.fee_asset = Decimal("0.1"), fee_asset
    session.commit()
    return account


def taken(session: Session, account: CapturedAccount, *, market: Market = Market.PERPETUAL) -> sources.Taken:
    ref = AccountRef(account.id, Venue.BINANCE, market, "sandbox")
    return sources.take(session, ref, after=sources.BEGINNING, until=days_ago(1))


def test_a_fee_in_the_quote_is_taken_as_it_is(session: Session) -> None:
    found = taken(session, filled(session, fee_asset="USDT"))
    assert (found.stretch.executions[0].fee, found.unpriced_fees) == (Decimal("0.1"), 0)


def test_a_fee_in_another_coin_counts_at_that_days_close(session: Session) -> None:
    account = filled(session, fee_asset="BNB")
    session.add(DailyClose(venue=Venue.BINANCE, symbol="BNB/USDT:USDT", day=day_of(2), close=Decimal(600)))
    session.commit()
    found = taken(session, account)
    assert (found.stretch.executions[0].fee, found.unpriced_fees) == (60, 0)


def test_a_fee_without_a_price_is_counted_as_such(session: Session) -> None:
    found = taken(session, filled(session, fee_asset="BNB"))
    assert (found.stretch.executions[0].fee, found.unpriced_fees) == (0, 1)


def test_a_fee_in_base_lowers_a_spot_holding(session: Session) -> None:
    found = taken(session, filled(session, fee_asset="BTC", symbol="BTC/USDT"), market=Market.SPOT)
    assert (found.stretch.executions[0].base_fee, found.stretch.executions[0].fee) == (Decimal("0.1"), 0)


def test_what_lies_outside_the_span_is_not_taken(session: Session) -> None:
    account = filled(session, fee_asset="USDT")
    ref = AccountRef(account.id, Venue.BINANCE, Market.PERPETUAL, "sandbox")
    assert sources.take(session, ref, after=days_ago(2), until=days_ago(1)).fills == 0
    assert sources.take(session, ref, after=days_ago(3), until=days_ago(2)).fills == 1
    assert sources.counts(session, account.id, until=days_ago(2)) == (1, 0)
    assert sources.counts(session, account.id, until=days_ago(3)) == (0, 0)
