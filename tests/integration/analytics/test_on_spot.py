"""Statistics of a spot account: fees in base, coins that were brought in, coins that were always there."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.snapshots import put_snapshot
from copytrade.analytics.models import AccountRecord, DailyEquity, RoundTrip
from copytrade.analytics.refreshing import is_reconciled, refresh_account
from copytrade.capture.models import AccountEntry, StoredFill
from copytrade.domain.fills import Equity, Position
from copytrade.domain.instruments import Market, Side
from tests.integration.analytics.account import closes, day_of, days_ago, never_read
from tests.integration.subscriptions.market import opened

BTC, ETH = "BTC/USDT", "ETH/USDT"
D = Decimal


@pytest.fixture
def lead(session: Session) -> UUID:
    market = opened(session)
    never_read(session, market.lead, owner=market.alice.id)
    session.get_one(ExchangeAccount, market.lead).market = Market.SPOT
    session.commit()
    return market.lead


def test_a_purchase_with_its_fee_in_base_is_one_trip_and_the_past_is_rebuilt(session: Session, lead: UUID) -> None:
    _moved(session, lead, days_ago(5), "USDT", "1000")
    _fill(session, lead, days_ago(4), BTC, "2", "100", fee="0.002", asset="BTC")
    closes(session, BTC, {4: "110", 3: "130"})
    _read(session, lead, days_ago(2), {"USDT": "800", BTC: "1.998"}, {BTC: "120"})
    _fill(session, lead, days_ago(1), BTC, "-1.998", "150", fee="0.2997", asset="USDT")
    _read(session, lead, days_ago(1, hour=13), {"USDT": "1099.4003"}, {})
    refresh_account(session, lead, has_history=True)
    [trip] = session.exec(select(RoundTrip).where(RoundTrip.exchange_account_id == lead))
    assert (trip.quantity, trip.gross, trip.fee) == (D("1.998"), D("99.9"), D("0.4997"))
    rows = session.exec(
        select(DailyEquity).where(DailyEquity.exchange_account_id == lead).order_by(col(DailyEquity.day))
    ).all()
    assert [(row.day, row.equity) for row in rows[1:4]] == [
        (day_of(5), D(1000)),
        (day_of(4), 800 + D("1.998") * 110),
        (day_of(3), 800 + D("1.998") * 130),
    ]
    assert is_reconciled(_record(session, lead), now=days_ago(0))


def test_a_coin_that_was_brought_in_is_no_gain(session: Session, lead: UUID) -> None:
    _read(session, lead, days_ago(4), {"USDT": "1000"}, {})
    closes(session, ETH, {3: "2000", 2: "2000"})
    _moved(session, lead, days_ago(3), "ETH", "1")
    _read(session, lead, days_ago(3, hour=13), {"USDT": "1000", ETH: "1"}, {ETH: "2000"})
    _read(session, lead, days_ago(2), {"USDT": "1000", ETH: "1"}, {ETH: "2100"})
    refresh_account(session, lead, has_history=False)
    rows = session.exec(
        select(DailyEquity).where(DailyEquity.exchange_account_id == lead).order_by(col(DailyEquity.day))
    ).all()
    by_day = {row.day: row for row in rows}
    assert (by_day[day_of(3)].flow, by_day[day_of(3)].change) == (2000, 0)
    assert (by_day[day_of(2)].flow, by_day[day_of(2)].change) == (0, 100)


def test_coins_from_before_count_from_their_first_trade(session: Session, lead: UUID) -> None:
    _read(session, lead, days_ago(4), {"USDT": "10", BTC: "1", ETH: "3"}, {BTC: "100", ETH: "10"})
    _fill(session, lead, days_ago(3), BTC, "-0.5", "100", fee="0", asset="USDT")
    _fill(session, lead, days_ago(2), BTC, "-0.5", "120", fee="0", asset="USDT")
    _read(session, lead, days_ago(1), {"USDT": "120", ETH: "3"}, {ETH: "12"})
    refresh_account(session, lead, has_history=True)
    [trip] = session.exec(select(RoundTrip).where(RoundTrip.exchange_account_id == lead))
    assert (trip.symbol, trip.gross, trip.is_estimated) == (BTC, 10, True)
    record = _record(session, lead)
    assert (record.missing_fills, record.gap_since) == (0, None)


def _record(session: Session, account_id: UUID) -> AccountRecord:
    return session.exec(select(AccountRecord).where(AccountRecord.exchange_account_id == account_id)).one()


def _moved(session: Session, account_id: UUID, at: datetime, asset: str, amount: str) -> None:
    session.add(
        AccountEntry(
            exchange_account_id=account_id,
            entry_id=f"{asset}-{at.isoformat()}",
            kind="transfer",
            asset=asset,
            amount=D(amount),
            symbol="",
            venue_time=at,
        )
    )
    session.commit()


def _fill(
    session: Session, account_id: UUID, at: datetime, symbol: str, quantity: str, price: str, *, fee: str, asset: str
) -> None:
    session.add(
        StoredFill(
            exchange_account_id=account_id,
            market=Market.SPOT,
            symbol=symbol,
            position_side="net",
            trade_id=str(int(at.timestamp())),
            order_id=str(int(at.timestamp())),
            side=Side.of(D(quantity)),
            quantity=abs(D(quantity)),
            price=D(price),
            fee=D(fee),
            fee_asset=asset,
            venue_time=at,
            received_at=at,
            source="poll",
        )
    )
    session.commit()


def _read(session: Session, account_id: UUID, at: datetime, held: dict[str, str], marks: dict[str, str]) -> None:
    coins = {symbol: D(quantity) for symbol, quantity in held.items() if symbol != "USDT"}
    total = D(held["USDT"]) + sum((quantity * D(marks[symbol]) for symbol, quantity in coins.items()), D(0))
    positions = [Position(symbol, quantity, D(0), D(marks[symbol]), D(0)) for symbol, quantity in coins.items()]
    worth = Equity(total, total, D(0), D(held["USDT"]), at)
    put_snapshot(session, account_id=account_id, equity=worth, positions=positions)
    session.commit()
