"""What clients of spot have in common: balances stand for positions, and nothing is to be set."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal

from copytrade import clock
from copytrade.domain.fills import AccountState, Balance, Position
from copytrade.domain.instruments import MarginMode
from copytrade.exchanges import holdings
from copytrade.exchanges.account_client import AccountClient


class SpotClient(AccountClient):
    """One account of a venue where spot has a wallet of its own."""

    @abstractmethod
    async def balances(self) -> list[Balance]: ...

    @abstractmethod
    async def _last_prices(self) -> Mapping[str, Decimal]:
        """Return the last price of every market by our name of it."""

    async def state(self) -> AccountState:
        """Return the account at one reading of its balances; two light calls where coins are to be priced."""
        asked_at = self._venue_now()
        balances = await self.balances()
        answered_at = self._venue_now()
        return AccountState(
            equity=holdings.worth(balances, prices=await self._prices(balances), read_at=clock.now()),
            positions=holdings.held(balances, symbols=self._wire.ground.ids),
            mark=holdings.mark_of(balances),
            asked_at=asked_at,
            answered_at=answered_at,
        )

    async def positions(self) -> list[Position]:
        balances = await self.balances()
        prices = await self._prices(balances)
        return [
            holdings.position(symbol, total, mark_price=prices.get(symbol, Decimal(0)))
            for (symbol, _), total in holdings.held(balances, symbols=self._wire.ground.ids).items()
        ]

    async def _prices(self, balances: Sequence[Balance]) -> Mapping[str, Decimal]:
        """Return the last prices, none where nothing held needs one."""
        if all(one.asset in holdings.STABLE for one in balances if one.total != 0):
            return {}
        return await self._last_prices()

    async def leverage(self, symbol: str) -> int:
        return 1

    async def margin_mode(self, symbol: str) -> MarginMode:
        return MarginMode.CROSS

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Do nothing."""

    async def set_cross_margin(self, symbol: str) -> None:
        """Do nothing."""

    async def set_isolated_margin(self, symbol: str) -> None:
        """Do nothing."""

    async def is_hedged(self) -> bool:
        return False

    async def set_one_way(self) -> None:
        """Do nothing."""

    async def set_hedged(self) -> None:
        """Do nothing."""
