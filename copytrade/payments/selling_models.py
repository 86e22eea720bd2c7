"""Tables of what traders give away and what we give back: coupons, and refunds that we make."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from copytrade.db.model import PEOPLE, amount, key, moment, units


class Duration(StrEnum):
    """For how long a coupon takes something off: one invoice, some months, all of them."""

    ONCE = "once"
    REPEATING = "repeating"
    FOREVER = "forever"


class RefundState(StrEnum):
    """Where a refund stands that we make; `refused`: Stripe said no, an operator has to look."""

    PLANNED = "planned"
    DONE = "done"
    REFUSED = "refused"


class Coupon(SQLModel, table=True):
    """A code of a trader's that takes something off the price of his profile."""

    __tablename__ = "coupons"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("uq_coupons_code", text("lower(code)"), unique=True, postgresql_where=text("ended_at is null")),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    profile_id: UUID = Field(index=True)
    code: str = Field(max_length=30)
    percent: Decimal | None = amount(nullable=True)
    minor: int | None = Field(default=None, sa_type=BigInteger)
    """Either of both."""
    currency: str = Field(max_length=3)
    duration: str = Field(max_length=10)
    months: int | None = None
    most: int | None = None
    """How often it may be redeemed."""
    ends_at: datetime | None = moment(nullable=True)
    stripe_coupon_id: str
    stripe_promotion_code_id: str
    ended_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class RefundMade(SQLModel, table=True):
    """A refund that we owe a payer: planned here first, so that it is made once whatever dies in between."""

    __tablename__ = "payment_refunds"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("paid_period_id", "reason"),
        Index("ix_payment_refunds_due", "try_at", postgresql_where=text("state = 'planned'")),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    paid_period_id: UUID
    subscription_id: UUID = Field(index=True)
    minor: int = units()
    currency: str = Field(max_length=3)
    reason: str = Field(max_length=20)
    """What makes it one for its period: `unused`, `surplus`, `after_end`."""
    state: str = RefundState.PLANNED
    stripe_refund_id: str = ""
    attempts: int = 0
    error: str = ""
    try_at: datetime = moment()
    created_at: datetime = moment()
    done_at: datetime | None = moment(nullable=True)
