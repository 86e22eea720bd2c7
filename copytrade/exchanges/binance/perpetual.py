"""Binance USDT-margined perpetuals behind the port, through ccxt's implicit API."""

import asyncio
import hashlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

from copytrade import clock
from copytrade.domain.fills import (
    AccountState,
    Balance,
    EntryKind,
    KeyPermissions,
    LedgerEntry,
    Position,
    Quote,
)
from copytrade.domain.instruments import MarginMode
from copytrade.domain.orders import VenueOrder
from copytrade.exchanges.binance import paging, requests, shapes
from copytrade.exchanges.binance.account import BinanceAccount, Interface
from copytrade.exchanges.binance.stream import PerpetualUser
from copytrade.exchanges.port import StreamMessages
from copytrade.exchanges.streaming import private_stream
from copytrade.exchanges.values import ms_of, number, plain

_ORDERS_PAGE = 1000


class BinancePerpetual(BinanceAccount):
    """One account at Binance's USDT-margined perpetuals."""

    _market = Interface(
        trades=paging.PERPETUAL,
        candles="fapiPublicGetKlines",
        place="fapiPrivatePostOrder",
        look_up="fapiPrivateGetOrder",
        cancel="fapiPrivateDeleteOrder",
        open_orders="fapiPrivateGetOpenOrders",
        day="fapiPublicGetTicker24hr",
        request=requests.new_order,
        order=shapes.order,
    )

    async def permissions(self) -> KeyPermissions:
        return self._wire.read(shapes.permissions, await self._wire.ask("sapiGetAccountApiRestrictions"))

    async def balances(self) -> list[Balance]:
        return self._wire.read(shapes.balances, await self._wire.ask("fapiPrivateV3GetAccount"))

    async def state(self) -> AccountState:
        asked_at = self._venue_now()
        account = await self._wire.ask("fapiPrivateV3GetAccount")
        return self._wire.read(lambda body: self._state(body, asked_at=asked_at), account)

    async def positions(self) -> list[Position]:
        """Return the non-flat positions with leverage and margin mode, a second call where there are any."""
        held = await self._held()
        if not held:
            return held
        rows = await self._wire.ask("fapiPrivateGetSymbolConfig")
        told = self._wire.read(lambda body: {self._symbol(row["symbol"]): shapes.modes(row) for row in body}, rows)
        found = [(position, *told.get(position.symbol, (None, None))) for position in held]
        return [replace(position, leverage=leverage, margin_mode=margin) for position, leverage, margin in found]

    async def traded_symbols(self, *, since: datetime) -> set[str]:
        booked = await self.entries(since=since, until=self._venue_now())
        return {
            entry.symbol for entry in booked if entry.kind in (EntryKind.FEE, EntryKind.REALIZED_PNL) and entry.symbol
        }

    async def entries(self, *, since: datetime, until: datetime) -> list[LedgerEntry]:
        return await paging.entries(self._wire, since=since, until=until)

    async def quote(self, symbol: str) -> Quote:
        book, mark = await asyncio.gather(
            self._wire.ask("fapiPublicGetTickerBookTicker", {"symbol": self._id(symbol)}),
            self._wire.ask("fapiPublicGetPremiumIndex", {"symbol": self._id(symbol)}),
        )
        return self._wire.read(lambda _: self._quote(symbol, book, mark), book)

    async def _quotes(self, wanted: Mapping[str, str]) -> dict[str, Quote]:
        books, marks = await asyncio.gather(
            self._wire.ask("fapiPublicGetTickerBookTicker"), self._wire.ask("fapiPublicGetPremiumIndex")
        )
        return self._wire.read(lambda _: self._read_quotes(wanted, books, marks), books)

    async def recent_orders(self, symbol: str, *, since: datetime) -> list[VenueOrder]:
        parameters = {"symbol": self._id(symbol), "startTime": ms_of(since), "limit": _ORDERS_PAGE}
        rows = await self._wire.ask("fapiPrivateGetAllOrders", parameters)
        return self._wire.read(lambda body: [shapes.order(row, symbol=symbol) for row in body], rows)

    async def leverage(self, symbol: str) -> int:
        rows = await self._wire.ask("fapiPrivateGetSymbolConfig", {"symbol": self._id(symbol)})
        return self._wire.read(lambda body: int(body[0]["leverage"]), rows)

    async def margin_mode(self, symbol: str) -> MarginMode:
        rows = await self._wire.ask("fapiPrivateGetSymbolConfig", {"symbol": self._id(symbol)})
        return self._wire.read(lambda body: shapes.MARGIN_MODES[body[0]["marginType"].upper()], rows)

    async def max_leverage(self, symbol: str) -> int:
        """Return the leverage of the lowest bracket, which only a key is told."""
        rows = await self._wire.ask("fapiPrivateGetLeverageBracket", {"symbol": self._id(symbol)})
        return self._wire.read(lambda body: max(int(one["initialLeverage"]) for one in body[0]["brackets"]), rows)

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        await self._wire.change("fapiPrivatePostLeverage", {"symbol": self._id(symbol), "leverage": leverage})

    async def set_cross_margin(self, symbol: str) -> None:
        await self._wire.change("fapiPrivatePostMarginType", {"symbol": self._id(symbol), "marginType": "CROSSED"})

    async def set_isolated_margin(self, symbol: str) -> None:
        await self._wire.change("fapiPrivatePostMarginType", {"symbol": self._id(symbol), "marginType": "ISOLATED"})

    async def is_hedged(self) -> bool:
        body = await self._wire.ask("fapiPrivateGetPositionSideDual")
        return self._wire.read(lambda row: str(row["dualSidePosition"]).lower() == "true", body)

    async def set_one_way(self) -> None:
        await self._wire.change("fapiPrivatePostPositionSideDual", {"dualSidePosition": "false"})

    async def set_hedged(self) -> None:
        await self._wire.change("fapiPrivatePostPositionSideDual", {"dualSidePosition": "true"})

    def stream(self) -> AbstractAsyncContextManager[StreamMessages]:
        return private_stream(self._wire, PerpetualUser(self._wire, positions=self._held))

    async def _held(self) -> list[Position]:
        rows = await self._wire.ask("fapiPrivateV3GetPositionRisk")
        found = self._wire.read(lambda body: [self._position(row) for row in body], rows)
        return [position for position in found if position.quantity != 0]

    def _position(self, row: Any) -> Position:
        return shapes.position(row, symbol=self._symbol(row["symbol"]))

    def _state(self, account: Any, *, asked_at: datetime) -> AccountState:
        assets = sorted((row["asset"], plain(number(row["walletBalance"]))) for row in account["assets"])
        held = sorted(
            (row["symbol"], row["positionSide"], plain(number(row["positionAmt"])), row["updateTime"])
            for row in account["positions"]
        )
        return AccountState(
            equity=shapes.equity(account, read_at=clock.now()),
            positions={
                (self._symbol(row["symbol"]), shapes.POSITION_SIDES[row["positionSide"]]): number(row["positionAmt"])
                for row in account["positions"]
                if number(row["positionAmt"]) != 0
            },
            mark=hashlib.blake2b(repr((assets, held)).encode(), digest_size=12).hexdigest(),
            asked_at=asked_at,
            answered_at=self._venue_now(),
        )

    def _quote(self, symbol: str, book: Any, mark: Any) -> Quote:
        return Quote(
            symbol=symbol,
            bid=number(book["bidPrice"]),
            ask=number(book["askPrice"]),
            mark=number(mark["markPrice"]),
            read_at=clock.now(),
        )

    def _read_quotes(self, wanted: Mapping[str, str], books: Any, marks: Any) -> dict[str, Quote]:
        mark_of = {row["symbol"]: row for row in marks}
        return {
            wanted[row["symbol"]]: self._quote(wanted[row["symbol"]], row, mark_of[row["symbol"]])
            for row in books
            if row["symbol"] in wanted and row["symbol"] in mark_of
        }
