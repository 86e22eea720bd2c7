"""The six places that the contract is about, an account at one of them, and how each venue says what goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Market, Side, Venue
from copytrade.domain.orders import OrderKind, OrderRequest, Outcome, OutcomeKind, VenueOrder
from copytrade.exchanges import pool as pools
from copytrade.exchanges.naming import pair
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import AccountRef, Credentials, ExchangeClient, StreamMessage
from copytrade.sandbox.client import Control

T = TypeVar("T")
Use = Callable[[ExchangeClient], Coroutine[Any, Any, T]]

PLACES = sorted(pools._CLIENTS)  # pyright: ignore[reportPrivateUsage] # whoever registers a client is held to the contract
SPOTS = [place for place in PLACES if place[1] is Market.SPOT]
PERPETUALS = [place for place in PLACES if place[1] is Market.PERPETUAL]
BTC_ID, ETH_ID = "BTCUSDT", "ETHUSDT"
MILLION = Decimal(1_000_000)


def named(place: tuple[Venue, Market]) -> str:
    return f"{place[0].value}-{place[1].value}"


@dataclass(frozen=True, slots=True)
class Said:
    """An error as a venue says it."""

    status: int
    code: int | str = 0
    message: str = "no"

    def fault(self) -> dict[str, Any]:
        """Return the facts of a fault that answers so instead of executing."""
        return {"answer": "status", "execute": "no", "status": self.status, "code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Manners:
    """What the contract lets venues do differently, as data."""

    orders: dict[Market, str]
    """Path of placing an order."""
    rights: str
    """Path of reading a key's rights."""
    paging: str
    """Module whose `PAGE` is the size of a page of fills and entries."""
    clock: Said
    too_often: tuple[Said, ...]
    ban: Said | None
    unclear: tuple[Said, ...]
    """The venue does not know what became of the order."""
    fills: dict[Market, tuple[str, str]]
    """Path of a symbol's fills, and where in the answer the quantity of the first row stands."""
    order_state: dict[Market, tuple[str, str]]
    """Path of one order, and where in the answer its state stands."""
    placed_id: str
    """Where in the answer to a new order our id stands."""
    streamed: dict[Market, tuple[str, str]]
    """Name of the event of a fill, and where in it the quantity stands."""
    ids_are_taken_for_ever: bool
    forbidding_page: OutcomeKind = OutcomeKind.UNKNOWN
    """What an HTTP 403 with a page proves."""
    tells_expiry: bool = True
    third_asset: str = "BNB"
    market_buys_are_exact: bool = True
    """Whether a spot market buy gets the base quantity to the last step."""
    limits: dict[str, int] = field(default_factory=dict[str, int])
    """What the sandbox is to allow for tests that ask more than a user may in a second."""


MANNERS = {
    Venue.BINANCE: Manners(
        orders={Market.PERPETUAL: "/fapi/v1/order", Market.SPOT: "/api/v3/order"},
        rights="/sapi/v1/account/apiRestrictions",
        paging="copytrade.exchanges.binance.paging",
        clock=Said(400, -1021, "Timestamp for this request is outside of the recvWindow."),
        too_often=(Said(429, -1003), Said(429, -1015), Said(503, -1008), Said(429)),
        ban=Said(418, -1003, "Way too much request weight used"),
        unclear=(Said(408, -1007), Said(400, -1000), Said(400, -1006), Said(503, 0, ""), Said(400, -9999)),
        fills={Market.PERPETUAL: ("/fapi/v1/userTrades", "0.qty"), Market.SPOT: ("/api/v3/myTrades", "0.qty")},
        order_state={Market.PERPETUAL: ("/fapi/v1/order", "status"), Market.SPOT: ("/api/v3/order", "status")},
        placed_id="clientOrderId",
        streamed={Market.PERPETUAL: ("ORDER_TRADE_UPDATE", "o.l"), Market.SPOT: ("executionReport", "event.l")},
        ids_are_taken_for_ever=False,
    ),
    Venue.BYBIT: Manners(
        orders={Market.PERPETUAL: "/v5/order/create", Market.SPOT: "/v5/order/create"},
        rights="/v5/user/query-api",
        paging="copytrade.exchanges.bybit.paging",
        clock=Said(200, 10002, "invalid request, please check your server timestamp or recv_window param"),
        too_often=(Said(200, 10006, "Too many visits!"), Said(429), Said(418)),
        ban=Said(403, 0, ""),
        unclear=(Said(200, 10000, "Server Timeout"), Said(200, 10016, "Server error."), Said(200, 999999)),
        fills=dict.fromkeys(Market, ("/v5/execution/list", "result.list.0.execQty")),
        order_state=dict.fromkeys(Market, ("/v5/order/realtime", "result.list.0.orderStatus")),
        placed_id="result.orderLinkId",
        streamed=dict.fromkeys(Market, ("execution", "data.0.execQty")),
        ids_are_taken_for_ever=True,
        forbidding_page=OutcomeKind.NOT_SENT,
        third_asset="MNT",
    ),
    Venue.BITGET: Manners(
        orders={Market.PERPETUAL: "/api/v2/mix/order/place-order", Market.SPOT: "/api/v2/spot/trade/place-order"},
        rights="/api/v2/spot/account/info",
        paging="copytrade.exchanges.bitget.paging",
        clock=Said(400, "40008", "Request timestamp expired"),
        too_often=(Said(429, "429", "Too Many Requests"), Said(429), Said(418)),
        ban=None,
        unclear=(Said(400, "40010", "Request timed out"), Said(400, "40725"), Said(400, "45001"), Said(400, "99999")),
        fills={
            Market.PERPETUAL: ("/api/v2/mix/order/fills", "data.fillList.0.baseVolume"),
            Market.SPOT: ("/api/v2/spot/trade/fills", "data.0.size"),
        },
        order_state={
            Market.PERPETUAL: ("/api/v2/mix/order/detail", "data.state"),
            Market.SPOT: ("/api/v2/spot/trade/orderInfo", "data.0.status"),
        },
        placed_id="data.clientOid",
        streamed={Market.PERPETUAL: ("fill", "data.0.baseVolume"), Market.SPOT: ("fill", "data.0.size")},
        ids_are_taken_for_ever=True,
        tells_expiry=False,
        third_asset="BGB",
        market_buys_are_exact=False,
        limits={"user_percent": 100_000, "requests_per_minute": 1_000_000},
    ),
}


