"""What copying shows: frozen rows."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from copytrade.capture.queries import FillRow


class CopyState(StrEnum):
    """What became of one part of a trader's fill."""

    COPIED = "copied"
    PENDING = "pending"
    SKIPPED = "skipped"
    FAILED = "failed"
    NETTED = "netted"
    """Taken back by the trader before it could be traded."""
    OWN = "own"
    """The subscriber did it himself."""


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One line of a subscriber's history: a part of a trader's fill, and what became of it. Quantities unsigned."""

    id: UUID
    at: datetime
    subscription_id: UUID
    trader_name: str
    profile_slug: str
    symbol: str
    side: str
    quantity: Decimal
    """What was copied; of a line that was not, what was asked."""
    price: Decimal | None
    """Our average price; None where nothing was executed."""
    state: CopyState
    reason: str
    facts: dict[str, Any]
    slippage_bps: Decimal | None
    """Positive is worse for the subscriber."""
    delay_ms: int | None
    """From the trader's fill at the exchange to the acceptance of our order."""
    asked: Decimal
    copied: Decimal
    skipped: Decimal
    netted: Decimal
    pending: Decimal
    lead_quantity: Decimal
    lead_price: Decimal


@dataclass(frozen=True, slots=True)
class CopyPage:
    """Lines of the history, newest first; `next` is the cursor of the page after, None at the end."""

    rows: list[CopyRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class OwnTradePage:
    """A subscriber's own fills on his copy accounts, newest first; `next` is the cursor of the page after, or empty."""

    rows: list[FillRow]
    next: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """One copy in full: its times, what the trader paid and what we paid."""

    id: UUID
    symbol: str
    side: str
    state: str
    lead_at: datetime
    captured_at: datetime
    planned_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None
    filled_at: datetime | None
    lead_price: Decimal
    average_price: Decimal | None
    quantity: Decimal
    fee: Decimal | None
    fee_asset: str
    slippage_bps: Decimal | None
    fills: int
    """How many fills of the trader the order covered."""
    venue_order_id: str
    client_order_id: str
    skips: list[tuple[str, Decimal, dict[str, Any]]] = field(default_factory=list[tuple[str, Decimal, dict[str, Any]]])


@dataclass(frozen=True, slots=True)
class CopySummary:
    """How copying went for a subscriber lately, in lines of the history."""

    copied: int
    skipped: int
    waiting: int
    failed: int
    delay_p50_ms: float | None
    slippage_p50_bps: float | None


@dataclass(frozen=True, slots=True)
class OpenLegRow:
    """A copied position: what it should be, what it is, and why they differ."""

    subscription_id: UUID
    trader_name: str
    symbol: str
    target: Decimal
    held: Decimal
    price: Decimal
    waits_for: str
    reason: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What copying has to do, for operators."""

    legs_due: int
    oldest_due_at: datetime | None
    orders_on_their_way: int
    orders_unknown: int
    oldest_unknown_at: datetime | None
    parts_pending: int


@dataclass(frozen=True, slots=True)
class UnknownOrderRow:
    """An order that left and whose outcome nobody knows yet."""

    order_id: UUID
    subscriber_id: UUID
    symbol: str
    side: str
    quantity: Decimal
    client_order_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """A switch as it stands."""

    scope: str
    scope_id: str
    mode: str
    reason: str
    set_at: datetime
