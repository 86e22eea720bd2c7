"""What is asked the same way in both markets of a classic Bitget account, under the names of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from copytrade import clock
from copytrade.domain.fills import Candle, Fill, KeyPermissions, Quote
from copytrade.domain.orders import VenueOrder
from copytrade.exchanges.account_client import AccountClient
from copytrade.exchanges.alike import turnovers
from copytrade.exchanges.bitget import keys, paging, shapes
from copytrade.exchanges.port import FillPage
from copytrade.exchanges.rows import ReadRow
from copytrade.exchanges.values import ms_of


@dataclass(frozen=True, slots=True)
class Interface:
    """One market's calls, the fields that all of them want, and how their answers are read."""

    product: dict[str, str]
    fills: str
    fill_rows: Callable[[Any], Any]
    fill: ReadRow[Fill]
    orders: tuple[str, str]
    """The open ones before those that ended: an order that ends meanwhile is in the list that is read after."""
    order_rows: Callable[[Any], Any]
    order: ReadRow[VenueOrder]
    ticker: str
    tickers: str
    candles: str
    grains: Mapping[str, tuple[str, timedelta]]


class BitgetAccount(AccountClient):
    """One account in one of the two markets."""

    _market: ClassVar[Interface]

    async def permissions(self) -> KeyPermissions:
        return await keys.permissions(self._wire)

    async def traded_symbols(self, *, since: datetime) -> set[str]:
        """Return the symbols of all executions since: the venue lists them for the whole account."""
        return self._named(await paging.all_rows(self._fill_rows(), asked=self._since(since), id_field="tradeId"))

    async def fills(self, symbol: str, *, cursor: str, since: datetime | None) -> FillPage:
        now = self._venue_now()
        return await paging.fills(
            self._fill_rows(symbol=self._id(symbol)),
            cursor=cursor,
            since=now - paging.KEPT if since is None else since,
            now=now,
            parse=lambda row: self._market.fill(row, symbol=symbol),
        )

    async def quote(self, symbol: str) -> Quote:
        body = await self._wire.ask(self._market.ticker, {**self._market.product, "symbol": self._id(symbol)})
        return self._wire.read(lambda answer: shapes.quote(answer["data"][0], symbol=symbol, read_at=clock.now()), body)

    async def _quotes(self, wanted: Mapping[str, str]) -> dict[str, Quote]:
        body = await self._wire.ask(self._market.tickers, self._market.product)
        return self._wire.read(lambda answer: shapes.quotes(answer["data"], wanted, read_at=clock.now()), body)

    async def _day_rows(self) -> list[tuple[str, Decimal]]:
        body = await self._wire.ask(self._market.tickers, self._market.product)
        return self._wire.read(lambda told: turnovers(told["data"], symbol="symbol", amount="quoteVolume"), body)

    async def open_orders(self, symbol: str) -> list[VenueOrder]:
        rows = self._rows(self._market.orders[0], self._market.order_rows, symbol=self._id(symbol))
        page = await paging.all_rows(rows, asked={}, id_field="orderId")
        return self._wire.read(lambda listed: [self._market.order(row, symbol=symbol) for row in listed], page)

    async def candles(self, symbol: str, *, interval: str, since: datetime, until: datetime) -> list[Candle]:
        grain, length = self._market.grains[interval]
        asked = {**self._market.product, "symbol": self._id(symbol), "granularity": grain}
        return await paging.candles(
            self._wire, self._market.candles, asked=asked, interval=length, since=since, until=until
        )

    async def order_fills(self, symbol: str, venue_order_id: str) -> list[Fill]:
        rows = self._fill_rows(symbol=self._id(symbol), orderId=venue_order_id)
        found = await paging.all_rows(rows, asked={}, id_field="tradeId")
        return self._wire.read(lambda page: [self._market.fill(row, symbol=symbol) for row in page[::-1]], found)

    async def recent_orders(self, symbol: str, *, since: datetime) -> list[VenueOrder]:
        asked = self._since(since)
        found: dict[str, VenueOrder] = {}
        for method in self._market.orders:
            rows = self._rows(method, self._market.order_rows, symbol=self._id(symbol))
            page = await paging.all_rows(rows, asked=asked, id_field="orderId")
            orders = self._wire.read(lambda listed: [self._market.order(row, symbol=symbol) for row in listed], page)
            found |= {order.venue_order_id: order for order in orders}
        return sorted(found.values(), key=lambda order: int(order.venue_order_id))

    def _named(self, rows: list[Any]) -> set[str]:
        return {self._symbol(row["symbol"]) for row in rows if isinstance(row.get("symbol"), str)}

    def _since(self, since: datetime) -> dict[str, Any]:
        now = self._venue_now()
        return paging.span(ms_of(max(since, now - paging.KEPT)), ms_of(now) + 1000)

    def _fill_rows(self, **filters: str) -> paging.Rows:
        return self._rows(self._market.fills, self._market.fill_rows, **filters)

    def _rows(self, method: str, at: Callable[[Any], Any], **filters: str) -> paging.Rows:
        return paging.rows_of(self._wire, method, {**self._market.product, **filters}, at=at)
