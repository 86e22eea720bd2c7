"""Tables of what was sent: orders, which parts they carried out, and what an operator decided about them."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from copytrade.db.model import TRADES, amount, key, moment

_LIVE_ROWS = text("state in ('planned', 'sending', 'unknown', 'placed')")


class CopyOrder(SQLModel, table=True):
    """One order of ours at a venue; `quantity` and `filled` unsigned, in base units."""

    __tablename__ = "copy_orders"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("uq_copy_orders_live", "leg_id", "purpose", unique=True, postgresql_where=_LIVE_ROWS),
        Index("ix_copy_orders_unknown", "created_at", postgresql_where=text("state = 'unknown'")),
        Index("ix_copy_orders_check", "next_check_at", postgresql_where=text("next_check_at is not null")),
        Index("ix_copy_orders_leg", "leg_id", "id"),
        Index("ix_copy_orders_unpriced", "ended_at", postgresql_where=text("fee is null and filled > 0")),
        Index("ix_copy_orders_asked", "id", postgresql_where=text("state = 'planned' and leg_id is null")),
        Index(
            "uq_copy_orders_service_key",
            "exchange_account_id",
            "service_key",
            unique=True,
            postgresql_where=text("service_key is not null"),
        ),
        {"schema": TRADES},
    )

    id: UUID = key()
    leg_id: UUID | None = None
    """None for an order that a service asked for."""
    subscription_id: UUID | None = Field(default=None, index=True)
    subscriber_id: UUID
    exchange_account_id: UUID
    service_key: str | None = Field(default=None, max_length=100)
    """The caller's own id of a service's order: the same one twice is one order."""
    symbol: str = Field(max_length=60)
    position_side: str = Field(max_length=10)
    side: str = Field(max_length=4)
    purpose: str = Field(max_length=10)
    kind: str = Field(max_length=10)
    quantity: Decimal = amount()
    price: Decimal | None = amount(nullable=True)
    reduce_only: bool
    reference: Decimal = amount()
    """The lead's price that slippage is measured against."""
    client_order_id: str = Field(unique=True, max_length=36)
    venue_order_id: str = Field(default="", max_length=60)
    state: str = Field(max_length=10)
    filled: Decimal = amount(default=Decimal(0))
    """Cumulative, only grows, from whichever source knows more."""
    average_price: Decimal | None = amount(nullable=True)
    fee: Decimal | None = amount(nullable=True)
    fee_asset: str = Field(default="", max_length=20)
    refusal: str = Field(default="", max_length=20)
    venue_code: str = Field(default="", max_length=20)
    message: str = Field(default="", max_length=300)
    lease_owner: str = Field(default="", max_length=40)
    lease_until: datetime | None = moment(nullable=True)
    """Real time, as all leases and signatures."""
    created_at: datetime = moment()
    claimed_at: datetime | None = moment(nullable=True)
    sent_at: datetime | None = moment(nullable=True)
    """Real time it was signed with, where its sender recorded it."""
    acknowledged_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    next_check_at: datetime | None = moment(nullable=True)
    """Real time of the next look-up."""
    checks: int = 0
    unknown_at: datetime | None = moment(nullable=True)
    """When its outcome was first unknown; None: it never was."""
    resolved_at: datetime | None = moment(nullable=True)
    resolution: str = Field(default="", max_length=12, sa_column_kwargs={"server_default": ""})
    """What told its outcome in the end (Resolution)."""


class OrderPart(SQLModel, table=True):
    """How much of a part an order carried out, unsigned."""

    __tablename__ = "copy_order_parts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("ix_copy_order_parts_part", "part_id"), {"schema": TRADES})

    order_id: UUID = Field(primary_key=True)
    part_id: UUID = Field(primary_key=True)
    quantity: Decimal = amount()


class Decided(SQLModel, table=True):
    """What an operator decided about an order that nobody could find out about."""

    __tablename__ = "copy_decisions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    id: UUID = key()
    order_id: UUID = Field(index=True)
    decided_by: UUID
    filled: Decimal = amount()
    decided_at: datetime = moment()
