"""The end of a subscription, whoever asks for it."""

from datetime import datetime

from sqlmodel import Session

from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.states import LIVE, State


def close(session: Session, row: Subscription, *, now: datetime) -> None:
    """End a subscription; one that copied goes on to copying, which settles its legs."""
    was_live = row.state in LIVE
    row.state, row.ended_at = State.ENDED, now
    if not was_live:
        row.finished_at = now
    session.add(row)
    if was_live:
        profile = session.get_one(Profile, row.profile_id)
        record(
            session,
            "subscription.ended",
            user_id=row.subscriber_id,
            subscription_id=row.id,
            trader=profile.name,
            slug=profile.slug,
            end_mode=row.end_mode,
        )
    ring(session, "billing", "drive")
    tell_pages(session, row)


def tell_pages(session: Session, row: Subscription) -> None:
    """Ring the pages that show a subscription."""
    ring(session, f"user:{row.subscriber_id}", f"user:{row.trader_id}", f"profile:{row.profile_id}")
