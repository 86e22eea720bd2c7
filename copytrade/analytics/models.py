"""What is derived from fills, funding, flows and snapshots, kept so that pages read rows; all of it can be rebuilt."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from copytrade.db.model import TRADES, amount, key, moment

_JSON = JSON().with_variant(JSONB(), "postgresql")


class AccountRecord(SQLModel, table=True):
    """How far the derivation of an exchange account went, and the state from which it goes on."""

    __tablename__ = "account_records"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    exchange_account_id: UUID = Field(primary_key=True)
    book: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(_JSON, nullable=False))
    """Open round trips (domain.trip_book)."""
    fills_applied: int = 0
    fills_until: datetime = moment()
    """Fills and ledger entries up to this venue time are in; if one older comes later, everything is rebuilt."""
    entries_applied: int = 0
    missing_fills: int = 0
    """Fills that closed more than was held: something was not captured."""
    unpriced_fees: int = 0
    """Fees in an asset without a known price: they count as nothing."""
    anchor_at: datetime | None = moment(nullable=True)
    anchor_wallet: Decimal | None = amount(nullable=True)
    explained: Decimal = amount(default=Decimal(0))
    """What fills, funding and flows since the anchor did to the wallet."""
    gap: Decimal = amount(default=Decimal(0))
    gap_since: datetime | None = moment(nullable=True)
    """Since when the wallet differs from what is explained; briefly is a race, for long is a lack."""
    has_history: bool = False
    trips_closed: int = 0
    first_day: date | None = None
    days: int = 0
    restarts: int = 0
    open_positions: int = 0
    equity: Decimal | None = amount(nullable=True)
    equity_at: datetime | None = moment(nullable=True)
    refreshed_at: datetime = moment()


class RoundTrip(SQLModel, table=True):
    """A closed position, flat to flat; money in USDT."""

    __tablename__ = "round_trips"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_round_trips_account_closed", "exchange_account_id", "closed_at"),
        Index("ix_round_trips_account_symbol", "exchange_account_id", "symbol", "opened_at"),
        {"schema": TRADES},
    )

    id: UUID = key()
    exchange_account_id: UUID
    symbol: str
    position_side: str
    is_long: bool
    opened_at: datetime = moment()
    closed_at: datetime = moment()
    quantity: Decimal = amount()
    """The largest quantity held."""
    entry_price: Decimal = amount()
    exit_price: Decimal = amount()
    entry_notional: Decimal = amount()
    exit_notional: Decimal = amount()
    gross: Decimal = amount()
    fee: Decimal = amount()
    funding: Decimal = amount()
    net: Decimal = amount()
    fills: int = 0
    is_liquidated: bool = False
    is_estimated: bool = False


class DailyEquity(SQLModel, table=True):
    """An account's UTC day: closing equity, net flow, change without flows, NAV; today's row still moves."""

    __tablename__ = "daily_equities"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    exchange_account_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    equity: Decimal = amount()
    flow: Decimal = amount()
    change: Decimal = amount()
    day_return: Decimal = amount()
    nav: Decimal = amount()
    epoch: int = 1
    is_rebuilt: bool = False


class AccountStatistics(SQLModel, table=True):
    """The numbers of an account in one window, as `domain.performance` and `domain.trip_statistics` define them."""

    __tablename__ = "account_statistics"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    exchange_account_id: UUID = Field(primary_key=True)
    window: str = Field(primary_key=True)
    days: int = 0
    pnl: Decimal = amount(default=Decimal(0))
    total_return: float | None = None
    cagr: float | None = None
    volatility: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    calmar: float | None = None
    max_drawdown: float | None = None
    current_drawdown: float | None = None
    longest_drawdown_days: int | None = None
    best_day: float | None = None
    worst_day: float | None = None
    best_day_share: float | None = None
    closed: int = 0
    wins: int = 0
    losses: int = 0
    net: Decimal = amount(default=Decimal(0))
    fees: Decimal = amount(default=Decimal(0))
    funding: Decimal = amount(default=Decimal(0))
    win_rate: Decimal | None = amount(nullable=True)
    profit_factor: Decimal | None = amount(nullable=True)
    payoff: Decimal | None = amount(nullable=True)
    expectancy: Decimal | None = amount(nullable=True)
    best_share: Decimal | None = amount(nullable=True)
    average_holding_s: float | None = None
    median_holding_s: float | None = None
    exposure: float | None = None
    per_week: float | None = None
    curve: list[float] = Field(default_factory=list, sa_column=Column(_JSON, nullable=False))
    """A few points of the growth in the window, for a small curve."""
    trips_closed: int = -1
    """The record's count when the trips' numbers were computed."""


class SubscriptionResult(SQLModel, table=True):
    """What one subscription earned: its copy orders alone, after fees; money in USDT. Ended ones stay."""

    __tablename__ = "subscription_results"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    subscription_id: UUID = Field(primary_key=True)
    profile_id: UUID = Field(index=True)
    copy_account_id: UUID = Field(index=True)
    is_paper: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Earned with play money: its owner sees it, nobody else's figures count it."""
    base: Decimal | None = amount(nullable=True)
    """Equity of the copy account when it started: what the result is a fraction of."""
    realized: Decimal = amount(default=Decimal(0))
    unrealized: Decimal = amount(default=Decimal(0))
    fees: Decimal = amount(default=Decimal(0))
    net: Decimal = amount(default=Decimal(0))
    net_return: float | None = None
    by_symbol: dict[str, str] = Field(default_factory=dict, sa_column=Column(_JSON, nullable=False))
    closed: int = 0
    orders: int = 0
    filled: Decimal = amount(default=Decimal(0))
    """Number and sum of the executed orders that are in: what differs when there is something new."""
    book: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(_JSON, nullable=False))
    """Open round trips, whose worth moves with the mark."""
    refreshed_at: datetime = moment()
