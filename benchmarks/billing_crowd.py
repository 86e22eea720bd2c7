"""A trader with many subscribers who have just bought: people and wishes as rows, the purchases at Stripe itself."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.payments import prices
from copytrade.payments.models import Checkout, Customer
from copytrade.sandbox.stripe_control import StripeControl
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.users.models import User

PRICE = Decimal("29.90")
AT_ONCE = 1000


def gather(stripe: StripeControl, *, subscriptions: int) -> UUID:
    """Let so many people subscribe to a trader, whose id is returned; their webhooks are held."""
    stripe.webhooks(hold=True)
    with transaction() as session:
        profile = offered(session, name="night", now=clock.now())
        price = prices.price_id(
            session, profile_id=profile.id, name=profile.name, amount=profile.price, currency=profile.currency
        )
    for start in range(0, subscriptions, AT_ONCE):
        _buy(stripe, profile, price, numbers=range(start, min(start + AT_ONCE, subscriptions)))
    return profile.user_id


def offered(session: Session, *, name: str, now: datetime) -> Profile:
    """Make a trader with a published profile."""
    trader = person(name, now=now)
    session.add(trader)
    session.flush()
    profile = Profile(
        user_id=trader.id,
        lead_account_id=new_id(),
        slug=name,
        name=name,
        price=PRICE,
        currency="usd",
        is_published=True,
        published_at=now,
        created_at=now,
    )
    session.add(profile)
    session.flush()
    return profile


def person(name: str, *, now: datetime) -> User:
    """Make somebody."""
    return User(
        email=f"{name}@copytrade.example",
        password_hash="-",
        is_trader=True,
        is_subscriber=True,
        accepted_terms_at=now,
        created_at=now,
    )


def wish(profile: Profile, subscriber_id: UUID, *, now: datetime) -> Subscription:
    """Make a subscription that waits for its first payment."""
    return Subscription(
        subscriber_id=subscriber_id,
        profile_id=profile.id,
        trader_id=profile.user_id,
        lead_account_id=profile.lead_account_id,
        copy_account_id=new_id(),
        price=profile.price,
        currency=profile.currency,
        created_at=now,
    )


def _buy(stripe: StripeControl, profile: Profile, price: str, *, numbers: range) -> None:
    now = clock.now()
    people = [person(f"{profile.slug}-{number}", now=now) for number in numbers]
    wishes = [wish(profile, one.id, now=now) for one in people]
    bought = stripe.crowd(
        price,
        people=[
            {
                "email": one.email,
                "metadata": {"subscription_id": str(wished.id)},
                "client_reference_id": str(wished.id),
            }
            for one, wished in zip(people, wishes, strict=True)
        ],
    )
    with transaction() as session:
        session.add_all([*people, *wishes])
        for one, wished, made in zip(people, wishes, bought, strict=True):
            session.add(Customer(user_id=one.id, stripe_customer_id=made["customer"], created_at=now))
            session.add(
                Checkout(
                    subscription_id=wished.id,
                    attempt=1,
                    stripe_session_id=made["session"],
                    url="http://127.0.0.1/paid",
                    expires_at=now + timedelta(hours=24),
                    check_at=now + timedelta(hours=1),
                    created_at=now,
                )
            )
