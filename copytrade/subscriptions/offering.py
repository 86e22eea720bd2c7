"""What a person is offered before he subscribes."""

from uuid import UUID

from sqlmodel import Session, col, select

from copytrade.subscriptions.models import Profile, Subscription


def trial_days(session: Session, *, owner: UUID, profile_id: UUID) -> int:
    """Return the free days that a person would begin with: those of the profile, once."""
    profile = session.get_one(Profile, profile_id)
    before = session.exec(
        select(Subscription.id)
        .where(
            Subscription.subscriber_id == owner,
            Subscription.profile_id == profile_id,
            col(Subscription.is_paper).is_(False),
            col(Subscription.started_at).is_not(None),
        )
        .limit(1)
    ).first()
    return profile.trial_days if before is None else 0
