"""One account at Bybit's spot or USDT perpetuals behind the port, through ccxt's implicit API."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from copytrade import clock
from copytrade.domain.fills import (
    AccountState,
    Balance,
    Candle,
    EntryKind,
    Equity,
    Fill,
    KeyPermissions,
    LedgerEntry,
    Position,
    Quote,
)
from copytrade.domain.instruments import PositionSide
from copytrade.domain.orders import OrderRequest, Outcome, VenueOrder
from copytrade.errors import Unavailable
from copytrade.exchanges.alike import turnovers
from copytrade.exchanges.bybit import paging, reading, requests, rights, shapes
from copytrade.exchanges.bybit.modes import Modes
from copytrade.exchanges.bybit.past import LONG_AGO, Past
from copytrade.exchanges.bybit.sides import Sides
from copytrade.exchanges.bybit.stream import PrivateSocket
from copytrade.exchanges.port import AccountRef, FillPage, StreamMessages
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.streaming import private_stream
from copytrade.exchanges.values import text
from copytrade.exchanges.wire import Wire

_ORDERS_PAGE = 50


class BybitAccount(Modes):
    """One unified account, seen through one of its two markets."""

    def __init__(self, *, ref: AccountRef, wire: Wire) -> None:
        super().__init__(ref=ref, wire=wire)
        self._sides = Sides(wire)
        self._past = Past(wire, self._category)

    async def permissions(self) -> KeyPermissions:
        body = await self._wire.ask("privateGetV5UserQueryApi")
        return self._wire.read(partial(rights.permissions, market=self.ref.market), body)

    async def balances(self) -> list[Balance]:
        return self._wire.read(reading.balances, await self._wallet())

    async def equity(self) -> Equity:
        wallet = await self._wallet()
        return self._wire.read(self._equity, wallet)

    async def state(self) -> AccountState:
        asked_at = self._venue_now()
        wallet = await self._wallet()
        positions = await self._position_rows()
        answered_at = self._venue_now()

        def read(told: Any) -> AccountState:
            held = (
                reading.held_coins(told, symbols=self._wire.ground.symbols)
                if self._is_spot
                else reading.held_positions([self._position(row) for row in positions])
            )
            return AccountState(self._equity(told), held, reading.mark(told, positions), asked_at, answered_at)

        return self._wire.read(read, wallet)

    async def positions(self) -> list[Position]:
        if self._is_spot:
            return await self._coins_as_positions()
        rows = await self._position_rows()
        found = self._wire.read(lambda told: [self._position(row) for row in told], rows)
        held = [position for position in found if position.quantity != 0]
        # The venue has one margin mode for the whole account, and tells it elsewhere.
        margin = await self.margin_mode("") if held else None
        return [replace(position, margin_mode=margin) for position in held]

    async def traded_symbols(self, *, since: datetime) -> set[str]:
        """Return the symbols of all executions since: the venue lists them for the whole account."""
        return {self._symbol(one) for one in await self._past.traded(since=since, now=self._venue_now())}

    async def fills(self, symbol: str, *, cursor: str, since: datetime | None) -> FillPage:
        read, now = partial(self._fills, symbol=symbol), self._venue_now()

        async def skip(at: datetime) -> datetime:
            if now - at > LONG_AGO:
                await self._past.explore(since=at, now=now)
            return self._past.skip(self._id(symbol), at)

        asked = self._named(symbol)
        return await paging.fills(self._wire, asked, cursor=cursor, since=since, now=now, skip=skip, read=read)

    async def entries(self, *, since: datetime, until: datetime) -> list[LedgerEntry]:
        until = min(until, self._venue_now() + timedelta(seconds=1))
        found = await paging.entries(self._wire, {}, since=since, until=until, read=self._entries)
        # a spot trade's exchange of coins is told by its fills
        return [entry for entry in found if entry.kind is EntryKind.TRANSFER] if self._is_spot else found

    async def quote(self, symbol: str) -> Quote:
        body = await self._wire.ask("publicGetV5MarketTickers", self._named(symbol))
        read_at = clock.now()
        return self._wire.read(lambda told: shapes.quote(shapes.listed(told)[0], symbol=symbol, read_at=read_at), body)

    async def _quotes(self, wanted: Mapping[str, str]) -> dict[str, Quote]:
        rows = self._wire.read(shapes.listed, await self._wire.ask("publicGetV5MarketTickers", self._category))
        read_at, mine = clock.now(), [row for row in rows if row.get("symbol") in wanted]
        read, _ = read_rows(mine, lambda row: shapes.quote(row, symbol=wanted[row["symbol"]], read_at=read_at))
        return {quote.symbol: quote for quote in read}

    async def _day_rows(self) -> list[tuple[str, Decimal]]:
        rows = self._wire.read(shapes.listed, await self._wire.ask("publicGetV5MarketTickers", self._category))
        return turnovers(rows, symbol="symbol", amount="turnover24h")

    async def candles(self, symbol: str, *, interval: str, since: datetime, until: datetime) -> list[Candle]:
        return await paging.candles(self._wire, self._named(symbol), interval=interval, since=since, until=until)

    async def place(self, request: OrderRequest, *, not_after: datetime) -> Outcome:
        """Send one order. The answer is an acknowledgement: what became of the order has to be looked up."""
        venue_symbol = self._id(request.symbol)
        fields = requests.new_order(request, market=self.ref.market, venue_symbol=venue_symbol)
        parse = partial(shapes.acknowledged, request=request)
        return await self._wire.submit("privatePostV5OrderCreate", fields, not_after=not_after, parse=parse)

    async def look_up(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return an order from the live ones and the last 500 that ended, or else from the history."""
        return await self._find(symbol, orderLinkId=client_order_id)

    async def order(self, symbol: str, venue_order_id: str) -> VenueOrder | None:
        return await self._find(symbol, orderId=venue_order_id)

    async def _find(self, symbol: str, **named: str) -> VenueOrder | None:
        for method in ("privateGetV5OrderRealtime", "privateGetV5OrderHistory"):
            body = await self._wire.find(method, {**self._named(symbol), **named})
            rows = None if body is None else self._wire.read(shapes.listed, body)
            if rows:
                return self._wire.read(lambda told: shapes.order(told, symbol=symbol), rows[0])
        return None

    async def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        asked = {**self._named(symbol), "orderLinkId": client_order_id}
        if await self._wire.find("privatePostV5OrderCancel", asked) is None:
            return None
        return await self.look_up(symbol, client_order_id)

    async def order_fills(self, symbol: str, venue_order_id: str) -> list[Fill]:
        asked = {**self._named(symbol), "orderId": venue_order_id, "limit": paging.PAGE}
        rows, _ = await paging.walk(self._wire, "privateGetV5ExecutionList", asked)
        found, spoiled = await self._fills(rows, symbol=symbol)
        if spoiled:
            raise Unavailable("bybit: an execution of an order could not be read", venue=self.ref.venue.value)
        return found

    async def open_orders(self, symbol: str) -> list[VenueOrder]:
        asked = {**self._named(symbol), "limit": _ORDERS_PAGE}
        live, _ = await paging.walk(self._wire, "privateGetV5OrderRealtime", asked)
        read = self._wire.read(lambda rows: [shapes.order(row, symbol=symbol) for row in rows], live)
        return [order for order in read if not order.has_ended]

    async def recent_orders(self, symbol: str, *, since: datetime) -> list[VenueOrder]:
        asked = {**self._named(symbol), "limit": _ORDERS_PAGE}
        # the open ones first: an order that ends meanwhile is in the history that is read after
        live, _ = await paging.walk(self._wire, "privateGetV5OrderRealtime", asked)
        span = {"since": since, "until": self._venue_now() + timedelta(seconds=1)}
        ended = await paging.rows_between(self._wire, "privateGetV5OrderHistory", asked, **span)
        read = self._wire.read(lambda rows: [shapes.order(row, symbol=symbol) for row in rows], [*live, *ended])
        return list({order.venue_order_id: order for order in read}.values())

    def stream(self) -> AbstractAsyncContextManager[StreamMessages]:
        return private_stream(self._wire, PrivateSocket(self._wire, sides=self._sides))

    async def _wallet(self) -> Any:
        body = await self._wire.ask("privateGetV5AccountWalletBalance", {"accountType": "UNIFIED"})
        return self._wire.read(reading.wallet, body)

    def _equity(self, wallet: Any) -> Equity:
        if self._is_spot:
            return reading.spot_equity(wallet, symbols=self._wire.ground.symbols, read_at=clock.now())
        return reading.margin_equity(wallet, read_at=clock.now())

    def _position(self, row: Any) -> Position:
        return shapes.position(row, symbol=self._symbol(text(row["symbol"])))

    async def _coins_as_positions(self) -> list[Position]:
        wallet = await self._wallet()
        held = self._wire.read(partial(reading.held_coins, symbols=self._wire.ground.symbols), wallet)
        quotes = await self.quotes([symbol for symbol, _ in held])
        return [
            Position(symbol, quantity, shapes.ZERO, quotes[symbol].mark, shapes.ZERO)
            for (symbol, _), quantity in held.items()
            if symbol in quotes
        ]

    async def _fills(self, rows: list[Any], *, symbol: str) -> tuple[list[Fill], tuple[str, ...]]:
        sides = None if self._is_spot else await self._sides.find(rows, asked=self._named(symbol))

        def read(row: Any) -> Fill:
            side = PositionSide.NET if sides is None else sides[text(row["orderId"])]
            return shapes.fill(row, symbol=symbol, position_side=side)

        return read_rows(rows, read)

    def _entries(self, row: Any) -> list[LedgerEntry]:
        named = row.get("symbol") or ""
        return shapes.entries(row, symbol=self._symbol(named) if named else "")
