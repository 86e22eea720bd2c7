"""What copying shows: frozen rows."""

from dataclasses import dataclass
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
    kind: str = "opening"
    missed: Decimal | None = None
    """What the skipped quantity would have made in quote, as far as that is known."""
    is_paper: bool = False
    step: Decimal | None = None
    """The exchange's step of the quantity; None where it is not known."""


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
class ReceiptOrder:
    """One order that was sent for a copy, what it brought for it, and when. Quantities unsigned."""

    id: UUID
    state: str
    kind: str
    quantity: Decimal
    filled: Decimal
    carried: Decimal
    """How much of this copy it carried out; the rest of what it filled was for others of the same leg."""
    price: Decimal | None
    """Its limit; None: at the market."""
    average_price: Decimal | None
    reference: Decimal
    """The trader's average price over the fills that the order is for."""
    slippage_bps: Decimal | None
    fee: Decimal | None
    fee_asset: str
    fills: int
    """How many fills of the trader it covered."""
    sent_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None
    unknown_at: datetime | None
    """When nobody knew its outcome first; None: it was never unknown."""
    resolved_at: datetime | None
    resolution: str
    checks: int
    """How often the exchange was asked for it."""
    refusal: str
    message: str
    venue_order_id: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class Tries:
    """Orders that brought nothing and left no doubt: how many, why, and between which times."""

    state: str
    refusal: str
    count: int
    first_at: datetime
    last_at: datetime
    price: Decimal | None
    """The limit of the last one."""


@dataclass(frozen=True, slots=True)
class SkipLine:
    """A quantity that was not copied, why, and what it would have made before fees once that is known."""

    reason: str
    quantity: Decimal
    facts: dict[str, Any]
    at: datetime
    pnl: Decimal | None
    is_waiting: bool
    """Its result is not known yet: the trader has not left what he opened."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One copy in full: asked = copied + skipped + netted + pending, its orders, its skips. Quantities unsigned."""

    id: UUID
    kind: str
    symbol: str
    trader_name: str
    side: str
    state: str
    lead_at: datetime
    captured_at: datetime
    planned_at: datetime
    lead_price: Decimal
    lead_quantity: Decimal
    asked: Decimal
    copied: Decimal
    skipped: Decimal
    netted: Decimal
    pending: Decimal
    rank: int
    """The place among those `served` with the change; 0: none was given."""
    served: int
    orders: list[ReceiptOrder]
    tries: list[Tries]
    skips: list[SkipLine]
    step: Decimal | None = None
    """The exchange's step of the quantity; None where it is not known."""
    is_paper: bool = False

    @property
    def first(self) -> ReceiptOrder | None:
        """Return the first order that carried something, else the first that was sent."""
        return next((order for order in self.orders if order.carried), self.orders[0] if self.orders else None)

    @property
    def average_price(self) -> Decimal | None:
        """Return what was paid on average for what was copied."""
        carried = [one for one in self.orders if one.carried and one.average_price is not None]
        quantity = sum((one.carried for one in carried), Decimal(0))
        paid = sum((one.carried * one.average_price for one in carried if one.average_price is not None), Decimal(0))
        return paid / quantity if quantity else None


@dataclass(frozen=True, slots=True)
class SkipSum:
    """What was not copied for one reason: lines, worth at the trader's prices, and what it would have made."""

    reason: str
    count: int
    worth: Decimal
    pnl: Decimal
    waiting: int
    """How many of them have no result yet."""


@dataclass(frozen=True, slots=True)
class DriftRow:
    """An account was not what a copied position says: what was found and what was done."""

    id: UUID
    subscription_id: UUID
    trader_name: str
    symbol: str
    kind: str
    policy: str
    expected: str
    found: str
    at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class CopySummary:
    """How copying went for a subscriber lately, in lines of the history."""

    copied: int
    skipped: int
    waiting: int
    failed: int
    netted: int
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
    is_held_back: bool = False
    """What is missing is an entry, and `reason` keeps it back."""
    is_halted: bool = False
    """Entries wait for the subscriber after a drift."""
    least: Decimal | None = None
    """The smallest order there in quote, where the difference is below it."""
    missing: Decimal = Decimal(0)
    """What the difference is worth in quote."""
    step: Decimal | None = None
    """The exchange's step of the quantity; None where it is not known."""
    is_paper: bool = False


@dataclass(frozen=True, slots=True)
class HaltedRow:
    """A subscription whose entries in some symbols wait for its owner after a drift."""

    subscription_id: UUID
    trader_name: str
    symbols: list[str]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What copying has to do, for operators."""

    legs_due: int
    oldest_due_at: datetime | None
    orders_on_their_way: int
    orders_unknown: int
    oldest_unknown_at: datetime | None
    parts_pending: int
