"""Rows that are about to be changed, locked; anybody else's are not found."""

from uuid import UUID

from sqlmodel import Session, select

from copytrade.errors import NotFound
from copytrade.subscriptions.models import Subscription


def locked(session: Session, subscription_id: UUID) -> Subscription:
    """Return a subscription with its row locked."""
    row = session.exec(
        select(Subscription)
        .where(Subscription.id == subscription_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound(f"subscription {subscription_id} was not found", user="There is no such subscription.")
    return row


def owned(session: Session, *, owner: UUID, subscription_id: UUID) -> Subscription:
    """Return a subscription of this owner with its row locked; anybody else's is not found."""
    row = locked(session, subscription_id)
    if row.subscriber_id != owner:
        raise NotFound(
            f"subscription {subscription_id} of {owner} was not found", user="There is no such subscription."
        )
    return row
