"""Queries of an account's ledger as a whole: fills and entries in the venue's order, and daily closing prices."""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, func, select

from copytrade.capture.models import AccountEntry, CaptureState, DailyClose, StoredFill
from copytrade.domain.fills import EntryKind, Fill, LedgerEntry
from copytrade.domain.instruments import PositionSide, Side


def fills_in(session: Session, *, account_id: UUID, after: datetime, until: datetime) -> list[Fill]:
    """Return an account's fills with venue times in (after, until], in the venue's order."""
    rows = session.exec(
        select(StoredFill)
        .where(
            StoredFill.exchange_account_id == account_id,
            col(StoredFill.venue_time) > after,
            col(StoredFill.venue_time) <= until,
        )
        .order_by(col(StoredFill.venue_time), func.length(StoredFill.trade_id), col(StoredFill.trade_id))
    )
    return [_fill(row) for row in rows]


def entries_in(session: Session, *, account_id: UUID, after: datetime, until: datetime) -> list[LedgerEntry]:
    """Return an account's ledger entries with venue times in (after, until], in time order."""
    rows = session.exec(
        select(AccountEntry)
        .where(
            AccountEntry.exchange_account_id == account_id,
            col(AccountEntry.venue_time) > after,
            col(AccountEntry.venue_time) <= until,
        )
        .order_by(col(AccountEntry.venue_time), col(AccountEntry.entry_id))
    )
    return [
        LedgerEntry(row.entry_id, EntryKind(row.kind), row.asset, row.amount, row.venue_time, row.symbol)
        for row in rows
    ]


def ledger_counts(session: Session, *, account_id: UUID, until: datetime) -> tuple[int, int]:
    """Return how many fills and entries with venue times up to `until` are stored."""
    fills = select(func.count()).where(
        StoredFill.exchange_account_id == account_id, col(StoredFill.venue_time) <= until
    )
    entries = select(func.count()).where(
        AccountEntry.exchange_account_id == account_id, col(AccountEntry.venue_time) <= until
    )
    return session.exec(fills).one(), session.exec(entries).one()


def closes_since(
    session: Session, *, venue: str, symbols: Collection[str], since: date
) -> dict[tuple[str, date], Decimal]:
    """Return daily closing prices by symbol and day."""
    rows = session.exec(
        select(DailyClose).where(
            DailyClose.venue == str(venue), col(DailyClose.symbol).in_(symbols), col(DailyClose.day) >= since
        )
    )
    return {(row.symbol, row.day): row.close for row in rows}


def with_history(session: Session, *, account_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the accounts whose past has been read."""
    rows = session.exec(
        select(CaptureState.exchange_account_id).where(
            col(CaptureState.exchange_account_id).in_(account_ids), col(CaptureState.history_done_at).is_not(None)
        )
    )
    return set(rows)


def _fill(row: StoredFill) -> Fill:
    return Fill(
        trade_id=row.trade_id,
        order_id=row.order_id,
        symbol=row.symbol,
        side=Side(row.side),
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_asset=row.fee_asset,
        venue_time=row.venue_time,
        position_side=PositionSide(row.position_side),
        client_order_id=row.client_order_id,
        is_maker=row.is_maker,
        is_liquidation=row.is_liquidation,
        position_after=row.position_after,
    )
