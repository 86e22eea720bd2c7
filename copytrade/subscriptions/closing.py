"""The end of a subscription, whoever asks for it."""

from datetime import datetime

from sqlmodel import Session

from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.domain.billing import Happening, after
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.states import LIVE, State


def close(session: Session, row: Subscription, *, why: Happening, now: datetime) -> None:
    """End a subscription; one that copied goes on to copying, which settles its legs."""
    was_live = row.state in LIVE
    state = after(State(row.state), why)
    if state is not State.CANCELED:
        raise ValueError(f"{why} does not end a subscription that is {row.state}")
    row.state, row.ended_at, row.end_reason = state, now, why
    row.next_price = row.next_price_from = None
    if not was_live:
        row.finished_at = now
    session.add(row)
    if was_live and why is not Happening.REPLACED:
        profile = session.get_one(Profile, row.profile_id)
        record(
            session,
            "subscription.ended",
            user_id=row.subscriber_id,
            subscription_id=row.id,
            trader=profile.name,
            slug=profile.slug,
            end_mode=row.end_mode,
            reason=why,
        )
    ring(session, "billing", "drive")
    tell_pages(session, row)


def tell_pages(session: Session, row: Subscription) -> None:
    """Ring the pages that show a subscription."""
    ring(session, f"user:{row.subscriber_id}", f"user:{row.trader_id}", f"profile:{row.profile_id}")
