"""The way of the prices: a value in ticks every fifteen seconds, from a model with regimes or from recorded candles."""

import csv
import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from copytrade.sandbox.exchange.instruments import BY_SYMBOL, PERPETUALS, Instrument

KNOT_MS = 15_000
DAY_MS = 86_400_000
BLOCK = 960
"""Knots made at once: four hours."""
_KNOTS_A_DAY = DAY_MS // KNOT_MS
_TABLE = 8192


@dataclass(frozen=True, slots=True)
class Regime:
    """How a day goes: drift and volatility of the market's logarithm, by the day."""

    chance: float
    drift: float
    volatility: float


REGIMES = (
    Regime(0.34, 0.0, 0.014),
    Regime(0.25, 0.024, 0.022),
    Regime(0.19, -0.016, 0.024),
    Regime(0.18, 0.0, 0.040),
    Regime(0.04, -0.070, 0.055),
)
_PULL = 0.06
"""Part of the way back to its base price that a price is drawn in a day."""


class PricePath:
    """Prices at knots since `genesis`; grows by blocks, each of which follows from the seed and the knot before it."""

    def __init__(self, *, seed: int, genesis: int, folder: Path | None = None) -> None:
        self.seed = seed
        self.genesis = genesis
        self.knots: list[array[int]] = [array("i") for _ in PERPETUALS]
        self.length = 0
        self._folder = folder
        rng = random.Random(f"{seed}:noise")
        half = [max(-4.0, min(4.0, rng.gauss(0.0, 1.0))) for _ in range(_TABLE // 2)]
        noise = half + [-draw for draw in half]
        rng.shuffle(noise)
        self._noise = noise + noise[:BLOCK]
        if folder is not None:
            self._load(folder)

    def at(self, index: int, ms: int) -> int:
        """Return the price in ticks of an instrument at a time not before genesis."""
        since = ms - self.genesis
        knot = since // KNOT_MS
        if knot + 1 >= self.length:
            self.grow_to(ms)
        knots = self.knots[index]
        here = knots[knot]
        return here + (knots[knot + 1] - here) * (since - knot * KNOT_MS) // KNOT_MS

    def span(self, index: int, start: int, end: int) -> "array[int]":
        """Return the knots that lie around the times from `start` to `end`."""
        self.grow_to(end)
        first = max(0, (start - self.genesis) // KNOT_MS)
        return self.knots[index][first : max(first, (end - self.genesis) // KNOT_MS) + 2]

    def grow_to(self, ms: int) -> None:
        """Make blocks until the time lies before the last knot."""
        while (ms - self.genesis) // KNOT_MS + 2 > self.length:
            self._grow()

    def shift(self, index: int, ms: int, price: int) -> None:
        """Go on from `price` at `ms`: what has been made of the future is scaled, the past stays."""
        factor = price / self.at(index, ms)
        first = (ms - self.genesis) // KNOT_MS
        knots = self.knots[index]
        knots[first] = price
        for position in range(first + 1, self.length):
            knots[position] = max(2, round(knots[position] * factor))
        self._save()

    def hold(self, index: int, ms: int, price: int) -> None:
        """Write down that the price stood at `price`, for the candles."""
        self.grow_to(ms)
        first = (ms - self.genesis) // KNOT_MS
        self.knots[index][first] = self.knots[index][first + 1] = price

    def read_candles(self, file: Path) -> None:
        """Begin with recorded one-minute candles: a CSV with symbol, open_time, open, high, low, close."""
        rows: dict[str, list[tuple[float, float, float, float]]] = {}
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["symbol"] in BY_SYMBOL:
                    candle = (float(row["open"]), float(row["high"]), float(row["low"]), float(row["close"]))
                    rows.setdefault(row["symbol"], []).append(candle)
        longest = max((len(candles) for candles in rows.values()), default=0) * (60_000 // KNOT_MS)
        self.grow_to(self.genesis + longest * KNOT_MS)
        for symbol, candles in rows.items():
            self._lay(BY_SYMBOL[symbol], candles)
        self._save()

    def _lay(self, instrument: Instrument, candles: Sequence[tuple[float, float, float, float]]) -> None:
        scale = 10**instrument.price_decimals
        knots = self.knots[instrument.index]
        position = 0
        for opened, high, low, closed in candles:
            between = (low, high) if closed >= opened else (high, low)
            for price in (opened, *between, closed):
                knots[position] = max(2, round(price * scale))
                position += 1
        factor = knots[position - 1] / knots[position]
        for rest in range(position, self.length):
            knots[rest] = max(2, round(knots[rest] * factor))

    def _grow(self) -> None:
        number = self.length // BLOCK
        regime = _regime(random.Random(f"{self.seed}:day:{number * BLOCK // _KNOTS_A_DAY}"))
        rng = random.Random(f"{self.seed}:block:{number}")
        common = self._draw(rng)
        for instrument, knots in zip(PERPETUALS, self.knots, strict=True):
            base = instrument.base_price * 10**instrument.price_decimals
            last = math.log(knots[-1] / base) if knots else 0.0
            drift = (regime.drift * instrument.beta - _PULL * last) / _KNOTS_A_DAY
            volatility = regime.volatility * instrument.volatility / math.sqrt(_KNOTS_A_DAY)
            shared, own = volatility * 0.75, volatility * 0.66
            steps = [drift + shared * c + own * o for c, o in zip(common, self._draw(rng), strict=True)]
            exp = math.exp
            way = [round(base * exp(x)) for x in accumulate(steps, initial=last)]
            knots.extend(way[1:] if knots else way[:-1])
        self.length += BLOCK
        self._save(since=self.length - BLOCK)

    def _draw(self, rng: random.Random) -> list[float]:
        first = rng.randrange(_TABLE)
        return self._noise[first : first + BLOCK]

    def _save(self, *, since: int = 0) -> None:
        if self._folder is None:
            return
        for instrument, knots in zip(PERPETUALS, self.knots, strict=True):
            file = self._folder / f"{instrument.symbol}.knots"
            with file.open("r+b" if since and file.exists() else "wb") as out:
                out.seek(since * knots.itemsize)
                out.write(knots[since:].tobytes())

    def _load(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for instrument, knots in zip(PERPETUALS, self.knots, strict=True):
            file = folder / f"{instrument.symbol}.knots"
            content = file.read_bytes() if file.exists() else b""
            knots.frombytes(content[: len(content) // knots.itemsize * knots.itemsize])
        self.length = min(len(knots) for knots in self.knots) // BLOCK * BLOCK
        for knots in self.knots:
            del knots[self.length :]


class StillPath(PricePath):
    """No way at all: of a market that is fed its prices and remembers none of them."""

    def __init__(self, genesis: int) -> None:
        self.genesis = genesis
        self._now: dict[int, int] = {}

    def at(self, index: int, ms: int) -> int:
        """Return the newest price."""
        return self._now.get(index, 2)

    def span(self, index: int, start: int, end: int) -> "array[int]":
        """Return the newest price twice."""
        return array("q", [self.at(index, start)] * 2)

    def grow_to(self, ms: int) -> None:
        """Do nothing."""

    def hold(self, index: int, ms: int, price: int) -> None:
        """Remember the newest price."""
        self._now[index] = price


def _regime(rng: random.Random) -> Regime:
    return rng.choices(REGIMES, weights=[regime.chance for regime in REGIMES])[0]
