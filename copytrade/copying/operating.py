"""What operators look at beside the backlog: the orders on their way, and whose they are."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.copying import bulk

MOST_ROWS = 100


@dataclass(frozen=True, slots=True)
class LiveOrderRow:
    """An order that has not ended: planned, on its way, at the venue, or unknown. Times are real."""

    order_id: UUID
    venue: str
    market: str
    symbol: str
    side: str
    purpose: str
    quantity: Decimal
    filled: Decimal
    state: str
    client_order_id: str
    lease_owner: str
    created_at: datetime


def live_orders(session: Session, *, limit: int = MOST_ROWS) -> list[LiveOrderRow]:
    """Return the orders that have not ended, oldest first."""
    rows = bulk.fetch(
        session,
        "SELECT id, exchange_account_id, symbol, side, purpose, quantity, filled, state, client_order_id, lease_owner,"
        " created_at FROM trades.copy_orders WHERE state IN ('planned', 'sending', 'unknown', 'placed')"
        " ORDER BY created_at LIMIT %(limit)s",
        limit=limit,
    )
    refs = accounts.refs(session, {row[1] for row in rows})
    return [
        LiveOrderRow(row[0], refs[row[1]].venue.value, refs[row[1]].market.value, *row[2:])
        for row in rows
        if row[1] in refs
    ]