BANNING = [place for place in PLACES if MANNERS[place[0]].ban is not None]
"""Places whose venue has a ban that its clients can tell from too often."""


class Bench:
    """One event loop and one pool of clients for a module's tests."""

    def __init__(self) -> None:
        self.credentials: dict[UUID, Credentials] = {}
        self._runner = asyncio.Runner()
        self._pool = Pool(self._open, redis_url="", limits_factor=1000)

    def _open(self, account_id: UUID) -> Credentials:
        return self.credentials[account_id]

    def run(self, ref: AccountRef, use: Use[T], *, alone: bool = False) -> T:
        """Run `use` with a warm client; `alone`: with a pool of its own, so that bans and clocks stay with it."""

        async def main() -> T:
            pool = Pool(self._open, redis_url="", limits_factor=1000) if alone else self._pool
            try:
                return await use(await pool.get(ref))
            finally:
                if alone:
                    await pool.close()

        return self._runner.run(main())

    def run_together(
        self, accounts: Sequence["Account"], use: Callable[[ExchangeClient, "Account"], Coroutine[Any, Any, None]]
    ) -> None:
        """Run `use` for several accounts at the same time, with a pool of their own."""

        async def main() -> None:
            pool = Pool(self._open, redis_url="", limits_factor=1000)
            try:
                clients = [await pool.get(account.ref) for account in accounts]
                await asyncio.gather(*(use(client, one) for client, one in zip(clients, accounts, strict=True)))
            finally:
                await pool.close()

        self._runner.run(main())

    def close(self) -> None:
        """Let the clients go and the loop end."""
        self._runner.run(self._pool.close())
        self._runner.close()


