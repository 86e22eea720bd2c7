"""Tables of exchange accounts, their sealed secrets, their equity and positions."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from copytrade.db.model import PEOPLE, UtcDateTime, amount, key, moment


class ExchangeAccount(SQLModel, table=True):
    """A person's credentials at one venue, for one market, at one end of copying."""

    __tablename__ = "exchange_accounts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        # One key serves one account only; a refused or unlinked row lets it go.
        Index(
            "uq_exchange_accounts_fingerprint",
            "venue",
            "market",
            "fingerprint",
            unique=True,
            postgresql_where=text("state IN ('checking', 'active', 'paused')"),
        ),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    user_id: UUID = Field(index=True)
    venue: str = Field(max_length=20)
    market: str = Field(max_length=20)
    role: str = Field(max_length=10)
    mode: str = Field(max_length=10)
    label: str = Field(max_length=60)
    fingerprint: bytes = Field(index=True, repr=False)
    """HMAC of the API key: tells that two are the same without telling which."""
    key_hint: str = Field(max_length=4)
    state: str = Field(max_length=10, index=True)
    reason: str = Field(default="", max_length=40)
    permissions: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    ip_restricted: bool | None = None
    key_expires_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    changed_at: datetime = moment(index=True)
    linked_at: datetime | None = moment(nullable=True)
    unlinked_at: datetime | None = moment(nullable=True)
    checked_at: datetime | None = moment(nullable=True)
    check_due_at: datetime | None = moment(nullable=True, index=True)
    check_attempts: int = 0
    snapshot_due_at: datetime | None = moment(nullable=True, index=True)
    uid: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    """The venue's id of the account behind the key, where it tells one: a new key must belong to the same."""
    key_version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """Grows with each new key, so that clients of the old one are recognised."""
    egress: str = Field(default="", max_length=120, sa_column_kwargs={"server_default": ""})
    """Name of the way out that the account is bound to, since its key may be limited to that address; empty: none."""


class ExchangeSecret(SQLModel, table=True):
    """Key, secret and passphrase, sealed to the workers' key and bound to the account's row."""

    __tablename__ = "exchange_secrets"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    exchange_account_id: UUID = Field(
        primary_key=True, foreign_key=f"{PEOPLE}.exchange_accounts.id", ondelete="CASCADE"
    )
    sealed: bytes = Field(repr=False)
    kek_id: str = Field(max_length=40, index=True)
    version: int = 1


class KeyReplacement(SQLModel, table=True):
    """A new key of a linked account while it is checked; the old one goes on until the new one is accepted."""

    __tablename__ = "key_replacements"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    exchange_account_id: UUID = Field(
        primary_key=True, foreign_key=f"{PEOPLE}.exchange_accounts.id", ondelete="CASCADE"
    )
    sealed: bytes = Field(repr=False)
    """Empty once the key was refused."""
    kek_id: str = Field(max_length=40)
    fingerprint: bytes = Field(repr=False)
    key_hint: str = Field(max_length=4)
    reason: str = Field(default="", max_length=40)
    """Why the new key was refused; empty: it is being checked."""
    asked_at: datetime = moment()
    due_at: datetime | None = moment(nullable=True, index=True)
    attempts: int = 0


class Examination(SQLModel, table=True):
    """The newest examination of an account: what a worker found without placing an order."""

    __tablename__ = "account_examinations"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    exchange_account_id: UUID = Field(
        primary_key=True, foreign_key=f"{PEOPLE}.exchange_accounts.id", ondelete="CASCADE"
    )
    asked_at: datetime = moment()
    due_at: datetime | None = moment(nullable=True, index=True)
    finished_at: datetime | None = moment(nullable=True)
    findings: list[dict[str, Any]] = Field(
        default_factory=list[dict[str, Any]], sa_column=Column(JSONB, nullable=False, server_default=text("'[]'"))
    )


class SecretRequest(SQLModel, table=True):
    """A service's wish for a subscriber's secrets; a worker seals them to the service's own key."""

    __tablename__ = "secret_requests"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    id: UUID = key()
    subscriber_id: UUID
    service: str = Field(max_length=100)
    public_key: str = Field(max_length=64)
    requested_at: datetime = moment(index=True)
    answered_at: datetime | None = moment(nullable=True)
    answer: list[dict[str, str]] = Field(default_factory=list[dict[str, str]], sa_column=Column(JSONB, nullable=False))


class PaperAccount(SQLModel, table=True):
    """What a paper account begins with; its key is issued by the paper exchange when a worker asks for it."""

    __tablename__ = "paper_accounts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    exchange_account_id: UUID = Field(
        primary_key=True, foreign_key=f"{PEOPLE}.exchange_accounts.id", ondelete="CASCADE"
    )
    funds: Decimal = amount()
    """USDT."""
    asked_at: datetime = moment()


class AccountEquity(SQLModel, table=True):
    """The newest reading of an account's worth in USDT."""

    __tablename__ = "account_equities"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    exchange_account_id: UUID = Field(
        primary_key=True, foreign_key=f"{PEOPLE}.exchange_accounts.id", ondelete="CASCADE"
    )
    read_at: datetime = moment()
    total: Decimal = amount()
    wallet: Decimal = amount()
    unrealized_pnl: Decimal = amount()
    available: Decimal = amount()


class EquitySnapshot(SQLModel, table=True):
    """An account's worth at one time: the points of its curve."""

    __tablename__ = "equity_snapshots"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    exchange_account_id: UUID = Field(
        primary_key=True, foreign_key=f"{PEOPLE}.exchange_accounts.id", ondelete="CASCADE"
    )
    read_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]
    total: Decimal = amount()
    wallet: Decimal = amount()
    unrealized_pnl: Decimal = amount()
    available: Decimal = amount()
    is_rebuilt: bool = False


class AccountPosition(SQLModel, table=True):
    """A position as it was last read at the venue."""

    __tablename__ = "account_positions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    exchange_account_id: UUID = Field(
        primary_key=True, foreign_key=f"{PEOPLE}.exchange_accounts.id", ondelete="CASCADE"
    )
    symbol: str = Field(primary_key=True, max_length=60)
    position_side: str = Field(primary_key=True, max_length=10)
    quantity: Decimal = amount()
    entry_price: Decimal = amount()
    mark_price: Decimal = amount()
    unrealized_pnl: Decimal = amount()
    leverage: int | None = None
    liquidation_price: Decimal | None = amount(nullable=True)
    margin_mode: str | None = Field(default=None, max_length=10)
    read_at: datetime = moment()
