"""Our orders: what is asked of a venue, what the venue says of it, and how an attempt may come out."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from copytrade.domain.instruments import PositionSide, Side


class OrderKind(StrEnum):
    """Limit that takes what it can and ends, market, or a resting limit."""

    LIMIT_IOC = "limit_ioc"
    MARKET = "market"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as it goes to a venue; `quantity` > 0 in base units on the step, `price` on the tick or None."""

    symbol: str
    side: Side
    quantity: Decimal
    kind: OrderKind
    client_order_id: str
    price: Decimal | None = None
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.NET


class VenueOrderStatus(StrEnum):
    """State of an order at the venue."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """What a venue says of one order; `filled` is cumulative, in base units."""

    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    filled: Decimal
    average_price: Decimal | None
    status: VenueOrderStatus
    venue_time: datetime | None
    fee: Decimal | None = None
    fee_asset: str = ""
    is_liquidation: bool = False
    """Whether the venue itself placed it to close a position."""
    quote_quantity: Decimal | None = None
    """What it may spend, where it was given in quote (a spot market buy); `quantity` says little then."""

    @property
    def has_ended(self) -> bool:
        return self.status is not VenueOrderStatus.OPEN


class OutcomeKind(StrEnum):
    """The five ways in which sending an order may come out (copy-engine, Never twice, 3)."""

    PLACED = "placed"
    REFUSED = "refused"
    """Refused for certain: nothing was placed."""
    NOT_SENT = "not_sent"
    """Proven not to have been executed, may be repeated (connect refused, clock skew, rate limit)."""
    DUPLICATE = "duplicate"
    """The venue knows this id already: placed, if side, quantity and time agree."""
    UNKNOWN = "unknown"


class Refusal(StrEnum):
    """Why a venue refused, as far as our next step depends on it."""

    FUNDS = "funds"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    LEVERAGE = "leverage"
    MIN_NOTIONAL = "min_notional"
    PRICE = "price"
    QUANTITY = "quantity"
    POSITION_MODE = "position_mode"
    MARKET_CLOSED = "market_closed"
    CREDENTIALS = "credentials"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How sending an order came out. `sent_at` is the real time it was signed with; None if it never left."""

    kind: OutcomeKind
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    order: VenueOrder | None = None
    refusal: Refusal | None = None
    venue_code: str = ""
    message: str = ""
    """A short text without secrets, for the log and the operator."""
    retry_after: float | None = None
