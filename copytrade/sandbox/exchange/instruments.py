"""What can be traded: USDT-margined perpetuals and spot coins, with a real venue's steps, minimums and brackets."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from copytrade.sandbox.exchange.values import MONEY_DECIMALS, MONEY_UNIT
from copytrade.settings import settings

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
    """One perpetual, or one coin against USDT; ticks and steps are powers of ten."""

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
    is_spot: bool = False
    source: int = -1
    """The perpetual that a spot price follows."""
    ratio: tuple[int, int] = (1, 1)
    """Ticks of this for so many ticks of the source."""
    quote: str = QUOTE

    @cached_property
    def symbol(self) -> str:
        return self.base + self.quote

    @cached_property
    def lot(self) -> int:
        """Units of 10⁻⁸ of the base in one step."""
        return 10 ** (MONEY_DECIMALS - self.quantity_decimals)

    def follow(self, ticks: int) -> int:
        """Return the price that belongs to a price of the source."""
        return max(2, ticks * self.ratio[0] // self.ratio[1])

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


_PERPETUALS: tuple[Instrument, ...] = (
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
_COINS: tuple[tuple[str, int, int, float, str], ...] = (
    # base, price and quantity decimals, price where the source stands at its base price, source
    *(("BTC", 2, 5, 60_000.0, "BTC"), ("ETH", 2, 4, 3_000.0, "ETH"), ("SOL", 2, 3, 150.0, "SOL")),
    *(("XRP", 4, 1, 0.6, "XRP"), ("DOGE", 5, 0, 0.12, "DOGE"), ("BNB", 2, 3, 550.0, "BNB")),
    *(("ADA", 4, 1, 0.45, "ADA"), ("LINK", 3, 2, 14.0, "LINK"), ("LTC", 2, 3, 84.0, "ETH")),
    *(("AVAX", 3, 2, 28.0, "SOL"), ("DOT", 3, 2, 6.4, "ADA"), ("TRX", 5, 1, 0.16, "BNB")),
    *(("BCH", 1, 3, 410.0, "BTC"), ("UNI", 3, 2, 8.2, "LINK"), ("ATOM", 3, 2, 7.1, "ADA")),
    *(("NEAR", 3, 1, 5.2, "SOL"), ("APT", 3, 2, 9.3, "SOL"), ("ARB", 4, 1, 0.81, "ETH")),
    *(("OP", 4, 2, 1.72, "ETH"), ("FIL", 3, 2, 4.4, "LINK"), ("ETC", 3, 2, 19.6, "ETH")),
    *(("XLM", 4, 0, 0.11, "XRP"), ("ICP", 3, 2, 9.9, "ADA"), ("AAVE", 2, 3, 148.0, "ETH")),
    *(("INJ", 3, 2, 21.5, "LINK"), ("SUI", 4, 1, 1.24, "SOL"), ("TON", 3, 2, 5.6, "BNB")),
    *(("MNT", 4, 2, 0.74, "ETH"), ("BGB", 4, 2, 1.18, "BTC"), ("SHIB", 8, 0, 0.0000182, "DOGE")),
)


def _spot(index: int, base: str, price_decimals: int, quantity_decimals: int, price: float, follows: str) -> Instrument:
    source = next(perpetual for perpetual in _PERPETUALS if perpetual.base == follows)
    ticks = round(price * 10**price_decimals)
    largest = round(20_000_000 / price * 10**quantity_decimals)
    return Instrument(
        *(index, base, price_decimals, quantity_decimals, price, 24_000 / price, max(1, ticks // 5000)),
        *(source.volatility, source.beta, 300_000_000 / price),
        max_steps=largest,
        max_market_steps=largest // 5,
        is_spot=True,
        source=source.index,
        ratio=(ticks, round(source.base_price * 10**source.price_decimals)),
    )


class Table:
    """Instruments by their index; between perpetuals and spot there may be a gap."""

    def __init__(self, rows: Iterable[Instrument]) -> None:
        self._rows = {row.index: row for row in rows}

    def __getitem__(self, index: int) -> Instrument:
        return self._rows[index]

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)


LISTED_SPOT = 100_000
"""Where spot begins in a venue's own list: what is listed later takes the next index of its kind."""
_FIRST_LEVEL_S = 1.0
"""A venue's own book is not known beyond its best prices: the model's first level holds what is traded in this time."""


def _read(listing: Path) -> tuple[tuple[Instrument, ...], tuple[Instrument, ...]]:
    """Return a venue's perpetuals and spot pairs as `paper.listing` wrote them down, in the order of the file."""
    rows = json.loads(listing.read_text())
    kinds = [[row for row in rows if row["is_spot"] is is_spot] for is_spot in (False, True)]
    perpetuals, spots = (
        tuple(_of_venue(first + number, row) for number, row in enumerate(kind))
        for first, kind in zip((0, LISTED_SPOT), kinds, strict=True)
    )
    return perpetuals, spots


def _of_venue(index: int, row: dict[str, Any]) -> Instrument:
    price, volume = float(row["price"]), float(row["volume"])
    ticks = round(price * 10 ** row["price_decimals"])
    return Instrument(
        *(index, row["base"], row["price_decimals"], row["quantity_decimals"], price),
        *(volume * _FIRST_LEVEL_S / 86_400, max(1, ticks // 20_000), 1.0, 1.0, volume),
        max_leverage=row["max_leverage"],
        min_notional=row["min_notional"],
        max_steps=row["max_steps"],
        max_market_steps=row["max_market_steps"],
        is_spot=row["is_spot"],
    )


_SPOTS: tuple[Instrument, ...] = tuple(_spot(len(_PERPETUALS) + number, *row) for number, row in enumerate(_COINS))
_LISTING = settings().paper_listing
PERPETUALS, SPOTS = _read(_LISTING) if _LISTING else (_PERPETUALS, _SPOTS)
"""Of a process that serves paper accounts the venue's own list, else the sandbox's."""
FIRST_SPOT = LISTED_SPOT if _LISTING else len(PERPETUALS)
"""Instruments from this index on are spot."""
INSTRUMENTS = Table((*PERPETUALS, *SPOTS))
BY_SYMBOL = {instrument.symbol: instrument for instrument in PERPETUALS}
SPOT_BY_SYMBOL = {instrument.symbol: instrument for instrument in SPOTS}
SPOT_BY_BASE = {instrument.base: instrument for instrument in SPOTS}
