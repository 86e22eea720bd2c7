"""What payments show: frozen rows."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PaymentStart:
    """Where to send the payer; `state` is `open`, or `processing` when the payment is on its way to us."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class CouponRow:
    """A coupon as its trader sees it."""

    id: UUID
    profile_id: UUID
    code: str
    percent: Decimal | None
    amount: Decimal | None
    """Either of both is taken off."""
    currency: str
    duration: str
    months: int | None
    most: int | None
    redeemed: int
    ends_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InboxNumbers:
    """How the webhooks' inbox stands, for operators."""

    pending: int
    failed: int
    oldest_pending_at: datetime | None


@dataclass(frozen=True, slots=True)
class FailedEvent:
    """A webhook that was tried to the end in vain, for operators."""

    id: str
    type: str
    attempts: int
    error: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class PayoutStanding:
    """Where a trader stands with being paid; `needs` are English sentences of the catalogue."""

    has_account: bool
    may_be_paid: bool
    is_submitted: bool
    needs: tuple[str, ...]
    is_held_back: bool
    """He told all that was asked, and Stripe does not let him be paid (any more)."""
