"""Bitget's USDT-margined perpetuals of a classic account behind the port, through ccxt's implicit API."""

import asyncio
import hashlib
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from copytrade import clock
from copytrade.domain.fills import AccountState, Balance, Equity, LedgerEntry, Position
from copytrade.domain.instruments import MarginMode, PositionSide
from copytrade.domain.orders import OrderRequest, Outcome, OutcomeKind, Refusal, VenueOrder
from copytrade.errors import ExchangeError
from copytrade.exchanges.bitget import bills, paging, requests, shapes
from copytrade.exchanges.bitget.account import BitgetAccount, Interface
from copytrade.exchanges.bitget.requests import COIN, MARGIN_WORDS, PRODUCT
from copytrade.exchanges.bitget.stream import perpetual_channels
from copytrade.exchanges.port import AccountRef, StreamMessages
from copytrade.exchanges.streaming import private_stream
from copytrade.exchanges.values import number
from copytrade.exchanges.wire import Wire

_OTHER_MARGIN_MODE = "45117"
_GRAINS = {
    **{f"{n}m": (f"{n}m", timedelta(minutes=n)) for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": (f"{n}H", timedelta(hours=n)) for n in (1, 2, 4)},
    "12h": ("12Hutc", timedelta(hours=12)),
    "1d": ("1Dutc", timedelta(days=1)),
}


class BitgetPerpetual(BitgetAccount):
    """One account at Bitget's USDT-margined perpetuals."""

    _market = Interface(
        product=PRODUCT,
        fills="privateMixGetV2MixOrderFills",
        fill_rows=lambda data: data["fillList"],
        fill=shapes.fill,
        orders=("privateMixGetV2MixOrderOrdersPending", "privateMixGetV2MixOrderOrdersHistory"),
        order_rows=lambda data: data["entrustedList"],
        order=shapes.order,
        ticker="publicMixGetV2MixMarketTicker",
        tickers="publicMixGetV2MixMarketTickers",
        candles="publicMixGetV2MixMarketCandles",
        grains=_GRAINS,
    )

    def __init__(self, *, ref: AccountRef, wire: Wire) -> None:
        super().__init__(ref=ref, wire=wire)
        self._margin_modes: dict[str, MarginMode] = {}
        """As last read or set, cross until then: every order has to name its symbol's."""
        self._is_hedged = False
        """As last read."""

    async def balances(self) -> list[Balance]:
        body = await self._wire.ask("privateMixGetV2MixAccountAccounts", PRODUCT)
        return self._wire.read(lambda answer: [shapes.balance(row) for row in answer["data"]], body)

    async def equity(self) -> Equity:
        body = await self._wire.ask("privateMixGetV2MixAccountAccounts", PRODUCT)
        return self._wire.read(lambda answer: shapes.equity(answer["data"], read_at=clock.now()), body)

    async def state(self) -> AccountState:
        asked_at = self._venue_now()
        equity, positions = await asyncio.gather(self.equity(), self.positions())
        held = sorted((one.symbol, one.position_side.value, one.quantity, one.entry_price) for one in positions)
        return AccountState(
            equity=equity,
            positions={(one.symbol, one.position_side): one.quantity for one in positions},
            mark=hashlib.blake2b(repr((equity.wallet, held)).encode(), digest_size=12).hexdigest(),
            asked_at=asked_at,
            answered_at=self._venue_now(),
        )

    async def positions(self) -> list[Position]:
        body = await self._wire.ask("privateMixGetV2MixPositionAllPosition", {**PRODUCT, **COIN})
        found = self._wire.read(lambda answer: [self._position(row) for row in answer["data"] or ()], body)
        return [position for position in found if position.quantity != 0]

    async def entries(self, *, since: datetime, until: datetime) -> list[LedgerEntry]:
        begins = max(since, self._venue_now() - paging.KEPT)
        return await bills.entries(self._wire, since=begins, until=until, symbol_of=self._symbol)

    async def place(self, request: OrderRequest, *, not_after: datetime) -> Outcome:
        """Send one order; once more where the venue refused it for naming another margin mode than the symbol has.

        An order of hedge mode is not sent to an account that is one-way: there it would be taken for another.
        """
        if request.position_side is not PositionSide.NET and not await self._hears_trade_sides():
            return Outcome(OutcomeKind.REFUSED, refusal=Refusal.POSITION_MODE, message="the account is one-way")
        outcome = await self._send(request, not_after=not_after)
        if outcome.kind is OutcomeKind.REFUSED and outcome.venue_code == _OTHER_MARGIN_MODE:
            try:
                before = self._margin_modes.get(request.symbol)
                is_news = await self.margin_mode(request.symbol) is not before
            except ExchangeError:
                return outcome
            return await self._send(request, not_after=not_after) if is_news else outcome
        return outcome

    async def _send(self, request: OrderRequest, *, not_after: datetime) -> Outcome:
        margin_mode = self._margin_modes.setdefault(request.symbol, MarginMode.CROSS)
        parameters = requests.perpetual_order(request, venue_symbol=self._id(request.symbol), margin_mode=margin_mode)
        return await self._wire.submit(
            "privateMixPostV2MixOrderPlaceOrder",
            parameters,
            not_after=not_after,
            parse=lambda body: shapes.acknowledged(body, request=request),
        )

    async def _hears_trade_sides(self) -> bool:
        if self._is_hedged:
            return True
        try:
            return await self.is_hedged()
        except ExchangeError:
            # an exit must not wait for this; its request says reduce-only as well
            return True

    async def look_up(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        return await self._find(symbol, clientOid=client_order_id)

    async def order(self, symbol: str, venue_order_id: str) -> VenueOrder | None:
        return await self._find(symbol, orderId=venue_order_id)

    async def _find(self, symbol: str, **named: str) -> VenueOrder | None:
        asked = {**PRODUCT, "symbol": self._id(symbol), **named}
        body = await self._wire.find("privateMixGetV2MixOrderDetail", asked)
        if body is None:
            return None
        return self._wire.read(lambda row: shapes.order(row["data"], symbol=symbol) if row["data"] else None, body)

    async def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        asked = {**PRODUCT, **COIN, "symbol": self._id(symbol), "clientOid": client_order_id}
        if await self._wire.find("privateMixPostV2MixOrderCancelOrder", asked) is None:
            return None
        return await self.look_up(symbol, client_order_id)

    async def leverage(self, symbol: str) -> int:
        body = await self._account(symbol)
        side = "isolatedLongLever" if self._margin_modes[symbol] is MarginMode.ISOLATED else "crossedMarginLeverage"
        return self._wire.read(lambda answer: int(number(answer["data"][side])), body)

    async def margin_mode(self, symbol: str) -> MarginMode:
        await self._account(symbol)
        return self._margin_modes[symbol]

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        asked = {**PRODUCT, **COIN, "symbol": self._id(symbol), "leverage": str(leverage)}
        await self._wire.change("privateMixPostV2MixAccountSetLeverage", asked)

    async def set_cross_margin(self, symbol: str) -> None:
        await self._set_margin(symbol, MarginMode.CROSS)

    async def set_isolated_margin(self, symbol: str) -> None:
        await self._set_margin(symbol, MarginMode.ISOLATED)

    async def _set_margin(self, symbol: str, mode: MarginMode) -> None:
        asked = {**PRODUCT, **COIN, "symbol": self._id(symbol), "marginMode": MARGIN_WORDS[mode]}
        await self._wire.change("privateMixPostV2MixAccountSetMarginMode", asked)
        self._margin_modes[symbol] = mode

    async def is_hedged(self) -> bool:
        await self._account(next(iter(self._wire.ground.ids), "BTC/USDT:USDT"))
        return self._is_hedged

    async def set_one_way(self) -> None:
        await self._set_position_mode("one_way_mode")

    async def set_hedged(self) -> None:
        await self._set_position_mode("hedge_mode")

    def stream(self) -> AbstractAsyncContextManager[StreamMessages]:
        return private_stream(self._wire, perpetual_channels(self._wire))

    async def _set_position_mode(self, mode: str) -> None:
        await self._wire.change("privateMixPostV2MixAccountSetPositionMode", {**PRODUCT, "posMode": mode})
        self._is_hedged = mode == "hedge_mode"

    async def _account(self, symbol: str) -> Any:
        """Return an account's settings for a symbol; its modes are remembered."""
        asked = {**PRODUCT, **COIN, "symbol": self._id(symbol)}
        body = await self._wire.ask("privateMixGetV2MixAccountAccount", asked)
        self._margin_modes[symbol], self._is_hedged = self._wire.read(shapes.modes, body)
        return body

    def _position(self, row: Any) -> Position:
        return shapes.position(row, symbol=self._symbol(row["symbol"]))
