"""Tables of what a subscriber chose, and of what holds it back: settings, how copies stand, switches, notices."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Column, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlmodel import Field, SQLModel

from copytrade.db.model import TRADES, amount, moment


class CopySetting(SQLModel, table=True):
    """How one subscription copies (domain.sizing.CopySettings), and where its start and end stand."""

    __tablename__ = "copy_settings"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    subscription_id: UUID = Field(primary_key=True)
    subscriber_id: UUID = Field(index=True)
    profile_id: UUID = Field(index=True)
    lead_account_id: UUID = Field(index=True)
    copy_account_id: UUID = Field(index=True)
    is_paper: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Onto a paper account: in no public figure."""
    mode: str = Field(max_length=20)
    factor: Decimal = amount()
    max_order_notional: Decimal | None = amount(nullable=True)
    max_position_notional: Decimal | None = amount(nullable=True)
    max_total_notional: Decimal | None = amount(nullable=True)
    max_open_positions: int | None = None
    max_leverage: Decimal = amount()
    max_slippage: Decimal | None = amount(nullable=True)
    max_entry_age_s: int
    keeps_margin: bool = False
    is_paused: bool = False
    symbols: list[str] = Field(default_factory=list[str], sa_column=Column(ARRAY(TEXT), nullable=False))
    directions: str = Field(max_length=10)
    start_mode: str = Field(max_length=20)
    end_mode: str = Field(max_length=20)
    max_daily_loss: Decimal | None = amount(nullable=True)
    daily_loss_unit: str = Field(max_length=10)
    max_drawdown: Decimal | None = amount(nullable=True)
    drawdown_unit: str = Field(max_length=10)
    stop_mode: str = Field(max_length=20)
    drift_less: str = Field(max_length=10)
    drift_more: str = Field(max_length=10)
    drift_liquidated: str = Field(max_length=10)
    drift_modes: str = Field(max_length=10)
    silence: str = Field(max_length=10)
    silence_loss: Decimal = amount()
    started_legs_at: datetime | None = moment(nullable=True)
    """When the lead's open positions were looked at, once, for the start."""
    created_at: datetime = moment()
    changed_at: datetime = moment()


class CopyStand(SQLModel, table=True):
    """How the copies of one subscription stand: what loss limits and silence are judged by. PnL in USDT."""

    __tablename__ = "copy_stands"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    subscription_id: UUID = Field(primary_key=True)
    day: date
    """The UTC day that `day_pnl` and `day_equity` began."""
    day_pnl: Decimal = amount(default=Decimal(0))
    day_equity: Decimal | None = amount(nullable=True)
    pnl: Decimal = amount(default=Decimal(0))
    """Since the start of the subscription, open positions at market included."""
    peak_pnl: Decimal = amount(default=Decimal(0))
    peak_equity: Decimal | None = amount(nullable=True)
    read_at: datetime = moment()
    daily_stopped_at: datetime | None = moment(nullable=True)
    """The daily loss was reached on `day`."""
    drawdown_stopped_at: datetime | None = moment(nullable=True)
    """The drawdown stop was reached; the subscriber lets entries go on."""
    silent_since: datetime | None = moment(nullable=True)


class Switch(SQLModel, table=True):
    """Stops entries or everything, for the platform, a venue, a trader or a subscriber."""

    __tablename__ = "copy_switches"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    scope: str = Field(primary_key=True, max_length=12)
    scope_id: str = Field(primary_key=True, max_length=40)
    mode: str = Field(max_length=12)
    reason: str = Field(default="", max_length=200)
    set_by: UUID
    set_at: datetime = moment()


class CopyNotice(SQLModel, table=True):
    """When a subscriber was last told of one reason, so that a busy trader does not mean a thousand mails."""

    __tablename__ = "copy_notices"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    subscription_id: UUID = Field(primary_key=True)
    reason: str = Field(primary_key=True, max_length=40)
    told_at: datetime = moment()
