"""Tables of the ledger and of what leaves it: entries, disputes, payouts, differences from Stripe."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from copytrade.db.model import PEOPLE, amount, key, moment, units


class EntryKind(StrEnum):
    """What a booking stands for."""

    PAID = "paid"
    FEE = "fee"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    PAYOUT = "payout"
    PAYOUT_CANCELED = "payout_canceled"
    REVERSAL = "reversal"


class PayoutState(StrEnum):
    """Where a payout stands: `planned` until Stripe has moved the money."""

    PLANNED = "planned"
    SENT = "sent"
    CANCELED = "canceled"


class ReversalState(StrEnum):
    """Where a reversal stands; `refused` leaves a debt, `dropped` had nothing to take back."""

    PLANNED = "planned"
    DONE = "done"
    REFUSED = "refused"
    DROPPED = "dropped"


class LedgerEntry(SQLModel, table=True):
    """One side of a booking, never changed; the entries of a booking add up to zero, which the database checks too."""

    __tablename__ = "ledger_entries"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("booking", "account"),
        Index(
            "ix_ledger_entries_account_time",
            "account",
            "currency",
            "happened_at",
            postgresql_include=["minor", "paid_period_id", "available_at"],
        ),
        Index(
            "ix_ledger_entries_taken",
            "account",
            "happened_at",
            postgresql_include=["kind", "currency", "minor"],
            postgresql_where=text("kind not in ('paid', 'payout', 'payout_canceled', 'reversal')"),
        ),
        Index("ix_ledger_entries_available", "account", "available_at"),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    booking: str
    """What makes the booking one: `paid:<invoice>`, `refund:<refund>`, `payout:<payout>`."""
    kind: str
    account: str
    """See `domain/bookings`: what is ours or comes in is positive, what we owe is negative."""
    minor: int = units()
    currency: str = Field(max_length=3)
    paid_period_id: UUID | None = Field(default=None, index=True)
    available_at: datetime = moment()
    """From then on a trader's part may be paid out."""
    happened_at: datetime = moment()
    booked_at: datetime = moment()


class TraderShare(SQLModel, table=True):
    """A share that an operator agreed with a trader; the newest counts, for what is paid from then on."""

    __tablename__ = "trader_shares"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("ix_trader_shares_newest", "trader_id", "set_at"), {"schema": PEOPLE})

    id: UUID = key()
    trader_id: UUID
    share: Decimal = amount()
    set_by: UUID
    set_at: datetime = moment()


class Dispute(SQLModel, table=True):
    """A dispute as we last read it at Stripe; while it is open, the period's money is frozen."""

    __tablename__ = "disputes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_disputes_open", "paid_period_id", postgresql_where=text("is_open")),
        {"schema": PEOPLE},
    )

    stripe_dispute_id: str = Field(primary_key=True)
    stripe_charge_id: str
    paid_period_id: UUID | None = Field(default=None, index=True)
    minor: int = units()
    currency: str = Field(max_length=3)
    reason: str
    status: str
    is_open: bool
    evidence_due_at: datetime | None = moment(nullable=True)
    opened_at: datetime = moment(index=True)
    closed_at: datetime | None = moment(nullable=True)
    synced_at: datetime = moment()


class PayoutAccount(SQLModel, table=True):
    """A trader's account at Stripe, into which his share is paid."""

    __tablename__ = "payout_accounts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    user_id: UUID = Field(primary_key=True)
    stripe_account_id: str = Field(unique=True)
    payouts_enabled: bool = False
    transfers_enabled: bool = False
    details_submitted: bool = False
    requirements: list[str] = Field(
        default_factory=list, sa_column=Column(JSON().with_variant(JSONB(), "postgresql"), nullable=False)
    )
    """What Stripe still wants to know, in its own words."""
    disabled_reason: str = ""
    created_at: datetime = moment()
    synced_at: datetime = moment()

    @property
    def may_be_paid(self) -> bool:
        """Whether money can be moved there, and on to the trader's bank."""
        return self.payouts_enabled and self.transfers_enabled


class Payout(SQLModel, table=True):
    """One transfer of a trader's share to his account at Stripe."""

    __tablename__ = "payouts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_payouts_due", "try_at", postgresql_where=text("state = 'planned'")),
        Index("ix_payouts_trader", "trader_id", "created_at"),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    trader_id: UUID
    currency: str = Field(max_length=3)
    minor: int = units()
    state: str = PayoutState.PLANNED
    stripe_account_id: str
    stripe_transfer_id: str = ""
    attempts: int = 0
    refusals: int = 0
    """How often Stripe said no for certain: its answer is kept with the key, so the next has another."""
    error: str = ""
    try_at: datetime = moment()
    created_at: datetime = moment()
    sent_at: datetime | None = moment(nullable=True)


class PayoutLine(SQLModel, table=True):
    """An entry that a payout pays; an entry is in one payout that was not canceled."""

    __tablename__ = "payout_lines"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("uq_payout_lines_live", "entry_id", unique=True, postgresql_where=text("is_live")),
        {"schema": PEOPLE},
    )

    payout_id: UUID = Field(primary_key=True)
    entry_id: UUID = Field(primary_key=True)
    is_live: bool = True
    """False where the payout was canceled: the entry is free again."""


class Reversal(SQLModel, table=True):
    """What is taken back of a payout, since the money behind it went back to its payer."""

    __tablename__ = "payout_reversals"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("ix_payout_reversals_due", "try_at", postgresql_where=text("state = 'planned'")),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    cause: str = Field(unique=True)
    """The booking that took the money: `refund:<refund>`, `dispute:<dispute>:lost`."""
    payout_id: UUID = Field(index=True)
    trader_id: UUID
    paid_period_id: UUID
    currency: str = Field(max_length=3)
    minor: int = units()
    state: str = ReversalState.PLANNED
    stripe_reversal_id: str = ""
    attempts: int = 0
    refusals: int = 0
    error: str = ""
    try_at: datetime = moment()
    created_at: datetime = moment()
    done_at: datetime | None = moment(nullable=True)


class MoneyDifference(SQLModel, table=True):
    """Where Stripe's lists and ours differ, until they agree again."""

    __tablename__ = "money_differences"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index(
            "uq_money_differences_open", "kind", "stripe_id", unique=True, postgresql_where=text("resolved_at is null")
        ),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    kind: str
    stripe_id: str
    ours: str
    theirs: str
    found_at: datetime = moment(index=True)
    resolved_at: datetime | None = moment(nullable=True)
