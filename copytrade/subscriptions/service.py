"""What changes subscriptions: made, paid for, late, moved, ended."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.domain.billing import Facts, Happening
from copytrade.errors import Conflict
from copytrade.subscriptions import consent as consents
from copytrade.subscriptions import hearing, leaving
from copytrade.subscriptions.closing import close, tell_pages
from copytrade.subscriptions.consent import Consent, accept
from copytrade.subscriptions.finding import locked, owned
from copytrade.subscriptions.hearing import UNPAID_FOR, hear
from copytrade.subscriptions.models import Subscription
from copytrade.subscriptions.profiles import close_profile, publish, save_profile, unpublish
from copytrade.subscriptions.states import EndMode, State
from copytrade.subscriptions.subscribing import subscribe
from copytrade.subscriptions.switching import switch_account

__all__ = [
    "UNPAID_FOR", "Consent", "EndMode", "State", "accept", "choose_end", "close_profile", "end",
    "expire_due", "facts", "finish", "hear", "let_go_on", "locked", "may_pay", "publish",
    "save_profile", "subscribe", "switch_account", "take_price", "unpublish",
]  # fmt: skip


def may_pay(session: Session, *, owner: UUID) -> None:
    """Refuse whoever may not spend money here: no consent to the present risk text, or a country where it is off."""
    consents.require(session, owner=owner)


def facts(session: Session, *, subscription_id: UUID) -> Facts:
    """Return what is known of a subscription's payments, its row locked."""
    return hearing.facts_of(locked(session, subscription_id))


def let_go_on(session: Session, *, owner: UUID, subscription_id: UUID) -> None:
    """Take back that a subscription of this owner ends, whose trader was gone and takes subscribers again."""
    row = owned(session, owner=owner, subscription_id=subscription_id)
    row.must_end = row.is_ending = False
    session.add(row)
    tell_pages(session, row)


def take_price(session: Session, *, subscription_id: UUID, price: Decimal) -> None:
    """Note that a subscription renews at its next price from now on."""
    row = locked(session, subscription_id)
    if row.next_price == price:
        row.price, row.next_price, row.next_price_from = price, None, None
        session.add(row)
        tell_pages(session, row)


def choose_end(session: Session, *, owner: UUID, subscription_id: UUID, mode: EndMode) -> None:
    """Choose what becomes of the positions when a subscription of this owner ends, however that comes."""
    row = owned(session, owner=owner, subscription_id=subscription_id)
    if row.state != State.CANCELED:
        row.end_mode = mode
        session.add(row)


def end(session: Session, *, owner: UUID, subscription_id: UUID, mode: EndMode | None = None) -> Subscription:
    """End a subscription of this owner now; `mode` says what becomes of the positions. Copying acts on it."""
    row = owned(session, owner=owner, subscription_id=subscription_id)
    if row.state == State.CANCELED:
        raise Conflict(f"subscription {subscription_id} has ended", user="This subscription has ended already.")
    row.end_mode = mode or row.end_mode
    close(session, row, why=Happening.STOPPED, now=clock.now())
    return row


def expire_due(session: Session, now: datetime) -> int:
    """Do what time alone brings: trials told, traders gone, periods, grace and patience over; return how many moved."""
    hearing.tell_trials(session, now)
    leaving.stop_renewals(session, now)
    return hearing.expire_due(session, now)


def finish(session: Session, *, subscription_id: UUID) -> None:
    """Note that copying has nothing left to do for an ended subscription."""
    row = locked(session, subscription_id)
    if row.state == State.CANCELED and row.finished_at is None:
        row.finished_at = clock.now()
        session.add(row)
