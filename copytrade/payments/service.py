"""Payments for subscriptions: start one, hear of it, reconcile, the customer's portal."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.session import transaction
from copytrade.errors import Conflict, CopyTradeError, NotAllowed, NotFound
from copytrade.payments import gateway, inbox, sync
from copytrade.payments.models import Checkout, CheckoutState, Customer, StripePrice, StripeSubscription
from copytrade.payments.rows import PaymentStart
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscription_queries
from copytrade.subscriptions import service as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow
from copytrade.users import queries as users

log = structlog.get_logger()
_FIRST_CHECK = timedelta(seconds=15)
_STILL_USABLE = timedelta(minutes=5)


def start_payment(session: Session, *, owner: UUID, subscription_id: UUID) -> PaymentStart:
    """Return the payment page of an unpaid subscription; an open page is used again, a late payer gets his portal."""
    subscription_queries.subscription(session, owner=owner, subscription_id=subscription_id)
    subscriptions.locked(session, subscription_id)
    row = subscription_queries.subscription(session, owner=owner, subscription_id=subscription_id)
    if row.is_paper:
        raise Conflict(f"subscription {row.id} is on paper", user="Copying on paper costs nothing.")
    match row.state:
        case "active":
            raise Conflict(f"subscription {row.id} is paid", user="This subscription is paid already.")
        case "past_due":
            return PaymentStart(url=portal_url(session, owner=owner), state="past_due")
        case "ended":
            raise Conflict(f"subscription {row.id} has ended", user="This subscription has ended. Subscribe again.")
        case _:
            return _page(session, row)


def _page(session: Session, row: SubscriptionRow) -> PaymentStart:
    latest = session.exec(
        select(Checkout).where(Checkout.subscription_id == row.id).order_by(col(Checkout.attempt).desc()).limit(1)
    ).first()
    if latest is not None and latest.state != CheckoutState.EXPIRED:
        sync.checkout(session, stripe_session_id=latest.stripe_session_id)
        if latest.state == CheckoutState.COMPLETE:
            return PaymentStart(url=_back(row, "paid"), state="processing")
        if latest.state == CheckoutState.OPEN and latest.expires_at > clock.now() + _STILL_USABLE:
            return PaymentStart(url=latest.url, state="open")
    attempt = latest.attempt + 1 if latest else 1
    page = gateway.open_checkout(
        subscription_id=row.id,
        customer_id=_customer(session, row.subscriber_id),
        price_id=_price(session, row),
        success_url=_back(row, "paid"),
        cancel_url=_back(row, "closed"),
        attempt=attempt,
    )
    session.add(
        Checkout(
            subscription_id=row.id,
            attempt=attempt,
            stripe_session_id=page.id,
            url=page.url,
            expires_at=page.expires_at,
            check_at=clock.real_now() + _FIRST_CHECK,
            created_at=clock.real_now(),
        )
    )
    session.flush()
    return PaymentStart(url=page.url, state="open")


def _back(row: SubscriptionRow, outcome: str) -> str:
    """Return where the payment page leads: the step of the subscription that was left."""
    return f"{settings().web_url}/traders/{row.slug}/subscribe?subscription={row.id}&payment={outcome}"


def _customer(session: Session, user_id: UUID) -> str:
    known = session.get(Customer, user_id)
    if known is not None:
        return known.stripe_customer_id
    made = gateway.create_customer(user_id=user_id, email=users.person(session, user_id).email)
    values = {"user_id": user_id, "stripe_customer_id": made, "created_at": clock.now()}
    session.connection().execute(insert(Customer).values(values).on_conflict_do_nothing())
    return session.get_one(Customer, user_id).stripe_customer_id


def _price(session: Session, row: SubscriptionRow) -> str:
    of_profile = select(StripePrice).where(
        StripePrice.profile_id == row.profile_id, StripePrice.amount == row.price, StripePrice.currency == row.currency
    )
    known = session.exec(of_profile).first()
    if known is not None:
        return known.stripe_price_id
    # The name is in the key: a retry after a rename is another request, which Stripe would refuse under the same key.
    named = hashlib.sha256(row.trader_name.encode()).hexdigest()[:8]
    product_id, price_id = gateway.create_price(
        profile_id=row.profile_id,
        name=row.trader_name,
        amount=row.price,
        currency=row.currency,
        key=f"{row.profile_id}:{row.price}:{row.currency}:{named}",
    )
    made = StripePrice(
        profile_id=row.profile_id,
        amount=row.price,
        currency=row.currency,
        stripe_product_id=product_id,
        stripe_price_id=price_id,
        created_at=clock.now(),
    )
    session.connection().execute(insert(StripePrice).values(made.model_dump()).on_conflict_do_nothing())
    return session.exec(of_profile).one().stripe_price_id


def receive_webhook(session: Session, *, body: bytes, signature: str) -> None:
    """Store a webhook of Stripe's; NotAllowed where its signature is not valid or too old."""
    inbox.receive(session, body=body, signature=signature)


def replay_event(session: Session, *, by: UUID, event_id: str) -> None:
    """Let a webhook that was given up be worked on again; only operators may."""
    if not users.person(session, by).is_operator:
        raise NotAllowed(f"user {by} is no operator", user="Only operators may do this.")
    inbox.replay(session, event_id=event_id)


def portal_url(session: Session, *, owner: UUID) -> str:
    """Open Stripe's portal for a payer: card, invoices, end of a subscription."""
    known = session.get(Customer, owner)
    if known is None or not settings().stripe_portal_enabled:
        raise NotFound(f"user {owner} is no customer", user="You have not paid anything yet.")
    return gateway.portal(customer_id=known.stripe_customer_id, return_url=f"{settings().web_url}/subscriptions")


def process_events() -> None:
    """Work off the inbox, ask after payment pages whose webhook may be lost, end at Stripe what has ended here."""
    inbox.work_off()
    _ask_after_pages()
    _end_at_stripe(everything=False)


def _ask_after_pages() -> None:
    now = clock.real_now()
    with transaction() as session:
        due = session.exec(
            select(Checkout.stripe_session_id)
            .where(Checkout.state == CheckoutState.OPEN, col(Checkout.check_at) <= now)
            .order_by(col(Checkout.check_at))
            .limit(50)
        ).all()
    for id in due:
        _trying(lambda session, id=id: sync.checkout(session, stripe_session_id=id))


def _end_at_stripe(*, everything: bool) -> None:
    _trying(lambda session: sync.ended_here(session, everything=everything))


def _trying(work: Callable[[Session], object]) -> None:
    """Do a piece of work in a transaction; what Stripe does not answer now is done by the next sweep."""
    try:
        with transaction() as session:
            work(session)
    except CopyTradeError as error:
        log.warning("payments.again_later", reason=error.message)


def reconcile() -> None:
    """Read every subscription that Stripe still bills again, and end there what has ended here."""
    with transaction() as session:
        ids = session.exec(
            select(StripeSubscription.stripe_subscription_id).where(col(StripeSubscription.status).not_in(sync.GONE))
        ).all()
    for id in ids:
        _trying(lambda session, id=id: sync.subscription(session, stripe_subscription_id=id))
    _end_at_stripe(everything=True)
