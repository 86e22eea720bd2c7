"""Round trips of an account: positions from flat to flat at average cost, with realized PnL, fees and funding apart.

The average entry price changes only by increases; a decrease realizes (price − average) × quantity, as Binance, Bybit
and Bitget show it. A fill larger than the position closes it and opens the opposite one with its rest.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal

from copytrade.domain.instruments import PositionSide

ZERO = Decimal(0)
EXACT = Context(prec=38)
BREAK_EVEN = Decimal("1e-8")
"""A net result smaller than this is neither a win nor a loss."""
DUST_SHARE, DUST_WORTH = Decimal("0.01"), Decimal(5)
"""On spot a position is flat when less than this share of its peak is left, worth less than this in quote: fees taken
in base and the venue's step leave a rest of nearly every position that no order can sell."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill: `quantity` signed in base, `price` and `fee` in quote (a rebate is negative).

    `base_fee` was taken out of the base; `only_closes` marks sales on spot.
    """

    symbol: str
    quantity: Decimal
    price: Decimal
    at: datetime
    fee: Decimal = ZERO
    base_fee: Decimal = ZERO
    position_side: PositionSide = PositionSide.NET
    only_closes: bool = False
    is_liquidation: bool = False


@dataclass(frozen=True, slots=True)
class Funding:
    """One funding payment in quote; positive was received."""

    symbol: str
    amount: Decimal
    at: datetime
    position_side: PositionSide | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """A position from flat to flat (`closed_at` set) or still open; quantities ≥ 0, money in quote.

    `cost` and `open_fee` belong to the quantity still open. `is_estimated`: it was open before the known history.
    """

    symbol: str
    position_side: PositionSide
    is_long: bool
    opened_at: datetime
    closed_at: datetime | None = None
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    open_fee: Decimal = ZERO
    peak_quantity: Decimal = ZERO
    entry_quantity: Decimal = ZERO
    entry_notional: Decimal = ZERO
    exit_quantity: Decimal = ZERO
    exit_notional: Decimal = ZERO
    gross: Decimal = ZERO
    fee: Decimal = ZERO
    funding: Decimal = ZERO
    fills: int = 0
    is_liquidated: bool = False
    is_estimated: bool = False

    @property
    def is_dust(self) -> bool:
        """Return whether it is only the unsellable rest of an earlier trip."""
        return not self.fills and not self.is_estimated

    @property
    def sign(self) -> int:
        """Return +1 for a long and −1 for a short position."""
        return 1 if self.is_long else -1

    @property
    def net(self) -> Decimal:
        """Return the realized result after fees and funding."""
        return self.gross - self.fee + self.funding

    @property
    def average_price(self) -> Decimal | None:
        """Return the average entry price of what is still open."""
        return EXACT.divide(self.cost, self.quantity) if self.quantity else None

    @property
    def entry_price(self) -> Decimal | None:
        """Return the average price of all entries."""
        return EXACT.divide(self.entry_notional, self.entry_quantity) if self.entry_quantity else None

    @property
    def exit_price(self) -> Decimal | None:
        """Return the average price of all exits so far."""
        return EXACT.divide(self.exit_notional, self.exit_quantity) if self.exit_quantity else None

    @property
    def holding(self) -> timedelta | None:
        """Return the time from the first entry to flat."""
        return self.closed_at - self.opened_at if self.closed_at else None

    def unrealized(self, mark: Decimal) -> Decimal:
        """Return what closing the open quantity at `mark` would realize before fees."""
        return (self.quantity * mark - self.cost) * self.sign


@dataclass(frozen=True, slots=True)
class Realization:
    """What one fill realized; `fee` is its own plus the entry fees of the part that it closed."""

    symbol: str
    at: datetime
    quantity: Decimal
    gross: Decimal
    fee: Decimal

    @property
    def net(self) -> Decimal:
        """Return the result after fees."""
        return self.gross - self.fee