@dataclass
class Account:
    """An account at the sandbox, as its owner and as the venue see it."""

    ref: AccountRef
    number: int
    api_key: str
    credentials: Credentials
    control: Control
    bench: Bench = field(repr=False)

    @property
    def symbol(self) -> str:
        """BTC's market at this place."""
        return pair("BTC", market=self.ref.market)

    @property
    def eth(self) -> str:
        return pair("ETH", market=self.ref.market)

    @property
    def is_spot(self) -> bool:
        return self.ref.market is Market.SPOT

    @property
    def where(self) -> dict[str, Any]:
        """Return how a control is told the market."""
        return {"market": "spot"} if self.is_spot else {}

    @property
    def manners(self) -> Manners:
        return MANNERS[self.ref.venue]

    @property
    def orders_path(self) -> str:
        return self.manners.orders[self.ref.market]

    def run(self, use: Use[T], *, alone: bool = False) -> T:
        """Run `use` with a client of this account."""
        return self.bench.run(self.ref, use, alone=alone)

    def place(self, request: OrderRequest, *, alone: bool = False, **options: Any) -> Outcome:
        """Send one order."""
        return self.run(lambda client: client.place(request, **{"not_after": soon(), **options}), alone=alone)

    def settled(self, request: OrderRequest) -> VenueOrder:
        """Place an order and return what became of it once it has ended."""
        return self.run(lambda client: settled(client, request))

    def buy(self, quantity: str = "0.01", **facts: Any) -> OrderRequest:
        """Return a market order to buy BTC under an id of its own."""
        request = OrderRequest(self.symbol, Side.BUY, Decimal(quantity), OrderKind.MARKET, f"cp{new_id().hex[:28]}")
        return replace(request, **facts)

    def sell(self, quantity: str = "0.01", **facts: Any) -> OrderRequest:
        return self.buy(quantity, side=Side.SELL, **facts)

    def fault(self, *, path: str = "", **facts: Any) -> None:
        """Let the next matching request of this account go wrong."""
        self.control.fault(**{"venue": self.ref.venue.value, "account": self.number, "path": path, **facts})

    def trade(self, side: str, quantity: str, *, symbol: str = BTC_ID, **facts: Any) -> Any:
        """Trade by hand, as through the venue's own app."""
        return self.control.place(self.number, symbol, side, quantity, **self.where, **facts)

    def orders(self) -> list[dict[str, Any]]:
        """Return all orders of the account, as the venue knows them."""
        return self.control.orders(self.number)

    def filled_ids(self) -> list[str]:
        """Return the ids of all fills of the account, oldest first, as the venue knows them."""
        return [str(row["id"]) for row in self.control.fills(self.number)]

    def fills_in_one_millisecond(self, count: int, *, side: str = "BUY", each: str = "0.01") -> None:
        """Trade once against so many resting orders: each is a fill of the same millisecond."""
        levels = [(60000 + level, each) for level in range(count)]
        book = (
            {"asks": levels, "bids": [(59000, 100)]} if side == "BUY" else {"bids": levels[::-1], "asks": [(61000, 1)]}
        )
        self.control.set_book(BTC_ID, **self.where, **book)
        self.trade(side, str(Decimal(each) * count))
        self.control.clear_book(BTC_ID, **self.where)


def soon() -> datetime:
    return clock.real_now() + timedelta(seconds=5)


async def settled(client: ExchangeClient, request: OrderRequest) -> VenueOrder:
    """Place an order and return what the venue says of it once it has ended; acknowledgements may say nothing yet."""
    outcome = await client.place(request, not_after=soon())
    assert outcome.kind is OutcomeKind.PLACED, outcome
    order = outcome.order
    async with asyncio.timeout(20):
        while order is None or not order.has_ended:
            await asyncio.sleep(0.01)
            order = await client.look_up(request.symbol, request.client_order_id)
    return order


async def eventually(ask: Callable[[], Awaitable[T]], *, within: float = 20) -> T:
    """Return the first true answer."""
    async with asyncio.timeout(within):
        while not (found := await ask()):  # noqa: ASYNC110 - the condition lies at the venue
            await asyncio.sleep(0.01)
        return found


async def all_fills(
    client: ExchangeClient, symbol: str, *, cursor: str = "", at_most: int = 100
) -> tuple[list[Fill], str]:
    """Walk the pages of a symbol's fills to the end; return them as they came, and the cursor."""
    found: list[Fill] = []
    since = clock.now() - timedelta(hours=1)
    for _ in range(at_most):
        page = await client.fills(symbol, cursor=cursor, since=since)
        assert not page.spoiled
        found += page.fills
        cursor = page.cursor
        if page.is_last:
            return found, cursor
    raise AssertionError("the pages do not end")


async def heard_until(
    messages: AsyncIterator[StreamMessage], wanted: Callable[[StreamMessage], object], *, within: float = 20
) -> list[StreamMessage]:
    """Return the messages up to the first that is wanted."""
    heard: list[StreamMessage] = []
    async with asyncio.timeout(within):
        async for message in messages:
            heard.append(message)
            if wanted(message):
                return heard
    raise AssertionError("the stream ended")


def open_account(
    control: Control, bench: Bench, place: tuple[Venue, Market], *, mode: str = "sandbox", **facts: Any
) -> Account:
    """Open an account with a million USDT; on spot with 10 BTC too."""
    venue, market = place
    money = {"coins": {"USDT": MILLION, "BTC": 10}} if market is Market.SPOT else {"deposit": MILLION}
    made = control.create_account("alice", venue=venue.value, **{**money, **facts})
    ref = AccountRef(new_id(), venue, market, mode)
    credentials = Credentials(made["api_key"], made["api_secret"], made.get("passphrase", ""))
    bench.credentials[ref.id] = credentials
    return Account(ref, made["account_id"], made["api_key"], credentials, control, bench)
