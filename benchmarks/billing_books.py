"""What became of the night: events worked off, and whether our books and Stripe's invoices agree to the cent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from copytrade.db.session import reading
from copytrade.payments.entries import sums
from copytrade.payments.gateway import PaidInvoice, ask, paid
from copytrade.payments.models import InboxState, PaidPeriod, WebhookEvent
from copytrade.subscriptions.models import Subscription
from copytrade.subscriptions.states import State

PROBE = "billing.probe"


def waiting() -> int:
    """Return how many events wait in the inbox."""
    with reading() as session:
        return session.exec(
            select(func.count()).select_from(WebhookEvent).where(WebhookEvent.state == InboxState.PENDING)
        ).one()


def handled() -> datetime:
    """Return when the last event so far came in."""
    with reading() as session:
        return session.exec(select(func.max(WebhookEvent.received_at))).one()


def night(*, since: datetime) -> tuple[int, datetime, datetime]:
    """Return how many events came after a moment, when the first came and when the last was worked off."""
    with reading() as session:
        failed = session.exec(select(func.count()).where(WebhookEvent.state == InboxState.FAILED)).one()
        if failed:
            raise RuntimeError(f"{failed} events were given up")
        events, first, last = session.exec(
            select(func.count(), func.min(WebhookEvent.received_at), func.max(WebhookEvent.handled_at)).where(
                col(WebhookEvent.received_at) > since, WebhookEvent.type != PROBE
            )
        ).one()
    if last is None:
        raise RuntimeError("nothing was worked off")
    return events, first, last


def check_active(expected: int) -> None:
    """Raise unless so many subscriptions are active."""
    with reading() as session:
        found = session.exec(select(func.count()).where(Subscription.state == State.ACTIVE)).one()
    if found != expected:
        raise RuntimeError(f"{found} of {expected} subscriptions are active")


def imbalance(trader_id: UUID, *, periods: int) -> int:
    """Return what does not add up, in cents and invoices: 0 where all does.

    Every currency's entries add up to zero; each invoice that Stripe says is paid is a period of ours with the same
    amount and time, no other is; and what the trader and the platform got is what was paid.
    """
    theirs = {invoice.id: invoice for invoice in _invoices()}
    with reading() as session:
        entries = sums(session)
        ours = {row.stripe_invoice_id: row for row in session.exec(select(PaidPeriod))}
        ours = {id: row for id, row in ours.items() if row.trader_id == trader_id}
    off = abs(len(ours) - periods) + len(ours.keys() ^ theirs.keys())
    for id in ours.keys() & theirs.keys():
        row, invoice = ours[id], theirs[id]
        off += abs(row.minor - invoice.minor) + abs(row.minor - row.platform_minor - row.trader_minor)
        off += row.period_end != invoice.period_end
    for currency in {one.currency for one in entries}:
        off += abs(sum(one.minor for one in entries if one.currency == currency))
    owed = sum(one.minor for one in entries if one.account == f"trader:{trader_id}")
    return off + abs(sum(row.trader_minor for row in ours.values()) + owed)


def _invoices() -> list[PaidInvoice]:
    pages = ask(lambda client: client.v1.invoices.list({"status": "paid", "limit": 100, "expand": ["data.payments"]}))
    return [paid(invoice) for invoice in ask(lambda _: list(pages.auto_paging_iter()))]
