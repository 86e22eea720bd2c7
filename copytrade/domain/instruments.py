"""What is traded and where: venues, markets, sides, instruments and the venue's rules for a symbol."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from enum import StrEnum


class Venue(StrEnum):
    """An exchange as a place."""

    BINANCE = "binance"
    BYBIT = "bybit"
    BITGET = "bitget"


class Market(StrEnum):
    """Spot, or perpetuals margined in USDT."""

    SPOT = "spot"
    PERPETUAL = "perpetual"


class Role(StrEnum):
    """Which end of a copy an exchange account is."""

    LEAD = "lead"
    COPY = "copy"


class Side(StrEnum):
    """Buy or sell; `sign` is +1 or -1."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @staticmethod
    def of(quantity: Decimal) -> "Side":
        """Return the side that moves a position by the signed `quantity`."""
        return Side.BUY if quantity > 0 else Side.SELL


class PositionSide(StrEnum):
    """One-way mode and spot know `net` only; hedge mode has a long and a short position."""

    NET = "net"
    LONG = "long"
    SHORT = "short"


class MarginMode(StrEnum):
    """Whether positions share the account's margin or each has its own; spot counts as cross."""

    CROSS = "cross"
    ISOLATED = "isolated"


@dataclass(frozen=True, slots=True)
class Instrument:
    """A position's address: on spot `symbol` is the base asset with its quote (`BTC/USDT`), on perpetuals ccxt's."""

    venue: Venue
    market: Market
    symbol: str
    position_side: PositionSide = PositionSide.NET


@dataclass(frozen=True, slots=True)
class MarketRules:
    """What a venue demands of orders in a symbol; quantities in base units, prices and notionals in quote."""

    symbol: str
    base: str
    quote: str
    quantity_step: Decimal
    price_tick: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal
    contract_size: Decimal = Decimal(1)
    exits_exempt_from_minimum: bool = True
    """Whether a reduce-only order may be under the minimum notional."""
    price_band_up: Decimal = Decimal("1.05")
    """A limit price may be at most this times the mark price."""
    price_band_down: Decimal = Decimal("0.95")
    max_leverage: int = 125
    is_active: bool = True

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Return `quantity` rounded towards zero to the step, sign kept."""
        return (quantity / self.quantity_step).to_integral_value(rounding=ROUND_DOWN) * self.quantity_step

    def round_price_inward(self, price: Decimal, *, side: Side) -> Decimal:
        """Return a limit price on the tick that is never worse for us than `price`: down for a buy, up for a sell."""
        rounding = ROUND_DOWN if side is Side.BUY else ROUND_UP
        return (price / self.price_tick).to_integral_value(rounding=rounding) * self.price_tick


def unlisted(symbol: str) -> MarketRules:
    """Return rules by which a symbol is reckoned that its venue does not list: any quantity, and no order ever."""
    pair, _, _ = symbol.partition(":")
    base, _, quote = pair.partition("/")
    finest = Decimal("1e-18")
    return MarketRules(
        symbol=symbol,
        base=base,
        quote=quote,
        quantity_step=finest,
        price_tick=finest,
        min_quantity=finest,
        max_quantity=Decimal(0),
        max_market_quantity=Decimal(0),
        min_notional=Decimal(0),
        is_active=False,
    )
