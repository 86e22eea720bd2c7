"""What a Bybit account may set: leverage, margin mode (of the whole account), position mode. Spot knows none of it."""

from typing import Any

from copytrade.domain.instruments import MarginMode, Market
from copytrade.exchanges.account_client import AccountClient
from copytrade.exchanges.bybit import paging, shapes
from copytrade.exchanges.port import AccountRef
from copytrade.exchanges.values import number, text
from copytrade.exchanges.wire import Wire

_PAGE = 200
_ONE_WAY, _HEDGE = 0, 3


class Modes(AccountClient):
    """Settings of one account in one market."""

    def __init__(self, *, ref: AccountRef, wire: Wire) -> None:
        super().__init__(ref=ref, wire=wire)
        self._is_spot = ref.market is Market.SPOT
        self._category: dict[str, Any] = {"category": shapes.CATEGORIES[ref.market]}

    async def leverage(self, symbol: str) -> int:
        if self._is_spot:
            return 1
        body = await self._wire.ask("privateGetV5PositionList", self._named(symbol))
        return self._wire.read(lambda told: int(number(shapes.listed(told)[0]["leverage"])), body)

    async def margin_mode(self, symbol: str) -> MarginMode:
        """Return the margin mode, which at this venue is that of the whole account."""
        if self._is_spot:
            return MarginMode.CROSS
        body = await self._wire.ask("privateGetV5AccountInfo")
        mode = self._wire.read(lambda told: text(told["result"]["marginMode"]), body)
        return MarginMode.ISOLATED if mode == "ISOLATED_MARGIN" else MarginMode.CROSS

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        if not self._is_spot:
            both = {"buyLeverage": str(leverage), "sellLeverage": str(leverage)}
            await self._wire.change("privatePostV5PositionSetLeverage", {**self._named(symbol), **both})

    async def set_cross_margin(self, symbol: str) -> None:
        if not self._is_spot and await self.margin_mode(symbol) is MarginMode.ISOLATED:
            await self._wire.change("privatePostV5AccountSetMarginMode", {"setMarginMode": "REGULAR_MARGIN"})

    async def set_isolated_margin(self, symbol: str) -> None:
        if not self._is_spot and await self.margin_mode(symbol) is MarginMode.CROSS:
            await self._wire.change("privatePostV5AccountSetMarginMode", {"setMarginMode": "ISOLATED_MARGIN"})

    async def is_hedged(self) -> bool:
        """Return whether positions have two sides: of those held, or of Bitcoin where none is held."""
        if self._is_spot:
            return False
        rows = await self._position_rows()
        if not rows:
            asked = {**self._category, "symbol": "BTCUSDT"}
            rows = self._wire.read(shapes.listed, await self._wire.ask("privateGetV5PositionList", asked))
        return self._wire.read(lambda told: any(row["positionIdx"] != 0 for row in told), rows)

    async def set_one_way(self) -> None:
        await self._set_mode(_ONE_WAY)

    async def set_hedged(self) -> None:
        await self._set_mode(_HEDGE)

    def _named(self, symbol: str) -> dict[str, Any]:
        return {**self._category, "symbol": self._id(symbol)}

    async def _position_rows(self) -> list[Any]:
        if self._is_spot:
            return []
        asked = {**self._category, "settleCoin": shapes.QUOTE, "limit": _PAGE}
        rows, _ = await paging.walk(self._wire, "privateGetV5PositionList", asked)
        return rows

    async def _set_mode(self, mode: int) -> None:
        if not self._is_spot:
            asked = {**self._category, "coin": shapes.QUOTE, "mode": mode}
            await self._wire.change("privatePostV5PositionSwitchMode", asked)
