"""Tables of what is copied: legs, the parts of their history, and what was left out of them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from copytrade.copying.models.states import LegState
from copytrade.db.model import TRADES, amount, key, moment


class LegRow(SQLModel, table=True):
    """A subscriber's side of one instrument. Target, held and lots change only under this row's lock."""

    __tablename__ = "legs"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("uq_legs_instrument", "subscription_id", "symbol", "position_side", unique=True),
        Index("ix_legs_due", "due_at", postgresql_where=text("due_at is not null")),
        Index("ix_legs_lead", "lead_account_id", "symbol", "position_side"),
        Index("ix_legs_copy_account", "copy_account_id", "symbol"),
        {"schema": TRADES},
    )

    id: UUID = key()
    subscription_id: UUID
    subscriber_id: UUID
    profile_id: UUID
    lead_account_id: UUID
    copy_account_id: UUID
    venue: str = Field(max_length=20)
    market: str = Field(max_length=20)
    symbol: str = Field(max_length=60)
    position_side: str = Field(max_length=10)
    state: str = Field(default=LegState.FOLLOWING, max_length=12)
    target: Decimal = amount(default=Decimal(0))
    held: Decimal = amount(default=Decimal(0))
    """Sum over the leg's orders of `filled`, and over its DRIFT parts of what was adopted."""
    lots: list[Any] = Field(default_factory=list[Any], sa_column=Column(JSONB, nullable=False))
    """[[lead, target, part or null], …], newest last."""
    lead_orders: dict[str, Any] = Field(default_factory=dict[str, Any], sa_column=Column(JSONB, nullable=False))
    """{order id: [quote notional let through, share]} of the lead's newest orders."""
    price: Decimal = amount(default=Decimal(0))
    """Of the last change, by which limits over several legs are reckoned."""
    last_reason: str = Field(default="", max_length=40)
    waits_for: str = Field(default="", max_length=20)
    """Why there is no next order now (domain.driving.WaitReason)."""
    entry_attempts: int = 0
    exit_attempts: int = 0
    refusals: int = 0
    enter_after: datetime | None = moment(nullable=True)
    exit_after: datetime | None = moment(nullable=True)
    due_at: datetime | None = moment(nullable=True)
    """When a driver has to look next; None: when something happens."""
    is_halted: bool = False
    """Entries are held after a drift, until the subscriber says otherwise."""
    is_ending: bool = False
    """The subscription has ended: no entries any more."""
    last_order_ended_at: datetime | None = moment(nullable=True)
    drift_reading: Decimal | None = amount(nullable=True)
    drift_read_at: datetime | None = moment(nullable=True)
    silence_price: Decimal | None = amount(nullable=True)
    """The market's price when the lead fell silent, None while he is heard."""
    changed_at: datetime = moment()


class PartRow(SQLModel, table=True):
    """One part of a leg's history: copied + skipped + netted + pending = asked, all signed like `asked`."""

    __tablename__ = "copy_parts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("uq_copy_parts_change", "leg_id", "fill_id", "kind", unique=True),
        Index("ix_copy_parts_open", "leg_id", postgresql_where=text("is_open")),
        Index("ix_copy_parts_unsized", "lead_account_id", postgresql_where=text("unsized is not null")),
        Index("ix_copy_parts_subscriber", "subscriber_id", "id"),
        {"schema": TRADES},
    )

    id: UUID = key()
    leg_id: UUID
    subscription_id: UUID
    subscriber_id: UUID
    lead_account_id: UUID
    fill_id: UUID | None = None
    kind: str = Field(max_length=10)
    opens: bool
    symbol: str = Field(max_length=60)
    asked: Decimal = amount()
    copied: Decimal = amount(default=Decimal(0))
    skipped: Decimal = amount(default=Decimal(0))
    netted: Decimal = amount(default=Decimal(0))
    is_open: bool
    price: Decimal = amount()
    lead_quantity: Decimal = amount(default=Decimal(0))
    lead_before: Decimal | None = amount(nullable=True)
    """The lead's signed position before and after what this part stands for; None where he did nothing."""
    lead_after: Decimal | None = amount(nullable=True)
    order_id: str = Field(default="", max_length=60, sa_column_kwargs={"server_default": ""})
    """The lead's order at the venue, while a fixed size waits to know it."""
    unsized: Decimal | None = amount(nullable=True)
    """The lead's opening quantity whose size waits for its order (fixed modes), signed; None: sized."""
    rank: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """The place of this subscriber among those `served` with the change; 0: none was given."""
    served: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    reason: str = Field(default="", max_length=40)
    """Of the newest skip."""
    venue_time: datetime = moment()
    received_at: datetime = moment()
    planned_at: datetime = moment()
    changed_at: datetime = moment()


class SkipRow(SQLModel, table=True):
    """A quantity that was not copied, and why."""

    __tablename__ = "copy_skips"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_copy_skips_part", "part_id"),
        Index("ix_copy_skips_unpriced", "part_id", postgresql_where=text("priced_at is null and quantity > 0")),
        {"schema": TRADES},
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    part_id: UUID
    subscriber_id: UUID
    reason: str = Field(max_length=40)
    quantity: Decimal = amount()
    facts: dict[str, Any] = Field(default_factory=dict[str, Any], sa_column=Column(JSONB, nullable=False))
    skipped_at: datetime = moment()
    pnl: Decimal | None = amount(nullable=True)
    """What the quantity would have made, in quote, once the lead has left what he opened."""
    priced_at: datetime | None = moment(nullable=True)


class PlanRest(SQLModel, table=True):
    """What is left of the plan of a trader with many subscribers; read and written under his lead account's lock."""

    __tablename__ = "plan_rests"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    lead_account_id: UUID = Field(primary_key=True)
    changes: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    concerned: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    """By symbol and side, whom the changes concern: with money, and on paper."""
    rooms: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    waiting: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    """Who is still to be planned, the first one first."""
    created_at: datetime = moment()
