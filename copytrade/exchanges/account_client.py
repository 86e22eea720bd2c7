"""What the clients of all venues have in common: the shared markets, the venue's clock and names, who quotes."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from copytrade import clock
from copytrade.domain.fills import AccountState, Equity, Quote
from copytrade.domain.instruments import MarketRules
from copytrade.exchanges.naming import id_of, symbol_of
from copytrade.exchanges.port import AccountRef
from copytrade.exchanges.values import moment
from copytrade.exchanges.wire import Wire


class AccountClient(ABC):
    """One account in one market of a venue; the rest of the port (ExchangeClient) is the venue's."""

    _few: ClassVar[int] = 3
    """Up to this many symbols are quoted one by one, more by the call for all of them."""

    def __init__(self, *, ref: AccountRef, wire: Wire) -> None:
        self.ref = ref
        self._wire = wire

    async def server_time(self) -> datetime:
        return moment(await self._wire.ground.venue_ms())

    async def rules(self) -> dict[str, MarketRules]:
        await self._wire.ground.ready()
        return self._wire.ground.rules

    async def max_leverage(self, symbol: str) -> int:
        return (await self.rules())[symbol].max_leverage

    async def day_volumes(self) -> dict[str, Decimal]:
        rows = await self._day_rows()
        symbols = self._wire.ground.symbols
        return {symbols[name]: turnover for name, turnover in rows if name in symbols}

    @abstractmethod
    async def _day_rows(self) -> list[tuple[str, Decimal]]:
        """Return the turnover of 24 hours by the venue's names of symbols; a row that cannot be read is left out."""

    @abstractmethod
    async def state(self) -> AccountState: ...

    async def equity(self) -> Equity:
        return (await self.state()).equity

    @abstractmethod
    async def quote(self, symbol: str) -> Quote: ...

    async def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        if len(symbols) > self._few:
            return await self._quotes({self._id(symbol): symbol for symbol in symbols})
        found = await asyncio.gather(*(self.quote(symbol) for symbol in symbols))
        return {quote.symbol: quote for quote in found}

    @abstractmethod
    async def _quotes(self, wanted: Mapping[str, str]) -> dict[str, Quote]:
        """Return the quotes of many symbols, which are given by the venue's names of them, out of those of all."""

    def _venue_now(self) -> datetime:
        return clock.now() - timedelta(milliseconds=self._wire.ground.offset_ms())

    def _id(self, symbol: str) -> str:
        return id_of(self._wire.ground, symbol)

    def _symbol(self, venue_symbol: str) -> str:
        return symbol_of(self._wire.ground, venue_symbol)
