"""Lays what a venue's streams tell into the market of its exchange; what nobody tells a price of is not traded."""

import asyncio
import time
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path

import orjson

from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, INSTRUMENTS, SPOT_BY_SYMBOL, Instrument
from copytrade.sandbox.paper.sources import Line, Told

GONE_S = 3.0
"""A stream that is gone for so long leaves its symbols halted until it tells a price again."""
_RATE_DECIMALS = 8
_KNOWN = frozenset(row.index for row in INSTRUMENTS)


class Prices:
    """The prices of one venue's exchange, which are kept for a restart: positions are never valued by a guess."""

    def __init__(self, exchange: Exchange, file: Path, *, streams: int) -> None:
        self._exchange = exchange
        self._file = file
        self._fed: set[int] = set()
        self._gone: dict[Line, float] = {}
        self._streams = streams
        self.settled = asyncio.Event()
        """A price of every symbol was told, or no stream is there to tell one."""
        market = exchange.market
        market.books.clear()
        market.held.update({index: price for index, price in _kept(file).items() if index in _KNOWN})
        market.halted.update(_KNOWN)

    @property
    def fed(self) -> int:
        """Return of how many instruments a price was told since the start."""
        return len(self._fed)

    def hear(self, line: Line, told: Told) -> None:
        """Take what a frame tells; numbers that are none are passed over."""
        instrument = (SPOT_BY_SYMBOL if line.is_spot else BY_SYMBOL).get(told.symbol)
        if instrument is None:
            return
        try:
            self._take(instrument, told)
        except (InvalidOperation, OverflowError, ValueError, TypeError):
            return

    def came(self, line: Line) -> None:
        """Note that a stream is there."""
        self._gone.pop(line, None)

    def went(self, line: Line) -> None:
        """Note that a stream broke off."""
        self._gone.setdefault(line, time.monotonic())
        if len(self._gone) == self._streams:
            self.settled.set()

    def look(self) -> None:
        """Halt the symbols of streams that are gone for too long."""
        for line, since in self._gone.items():
            if time.monotonic() - since > GONE_S:
                self._halt(row.index for row in (SPOT_BY_SYMBOL if line.is_spot else BY_SYMBOL).values())

    def keep(self) -> None:
        """Write the prices down for the next start."""
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(sorted(self._exchange.market.held.items())))
        fresh.replace(self._file)

    def _halt(self, indexes: Iterable[int]) -> None:
        gone = set(indexes)
        self._fed -= gone
        self._exchange.market.halted.update(gone)

    def _take(self, instrument: Instrument, told: Told) -> None:
        market, index = self._exchange.market, instrument.index
        bid = _ticks(told.bid, instrument.price_decimals, ROUND_FLOOR)
        ask = _ticks(told.ask, instrument.price_decimals, ROUND_CEILING)
        before = market.tops.get(index, (0, 0))
        top = bid or before[0], ask or before[1]
        if 0 < top[0] < top[1]:
            market.tops[index] = top
        mark = _ticks(told.mark, instrument.price_decimals, ROUND_HALF_EVEN)
        if mark or (instrument.is_spot and index in market.tops):
            market.held[index] = mark or sum(market.tops[index]) // 2
        if told.rate:
            market.rates[index] = _units(told.rate, _RATE_DECIMALS, ROUND_HALF_EVEN)
        if index in market.tops and index in market.held:
            self._fed.add(index)
            market.halted.discard(index)
            if len(self._fed) == len(INSTRUMENTS):
                self.settled.set()


def _ticks(text: str, decimals: int, rounding: str) -> int:
    return max(0, _units(text, decimals, rounding)) if text else 0


def _units(text: str, decimals: int, rounding: str) -> int:
    return int(Decimal(text).scaleb(decimals).to_integral_value(rounding=rounding))


def _kept(file: Path) -> dict[int, int]:
    return dict(orjson.loads(file.read_bytes())) if file.exists() else {}
