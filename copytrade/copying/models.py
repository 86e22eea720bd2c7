"""Tables of copying: settings, legs and their parts, orders and what they covered, skips, switches."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlmodel import Field, SQLModel

from copytrade.db.model import TRADES, amount, key, moment


class OrderState(StrEnum):
    """Life of a copy order; the first four are live."""

    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PLACED = "placed"
    """At the venue and not ended."""
    FILLED = "filled"
    ENDED = "ended"
    """Cancelled or expired at the venue, with or without a part filled."""
    REFUSED = "refused"
    LOST = "lost"
    """Proven never to have arrived."""
    DROPPED = "dropped"
    """Never sent."""


LIVE = (OrderState.PLANNED, OrderState.SENDING, OrderState.UNKNOWN, OrderState.PLACED)
_LIVE_ROWS = text("state in ('planned', 'sending', 'unknown', 'placed')")


class LegState(StrEnum):
    """Whether a leg still follows its lead."""

    FOLLOWING = "following"
    CLOSED = "closed"
    """Ended and flat."""
    KEPT = "kept"
    """Ended; what it held is the subscriber's own."""


class SwitchMode(StrEnum):
    """What an operator's or subscriber's switch lets through."""

    ON = "on"
    ENTRIES_OFF = "entries_off"
    HANDS_OFF = "hands_off"
    FLATTEN = "flatten"
    """No entries, and what is copied is closed."""


class DriftKind(StrEnum):
    """In which way an account is not what its legs say."""

    LESS = "less"
    MORE = "more"
    LIQUIDATED = "liquidated"
    MODES = "modes"
    """Leverage, margin or position mode are not the lead's any more."""


class Resolution(StrEnum):
    """What told how an order ended whose outcome nobody knew."""

    ANSWER = "answer"
    """The venue's own answer, late."""
    LOOK_UP = "look_up"
    ORDER_LIST = "order_list"
    TRADES = "trades"
    ABSENCE = "absence"
    """It was nowhere when it could no longer arrive."""
    LATE_FILL = "late_fill"
    """A fill showed up after it had been judged lost."""
    OPERATOR = "operator"


class SwitchScope(StrEnum):
    """How far a switch reaches."""

    PLATFORM = "platform"
    VENUE = "venue"
    TRADER = "trader"
    SUBSCRIBER = "subscriber"


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


class CopyNotice(SQLModel, table=True):
    """When a subscriber was last told of one reason, so that a busy trader does not mean a thousand mails."""

    __tablename__ = "copy_notices"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    subscription_id: UUID = Field(primary_key=True)
    reason: str = Field(primary_key=True, max_length=40)
    told_at: datetime = moment()


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


class CopyReading(SQLModel, table=True):
    """When a copy account's positions were last compared with its legs; its row is the claim."""

    __tablename__ = "copy_readings"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    exchange_account_id: UUID = Field(primary_key=True)
    due_at: datetime = moment(index=True)


class Decided(SQLModel, table=True):
    """What an operator decided about an order that nobody could find out about."""

    __tablename__ = "copy_decisions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": TRADES}

    id: UUID = key()
    order_id: UUID = Field(index=True)
    decided_by: UUID
    filled: Decimal = amount()
    decided_at: datetime = moment()
