"""Tables of capture: fills, what is known of each captured account, its ledger, and daily closing prices."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from copytrade.db.model import TRADES, amount, key, moment


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))


class CaptureState(SQLModel, table=True):
    """How far an account is captured. Its row is the lock under which a lead's fills are planned."""

    __tablename__ = "capture_states"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    exchange_account_id: UUID = Field(primary_key=True)
    user_id: UUID
    venue: str
    market: str
    role: str
    created_at: datetime = moment()
    baseline_at: datetime | None = moment(nullable=True)
    """Fills not after it are history: stored, shown, never planned. None until two readings agreed."""
    first_reading: dict[str, Any] = _json()
    """The first of the two readings of the baseline: its times and quantities."""
    mark: str = ""
    """The venue's mark at the end of the last poll: equal means that nothing was traded since."""
    polled_until: datetime | None = moment(nullable=True)
    """Everything executed before it is stored."""
    last_polled_at: datetime | None = moment(nullable=True)
    poll_began_at: datetime | None = moment(nullable=True)
    """When, by our own clock, the newest poll began that read everything."""
    cursors: dict[str, Any] = _json()
    """By symbol, where its fills go on."""
    entries_until: datetime | None = moment(nullable=True)
    transfer_heard_at: datetime | None = moment(nullable=True)
    """When a stream last told of money that came or went: the ledger and the equity are then read at once."""
    stream_connected_at: datetime | None = moment(nullable=True)
    stream_deaf_at: datetime | None = moment(nullable=True)
    """When a poll last found a fill that the stream should have told; later than connected: it is built anew."""
    history: dict[str, Any] = _json()
    """How far the past is read: by step, where it goes on."""
    history_done_at: datetime | None = moment(nullable=True)
    balances: dict[str, Any] = _json()
    """On spot: what was held at a moment of rest, and that moment; fills and ledger explain what moved since."""
    problem: str = ""
    """What an operator should look at; empty: nothing."""


class CaptureLease(SQLModel, table=True):
    """Which process captures an account in one of the two ways, until when."""

    __tablename__ = "capture_leases"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    kind: str = Field(primary_key=True)
    exchange_account_id: UUID = Field(primary_key=True)
    owner: UUID = Field(index=True)
    leased_until: datetime = moment()
    heard_at: datetime | None = moment(nullable=True)
    """When its stream was last known to stand: by a message, or by the venue's answer to a ping."""


class CaptureProcess(SQLModel, table=True):
    """A process that captures; the accounts are shared out among those alive."""

    __tablename__ = "capture_processes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    kind: str = Field(primary_key=True)
    owner: UUID = Field(primary_key=True)
    alive_until: datetime = moment(index=True)


class StoredFill(SQLModel, table=True):
    """One execution on a captured account, stored once whichever way it came."""

    __tablename__ = "fills"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("exchange_account_id", "market", "symbol", "trade_id", "side"),
        Index("ix_fills_account_time", "exchange_account_id", "venue_time"),
        Index(
            "ix_fills_waiting",
            "exchange_account_id",
            postgresql_where=text("planned_at IS NULL AND NOT is_history"),
        ),
        {"schema": TRADES},
    )

    id: UUID = key()
    exchange_account_id: UUID
    market: str
    symbol: str
    position_side: str
    trade_id: str
    order_id: str
    client_order_id: str = ""
    side: str
    quantity: Decimal = amount()
    price: Decimal = amount()
    fee: Decimal = amount()
    fee_asset: str = ""
    venue_time: datetime = moment()
    sequence: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    """The venue's own order within a millisecond, where its trade ids do not tell."""
    received_at: datetime = moment()
    source: str
    """`stream`, `poll` or `history`."""
    is_maker: bool = False
    is_liquidation: bool = False
    order_quantity: Decimal | None = amount(nullable=True)
    order_unit_is_quote: bool = False
    position_after: Decimal | None = amount(nullable=True)
    planned_at: datetime | None = moment(nullable=True)
    is_history: bool = False
    """Never planned: not after the baseline, or on a copy account."""


class LeadPosition(SQLModel, table=True):
    """A lead's position in one instrument: `quantity` is P, the rest is what the venue said of it."""

    __tablename__ = "lead_positions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    exchange_account_id: UUID = Field(primary_key=True)
    symbol: str = Field(primary_key=True)
    position_side: str = Field(primary_key=True)
    quantity: Decimal = amount(default=Decimal(0))
    changes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    """How many changes of P were planned."""
    planned_until: datetime | None = moment(nullable=True)
    """The venue's time of the newest planned fill."""
    marked_at: datetime | None = moment(nullable=True)
    """P was taken from the venue at this time; fills not after it change nothing any more."""
    marked_before: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The trade before which that was, where several share the millisecond; empty: after all of them."""
    marked_sequence: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    """That trade's sequence."""
    seen_quantity: Decimal | None = amount(nullable=True)
    seen_at: datetime | None = moment(nullable=True)
    """The venue's newest own position, and the time up to which fills are in it."""
    odd_quantity: Decimal | None = amount(nullable=True)
    odd_since: datetime | None = moment(nullable=True)
    """A reading that our fills do not explain, and the first time it was read."""
    rebase_to: Decimal | None = amount(nullable=True)
    rebase_price: Decimal | None = amount(nullable=True)
    """It was read again: P is to be set to it at the next planning."""


class AccountEntry(SQLModel, table=True):
    """A change of an account's wallet as the venue booked it."""

    __tablename__ = "account_entries"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_account_entries_account_time", "exchange_account_id", "venue_time"),
        {"schema": TRADES},
    )

    exchange_account_id: UUID = Field(primary_key=True)
    entry_id: str = Field(primary_key=True)
    kind: str
    asset: str
    amount: Decimal = amount()
    symbol: str = ""
    venue_time: datetime = moment()


class DailyClose(SQLModel, table=True):
    """The price of a symbol at the end of a UTC day."""

    __tablename__ = "daily_closes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    venue: str = Field(primary_key=True)
    symbol: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    close: Decimal = amount()


class SpoiledRow(SQLModel, table=True):
    """What a venue sent and nobody could read, kept as it came."""

    __tablename__ = "spoiled_rows"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    id: UUID = key()
    exchange_account_id: UUID = Field(index=True)
    source: str
    content: str
    received_at: datetime = moment()
