"""What can be traded: USDT-margined perpetuals with the steps, minimums and leverage brackets of a real venue."""

from dataclasses import dataclass
from functools import cached_property

from copytrade.sandbox.exchange.values import MONEY_DECIMALS, MONEY_UNIT

QUOTE = "USDT"
TAKER_PPM = 500
MAKER_PPM = 200
"""Fees in millionths of the notional."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """Up to `cap` of notional (money units) a position may have `leverage` and must keep `maintenance_ppm`."""

    cap: int
    leverage: int
    maintenance_ppm: int
    floor: int
    deduction: int
    """Subtracted from notional × rate, so that the requirement is continuous over the brackets."""


@dataclass(frozen=True)
class Instrument:
    """One perpetual; ticks and steps are powers of ten."""

    index: int
    base: str
    price_decimals: int
    quantity_decimals: int
    base_price: float
    """Where the price model starts and what it is drawn back to."""
    depth: float
    """Base units on the first level of the model's book."""
    gap: int
    """Ticks between the levels of the model's book."""
    volatility: float
    """Of the price model, relative to the market's."""
    beta: float
    """How much of the market's moves it takes along."""
    day_volume: float
    """Base units traded in an ordinary day."""
    max_leverage: int = 75
    spread: int = 1
    min_notional: int = 5 * MONEY_UNIT
    max_steps: int = 10**7
    max_market_steps: int = 2 * 10**6
    band_ppm: int = 50_000
    """A limit price may be this far on the wrong side of the mark price, in millionths."""

    @cached_property
    def symbol(self) -> str:
        return self.base + QUOTE

    @cached_property
    def unit(self) -> int:
        """Money units of one tick times one step."""
        return 10 ** (MONEY_DECIMALS - self.price_decimals - self.quantity_decimals)

    @cached_property
    def depth_steps(self) -> int:
        return max(1, round(self.depth * 10**self.quantity_decimals))

    @cached_property
    def brackets(self) -> tuple[Bracket, ...]:
        return _brackets(self.max_leverage)

    def bracket(self, notional: int) -> Bracket:
        """Return the bracket that a position of this notional is in."""
        for bracket in self.brackets:
            if notional <= bracket.cap:
                return bracket
        return self.brackets[-1]

    def maintenance(self, notional: int) -> int:
        """Return the maintenance margin of a position, in money units."""
        bracket = self.bracket(notional)
        return notional * bracket.maintenance_ppm // 1_000_000 - bracket.deduction

    def largest(self, leverage: int) -> int:
        """Return the largest notional allowed with this leverage."""
        return max((b.cap for b in self.brackets if b.leverage >= leverage), default=0)


_LADDER = (
    (50_000, 125, 4_000),
    (600_000, 100, 5_000),
    (3_000_000, 75, 6_500),
    (12_000_000, 50, 10_000),
    (70_000_000, 25, 20_000),
    (100_000_000, 20, 25_000),
    (230_000_000, 10, 50_000),
    (480_000_000, 5, 100_000),
    (1_200_000_000, 2, 250_000),
    (1_800_000_000, 1, 500_000),
)


def _brackets(max_leverage: int) -> tuple[Bracket, ...]:
    scale = 1 if max_leverage >= 125 else 5
    brackets: list[Bracket] = []
    floor = deduction = 0
    rate_before = 0
    for cap, leverage, rate in _LADDER:
        if leverage > max_leverage:
            continue
        deduction += floor * (rate - rate_before) // 1_000_000
        top = cap * MONEY_UNIT // scale
        brackets.append(Bracket(top, leverage, rate, floor, deduction))
        floor, rate_before = top, rate
    return tuple(brackets)


INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument(
        0, "BTC", 1, 3, 60_000.0, 0.8, 20, 1.0, 1.0, 180_000, 125, max_steps=1_000_000, max_market_steps=120_000
    ),
    Instrument(1, "ETH", 2, 3, 3_000.0, 12, 10, 1.25, 1.1, 2_500_000, 125, max_market_steps=2_000_000),
    Instrument(2, "SOL", 2, 2, 150.0, 180, 1, 1.7, 1.3, 9_000_000),
    Instrument(3, "XRP", 4, 1, 0.6, 40_000, 1, 1.5, 1.0, 900_000_000, max_steps=10**8, max_market_steps=2 * 10**7),
    Instrument(4, "DOGE", 5, 0, 0.12, 150_000, 1, 1.9, 1.2, 5_000_000_000, max_steps=10**8, max_market_steps=3 * 10**7),
    Instrument(5, "BNB", 2, 2, 550.0, 40, 2, 1.1, 0.8, 600_000),
    Instrument(6, "ADA", 4, 0, 0.45, 50_000, 1, 1.6, 1.1, 400_000_000, max_steps=10**8, max_market_steps=2 * 10**7),
    Instrument(7, "LINK", 3, 2, 14.0, 1_500, 2, 1.6, 1.1, 20_000_000),
)
BY_SYMBOL = {instrument.symbol: instrument for instrument in INSTRUMENTS}
