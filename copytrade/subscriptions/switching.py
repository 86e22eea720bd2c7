"""A running subscription moves to another copy account.

Another subscription goes on in its place, with its paid time and price: legs belong to the account that they were
opened on, so what is open there is settled as at any end, and only new entries go to the new account.
"""

from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.domain.billing import LIVE, Happening
from copytrade.errors import Conflict
from copytrade.subscriptions.closing import close, tell_pages
from copytrade.subscriptions.finding import owned
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.subscriptions.states import EndMode
from copytrade.subscriptions.subscribing import LOCK, fitting_account, free_account

_KEPT = (
    "subscriber_id", "profile_id", "trader_id", "lead_account_id", "state", "entitled_until", "is_ending", "is_trial",
    "is_late", "has_given_up", "is_held", "is_disputed", "must_end", "trial_days", "trial_told_at", "end_mode", "price",
    "currency", "next_price", "next_price_from",
)  # fmt: skip


def switch_account(
    session: Session, *, owner: UUID, subscription_id: UUID, copy_account_id: UUID, mode: EndMode | None = None
) -> Subscription:
    """Let a paid subscription of this owner copy onto another account; `mode` says what becomes of what is open."""
    session.connection().execute(text(LOCK))
    row = owned(session, owner=owner, subscription_id=subscription_id)
    if row.is_paper or row.state not in LIVE:
        raise Conflict(f"subscription {row.id} is {row.state}", user="Only a running subscription can be moved.")
    if row.copy_account_id == copy_account_id:
        raise Conflict(f"subscription {row.id} is there", user="This subscription copies onto that account already.")
    profile = session.get_one(Profile, row.profile_id)
    account = fitting_account(session, owner=owner, copy_account_id=copy_account_id, profile=profile)
    if account.is_paper:
        raise Conflict(f"account {account.id} is on paper", user="A paid subscription cannot move to a paper account.")
    free_account(session, copy_account_id=copy_account_id, but=row.id)
    kept = {name: getattr(row, name) for name in _KEPT}
    row.end_mode = mode or row.end_mode
    close(session, row, why=Happening.REPLACED, now=clock.now())
    session.flush()
    now = clock.now()
    made = Subscription(**kept, copy_account_id=copy_account_id, started_at=now, created_at=now)
    row.successor_id = made.id
    session.add_all([row, made])
    session.flush()
    facts = {"subscription_id": made.id, "trader": profile.name, "account": account.label}
    record(session, "subscription.moved", user_id=owner, **facts)
    ring(session, "drive")
    tell_pages(session, made)
    return made
