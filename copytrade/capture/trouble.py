"""What a venue told that could not be taken as it is: counted, logged once, and the account marked for an operator."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import Session

from copytrade import metrics
from copytrade.db.model import TRADES
from copytrade.domain.fills import Fill, LedgerEntry, Position
from copytrade.domain.instruments import Venue
from copytrade.domain.orders import Refusal
from copytrade.errors import Unavailable
from copytrade.exchanges.venues import facts

log = structlog.get_logger()
AHEAD = timedelta(seconds=60)
"""A venue's time may be this far ahead of ours; what is later still happened when it came."""
_BEYOND = 2**63
"""The database counts to here."""
_DIGITS = 30
"""More digits than that before the point, or zeros behind it, no venue means."""


class Trouble(StrEnum):
    """What an operator should look at, the newest wins."""

    UNREADABLE = "unreadable"
    """A row or frame that could not be read; it is kept as it came."""
    FUTURE = "future_time"
    """A fill from the future; it stands at the time it came."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """The venue does not know a symbol any more that the account traded: what is missing of it cannot be read."""
    UNEXPLAINED = "unexplained_balance"
    """A balance moved and neither fills nor the ledger say why."""


_MARK = text(f"UPDATE {TRADES}.capture_states SET problem = :problem WHERE exchange_account_id = :account")  # noqa: S608 - only the schema's name goes in


def mark(session: Session, trouble: Trouble, *, account_id: UUID, **told: object) -> None:
    """Say once what is wrong, count it, and mark the account."""
    log.error("capture.trouble", trouble=trouble.value, account=str(account_id), **told)
    metrics.capture_troubles.labels(kind=trouble.value).inc()
    session.connection().execute(_MARK, {"problem": trouble.value, "account": account_id})


def is_fit(row: Fill | LedgerEntry | Position) -> bool:
    """Return whether a row that could be parsed can also be stored: plain texts, numbers of a sane size."""
    match row:
        case Fill(trade_id="") | LedgerEntry(entry_id=""):
            return False  # all such rows would be taken for one
        case Fill():
            texts = (row.trade_id, row.order_id, row.client_order_id, row.symbol, row.fee_asset)
            numbers = (row.quantity, row.price, row.fee, row.order_quantity, row.position_after)
            if abs(row.sequence) >= _BEYOND:
                return False
        case LedgerEntry():
            texts, numbers = (row.entry_id, row.asset, row.symbol), (row.amount,)
        case Position():
            texts, numbers = (row.symbol,), (row.quantity,)
    return all(one.isprintable() for one in texts) and all(_is_sane(one) for one in numbers if one is not None)


def _is_sane(number: Decimal) -> bool:
    return number.is_finite() and (not number or abs(number.adjusted()) <= _DIGITS)


def is_ahead(fill: Fill, *, received_at: datetime) -> bool:
    """Return whether a fill claims to be of the future."""
    return fill.venue_time > received_at + AHEAD


def is_gone(error: Unavailable) -> bool:
    """Return whether a read failed since the venue does not know the symbol any more: asking again will not help."""
    return facts(Venue(error.venue)).codes.refused.get(error.venue_code) is Refusal.MARKET_CLOSED
