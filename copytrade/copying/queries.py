"""What copying shows: history with receipts, open legs, the backlog; what is long lives in files of its own."""

from uuid import UUID

from sqlmodel import Session, select

from copytrade import clock
from copytrade.copying import bulk, settings_rows
from copytrade.copying.drifts import drifts, halted
from copytrade.copying.history import copies, copy_summary, skip_sums, slippage
from copytrade.copying.models import CopySetting, DriftKind, OrderState, Resolution
from copytrade.copying.open_legs import open_legs
from copytrade.copying.own_trades import own_trades
from copytrade.copying.receipts import receipt
from copytrade.copying.rows import (
    Backlog,
    CopyPage,
    CopyRow,
    CopyState,
    CopySummary,
    DriftRow,
    HaltedRow,
    OpenLegRow,
    OwnTradePage,
    Receipt,
    ReceiptOrder,
    SkipLine,
    SkipSum,
    Tries,
)
from copytrade.domain.sizing import CopySettings

__all__ = [
    "Backlog", "CopyPage", "CopyRow", "CopyState", "CopySummary", "DriftKind", "DriftRow", "HaltedRow", "OpenLegRow",
    "OrderState", "OwnTradePage", "Receipt", "ReceiptOrder", "Resolution", "SkipLine", "SkipSum", "Tries",
    "backlog", "copies", "copy_summary", "drifts", "halted", "open_legs", "own_trades", "receipt",
    "settings_of", "skip_sums", "slippage",
]  # fmt: skip


def settings_of(session: Session, *, owner: UUID) -> dict[UUID, CopySettings]:
    """Return how each of the owner's subscriptions copies."""
    rows = session.exec(select(CopySetting.subscription_id).where(CopySetting.subscriber_id == owner)).all()
    return settings_rows.of(session, rows)


def backlog(session: Session) -> Backlog:
    """Return what copying has to do now."""
    [row] = bulk.fetch(
        session,
        "SELECT (SELECT count(*) FROM trades.legs WHERE due_at <= %(now)s),"
        " (SELECT min(due_at) FROM trades.legs WHERE due_at <= %(now)s),"
        " (SELECT count(*) FROM trades.copy_orders WHERE next_check_at IS NOT NULL AND state IN ('sending', 'placed')),"
        " (SELECT count(*) FROM trades.copy_orders WHERE state = 'unknown'),"
        " (SELECT min(created_at) FROM trades.copy_orders WHERE state = 'unknown'),"
        " (SELECT count(*) FROM trades.copy_parts WHERE is_open)",
        now=clock.now(),
    )
    return Backlog(*row)
