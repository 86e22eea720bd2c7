"""What Stripe would tell of a subscription, said without it: paid until then, late, not renewed."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from copytrade.subscriptions import service


def entitle(session: Session, *, subscription_id: UUID, until: datetime) -> None:
    """Let a subscription be paid until a time; a payment that was late is made then."""
    known = service.facts(session, subscription_id=subscription_id)
    is_news = known.paid_until is None or until > known.paid_until
    facts = replace(known, paid_until=until, is_late=known.is_late and not is_news)
    service.hear(session, subscription_id=subscription_id, facts=facts)


def mark_past_due(session: Session, *, subscription_id: UUID) -> None:
    """Let a renewal fail."""
    known = service.facts(session, subscription_id=subscription_id)
    service.hear(session, subscription_id=subscription_id, facts=replace(known, is_late=True))


def set_ending(session: Session, *, subscription_id: UUID, is_ending: bool) -> None:
    """Let its subscriber cancel at the end of the period, or take that back."""
    known = service.facts(session, subscription_id=subscription_id)
    service.hear(session, subscription_id=subscription_id, facts=replace(known, is_ending=is_ending))
