"""Alice's account at the sandbox and a pool of clients for it, run in the test's own event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import pytest

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.domain.instruments import Market, Side, Venue
from copytrade.domain.orders import OrderKind, OrderRequest, Outcome
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import AccountRef, Credentials, ExchangeClient
from copytrade.sandbox.client import Control
from tests.conftest import Sandbox

T = TypeVar("T")
BTC = "BTC/USDT:USDT"
PLACE = "/fapi/v1/order"


@dataclass
class Account:
    """An account at the sandbox, as its owner and as the venue see it."""

    ref: AccountRef
    number: int
    api_key: str
    credentials: Credentials
    control: Control

    def run(self, use: Callable[[ExchangeClient], Awaitable[T]]) -> T:
        """Run `use` with a client of this account."""

        async def main() -> T:
            pool = Pool(self._open)
            try:
                return await use(await pool.get(self.ref))
            finally:
                await pool.close()

        return asyncio.run(main())

    def place(self, request: OrderRequest, **options: Any) -> Outcome:
        return self.run(lambda client: client.place(request, **{"not_after": soon(), **options}))

    def orders(self) -> list[dict[str, Any]]:
        return self.control.orders(self.number)

    def _open(self, account_id: UUID) -> Credentials:
        return self.credentials


def soon() -> Any:
    return clock.real_now() + timedelta(seconds=5)


def buy(quantity: str = "0.01", **facts: Any) -> OrderRequest:
    request = OrderRequest(BTC, Side.BUY, Decimal(quantity), OrderKind.MARKET, f"cp{new_id().hex}")
    return replace(request, **facts)


@pytest.fixture
def control(sandbox: Sandbox) -> Generator[Control]:
    sandbox.control.limits(weight_per_minute=1_000_000)
    sandbox.control.set_price("BTCUSDT", 60000)
    yield sandbox.control
    sandbox.control.clear_faults()
    sandbox.control.release_price("BTCUSDT")


@pytest.fixture
def alice(control: Control) -> Account:
    return account(control)


def account(control: Control, *, mode: str = "sandbox", **key: Any) -> Account:
    made = control.create_account("alice", deposit=1_000_000, **key)
    return Account(
        ref=AccountRef(new_id(), Venue.BINANCE, Market.PERPETUAL, mode),
        number=made["account_id"],
        api_key=made["api_key"],
        credentials=Credentials(made["api_key"], made["api_secret"]),
        control=control,
    )
