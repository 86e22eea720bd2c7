"""Tables of payments: what Stripe told, what was paid, and who of us it belongs to."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from copytrade.db.model import PEOPLE, key, moment, units
from copytrade.db.model import amount as exact


class CheckoutState(StrEnum):
    """Where a payment page stands."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class InboxState(StrEnum):
    """What became of a webhook."""

    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    FAILED = "failed"


class Customer(SQLModel, table=True):
    """Whom Stripe knows as which customer."""

    __tablename__ = "payment_customers"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    user_id: UUID = Field(primary_key=True)
    stripe_customer_id: str = Field(unique=True)
    created_at: datetime = moment()


class StripePrice(SQLModel, table=True):
    """The Stripe price that stands for a profile's price; an amount never changes, a new one is a new row."""

    __tablename__ = "payment_prices"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (UniqueConstraint("profile_id", "amount", "currency"), {"schema": PEOPLE})

    id: UUID = key()
    profile_id: UUID
    amount: Decimal = exact()
    currency: str = Field(max_length=3)
    stripe_product_id: str
    stripe_price_id: str
    created_at: datetime = moment()


class Checkout(SQLModel, table=True):
    """One payment page that a subscriber was sent to; a new attempt when the last one expired."""

    __tablename__ = "payment_checkouts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("subscription_id", "attempt"),
        Index("ix_payment_checkouts_due", "check_at", postgresql_where=text("state = 'open'")),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    subscription_id: UUID
    attempt: int
    stripe_session_id: str = Field(unique=True)
    url: str
    coupon_id: UUID | None = None
    state: str = CheckoutState.OPEN
    expires_at: datetime = moment()
    check_at: datetime = moment()
    """When we ask Stripe ourselves, should its webhook be lost."""
    created_at: datetime = moment()


class StripeSubscription(SQLModel, table=True):
    """What we last read of a subscription at Stripe."""

    __tablename__ = "payment_subscriptions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    stripe_subscription_id: str = Field(primary_key=True)
    subscription_id: UUID = Field(index=True)
    status: str = Field(index=True)
    period_end: datetime = moment()
    cancel_at_period_end: bool
    stripe_price_id: str = ""
    off_percent: Decimal | None = exact(nullable=True)
    """What a coupon takes off each invoice, until `off_until` or for ever."""
    off_minor: int | None = Field(default=None, sa_type=BigInteger)
    off_until: datetime | None = moment(nullable=True)
    failed_told: str = ""
    """The invoice whose failed payment its payer was told of."""
    card_told: str = ""
    """The card of whose expiry its payer was told."""
    is_surplus: bool = False
    """Paid a second time for the same subscription: it is ended, and its money goes back."""
    synced_at: datetime = moment()
    """When what is here was asked for, by the database's clock."""


class WebhookEvent(SQLModel, table=True):
    """The inbox: every verified webhook, once."""

    __tablename__ = "webhook_events"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_webhook_events_due", "try_at", postgresql_where=text("state = 'pending'")),
        Index("ix_webhook_events_target", "target", postgresql_where=text("state = 'pending'")),
        {"schema": PEOPLE},
    )

    id: str = Field(primary_key=True)
    type: str
    api_version: str
    body: str
    target: str = ""
    """What it makes us read again: events of one target are worked on together. Empty where that is not known."""
    state: str = InboxState.PENDING
    attempts: int = 0
    error: str = ""
    try_at: datetime = moment()
    received_at: datetime = moment()
    handled_at: datetime | None = moment(nullable=True)


class PaidPeriod(SQLModel, table=True):
    """One paid invoice: a period of a subscription and how its price is shared, in minor units of its currency."""

    __tablename__ = "paid_periods"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index(
            "ix_paid_periods_trader_time",
            "trader_id",
            "paid_at",
            postgresql_include=["currency", "minor", "platform_minor", "trader_minor"],
        ),
        Index("ix_paid_periods_paid_at", "paid_at"),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    stripe_invoice_id: str = Field(unique=True)
    stripe_payment_intent_id: str = Field(default="", index=True)
    """Empty where nothing was charged: a coupon for all of it."""
    stripe_subscription_id: str = Field(default="", index=True)
    invoice_number: str = ""
    invoice_page_url: str = ""
    invoice_pdf_url: str = ""
    subscription_id: UUID = Field(index=True)
    subscriber_id: UUID = Field(index=True)
    trader_id: UUID
    minor: int = units()
    currency: str = Field(max_length=3)
    platform_minor: int = units()
    trader_minor: int = units()
    refunded_minor: int = units(default=0)
    """What was given back by refunds; what banks took is in `lost_minor`."""
    lost_minor: int = units(default=0)
    period_start: datetime = moment()
    period_end: datetime = moment()
    paid_at: datetime = moment()
