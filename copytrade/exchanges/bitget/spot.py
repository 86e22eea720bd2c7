"""Bitget's spot of a classic account behind the port, through ccxt's implicit API."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import Balance, LedgerEntry
from copytrade.domain.instruments import Side
from copytrade.domain.orders import OrderKind, OrderRequest, Outcome, VenueOrder
from copytrade.errors import ExchangeError
from copytrade.exchanges import holdings
from copytrade.exchanges.bitget import keys, paging, requests, shapes
from copytrade.exchanges.bitget import spot_shapes as spot
from copytrade.exchanges.bitget.account import BitgetAccount, Interface
from copytrade.exchanges.bitget.stream import spot_channels
from copytrade.exchanges.port import StreamMessages
from copytrade.exchanges.spot_client import SpotClient
from copytrade.exchanges.streaming import private_stream

_OPEN, _BILLS = "privateSpotGetV2SpotTradeUnfilledOrders", "privateSpotGetV2SpotAccountBills"
_TICKERS = "publicSpotGetV2SpotMarketTickers"
_GRAINS = {
    **{f"{n}m": (f"{n}min", timedelta(minutes=n)) for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": (f"{n}h", timedelta(hours=n)) for n in (1, 4)},
    "12h": ("12Hutc", timedelta(hours=12)),
    "1d": ("1Dutc", timedelta(days=1)),
}


def _listed(data: Any) -> Any:
    return data


class BitgetSpot(BitgetAccount, SpotClient):
    """One account at Bitget's spot. Its balances are its positions; a market buy is sent in quote, see `place`."""

    _few = 1
    _market = Interface(
        product={},
        fills="privateSpotGetV2SpotTradeFills",
        fill_rows=_listed,
        fill=spot.fill,
        orders=(_OPEN, "privateSpotGetV2SpotTradeHistoryOrders"),
        order_rows=_listed,
        order=spot.order,
        ticker=_TICKERS,
        tickers=_TICKERS,
        candles="publicSpotGetV2SpotMarketCandles",
        grains=_GRAINS,
    )

    async def balances(self) -> list[Balance]:
        body = await self._wire.ask("privateSpotGetV2SpotAccountAssets", {"assetType": "hold_only"})
        return self._wire.read(lambda answer: [spot.balance(row) for row in answer["data"]], body)

    async def traded_symbols(self, *, since: datetime) -> set[str]:
        traded = await super().traded_symbols(since=since)
        resting = await paging.all_rows(self._rows(_OPEN, _listed), asked={}, id_field="orderId")
        held = holdings.held(await self.balances(), symbols=self._wire.ground.ids)
        return traded | self._named(resting) | {symbol for symbol, _ in held}

    async def entries(self, *, since: datetime, until: datetime) -> list[LedgerEntry]:
        begins, rows = max(since, self._venue_now() - paging.KEPT), self._rows(_BILLS, _listed)
        found = await paging.spanned(rows, since=begins, until=until, longest=paging.KEPT, id_field="billId")
        booked = self._wire.read(lambda bills: [row for row in bills if row["groupType"] != spot.TRADED], found)
        read = self._wire.read(lambda bills: [spot.entry(row) for row in bills], booked)
        return sorted({entry.entry_id: entry for entry in read}.values(), key=lambda entry: entry.venue_time)

    async def place(self, request: OrderRequest, *, not_after: datetime) -> Outcome:
        """Send one order; a market buy, which the venue takes in quote only, as quantity × a fresh ask.

        The ask is bounded by `request.price` where that is set; the base bought may differ by what the price moved.
        """
        holdings.check_request(request)
        size = request.quantity
        if request.kind is OrderKind.MARKET and request.side is Side.BUY:
            try:
                size = requests.quote_size(request, ask=(await self.quote(request.symbol)).ask)
            except ExchangeError as error:
                return keys.not_sent(error)
        parameters = requests.spot_order(request, venue_symbol=self._id(request.symbol), size=size)
        return await self._wire.submit(
            "privateSpotPostV2SpotTradePlaceOrder",
            parameters,
            not_after=not_after,
            parse=lambda body: shapes.acknowledged(body, request=request),
        )

    async def look_up(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        found = await self._find(symbol, clientOid=client_order_id)
        return next((order for order in found if order.client_order_id == client_order_id), None)

    async def order(self, symbol: str, venue_order_id: str) -> VenueOrder | None:
        found = await self._find(symbol, orderId=venue_order_id)
        return next((order for order in found if order.venue_order_id == venue_order_id), None)

    async def _find(self, symbol: str, **named: str) -> list[VenueOrder]:
        body = await self._wire.find("privateSpotGetV2SpotTradeOrderInfo", named)
        rows: list[Any] = [] if body is None else self._wire.read(lambda answer: list(answer["data"] or ()), body)
        return self._wire.read(lambda listed: [spot.order(row, symbol=symbol) for row in listed], rows)

    async def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        asked = {"symbol": self._id(symbol), "clientOid": client_order_id}
        if await self._wire.find("privateSpotPostV2SpotTradeCancelOrder", asked) is None:
            return None
        return await self.look_up(symbol, client_order_id)

    def stream(self) -> AbstractAsyncContextManager[StreamMessages]:
        return private_stream(self._wire, spot_channels(self._wire))

    async def _last_prices(self) -> dict[str, Decimal]:
        body, symbols = await self._wire.ask(_TICKERS), self._wire.ground.symbols
        return self._wire.read(
            lambda answer: {
                symbols[row["symbol"]]: shapes.amount(row["lastPr"])
                for row in answer["data"]
                if row["symbol"] in symbols
            },
            body,
        )
