"""What people paid, earned and were paid, as tables for spreadsheets."""

from uuid import UUID

from sqlmodel import Session

from copytrade.payments import bills, trader_payments, trader_queries
from copytrade.state.sheets import sheet_of

MOST_MONTHS, MOST_PAYOUTS, MOST_LINES = 120, 1_000, 100_000
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


def paid_sheet(session: Session, *, owner: UUID) -> str:
    """Return what a trader's subscribers paid as CSV, newest first."""
    columns = ("paid_at_utc", "subscriber", "amount", "platform", "share", "taken_back", "currency", "free_from_utc")
    return sheet_of(
        columns,
        (
            (row.paid_at, row.subscriber, row.amount, row.platform, row.mine, row.taken_back, row.currency.upper(),
             row.available_at)
            for row in trader_payments.paid_of(session, owner=owner)
        ),
    )  # fmt: skip


def payout_sheet(session: Session, *, owner: UUID) -> str:
    """Return a trader's payouts with their lines as CSV, newest payout first."""
    columns = ("payout", "state", "sent_at_utc", "payout_amount", "currency", "line", "line_amount", "line_at_utc",
               "period_start_utc", "period_end_utc")  # fmt: skip
    return sheet_of(
        columns,
        (
            (payout.id, payout.state, payout.sent_at, payout.amount, payout.currency.upper(), line.kind, line.amount,
             line.happened_at, line.period_start, line.period_end)
            for payout in trader_queries.payouts_of(session, owner=owner, limit=MOST_PAYOUTS)
            for line in trader_queries.payout_lines(session, owner=owner, payout_id=payout.id, limit=MOST_LINES)
        ),
    )  # fmt: skip
