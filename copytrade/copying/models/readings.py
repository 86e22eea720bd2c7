"""Tables of what accounts and venues said when they were last asked."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from copytrade.db.model import TRADES, amount, key, moment


class CopyReading(SQLModel, table=True):
    """When a copy account's positions were last compared with its legs; its row is the claim."""

    __tablename__ = "copy_readings"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    exchange_account_id: UUID = Field(primary_key=True)
    due_at: datetime = moment(index=True)


class CopyDrift(SQLModel, table=True):
    """An account was not what a leg says: what was found, and what was done."""

    __tablename__ = "copy_drifts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("ix_copy_drifts_subscriber", "subscriber_id", "id"), {"schema": TRADES})

    id: UUID = key()
    leg_id: UUID = Field(index=True)
    subscription_id: UUID
    subscriber_id: UUID
    symbol: str = Field(max_length=60)
    position_side: str = Field(max_length=10)
    kind: str = Field(max_length=12)
    policy: str = Field(max_length=12)
    """What the subscriber's setting made of it."""
    expected: str = Field(default="", max_length=60)
    found: str = Field(default="", max_length=60)
    at: datetime = moment()
    resolved_at: datetime | None = moment(nullable=True)
    """Entries went on, or the account was again as it should be."""


class SymbolReady(SQLModel, table=True):
    """A copy account made ready for a symbol: leverage and margin set, and what the subscriber holds of his own."""

    __tablename__ = "symbols_ready"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    exchange_account_id: UUID = Field(primary_key=True)
    symbol: str = Field(primary_key=True, max_length=60)
    leverage: int
    lead_leverage: int
    """What the lead had when it was set."""
    margin_mode: str = Field(default="", max_length=10, sa_column_kwargs={"server_default": ""})
    lead_margin_mode: str = Field(default="", max_length=10, sa_column_kwargs={"server_default": ""})
    """What the lead had when it was set; empty: it was not read."""
    own: Decimal = amount(default=Decimal(0))
    """Signed quantity in the account that is not ours."""
    read_at: datetime = moment()
    """When `own` was read."""
    hold: str = Field(default="", max_length=40)
    """Why entries wait: the refusal of leverage or position mode."""
    retry_at: datetime | None = moment(nullable=True)


class SymbolVolume(SQLModel, table=True):
    """What a symbol turned over at a venue in the last 24 hours, in quote."""

    __tablename__ = "symbol_volumes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    venue: str = Field(primary_key=True, max_length=20)
    market: str = Field(primary_key=True, max_length=20)
    mode: str = Field(primary_key=True, max_length=10)
    symbol: str = Field(primary_key=True, max_length=60)
    quote_volume: Decimal = amount()
    read_at: datetime = moment()


class SymbolTerms(SQLModel, table=True):
    """What a venue demands of orders in a symbol and what it costs, as last read: for pages, which have no client."""

    __tablename__ = "symbol_terms"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    venue: str = Field(primary_key=True, max_length=20)
    market: str = Field(primary_key=True, max_length=20)
    mode: str = Field(primary_key=True, max_length=10)
    symbol: str = Field(primary_key=True, max_length=60)
    base: str = Field(max_length=40)
    quote: str = Field(max_length=40)
    quantity_step: Decimal = amount()
    price_tick: Decimal = amount()
    min_quantity: Decimal = amount()
    max_quantity: Decimal = amount()
    min_notional: Decimal = amount()
    exits_exempt: bool
    price: Decimal | None = amount(nullable=True)
    """Between best bid and ask; None where no quote was told."""
    read_at: datetime = moment()
