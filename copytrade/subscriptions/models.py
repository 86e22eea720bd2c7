"""Tables of what traders offer and who copies whom."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from copytrade.db.model import PEOPLE, amount, key, moment
from copytrade.subscriptions.states import EndMode, State

_OPEN_ROWS = text("state in ('incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'disputed')")
_NO = {"server_default": text("false")}
_NONE = {"server_default": text("0")}


class Profile(SQLModel, table=True):
    """What a trader publishes: one lead account, one price, one page."""

    __tablename__ = "profiles"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("uq_profiles_lead_account", "lead_account_id", unique=True, postgresql_where=text("closed_at is null")),
        Index("uq_profiles_name", text("lower(name)"), unique=True),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    user_id: UUID = Field(index=True)
    lead_account_id: UUID
    slug: str = Field(unique=True, max_length=60)
    name: str = Field(max_length=40)
    about: str = Field(default="", max_length=1000)
    price: Decimal = amount()
    """For one month; those who subscribed earlier keep theirs."""
    currency: str = Field(max_length=3)
    trial_days: int = Field(default=0, sa_column_kwargs=_NONE)
    """Free days before the first payment, once for each person; none: 0."""
    is_published: bool = Field(default=False, index=True)
    published_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class Subscription(SQLModel, table=True):
    """One person copying one profile to one copy account."""

    __tablename__ = "subscriptions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index(
            "uq_subscriptions_open", "subscriber_id", "profile_id", "is_paper", unique=True, postgresql_where=_OPEN_ROWS
        ),
        Index("ix_subscriptions_lead_open", "lead_account_id", postgresql_where=text("finished_at is null")),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    subscriber_id: UUID = Field(index=True)
    profile_id: UUID = Field(index=True)
    trader_id: UUID = Field(index=True)
    lead_account_id: UUID
    copy_account_id: UUID = Field(index=True)
    is_paper: bool = False
    """Onto a paper account: free, active until stopped, no subscriber in any count."""
    state: str = Field(default=State.INCOMPLETE, index=True)
    entitled_until: datetime | None = moment(nullable=True)
    """End of the last paid period or of the trial, without the days of grace."""
    is_ending: bool = False
    """It will not be renewed: no grace after `entitled_until`."""
    is_trial: bool = Field(default=False, sa_column_kwargs=_NO)
    is_late: bool = Field(default=False, sa_column_kwargs=_NO)
    """A renewal is open and could not be charged."""
    has_given_up: bool = Field(default=False, sa_column_kwargs=_NO)
    """Stripe tries to charge that renewal no more."""
    is_held: bool = Field(default=False, sa_column_kwargs=_NO)
    """Stripe collects nothing for a while."""
    is_disputed: bool = Field(default=False, sa_column_kwargs=_NO)
    must_end: bool = Field(default=False, sa_column_kwargs=_NO)
    """Its trader is gone: it is not renewed, whatever Stripe still says."""
    trial_days: int = Field(default=0, sa_column_kwargs=_NONE)
    """Free days that this one begins with."""
    trial_told_at: datetime | None = moment(nullable=True)
    end_mode: str = EndMode.FOLLOW_EXITS
    price: Decimal = amount()
    currency: str = Field(max_length=3)
    next_price: Decimal | None = amount(nullable=True)
    """What the trader asks from `next_price_from` on, at the renewal after that; None: nothing changes."""
    next_price_from: datetime | None = moment(nullable=True)
    successor_id: UUID | None = None
    """The subscription that goes on in its place, onto another copy account."""
    started_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    end_reason: str = Field(default="", max_length=20, sa_column_kwargs={"server_default": text("''")})
    """The happening that ended it (domain/billing)."""
    finished_at: datetime | None = moment(nullable=True)
    """Nothing is left to copy: ended, and copying has settled its legs."""
    created_at: datetime = moment()


class RiskConsent(SQLModel, table=True):
    """That somebody accepted the risk text, in which version and language, and where he said he lives."""

    __tablename__ = "risk_consents"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("ix_risk_consents_newest", "user_id", "accepted_at"), {"schema": PEOPLE})

    id: UUID = key()
    user_id: UUID
    version: str = Field(max_length=20)
    locale: str = Field(max_length=5)
    country: str = Field(max_length=2)
    accepted_at: datetime = moment()
