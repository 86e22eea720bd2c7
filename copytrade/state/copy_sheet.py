"""The history of copies as a table for spreadsheets (CSV): plain numbers, UTC times, in every language the same."""

import csv
import io
from datetime import UTC
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade.copying import queries as copying

MOST = 10_000
PAGE = 1_000
COLUMNS = (
    "time_utc", "trader", "symbol", "side", "kind", "state", "reason", "lead_quantity", "lead_price", "asked",
    "copied", "skipped", "netted", "pending", "price", "slippage_bps", "delay_ms", "missed_pnl",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet(session: Session, *, owner: UUID, profile_id: UUID | None, state: str | None, reason: str | None) -> str:
    """Return the owner's newest copies that fit the filters as CSV, newest first."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    cursor, count = None, 0
    while count < MOST:
        page = copying.copies(
            session, owner=owner, cursor=cursor, limit=PAGE, profile_id=profile_id, state=state, reason=reason
        )
        for row in page.rows:
            table.writerow(_cells(row))
        cursor, count = page.next, count + len(page.rows)
        if cursor is None:
            break
    return text.getvalue()


def _cells(row: copying.CopyRow) -> list[str]:
    values = (
        row.at.astimezone(UTC).isoformat(timespec="milliseconds"), _word(row.trader_name), row.symbol, row.side,
        row.kind, row.state, row.reason, row.lead_quantity, row.lead_price, row.asked, row.copied, row.skipped,
        row.netted, row.pending, row.price, row.slippage_bps, row.delay_ms, row.missed,
    )  # fmt: skip
    return [_plain(value) for value in values]


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)


def _word(text: str) -> str:
    """Return what people wrote so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
