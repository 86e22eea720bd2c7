"""What a payer is shown of his money: frozen rows."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OfferedCoupon:
    """A coupon that somebody could redeem now, and what it would take off."""

    code: str
    percent: Decimal | None
    amount: Decimal | None
    """Either of both."""
    duration: str
    months: int | None


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """A paid invoice as its payer sees it; an address is empty where Stripe gave none."""

    id: UUID
    subscription_id: UUID
    trader_name: str
    number: str
    amount: Decimal
    refunded: Decimal
    lost: Decimal
    """What the payer's bank took back."""
    currency: str
    period_start: datetime
    period_end: datetime
    paid_at: datetime
    page_url: str
    pdf_url: str


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """What a running subscription costs next, and what stopping it at once would give back."""

    amount: Decimal | None
    """Of the next charge, less the coupon; None where nothing is charged."""
    off_percent: Decimal | None
    off_amount: Decimal | None
    off_until: datetime | None
    """None with a coupon: for ever."""
    given_back: Decimal
    is_billed: bool
    """Stripe renews it: it can be cancelled there."""
