"""The market as the venue shows it: best prices, a book with depth, mark price, funding rate, candles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from copytrade.sandbox.exchange.clock import Clock
from copytrade.sandbox.exchange.instruments import FIRST_SPOT, INSTRUMENTS, Instrument
from copytrade.sandbox.exchange.orders import BUY
from copytrade.sandbox.exchange.path import DAY_MS, KNOT_MS, PricePath

FUNDING_MS = 8 * 3_600_000
LEVELS = 50
_MIX = 2_654_435_761


@dataclass(slots=True)
class FixedBook:
    """A book somebody laid out: levels (ticks, steps), best first; orders consume it."""

    bids: list[list[int]] = field(default_factory=list)
    asks: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Candle:
    """Prices in ticks, volume in steps, turnover in money units."""

    open_time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int
    trades: int


class Market:
    """Prices at the clock's time; some may be held still or laid out by hand."""

    def __init__(self, path: PricePath, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self.held: dict[int, int] = {}
        self.books: dict[int, FixedBook] = {}
        self.halted: set[int] = set()
        self.delisted: set[int] = set()
        self.tops: dict[int, tuple[int, int]] = {}
        """Best bid and ask in ticks where a venue's stream tells them (paper)."""
        self.rates: dict[int, int] = {}
        """Funding rates in 10⁻⁸ where a venue's stream tells them (paper)."""
        self._extremes: dict[tuple[int, int], tuple[int, int]] = {}

    def price(self, index: int) -> int:
        """Return the mark price in ticks, now."""
        held = self.held.get(index)
        if held is not None:
            return held
        if index < FIRST_SPOT:
            return self.path.at(index, self.clock.now())
        rules = INSTRUMENTS[index]
        return rules.follow(self.price(rules.source))

    def price_at(self, index: int, ms: int) -> int:
        """Return the price in ticks at a time; before the market began, its first price; of one that is fed, now's."""
        if index in self.tops:
            return self.price(index)
        if index < FIRST_SPOT:
            return self.path.at(index, max(self.path.genesis, ms))
        rules = INSTRUMENTS[index]
        return rules.follow(self.price_at(rules.source, ms))

    def span(self, index: int, start: int, end: int) -> Sequence[int]:
        """Return the prices at the knots that lie around the times from `start` to `end`."""
        if index in self.tops:
            return [self.price(index)] * 2
        if index < FIRST_SPOT:
            return self.path.span(index, start, end)
        rules = INSTRUMENTS[index]
        return [rules.follow(ticks) for ticks in self.path.span(rules.source, start, end)]

    def best(self, index: int) -> tuple[int, int]:
        """Return best bid and ask in ticks; 0 where a laid-out side is empty."""
        book = self.books.get(index)
        if book is not None:
            return (book.bids[0][0] if book.bids else 0, book.asks[0][0] if book.asks else 0)
        if index in self.tops:
            return self.tops[index]
        price = self.price(index)
        return price, price + INSTRUMENTS[index].spread

    def edges(self, index: int) -> tuple[int, int]:
        """Return how far best bid and ask stand from the mark price, in ticks."""
        price, (bid, ask) = self.price(index), self.best(index)
        return bid - price, ask - price

    def levels(self, index: int, side: int) -> Iterator[tuple[int, int]]:
        """Yield the levels (ticks, steps) that an order of `side` would take, best first."""
        book = self.books.get(index)
        if book is not None:
            yield from [(price, steps) for price, steps in (book.asks if side == BUY else book.bids)]
            return
        instrument = INSTRUMENTS[index]
        bid, ask = self.best(index)
        start = ask if side == BUY else bid
        salt = self.clock.now() // 1000 * _MIX
        for level in range(LEVELS):
            price = start + side * level * instrument.gap
            if price <= 0:
                return
            jitter = 3 + ((salt + level * 40_503) >> 7) % 5
            yield price, max(1, instrument.depth_steps * (level + 2) * jitter // 8)

    def take(self, index: int, side: int, price: int, steps: int) -> None:
        """Remove what was traded from a laid-out book; the model's own book fills up again at once."""
        book = self.books.get(index)
        if book is None:
            return
        levels = book.asks if side == BUY else book.bids
        for level in levels:
            if level[0] == price:
                level[1] -= steps
        levels[:] = [level for level in levels if level[1] > 0]

    def note(self, index: int, price: int, ms: int) -> None:
        """Let the candle of this minute contain a trade's price."""
        minute = ms // 60_000
        low, high = self._extremes.get((index, minute), (price, price))
        self._extremes[index, minute] = (min(low, price), max(high, price))

    def funding_rate(self, index: int, at: int) -> int:
        """Return the rate of the funding time `at`, in 10⁻⁸: the way of the last eight hours leans it."""
        if index in self.rates:
            return self.rates[index]
        before = self.price_at(index, at - FUNDING_MS)
        lean = (self.price_at(index, at) - before) * 1_500_000 // max(1, before)
        return max(-750_000, min(750_000, 10_000 + lean))

    def next_funding(self) -> int:
        """Return the time of the next funding."""
        return (self.clock.now() // FUNDING_MS + 1) * FUNDING_MS

    def candles(self, index: int, *, interval: int, start: int, end: int, limit: int) -> list[Candle]:
        """Return at most `limit` candles that open from `start` to `end`, none of the time to come."""
        now = self.clock.now()
        first = -(-max(start, self.path.genesis) // interval) * interval
        rows: list[Candle] = []
        for opened in range(first, min(end, now) + 1, interval):
            if len(rows) == limit:
                break
            rows.append(self._candle(INSTRUMENTS[index], opened, min(opened + interval, now), now=now))
        return rows

    def day(self, index: int) -> Candle:
        """Return the last 24 hours as one candle."""
        now = self.clock.now()
        return self._candle(INSTRUMENTS[index], max(self.path.genesis, now - DAY_MS), now, now=now)

    def _candle(self, instrument: Instrument, opened: int, closed: int, *, now: int) -> Candle:
        index = instrument.index
        knots = self.span(index, opened, closed)
        inner = knots[1 : (closed - opened) // KNOT_MS + 1]
        first = self.price_at(index, opened)
        # The clock goes on meanwhile: by its next millisecond a held price would be the one that it walked to.
        last = self.price(index) if closed == now else self.price_at(index, closed)
        high, low = max(first, last, *inner), min(first, last, *inner)
        for minute in range(opened // 60_000, -(-closed // 60_000)) if self._extremes else ():
            seen = self._extremes.get((index, minute))
            if seen is not None:
                low, high = min(low, seen[0]), max(high, seen[1])
        volume = self._volume(instrument, opened, closed)
        turnover = volume * instrument.unit * (high + low + first + last) // 4
        return Candle(opened, first, high, low, last, volume, turnover, 1 + volume // max(1, instrument.depth_steps))

    def _volume(self, instrument: Instrument, opened: int, closed: int) -> int:
        share = 60 + (opened // 60_000 * _MIX + instrument.index * 7919 >> 9) % 80
        per_day = int(instrument.day_volume * 10**instrument.quantity_decimals)
        return per_day * (closed - opened) // DAY_MS * share // 100

    def records(self) -> Iterator[tuple[Any, ...]]:
        """Yield what somebody set by hand, as the store keeps it."""
        for index, price in self.held.items():
            yield ("held", index, price)
        for index, book in self.books.items():
            yield ("book", index, book.bids, book.asks)
        for index in self.halted:
            yield ("halted", index, True)
        for index in self.delisted:
            yield ("delisted", index, True)
