"""What people paid and earned, as tables for spreadsheets; longer ones are sent by the API as they are read."""

from uuid import UUID

from sqlmodel import Session

from copytrade.payments import bills, trader_queries
from copytrade.state.sheets import sheet_of

MOST_MONTHS = 120
INVOICES = (
    "paid_at_utc", "trader", "invoice", "period_start_utc", "period_end_utc", "amount", "refunded", "lost", "currency",
    "invoice_pdf",
)  # fmt: skip


def invoice_sheet(session: Session, *, owner: UUID) -> str:
    """Return all that a person paid as CSV, newest first."""
    return sheet_of(
        INVOICES,
        (
            (row.paid_at, row.trader_name, row.number, row.period_start, row.period_end, row.amount, row.refunded,
             row.lost, row.currency.upper(), row.pdf_url)
            for row in bills.invoices_of(session, owner=owner)
        ),
    )  # fmt: skip


def month_sheet(session: Session, *, owner: UUID) -> str:
    """Return what a trader earned by month as CSV, oldest first."""
    columns = ("month", "currency", "payments", "paid", "platform", "share", "taken_back", "fees", "net")
    rows = trader_queries.earnings_by_month(session, owner=owner, months=MOST_MONTHS)
    return sheet_of(
        columns,
        (
            (f"{row.month:%Y-%m}", row.currency.upper(), row.payments, row.gross, row.platform, row.share,
             row.taken_back, row.fees, row.net)
            for row in rows
        ),
    )  # fmt: skip
