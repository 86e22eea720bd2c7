"""What is asked the same way of Binance's two interfaces, under the names of each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from copytrade.domain.fills import Candle, Fill
from copytrade.domain.orders import OrderRequest, Outcome, VenueOrder
from copytrade.exchanges.account_client import AccountClient
from copytrade.exchanges.alike import turnovers
from copytrade.exchanges.binance import paging
from copytrade.exchanges.port import FillPage
from copytrade.exchanges.rows import ReadRow


@dataclass(frozen=True, slots=True)
class Interface:
    """One market's calls, what is sent, and how its answers are read."""

    trades: paging.Trades
    candles: str
    place: str
    look_up: str
    cancel: str
    open_orders: str
    day: str
    request: Callable[..., dict[str, Any]]
    order: ReadRow[VenueOrder]


class BinanceAccount(AccountClient):
    """One account in one of the two markets."""

    _market: ClassVar[Interface]

    async def fills(self, symbol: str, *, cursor: str, since: datetime | None) -> FillPage:
        return await paging.fills(
            self._wire, symbol, trades=self._market.trades, cursor=cursor, since=since, now=self._venue_now()
        )

    async def candles(self, symbol: str, *, interval: str, since: datetime, until: datetime) -> list[Candle]:
        return await paging.candles(
            self._wire, self._market.candles, self._id(symbol), interval=interval, since=since, until=until
        )

    async def place(self, request: OrderRequest, *, not_after: datetime) -> Outcome:
        """Send one order once, in base quantity. ValueError for what the market does not have."""

        def placed(body: Any) -> VenueOrder:
            order = self._market.order(body, symbol=request.symbol)
            if order.client_order_id != request.client_order_id:
                raise ValueError("the answer speaks of another order")
            return order

        parameters = self._market.request(request, venue_symbol=self._id(request.symbol))
        return await self._wire.submit(self._market.place, parameters, not_after=not_after, parse=placed)

    async def look_up(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        return await self._find(self._market.look_up, symbol, origClientOrderId=client_order_id)

    async def order(self, symbol: str, venue_order_id: str) -> VenueOrder | None:
        return await self._find(self._market.look_up, symbol, orderId=venue_order_id)

    async def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        return await self._find(self._market.cancel, symbol, origClientOrderId=client_order_id)

    async def open_orders(self, symbol: str) -> list[VenueOrder]:
        rows = await self._wire.ask(self._market.open_orders, {"symbol": self._id(symbol)})
        return self._wire.read(lambda body: [self._market.order(row, symbol=symbol) for row in body], rows)

    async def _day_rows(self) -> list[tuple[str, Decimal]]:
        rows = await self._wire.ask(self._market.day)
        return self._wire.read(lambda body: turnovers(body, symbol="symbol", amount="quoteVolume"), rows)

    async def order_fills(self, symbol: str, venue_order_id: str) -> list[Fill]:
        asked = {"symbol": self._id(symbol), "orderId": venue_order_id, "limit": paging.PAGE}
        rows = await self._wire.ask(self._market.trades.method, asked)
        return self._wire.read(lambda body: [self._market.trades.read(row, symbol=symbol) for row in body], rows)

    async def _find(self, method: str, symbol: str, **named: str) -> VenueOrder | None:
        body = await self._wire.find(method, {"symbol": self._id(symbol), **named})
        return None if body is None else self._wire.read(lambda row: self._market.order(row, symbol=symbol), body)
