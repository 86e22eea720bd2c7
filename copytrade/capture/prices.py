"""What a coin is worth, from what is stored: planning asks no venue."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade.capture.spot import place_of
from copytrade.db.model import TRADES

TRADE_AGE, CLOSE_AGE = timedelta(minutes=5), timedelta(days=1)
_PRICE = text(f"""
(SELECT price FROM {TRADES}.fills WHERE exchange_account_id = :account AND symbol = :symbol AND venue_time > :recent
    ORDER BY venue_time DESC LIMIT 1)
UNION ALL
(SELECT close FROM {TRADES}.daily_closes WHERE venue = :venue AND symbol = :symbol AND day >= :since
    ORDER BY day DESC LIMIT 1)
LIMIT 1
""")  # noqa: S608 - only the schema's name goes in


def price_of(session: Session, asset: str, *, account_id: UUID, venue: str, at: datetime) -> Decimal | None:
    """Return what a coin last cost in USDT: in a trade of the account just now, else in the venue's daily candle."""
    facts = {"account": account_id, "venue": venue, "symbol": place_of(asset)[0]}
    ages = {"recent": at - TRADE_AGE, "since": (at - CLOSE_AGE).date()}
    return session.connection().execute(_PRICE, facts | ages).scalar()
