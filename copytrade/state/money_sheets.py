"""What people paid, earned and were paid, as tables for spreadsheets."""

from uuid import UUID

from sqlmodel import Session

from copytrade.payments import bills
from copytrade.state.sheets import sheet_of

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
