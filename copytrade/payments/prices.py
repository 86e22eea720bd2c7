"""Products and prices at Stripe: one product for a profile, a price of its own for each amount that was ever asked."""

import hashlib
from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.payments import gateway
from copytrade.payments.models import StripePrice


def price_id(session: Session, *, profile_id: UUID, name: str, amount: Decimal, currency: str) -> str:
    """Return the Stripe price of an amount, made where there is none: a price never changes, a new one is made."""
    of_profile = select(StripePrice).where(
        StripePrice.profile_id == profile_id, StripePrice.amount == amount, StripePrice.currency == currency
    )
    known = session.exec(of_profile).first()
    if known is not None:
        return known.stripe_price_id
    product = product_id(session, profile_id=profile_id, name=name)
    made = StripePrice(
        profile_id=profile_id,
        amount=amount,
        currency=currency,
        stripe_product_id=product,
        stripe_price_id=gateway.create_price(
            product_id=product, amount=amount, currency=currency, key=f"{product}:{amount.normalize():f}:{currency}"
        ),
        created_at=clock.now(),
    )
    session.connection().execute(insert(StripePrice).values(made.model_dump()).on_conflict_do_nothing())
    return session.exec(of_profile).one().stripe_price_id


def product_id(session: Session, *, profile_id: UUID, name: str) -> str:
    """Return the Stripe product of a profile, made where there is none."""
    known = session.exec(
        select(StripePrice.stripe_product_id)
        .where(StripePrice.profile_id == profile_id)
        .order_by(col(StripePrice.created_at).desc())
        .limit(1)
    ).first()
    if known is not None:
        return known
    # The name is in the key: a retry after a rename is another request, which Stripe would refuse under the same key.
    named = hashlib.sha256(name.encode()).hexdigest()[:8]
    return gateway.create_product(profile_id=profile_id, name=name, key=f"{profile_id}:{named}")
