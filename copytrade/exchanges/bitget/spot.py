"""Bitget's spot of a classic account behind the port, through ccxt's implicit API."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from copytrade import clock
from copytrade.domain.fills import (
    AccountState,
    Balance,
    Candle,
    Equity,
    Fill,
    KeyPermissions,
    LedgerEntry,
    Position,
    Quote,
)
from copytrade.domain.instruments import MarketRules, Side
from copytrade.domain.orders import OrderKind, OrderRequest, Outcome, VenueOrder
from copytrade.errors import ExchangeError
from copytrade.exchanges import holdings
from copytrade.exchanges.bitget import keys, paging, requests, shapes
from copytrade.exchanges.bitget import spot_shapes as spot
from copytrade.exchanges.bitget.stream import spot_channels
from copytrade.exchanges.naming import id_of, symbol_of
from copytrade.exchanges.port import AccountRef, FillPage, StreamMessages
from copytrade.exchanges.streaming import private_stream
from copytrade.exchanges.values import moment, ms_of
from copytrade.exchanges.wire import Wire

_FILLS, _ORDERS = "privateSpotGetV2SpotTradeFills", "privateSpotGetV2SpotTradeHistoryOrders"
_OPEN, _BILLS = "privateSpotGetV2SpotTradeUnfilledOrders", "privateSpotGetV2SpotAccountBills"
_GRAINS = {
    **{f"{n}m": (f"{n}min", timedelta(minutes=n)) for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": (f"{n}h", timedelta(hours=n)) for n in (1, 4)},
    "12h": ("12Hutc", timedelta(hours=12)),
    "1d": ("1Dutc", timedelta(days=1)),
}


class BitgetSpot(holdings.SpotSettings):
    """One account at Bitget's spot. Its balances are its positions; a market buy is sent in quote, see `place`."""

    def __init__(self, *, ref: AccountRef, wire: Wire) -> None:
        self.ref = ref
        self._wire = wire

    async def server_time(self) -> datetime:
        return moment(await self._wire.ground.venue_ms())

    async def permissions(self) -> KeyPermissions:
        return await keys.permissions(self._wire)

    async def rules(self) -> dict[str, MarketRules]:
        await self._wire.ground.ready()
        return self._wire.ground.rules

    async def balances(self) -> list[Balance]:
        body = await self._wire.ask("privateSpotGetV2SpotAccountAssets", {"assetType": "hold_only"})
        return self._wire.read(lambda answer: [spot.balance(row) for row in answer["data"]], body)

    async def equity(self) -> Equity:
        return (await self.state()).equity

    async def state(self) -> AccountState:
        asked_at = self._venue_now()
        balances = await self.balances()
        return AccountState(
            equity=holdings.worth(balances, prices=await self._prices(balances), read_at=clock.now()),
            positions=holdings.held(balances, symbols=self._wire.ground.ids),
            mark=holdings.mark_of(balances),
            asked_at=asked_at,
            answered_at=self._venue_now(),
        )

    async def positions(self) -> list[Position]:
        balances = await self.balances()
        prices = await self._prices(balances)
        held = holdings.held(balances, symbols=self._wire.ground.ids)
        return [
            holdings.position(symbol, total, mark_price=prices.get(symbol, Decimal(0)))
            for (symbol, _), total in held.items()
        ]

    async def traded_symbols(self, *, since: datetime) -> set[str]:
        asked = self._since(since)
        traded = await paging.all_rows(self._rows(_FILLS), asked=asked, id_field="tradeId")
        resting = await paging.all_rows(self._rows(_OPEN), asked={}, id_field="orderId")
        named = {self._symbol(row["symbol"]) for row in (*traded, *resting) if isinstance(row.get("symbol"), str)}
        held = holdings.held(await self.balances(), symbols=self._wire.ground.ids)
        return named | {symbol for symbol, _ in held}

    async def fills(self, symbol: str, *, cursor: str, since: datetime | None) -> FillPage:
        now = self._venue_now()
        return await paging.fills(
            self._rows(_FILLS, symbol=self._id(symbol)),
            cursor=cursor,
            since=now - paging.KEPT if since is None else since,
            now=now,
            parse=lambda row: spot.fill(row, symbol=symbol),
        )

    async def entries(self, *, since: datetime, until: datetime) -> list[LedgerEntry]:
        begins, rows = max(since, self._venue_now() - paging.KEPT), self._rows(_BILLS)
        found = await paging.spanned(rows, since=begins, until=until, longest=paging.KEPT, id_field="billId")
        booked = self._wire.read(lambda bills: [row for row in bills if row["groupType"] != spot.TRADED], found)
        read = self._wire.read(lambda bills: [spot.entry(row) for row in bills], booked)
        return sorted({entry.entry_id: entry for entry in read}.values(), key=lambda entry: entry.venue_time)

    async def quote(self, symbol: str) -> Quote:
        body = await self._wire.ask("publicSpotGetV2SpotMarketTickers", {"symbol": self._id(symbol)})
        return self._wire.read(lambda answer: shapes.quote(answer["data"][0], symbol=symbol, read_at=clock.now()), body)

    async def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        if len(symbols) == 1:
            return {symbols[0]: await self.quote(symbols[0])}
        wanted, rows = {self._id(symbol): symbol for symbol in symbols}, await self._tickers()
        return self._wire.read(lambda found: shapes.quotes(found, wanted, read_at=clock.now()), rows)

    async def candles(self, symbol: str, *, interval: str, since: datetime, until: datetime) -> list[Candle]:
        grain, length = _GRAINS[interval]
        asked, method = {"symbol": self._id(symbol), "granularity": grain}, "publicSpotGetV2SpotMarketCandles"
        return await paging.candles(self._wire, method, asked=asked, interval=length, since=since, until=until)

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
        asked = {"clientOid": client_order_id}
        body = await self._wire.find("privateSpotGetV2SpotTradeOrderInfo", asked)
        rows: list[Any] = [] if body is None else self._wire.read(lambda answer: list(answer["data"] or ()), body)
        found = self._wire.read(lambda listed: [spot.order(row, symbol=symbol) for row in listed], rows)
        return next((order for order in found if order.client_order_id == client_order_id), None)

    async def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        asked = {"symbol": self._id(symbol), "clientOid": client_order_id}
        if await self._wire.find("privateSpotPostV2SpotTradeCancelOrder", asked) is None:
            return None
        return await self.look_up(symbol, client_order_id)

    async def order_fills(self, symbol: str, venue_order_id: str) -> list[Fill]:
        rows = self._rows(_FILLS, symbol=self._id(symbol), orderId=venue_order_id)
        found = await paging.all_rows(rows, asked={}, id_field="tradeId")
        return self._wire.read(lambda page: [spot.fill(row, symbol=symbol) for row in page[::-1]], found)

    async def recent_orders(self, symbol: str, *, since: datetime) -> list[VenueOrder]:
        asked = self._since(since)
        found: dict[str, VenueOrder] = {}
        for method in (_OPEN, _ORDERS):
            page = await paging.all_rows(self._rows(method, symbol=self._id(symbol)), asked=asked, id_field="orderId")
            orders = self._wire.read(lambda listed: [spot.order(row, symbol=symbol) for row in listed], page)
            found |= {order.venue_order_id: order for order in orders}
        return sorted(found.values(), key=lambda order: int(order.venue_order_id))

    def stream(self) -> AbstractAsyncContextManager[StreamMessages]:
        return private_stream(self._wire, spot_channels(self._wire))

    async def close(self) -> None:
        """Do nothing: the session is the pool's."""

    def _venue_now(self) -> datetime:
        return clock.now() - timedelta(milliseconds=self._wire.ground.offset_ms())

    def _since(self, since: datetime) -> dict[str, Any]:
        now = self._venue_now()
        return paging.span(ms_of(max(since, now - paging.KEPT)), ms_of(now) + 1000)

    def _id(self, symbol: str) -> str:
        return id_of(self._wire.ground, symbol)

    def _symbol(self, venue_symbol: str) -> str:
        return symbol_of(self._wire.ground, venue_symbol)

    def _rows(self, method: str, **filters: str) -> paging.Rows:
        return paging.rows_of(self._wire, method, filters, at=lambda data: data)

    async def _tickers(self) -> list[Any]:
        body = await self._wire.ask("publicSpotGetV2SpotMarketTickers")
        return self._wire.read(lambda answer: [row for row in answer["data"] if row["symbol"]], body)

    async def _prices(self, balances: Sequence[Balance]) -> dict[str, Decimal]:
        """Return the last price of every market by our name of it; none where no held coin needs one."""
        if all(one.asset in holdings.STABLE for one in balances if one.total != 0):
            return {}
        symbols, rows = self._wire.ground.symbols, await self._tickers()
        return self._wire.read(
            lambda found: {
                symbols[row["symbol"]]: shapes.amount(row["lastPr"]) for row in found if row["symbol"] in symbols
            },
            rows,
        )
