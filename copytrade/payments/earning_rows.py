"""What earnings, payouts and the operator's books show: frozen rows, amounts in whole units of their currency."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EarningsMonth:
    """A trader's month in one currency: `net` is his share less what went back to payers and what fees he bears."""

    month: date
    currency: str
    payments: int
    gross: Decimal
    platform: Decimal
    share: Decimal
    taken_back: Decimal
    fees: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A part of a trader's share that is free from a day on."""

    available_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class UpcomingPayout:
    """What a trader gets next in one currency, and what waits."""

    currency: str
    on: date
    amount: Decimal
    """What will be free by then; 0 where it is below the minimum or a debt eats it."""
    owed: Decimal
    """All that is owed now: what is free, held and frozen."""
    available: Decimal
    held: tuple[HeldPart, ...]
    frozen: Decimal
    debt: Decimal
    minimum: Decimal
    on_its_way: Decimal
    """Planned, and not moved yet."""


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout as its trader sees it; `state` is `planned`, `sent` or `canceled`."""

    id: UUID
    amount: Decimal
    currency: str
    state: str
    lines: int
    taken_back: Decimal
    created_at: datetime
    sent_at: datetime | None
    stripe_transfer_id: str


@dataclass(frozen=True, slots=True)
class PayoutLineRow:
    """What a payout is made of: a payment's share, or what was taken of one (negative)."""

    kind: str
    amount: Decimal
    currency: str
    paid: Decimal | None
    """What the subscriber had paid."""
    period_start: datetime | None
    period_end: datetime | None
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class RevenueMonth:
    """A month of the platform in one currency; `net` is its share less refunds and disputes, and Stripe's fees."""

    month: date
    currency: str
    payments: int
    gross: Decimal
    platform: Decimal
    traders: Decimal
    taken_back: Decimal
    """Of the platform's share."""
    fees: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute, for operators; `answer_by` is when Stripe takes no more evidence."""

    id: str
    trader_name: str
    amount: Decimal
    currency: str
    reason: str
    status: str
    is_open: bool
    opened_at: datetime
    answer_by: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """Where Stripe's lists and ours differ, for operators."""

    kind: str
    stripe_id: str
    ours: str
    theirs: str
    found_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class BookRow:
    """What stands in the books of one currency; all five add up to zero."""

    currency: str
    stripe: Decimal
    disputed: Decimal
    fees: Decimal
    platform: Decimal
    traders: Decimal

    @property
    def imbalance(self) -> Decimal:
        """What the books are off; anything but zero is a bug."""
        return self.stripe + self.disputed + self.fees + self.platform + self.traders


@dataclass(frozen=True, slots=True)
class WaitingPayout:
    """A payout that Stripe has not made, for operators."""

    id: UUID
    trader_id: UUID
    amount: Decimal
    currency: str
    attempts: int
    error: str
    created_at: datetime
    try_at: datetime
