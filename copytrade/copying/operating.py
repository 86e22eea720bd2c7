"""What operators look at beside the backlog: the orders on their way, and the switches that hold something back."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade.accounts import queries as accounts
from copytrade.copying import bulk
from copytrade.copying.models import Switch, SwitchMode, SwitchScope

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
    """Return the orders that have not ended: those whose outcome nobody knows before all others, then the oldest."""
    rows = bulk.fetch(
        session,
        "SELECT id, exchange_account_id, symbol, side, purpose, quantity, filled, state, client_order_id, lease_owner,"
        " created_at FROM trades.copy_orders WHERE state IN ('planned', 'sending', 'unknown', 'placed')"
        " ORDER BY (state = 'unknown') DESC, created_at LIMIT %(limit)s",
        limit=limit,
    )
    refs = accounts.refs(session, {row[1] for row in rows})
    return [
        LiveOrderRow(row[0], refs[row[1]].venue.value, refs[row[1]].market.value, *row[2:])
        for row in rows
        if row[1] in refs
    ]


@dataclass(frozen=True, slots=True)
class SetSwitch:
    """A switch that holds something back: what, how, why, by whom, since when."""

    scope: str
    scope_id: str
    mode: str
    reason: str
    set_by: UUID
    set_at: datetime


def set_switches(session: Session) -> list[SetSwitch]:
    """Return the switches that are not on, the widest first."""
    rows = session.exec(select(Switch).where(Switch.mode != SwitchMode.ON).order_by(col(Switch.set_at))).all()
    widest = list(SwitchScope)
    return [
        SetSwitch(row.scope, row.scope_id, row.mode, row.reason, row.set_by, row.set_at)
        for row in sorted(rows, key=lambda row: widest.index(SwitchScope(row.scope)))
    ]
