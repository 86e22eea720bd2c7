"""What subscriptions show: frozen rows."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A profile as anybody may see it."""

    id: UUID
    user_id: UUID
    lead_account_id: UUID
    slug: str
    name: str
    about: str
    price: Decimal
    currency: str
    venue: str
    market: str
    trial_days: int
    """Free days that a new subscriber begins with."""
    is_published: bool
    published_at: datetime | None
    created_at: datetime
    closed_at: datetime | None
    subscribers: int


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription as its owner sees it; `access_until` includes the grace."""

    id: UUID
    subscriber_id: UUID
    profile_id: UUID
    trader_id: UUID
    trader_name: str
    slug: str
    lead_account_id: UUID
    copy_account_id: UUID
    state: str
    entitled_until: datetime | None
    access_until: datetime | None
    is_ending: bool
    end_mode: str
    price: Decimal
    currency: str
    trial_days: int
    """Free days that it begins, or began, with."""
    trial_ends_at: datetime | None
    next_charge_at: datetime | None
    """When it is renewed; None where it is not."""
    next_amount: Decimal | None
    """What that costs, before a coupon."""
    next_price: Decimal | None
    """A price that was announced; it counts from the first renewal after `next_price_from`."""
    next_price_from: datetime | None
    end_reason: str
    """The happening that ended it (domain/billing), empty before."""
    successor_id: UUID | None
    """The subscription that goes on in its place, onto another copy account."""
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    is_paper: bool = False
    """Onto a paper account: free, and active until stopped."""


@dataclass(frozen=True, slots=True)
class ActiveSubscription:
    """What copying needs of one subscription."""

    id: UUID
    subscriber_id: UUID
    profile_id: UUID
    copy_account_id: UUID
    started_at: datetime
    may_enter: bool
    """False: only exits are followed."""
    end_mode: str
    is_paper: bool = False


@dataclass(frozen=True, slots=True)
class EndedSubscription:
    """An ended subscription that copying has not settled yet."""

    id: UUID
    subscriber_id: UUID
    copy_account_id: UUID
    end_mode: str
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """A subscription that ended, and why."""

    id: UUID
    end_reason: str
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class TraderRow:
    """A trader whose fills are captured: contract 5."""

    user_id: UUID
    profile_id: UUID | None
    lead_account_id: UUID
    venue: str
    market: str


@dataclass(frozen=True, slots=True)
class SubscriberRow:
    """One of a trader's subscribers as the trader sees him."""

    subscription_id: UUID
    name: str
    state: str
    price: Decimal
    started_at: datetime | None
    ended_at: datetime | None
