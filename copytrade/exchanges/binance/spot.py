"""Binance spot behind the port, through ccxt's implicit API."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from copytrade import clock
from copytrade.domain.fills import Balance, KeyPermissions, LedgerEntry, Quote
from copytrade.domain.orders import VenueOrder
from copytrade.exchanges import holdings
from copytrade.exchanges.binance import paging, requests, spot_ledger, spot_shapes
from copytrade.exchanges.binance.account import BinanceAccount, Interface
from copytrade.exchanges.binance.spot_stream import SpotUser
from copytrade.exchanges.port import StreamMessages
from copytrade.exchanges.spot_client import SpotClient
from copytrade.exchanges.streaming import private_stream
from copytrade.exchanges.values import ms_of, number, positive

_DAY = timedelta(days=1)
"""The longest window for which the venue lists orders."""


class BinanceSpot(BinanceAccount, SpotClient):
    """One account at Binance spot."""

    _few = 2
    _market = Interface(
        trades=paging.SPOT,
        candles="publicGetKlines",
        place="privatePostOrder",
        look_up="privateGetOrder",
        cancel="privateDeleteOrder",
        open_orders="privateGetOpenOrders",
        day="publicGetTicker24hr",
        request=requests.new_spot_order,
        order=spot_shapes.order,
    )

    async def permissions(self) -> KeyPermissions:
        """Return the key's rights, and whose key it is, which only the account tells."""
        rights = await self._wire.ask("sapiGetAccountApiRestrictions")
        account = await self._account()
        return self._wire.read(lambda body: spot_shapes.permissions(body, account=account), rights)

    async def balances(self) -> list[Balance]:
        return self._wire.read(spot_shapes.balances, await self._account())

    async def traded_symbols(self, *, since: datetime) -> set[str]:
        balances, resting = await asyncio.gather(self.balances(), self._wire.ask("privateGetOpenOrders"))
        rested = self._wire.read(lambda rows: {self._symbol(row["symbol"]) for row in rows}, resting)
        held = {symbol for symbol, _ in holdings.held(balances, symbols=self._wire.ground.ids)}
        return held | rested

    async def entries(self, *, since: datetime, until: datetime) -> list[LedgerEntry]:
        return await spot_ledger.entries(self._wire, since=since, until=until)

    async def quote(self, symbol: str) -> Quote:
        row = await self._wire.ask("publicGetTickerBookTicker", {"symbol": self._id(symbol)})
        return self._wire.read(lambda body: self._quote(symbol, body), row)

    async def _quotes(self, wanted: Mapping[str, str]) -> dict[str, Quote]:
        rows = await self._wire.ask("publicGetTickerBookTicker")
        return self._wire.read(
            lambda body: {
                wanted[row["symbol"]]: self._quote(wanted[row["symbol"]], row)
                for row in body
                if row["symbol"] in wanted
            },
            rows,
        )

    async def recent_orders(self, symbol: str, *, since: datetime) -> list[VenueOrder]:
        found: dict[str, VenueOrder] = {}
        starts, now = since, self._venue_now()
        while starts <= now:
            window = {"startTime": ms_of(starts), "endTime": ms_of(starts + _DAY) - 1, "limit": 1000}
            rows = await self._wire.ask("privateGetAllOrders", {"symbol": self._id(symbol)} | window)
            read = self._wire.read(lambda body: [spot_shapes.order(row, symbol=symbol) for row in body], rows)
            found |= {order.venue_order_id: order for order in read}
            starts += _DAY
        return list(found.values())

    def stream(self) -> AbstractAsyncContextManager[StreamMessages]:
        return private_stream(self._wire, SpotUser(self._wire))

    async def _account(self) -> Any:
        return await self._wire.ask("privateGetAccount", {"omitZeroBalances": "true"})

    async def _last_prices(self) -> dict[str, Decimal]:
        rows = await self._wire.ask("publicGetTickerPrice")
        known = self._wire.ground.symbols
        return self._wire.read(
            lambda body: {known[row["symbol"]]: positive(row["price"]) for row in body if row["symbol"] in known}, rows
        )

    def _quote(self, symbol: str, book: Any) -> Quote:
        bid, ask = number(book["bidPrice"]), number(book["askPrice"])
        return Quote(symbol=symbol, bid=bid, ask=ask, mark=(bid + ask) / 2, read_at=clock.now())
