"""What has to follow at Stripe on what happened here: ends, renewals that stop, new prices, money for unused days."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.session import transaction
from copytrade.domain.billing import Happening
from copytrade.errors import CopyTradeError
from copytrade.payments import facts, gateway, gateway_selling, prices, refunding, sync
from copytrade.payments.facts import GONE
from copytrade.payments.models import Checkout, CheckoutState, StripeSubscription
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscription_queries
from copytrade.subscriptions import service as subscriptions
from copytrade.subscriptions.rows import Ended

log = structlog.get_logger()
_LATELY = timedelta(days=2)
_GIVEN_BACK = (Happening.STOPPED, Happening.TRADER_GONE)
"""Ends after which the setting says whether unused days go back."""


def sweep(*, everything: bool) -> None:
    """Do all of it, each in a transaction of its own; what Stripe does not answer now is done by the next sweep."""
    with transaction() as session:
        since = None if everything else clock.now() - _LATELY
        ended = {one.id: one for one in subscription_queries.ended(session, since=since)}
        live = _live(session, list(ended)) | _surplus(session)
        pages = _open_pages(session, list(ended))
        leaving = subscription_queries.must_end_ids(session)
        dearer = subscription_queries.due_prices(session)
    if settings().refund == "pro_rata":
        for one in ended.values():
            if one.end_reason in _GIVEN_BACK:
                trying(lambda session, one=one: _give_back(session, one))
    for id in live:
        trying(lambda session, id=id: _cancel(session, id))
    for id in pages:
        trying(lambda session, id=id: _close_page(session, id))
    for id in leaving:
        trying(lambda session, id=id: _stop_renewing(session, id))
    for id in dearer:
        trying(lambda session, id=id: _take_price(session, id))


def trying(work: Callable[[Session], object]) -> None:
    """Do a piece of work in a transaction; what Stripe does not answer now is done by the next sweep."""
    try:
        with transaction() as session:
            work(session)
    except CopyTradeError as error:
        log.warning("payments.again_later", reason=error.message)


def _live(session: Session, ended: Sequence[UUID]) -> set[str]:
    """Return what Stripe still bills for subscriptions that have ended here."""
    return set(
        session.exec(
            select(StripeSubscription.stripe_subscription_id).where(
                col(StripeSubscription.subscription_id).in_(ended), col(StripeSubscription.status).not_in(GONE)
            )
        )
    )


def _surplus(session: Session) -> set[str]:
    return set(
        session.exec(
            select(StripeSubscription.stripe_subscription_id).where(
                col(StripeSubscription.is_surplus), col(StripeSubscription.status).not_in(GONE)
            )
        )
    )


def _cancel(session: Session, stripe_subscription_id: str) -> None:
    gateway.cancel(stripe_subscription_id)
    row = session.get_one(StripeSubscription, stripe_subscription_id, with_for_update=True)
    row.status = "canceled"
    session.add(row)


def _open_pages(session: Session, ended: Sequence[UUID]) -> list[str]:
    return list(
        session.exec(
            select(Checkout.stripe_session_id).where(
                col(Checkout.subscription_id).in_(ended), Checkout.state == CheckoutState.OPEN
            )
        )
    )


def _close_page(session: Session, stripe_session_id: str) -> None:
    """Close a payment page, so that nobody pays for what has ended; one that was paid meanwhile is read."""
    page = gateway.checkout(stripe_session_id)
    if page.status == CheckoutState.OPEN:
        gateway.expire_checkout(stripe_session_id)
    sync.checkout(session, stripe_session_id=stripe_session_id)


def _give_back(session: Session, ended: Ended) -> None:
    """Plan what the unused days are worth, once for each period."""
    billed = session.exec(
        select(StripeSubscription.stripe_subscription_id).where(StripeSubscription.subscription_id == ended.id)
    )
    for id in billed:
        refunding.plan_unused(session, stripe_subscription_id=id, ended_at=ended.ended_at)


def _stop_renewing(session: Session, subscription_id: UUID) -> None:
    row = sync.locked_remote(session, subscription_id)
    if row is not None and not row.cancel_at_period_end:
        gateway_selling.set_ending(row.stripe_subscription_id, is_ending=True)
        row.cancel_at_period_end = True
        session.add(row)


def _take_price(session: Session, subscription_id: UUID) -> None:
    """Have the next renewal charged at the price that was announced; done twice it is the same."""
    subscriptions.locked(session, subscription_id)
    ours = subscription_queries.by_ids(session, {subscription_id})[subscription_id]
    row = sync.locked_remote(session, subscription_id)
    if row is None or ours.next_price is None:
        return
    [asking] = sync.asked(session, [row.stripe_subscription_id])
    remote = facts.subscription(row.stripe_subscription_id, known=asking.known)
    if ours.next_price_from is None or remote.period_end < ours.next_price_from:
        return
    price_id = prices.price_id(
        session, profile_id=ours.profile_id, name=ours.trader_name, amount=ours.next_price, currency=ours.currency
    )
    gateway_selling.change_price(row.stripe_subscription_id, item_id=remote.item_id, price_id=price_id)
    row.stripe_price_id = price_id
    session.add(row)
    subscriptions.take_price(session, subscription_id=subscription_id, price=ours.next_price)
