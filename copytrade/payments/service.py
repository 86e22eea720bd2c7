"""Payments for subscriptions: start one, hear of it, cancel, go on, the customer's portal."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.events import record
from copytrade.db.session import transaction
from copytrade.errors import Conflict, NotAllowed, NotFound
from copytrade.payments import coupons, events, gateway, gateway_selling, inbox, prices, refunding, settling, sync
from copytrade.payments.models import Checkout, CheckoutState, Customer, StripeSubscription
from copytrade.payments.rows import PaymentStart
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscription_queries
from copytrade.subscriptions import service as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow
from copytrade.subscriptions.states import State
from copytrade.users import queries as users

_FIRST_CHECK = timedelta(seconds=15)
_STILL_USABLE = timedelta(minutes=5)


def start_payment(session: Session, *, owner: UUID, subscription_id: UUID, code: str = "") -> PaymentStart:
    """Return the payment page of an unpaid subscription; an open page is used again, a late payer gets his portal.

    `code` is a coupon of its trader's.
    """
    subscription_queries.subscription(session, owner=owner, subscription_id=subscription_id)
    subscriptions.locked(session, subscription_id)
    row = subscription_queries.subscription(session, owner=owner, subscription_id=subscription_id)
    if row.is_paper:
        raise Conflict(f"subscription {row.id} is on paper", user="Copying on paper costs nothing.")
    match row.state:
        case State.INCOMPLETE:
            subscriptions.may_pay(session, owner=owner)
            return _page(session, row, code=code)
        case State.PAST_DUE | State.UNPAID:
            return PaymentStart(url=portal_url(session, owner=owner), state="past_due")
        case State.CANCELED:
            raise Conflict(f"subscription {row.id} has ended", user="This subscription has ended. Subscribe again.")
        case _:
            raise Conflict(f"subscription {row.id} is {row.state}", user="This subscription is paid already.")


def _page(session: Session, row: SubscriptionRow, *, code: str) -> PaymentStart:
    coupon = coupons.redeemable(session, profile_id=row.profile_id, code=code, currency=row.currency) if code else None
    latest = session.exec(
        select(Checkout).where(Checkout.subscription_id == row.id).order_by(col(Checkout.attempt).desc()).limit(1)
    ).first()
    if latest is not None and latest.state != CheckoutState.EXPIRED:
        sync.checkout(session, stripe_session_id=latest.stripe_session_id)
        if latest.state == CheckoutState.COMPLETE:
            return PaymentStart(url=_back(row, "paid"), state="processing")
        is_same = not code or latest.coupon_id == (coupon.id if coupon else None)
        if latest.state == CheckoutState.OPEN and is_same and latest.expires_at > clock.now() + _STILL_USABLE:
            return PaymentStart(url=latest.url, state="open")
        if latest.state == CheckoutState.OPEN:
            # Never two pages that can both be paid.
            gateway.expire_checkout(latest.stripe_session_id)
            latest.state = CheckoutState.EXPIRED
            session.add(latest)
    return _opened(session, row, attempt=latest.attempt + 1 if latest else 1, coupon=coupon)


def _opened(session: Session, row: SubscriptionRow, *, attempt: int, coupon: coupons.Redeemable | None) -> PaymentStart:
    page = gateway.open_checkout(
        subscription_id=row.id,
        customer_id=_customer(session, row.subscriber_id),
        price_id=prices.price_id(
            session, profile_id=row.profile_id, name=row.trader_name, amount=row.price, currency=row.currency
        ),
        success_url=_back(row, "paid"),
        cancel_url=_back(row, "closed"),
        attempt=attempt,
        trial_days=row.trial_days,
        promotion_code_id=coupon.stripe_promotion_code_id if coupon else "",
    )
    session.add(
        Checkout(
            subscription_id=row.id,
            attempt=attempt,
            stripe_session_id=page.id,
            url=page.url,
            coupon_id=coupon.id if coupon else None,
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


def cancel(session: Session, *, owner: UUID, subscription_id: UUID) -> None:
    """Let a paid subscription of this owner run out with its paid time; nothing more is charged."""
    row, billed = _billed(session, owner=owner, subscription_id=subscription_id)
    if row.is_ending:
        return
    gateway_selling.set_ending(billed.stripe_subscription_id, is_ending=True)
    sync.subscription(session, stripe_subscription_id=billed.stripe_subscription_id)
    until = row.entitled_until.isoformat() if row.entitled_until else ""
    record(
        session,
        "subscription.ending",
        user_id=owner,
        subscription_id=row.id,
        trader=row.trader_name,
        until=until,
    )


def go_on(session: Session, *, owner: UUID, subscription_id: UUID) -> None:
    """Take back that a subscription of this owner runs out, while it has not."""
    row, billed = _billed(session, owner=owner, subscription_id=subscription_id)
    if not subscription_queries.profile(session, row.profile_id).is_published:
        raise Conflict(f"profile {row.profile_id} is not published", user="This trader takes no subscribers.")
    if not row.is_ending:
        return
    gateway_selling.set_ending(billed.stripe_subscription_id, is_ending=False)
    subscriptions.let_go_on(session, owner=owner, subscription_id=subscription_id)
    sync.subscription(session, stripe_subscription_id=billed.stripe_subscription_id)


def _billed(session: Session, *, owner: UUID, subscription_id: UUID) -> tuple[SubscriptionRow, StripeSubscription]:
    subscription_queries.subscription(session, owner=owner, subscription_id=subscription_id)
    subscriptions.locked(session, subscription_id)
    row = subscription_queries.subscription(session, owner=owner, subscription_id=subscription_id)
    billed = sync.locked_remote(session, subscription_id)
    if billed is None or row.state == State.CANCELED:
        raise Conflict(f"subscription {row.id} is not billed", user="Nothing is charged for this subscription.")
    return row, billed


def receive_webhook(session: Session, *, body: bytes, signature: str) -> None:
    """Store a webhook of Stripe's; NotAllowed where its signature is not valid or too old."""
    events.receive(session, body=body, signature=signature)


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
    """Work off the inbox, ask after payment pages whose webhook may be lost, do at Stripe what follows from here."""
    inbox.work_off()
    _ask_after_pages()
    settling.sweep(everything=False)
    refunding.work_off()


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
        settling.trying(lambda session, id=id: sync.checkout(session, stripe_session_id=id))


def reconcile() -> None:
    """Read every subscription that Stripe still bills again, and end there what has ended here."""
    with transaction() as session:
        ids = session.exec(
            select(StripeSubscription.stripe_subscription_id).where(col(StripeSubscription.status).not_in(sync.GONE))
        ).all()
    for id in ids:
        settling.trying(lambda session, id=id: sync.subscription(session, stripe_subscription_id=id))
    settling.sweep(everything=True)
