"""A new price for those who subscribed before: told first, and never sooner than the notice says."""

from datetime import timedelta

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.events import record
from copytrade.domain.money import told
from copytrade.errors import InvalidInput
from copytrade.settings import settings
from copytrade.subscriptions.closing import tell_pages
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.states import LIVE


def announce(session: Session, profile: Profile) -> int:
    """Tell the running subscribers of a profile that its price will be theirs too; return how many were told."""
    rows = session.exec(
        select(Subscription)
        .where(
            Subscription.profile_id == profile.id,
            col(Subscription.state).in_(LIVE),
            col(Subscription.is_paper).is_(False),
            col(Subscription.must_end).is_(False),
        )
        .order_by(col(Subscription.id))
        .with_for_update()
    ).all()
    if any(row.currency != profile.currency for row in rows):
        raise InvalidInput(
            f"profile {profile.id} has subscribers in another currency",
            user="Running subscribers keep their currency: a price in another one is for new subscribers only.",
            field="currency",
        )
    return sum(_announced(session, row, profile) for row in rows)


def _announced(session: Session, row: Subscription, profile: Profile) -> bool:
    """Tell one subscriber; a price that he pays already takes back what was told before."""
    if row.price == profile.price:
        if row.next_price is not None:
            row.next_price = row.next_price_from = None
            session.add(row)
            tell_pages(session, row)
        return False
    if row.next_price == profile.price:
        return False
    row.next_price = profile.price
    row.next_price_from = clock.now() + timedelta(days=settings().price_notice_days)
    session.add(row)
    record(
        session,
        "subscription.price_changes",
        user_id=row.subscriber_id,
        subscription_id=row.id,
        trader=profile.name,
        old=told(row.price, currency=row.currency),
        new=told(profile.price, currency=row.currency),
        since=row.next_price_from.isoformat(),
    )
    tell_pages(session, row)
    return True
