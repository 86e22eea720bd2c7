"""Unmodified ccxt and ccxt.pro at the sandbox's Bybit, by overridden addresses and by the venue's own hosts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import ccxt.pro
import pytest

from tests.contract.sandbox.served import SandboxServer
from tests.contract.sandbox.test_hosts import ToSandbox

SWAP, SPOT = "BTC/USDT:USDT", "BTC/USDT"
BOTH: dict[str, Any] = {"fetchMarkets": {"types": ["spot", "linear"]}}


@pytest.fixture(autouse=True)
def _fresh(server: SandboxServer) -> None:
    server.control.limits(venue="bybit")
    server.control.set_price("BTCUSDT", 60_000)


@pytest.fixture
def account(server: SandboxServer) -> dict[str, Any]:
    return server.control.create_account("alice", venue="bybit", deposit=100_000, coins={"BTC": 1})


def addresses(url: str) -> dict[str, Any]:
    """Return ccxt's `urls` with the sandbox in the place of Bybit's hosts."""
    base, sockets = f"{url}/bybit", f"{url}/bybit".replace("http", "ws", 1)
    public = {name: f"{sockets}/v5/public/{name}" for name in ("spot", "linear", "inverse", "option")}
    private = {"contract": f"{sockets}/v5/private", "usdc": f"{sockets}/trade", "trade": f"{sockets}/v5/trade"}
    private |= {"spot": {"unified": f"{sockets}/v5/private", "nonUnified": f"{sockets}/spot"}}  # pyright: ignore
    rest = dict.fromkeys(("public", "private", "spot", "futures", "v2"), base)
    return {"api": {**rest, "ws": {"public": public, "private": private}}}


@asynccontextmanager
async def client(server: SandboxServer, account: dict[str, Any]) -> AsyncGenerator[Any]:
    keys = {"apiKey": account["api_key"], "secret": account["api_secret"]}
    config: Any = {**keys, "urls": addresses(server.url), "options": BOTH}
    exchange = ccxt.pro.bybit(config)
    try:
        await exchange.load_markets()
        yield exchange
    finally:
        await exchange.close()


def test_orders_trades_positions_and_balances(server: SandboxServer, account: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server, account) as exchange:
            await exchange.create_order(SWAP, "market", "buy", 0.1, None, {"clientOrderId": "cp-1"})
            (order,) = await exchange.fetch_open_orders(SWAP, params={"orderLinkId": "cp-1"})
            assert (order["status"], order["filled"], order["fee"]["currency"]) == ("closed", 0.1, "USDT")
            await exchange.create_order(SPOT, "market", "buy", 0.01)
            (trade,) = await exchange.fetch_my_trades(SPOT)
            assert (trade["amount"], trade["fee"]["currency"]) == (0.01, "BTC")
            (position,) = await exchange.fetch_positions([SWAP])
            assert (position["side"], position["contracts"]) == ("long", 0.1)
            assert (await exchange.fetch_balance())["BTC"]["total"] == 1.00999
            resting = await exchange.create_order(SWAP, "limit", "sell", 0.1, 61_000, {"reduceOnly": True})
            assert [one["id"] for one in await exchange.fetch_open_orders(SWAP)] == [resting["id"]]
            await exchange.cancel_order(resting["id"], SWAP)
            with pytest.raises(ccxt.OrderNotFound):
                await exchange.cancel_order(resting["id"], SWAP)
            form = {"symbol": SWAP, "type": "limit", "side": "buy", "amount": 0.01}
            both = await exchange.create_orders([form | {"price": 59_000}, form | {"price": 58_000}])
            edited = await exchange.edit_order(both[0]["id"], SWAP, "limit", "buy", 0.02, 58_900)
            assert edited["id"] == both[0]["id"]
            assert {one["amount"] for one in await exchange.fetch_open_orders(SWAP)} == {0.01, 0.02}
            await exchange.cancel_orders([one["id"] for one in both], SWAP)
            assert await exchange.fetch_open_orders(SWAP) == []

    asyncio.run(run())


def test_the_rest_that_history_needs(server: SandboxServer, account: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server, account) as exchange:
            assert abs(await exchange.fetch_time() - exchange.milliseconds()) < 5000
            assert len(await exchange.fetch_ohlcv(SWAP, "1h", limit=5)) == 5
            assert len((await exchange.fetch_order_book(SPOT, 5))["bids"]) == 5
            assert (await exchange.fetch_ticker(SWAP))["markPrice"] == 60_000
            assert len(await exchange.fetch_funding_rate_history(SWAP, limit=2)) == 2
            assert {one["currency"] for one in await exchange.fetch_ledger()} == {"USDT", "BTC"}
            assert [one["amount"] for one in await exchange.fetch_transfers()] == [100_000]
            assert (await exchange.fetch_margin_mode(SWAP))["marginMode"] == "cross"
            assert (await exchange.fetch_leverage(SWAP))["longLeverage"] == 20
            await exchange.set_leverage(5, SWAP)
            with pytest.raises(ccxt.BadRequest, match="110043"):
                await exchange.set_leverage(5, SWAP)
            with pytest.raises(ccxt.NoChange):
                await exchange.set_position_mode(False, SWAP)
            await exchange.set_position_mode(True, SWAP)
            await exchange.create_order(SWAP, "market", "buy", 0.1, None, {"hedged": True})
            await exchange.create_order(SWAP, "market", "sell", 0.1, None, {"hedged": True, "reduceOnly": True})
            assert await exchange.fetch_positions([SWAP]) == [] or all(
                one["contracts"] == 0 for one in await exchange.fetch_positions([SWAP])
            )

    asyncio.run(run())


def test_pro_hears_trades_orders_balances_and_positions(server: SandboxServer, account: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server, account) as exchange:
            watched = {
                "trades": asyncio.create_task(exchange.watch_my_trades()),
                "orders": asyncio.create_task(exchange.watch_orders()),
                "balance": asyncio.create_task(exchange.watch_balance()),
                "positions": asyncio.create_task(exchange.watch_positions()),
                "ticker": asyncio.create_task(exchange.watch_ticker(SWAP)),
            }
            async with asyncio.timeout(10):
                while not all(task.done() for name, task in watched.items() if name != "positions"):
                    await exchange.create_order(SWAP, "market", "buy", 0.01)
                    await asyncio.sleep(0.1)
                assert watched["trades"].result()[0]["symbol"] == SWAP
                assert watched["orders"].result()[0]["status"] == "closed"
                assert watched["balance"].result()["USDT"]["total"] < 100_000
                assert (await watched["positions"])[0]["side"] == "long"
                assert watched["ticker"].result()["last"] == 60_000

    asyncio.run(run())


@pytest.mark.parametrize(
    ("order", "error", "code"),
    [
        ({"amount": 90}, ccxt.InsufficientFunds, "110007"),
        ({"symbol": SPOT, "side": "sell", "amount": 5}, ccxt.InsufficientFunds, "170131"),
        ({"params": {"clientOrderId": "cp-used"}}, ccxt.InvalidOrder, "110072"),
        ({"side": "sell", "params": {"reduceOnly": True}}, ccxt.InvalidOrder, "110017"),
    ],
)
def test_refusals_are_the_classes_of_the_venue(
    server: SandboxServer, account: dict[str, Any], order: dict[str, Any], error: type[Exception], code: str
) -> None:
    async def run() -> None:
        async with client(server, account) as exchange:
            await exchange.create_order(SPOT, "market", "buy", 0.01, None, {"clientOrderId": "cp-used"})
            form = {"symbol": SWAP, "type": "market", "side": "buy", "amount": 0.01} | order
            if code == "110072":
                await exchange.create_order(**form)
            with pytest.raises(error, match=code):
                await exchange.create_order(**form)

    asyncio.run(run())


def test_the_venues_own_hosts(tls: tuple[SandboxServer, int]) -> None:
    server, port = tls
    alice = server.control.create_account("alice", venue="bybit", deposit=1_000)
    server.control.set_price("BTCUSDT", 60_000)

    async def run() -> None:
        connector = aiohttp.TCPConnector(resolver=ToSandbox(port), ssl=False, limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            keys = {"apiKey": alice["api_key"], "secret": alice["api_secret"]}
            config: Any = {**keys, "session": session, "verify": False, "options": BOTH}
            exchange: Any = ccxt.pro.bybit(config)
            await exchange.load_markets()
            watch = asyncio.create_task(exchange.watch_my_trades())
            async with asyncio.timeout(10):
                while not watch.done():
                    await exchange.create_order(SWAP, "market", "buy", 0.001)
                    await asyncio.sleep(0.1)
            assert watch.result()[0]["amount"] == 0.001
            await exchange.close()

    asyncio.run(run())


def test_a_socket_is_answered_and_a_silent_one_cut(server: SandboxServer, account: dict[str, Any]) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            base = server.url.replace("http", "ws", 1) + "/bybit"
            async with session.ws_connect(f"{base}/v5/private") as socket:
                await socket.send_json({"op": "subscribe", "args": ["order"]})
                assert (await socket.receive_json())["success"] is False  # nobody has logged in
                await socket.send_json({"op": "auth", "args": [account["api_key"], "4102444800000", "forged"]})
                refused = await socket.receive_json()
                assert (refused["success"], refused["op"]) == (False, "auth")
                await socket.send_json({"req_id": 5, "op": "ping"})
                pong = await socket.receive_json()
                assert (pong["op"], pong["req_id"]) == ("pong", "5")
                await socket.send_str("nonsense")
                assert (await socket.receive_json())["ret_msg"] == "error:invalid op"
            async with session.ws_connect(f"{base}/v5/public/linear") as socket:
                await socket.send_json({"op": "subscribe", "req_id": "1", "args": ["tickers.NOTHING"]})
                refused = await socket.receive_json()
                assert "handler not found" in refused["ret_msg"]
                server.control.limits(venue="bybit", silent_s=0)
                cut = await socket.receive(timeout=5)
                assert cut.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR)
            server.control.limits(venue="bybit", silent_s=600)

    asyncio.run(run())
