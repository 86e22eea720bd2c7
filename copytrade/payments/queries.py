"""How the webhooks' inbox stands."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from copytrade.payments.models import InboxState, WebhookEvent
from copytrade.payments.rows import FailedEvent, InboxNumbers


def inbox_numbers(session: Session) -> InboxNumbers:
    """Return how many webhooks wait or failed, for operators."""
    counts = dict(session.exec(select(WebhookEvent.state, func.count()).group_by(col(WebhookEvent.state))).all())
    oldest = session.exec(
        select(func.min(WebhookEvent.received_at)).where(WebhookEvent.state == InboxState.PENDING)
    ).one()
    return InboxNumbers(counts.get(InboxState.PENDING, 0), counts.get(InboxState.FAILED, 0), oldest)


def failed_events(session: Session, *, limit: int = 50) -> list[FailedEvent]:
    """Return the webhooks that were given up, newest first, for operators."""
    rows = session.exec(
        select(WebhookEvent)
        .where(WebhookEvent.state == InboxState.FAILED)
        .order_by(col(WebhookEvent.received_at).desc())
        .limit(limit)
    )
    return [FailedEvent(row.id, row.type, row.attempts, row.error, row.received_at) for row in rows]
