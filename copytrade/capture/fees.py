"""What orders paid: their fills added up, in one statement for many orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade.db.model import TRADES


@dataclass(frozen=True, slots=True)
class OrderAsked:
    """An order of the venue, and between which times (both aware UTC, the later one excluded) its fills lie."""

    account_id: UUID
    symbol: str
    order_id: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Paid:
    """What fills of an order came to that paid in one asset: base quantity, and the fee in that asset."""

    account_id: UUID
    order_id: str
    asset: str
    fee: Decimal
    quantity: Decimal


# The times bound what is read to a few minutes of an account, however much it ever traded.
_PAID = text(f"""
SELECT fills.exchange_account_id, fills.order_id, fills.fee_asset, sum(fills.fee), sum(fills.quantity)
FROM unnest(CAST(:accounts AS uuid[]), CAST(:symbols AS text[]), CAST(:orders AS text[]),
    CAST(:sinces AS timestamptz[]), CAST(:untils AS timestamptz[])) AS asked (account, symbol, order_id, since, until)
JOIN {TRADES}.fills ON fills.exchange_account_id = asked.account AND fills.symbol = asked.symbol
    AND fills.order_id = asked.order_id AND fills.venue_time >= asked.since AND fills.venue_time < asked.until
GROUP BY 1, 2, 3
""")  # noqa: S608 - only the schema's name goes in


def paid_of(session: Session, orders: Sequence[OrderAsked]) -> list[Paid]:
    """Return what orders paid, as far as their fills are stored: a row for each order and asset."""
    parameters = {
        "accounts": [order.account_id for order in orders],
        "symbols": [order.symbol for order in orders],
        "orders": [order.order_id for order in orders],
        "sinces": [order.since for order in orders],
        "untils": [order.until for order in orders],
    }
    return [Paid(*row) for row in session.connection().execute(_PAID, parameters)]
