"""Unmodified ccxt and ccxt.pro on the sandbox's Bitget: the acceptance list of the wire page, spot and perpetuals."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import ccxt
import ccxt.pro
import pytest

from copytrade.sandbox.bitget import sign
from copytrade.sandbox.bitget.errors import ApiError
from tests.contract.sandbox.served import SandboxServer
from tests.contract.sandbox.test_hosts import ToSandbox

BTC, SPOT = "BTC/USDT:USDT", "BTC/USDT"
Use = Callable[[Any], Coroutine[Any, Any, None]]


@pytest.fixture
def alice(server: SandboxServer) -> dict[str, Any]:
    server.control.limits(venue="bitget", user_percent=100_000)
    server.control.set_price("BTCUSDT", 60_000)
    return server.control.create_account(
        "alice", venue="bitget", deposit=100_000, coins={"USDT": 100_000, "BTC": 2, "BGB": 100}
    )


def addresses(url: str) -> dict[str, Any]:
    base, sockets = f"{url}/bitget", f"{url}/bitget".replace("http", "ws", 1)
    names = ("spot", "mix", "user", "p2p", "broker", "margin", "common", "tax", "convert", "copy", "earn", "uta")
    api: dict[str, Any] = dict.fromkeys(names, base)
    api["ws"] = {"public": f"{sockets}/v2/ws/public", "private": f"{sockets}/v2/ws/private"}
    return {"api": api}


class Counting(ccxt.pro.bitget):
    """ccxt's own class, which also counts the channels that the venue confirmed."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.confirmed = asyncio.Semaphore(0)

    def handle_subscription_status(self, client: Any, message: Any) -> Any:
        self.confirmed.release()
        return super().handle_subscription_status(client, message)


@asynccontextmanager
async def client(url: str, account: dict[str, Any] | None = None, **options: Any) -> AsyncGenerator[Any]:
    keys = (
        {"apiKey": account["api_key"], "secret": account["api_secret"], "password": account["passphrase"]}
        if account
        else {}
    )
    config: Any = {**keys, "urls": addresses(url), "enableRateLimit": False, **options}
    config["options"] = {"fetchMarkets": {"types": ["spot", "swap"]}}
    exchange = Counting(config)
    try:
        yield exchange
    finally:
        await exchange.close()


def with_client(server: SandboxServer, account: dict[str, Any] | None, use: Use) -> None:
    async def run() -> None:
        async with client(server.url, account) as exchange:
            await use(exchange)

    asyncio.run(run())


PLACE, DETAIL = "/api/v2/mix/order/place-order", "/api/v2/mix/order/detail"
QUERY = "clientOid=cp-1&productType=USDT-FUTURES&symbol=BTCUSDT"
VECTORS = [
    ("POST", PLACE, "", '{"symbol":"BTCUSDT","side":"buy"}', "03CRKRAAT0ujTNCBBUF8WZfkUu9w0DwpB3yaYnMpSi0="),
    ("GET", DETAIL, QUERY, "", "IQfxLbIu/J5GRoaGPWwG+MSGaUttB0y1MhFjbVUIDMM="),
]


@pytest.mark.parametrize(("method", "path", "query", "body", "signature"), VECTORS)
def test_the_vectors_of_the_wire_page_are_accepted(
    method: str, path: str, query: str, body: str, signature: str
) -> None:
    asked = {"stamp": "1700000000000", "method": method, "path": path, "query": query, "body": body}
    sign.check_signature("s-f1", signature, **asked)
    for changed in ({"body": body + " "}, {"stamp": "1700000000001"}, {"query": query + "&x=1"}):
        with pytest.raises(ApiError, match="sign signature error"):
            sign.check_signature("s-f1", signature, **(asked | changed))
    with pytest.raises(ApiError, match="sign signature error"):
        sign.check_signature("s-f2", signature, **asked)


def test_a_login_is_checked_by_its_vector() -> None:
    assert sign.is_login("s-f1", "pNUsgVy9xEl1B1nOtwn+dpIQMUZjSdkCrrYfHEh0vvw=", "1700000000")
    assert not sign.is_login("s-f1", "pNUsgVy9xEl1B1nOtwn+dpIQMUZjSdkCrrYfHEh0vvw=", "1700000001")


def test_markets_load_and_the_probe_finds_a_classic_account(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def use(exchange: Any) -> None:
        markets = await exchange.load_markets()
        assert (len(markets), exchange.options["uta"]) == (38, False)
        assert (markets[BTC]["precision"]["price"], markets[BTC]["precision"]["amount"]) == (0.1, 0.001)
        assert (markets[SPOT]["precision"]["price"], markets[SPOT]["precision"]["amount"]) == (0.01, 0.00001)
        assert markets[BTC]["limits"]["cost"]["min"] == 5
        assert abs(await exchange.load_time_difference()) < 1000
        assert (await exchange.fetch_balance({"type": "swap"}))["USDT"]["total"] == 100_000
        assert (await exchange.fetch_balance({"type": "spot"}))["BTC"] == {"free": 2.0, "used": 0.0, "total": 2.0}

    with_client(server, alice, use)


def test_a_unified_account_is_told_so_by_every_call_of_version_2(server: SandboxServer) -> None:
    mallory = server.control.create_account("mallory", venue="bitget", unified=True)

    async def use(exchange: Any) -> None:
        assert (await exchange.private_uta_get_v3_account_settings())["data"]["accountMode"] == "unified"
        with pytest.raises(ccxt.PermissionDenied, match="40085"):
            await exchange.private_spot_get_v2_spot_account_info()

    with_client(server, mallory, use)


def test_perpetual_orders_by_every_way_of_looking(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def use(exchange: Any) -> None:
        placed = await exchange.create_order(BTC, "market", "buy", 3, None, {"clientOrderId": "cp-1"})
        assert placed["status"] is None
        order = await exchange.fetch_order("", BTC, {"clientOid": "cp-1"})
        assert (order["id"], order["status"], order["filled"]) == (placed["id"], "closed", 3)
        fills = await exchange.fetch_my_trades(BTC)
        assert len(fills) >= 2
        assert sum(fill["amount"] for fill in fills) == pytest.approx(3)
        assert order["fee"]["cost"] == pytest.approx(sum(fill["fee"]["cost"] for fill in fills))
        assert [(row["side"], row["contracts"]) for row in await exchange.fetch_positions([BTC])] == [("long", 3)]
        resting = await exchange.create_order(BTC, "limit", "buy", 0.01, 58_000)
        assert [row["id"] for row in await exchange.fetch_open_orders(BTC)] == [resting["id"]]
        await exchange.cancel_order(resting["id"], BTC)
        with pytest.raises(ccxt.ExchangeError, match="22001"):
            await exchange.cancel_order(resting["id"], BTC)
        with pytest.raises(ccxt.OrderNotFound):
            await exchange.cancel_order("1", BTC)
        ended = await exchange.fetch_canceled_and_closed_orders(BTC)
        assert sorted(row["status"] for row in ended) == ["canceled", "closed"]
        with pytest.raises(ccxt.OrderNotFound, match="40109"):
            await exchange.fetch_order("", BTC, {"clientOid": "cp-2"})
        for wrong, words in (({"clientOrderId": "cp-1"}, "40786"), ({"clientOrderId": "no blank"}, "43011")):
            with pytest.raises(ccxt.ExchangeError, match=words):
                await exchange.create_order(BTC, "market", "buy", 0.01, None, wrong)
        with pytest.raises(ccxt.InsufficientFunds, match="40762"):
            await exchange.create_order(BTC, "market", "buy", 100)

    with_client(server, alice, use)


def test_settings_are_read_as_they_were_set(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def use(exchange: Any) -> None:
        for _ in range(2):
            assert (await exchange.set_leverage(10, BTC))["data"]["longLeverage"] == "10"
            await exchange.set_margin_mode("isolated", BTC)
            await exchange.set_position_mode(True, BTC)
        found = await exchange.fetch_leverage(BTC)
        assert (found["marginMode"], found["longLeverage"]) == ("isolated", 10)
        assert found["info"]["posMode"] == "hedge_mode"
        with pytest.raises(ccxt.InvalidOrder, match="40774"):
            await exchange.create_order(BTC, "market", "buy", 0.01, None, {"marginMode": "isolated"})
        hedged = {"hedged": True, "marginMode": "isolated"}
        await exchange.create_order(BTC, "market", "buy", 0.02, None, hedged)
        await exchange.create_order(BTC, "market", "sell", 0.01, None, hedged)
        sides = {row["side"]: row["contracts"] for row in await exchange.fetch_positions([BTC])}
        assert sides == {"long": 0.02, "short": 0.01}
        await exchange.create_order(BTC, "market", "sell", 0.02, None, hedged | {"reduceOnly": True})
        assert [row["side"] for row in await exchange.fetch_positions([BTC])] == ["short"]
        with pytest.raises(ccxt.ExchangeError, match="40920"):
            await exchange.set_position_mode(False, BTC)

    with_client(server, alice, use)


def test_rest_and_stream_name_other_directions_in_hedge_mode(server: SandboxServer, alice: dict[str, Any]) -> None:
    server.control.set_modes(alice["account_id"], hedge=True)

    async def use(exchange: Any) -> None:
        await exchange.load_markets()
        told: list[Any] = []
        watching = asyncio.create_task(_gather(exchange, told, 4))
        await _listening(exchange)
        for side, close in (("buy", False), ("sell", True), ("sell", False), ("buy", True)):
            form = {"hedged": True} | ({"reduceOnly": True} if close else {})
            await exchange.create_order(BTC, "market", side, 0.02, None, form)
        await asyncio.wait_for(watching, 5)
        streamed = [(one["side"], one["info"]["tradeSide"]) for one in told]
        listed = [(one["side"], one["info"]["tradeSide"]) for one in await exchange.fetch_my_trades(BTC)]
        assert streamed == [("buy", "open"), ("sell", "close"), ("sell", "open"), ("buy", "close")]
        assert listed == [("buy", "open"), ("buy", "close"), ("sell", "open"), ("sell", "close")]

    with_client(server, alice, use)


async def _gather(exchange: Any, told: list[Any], count: int, symbol: str = BTC) -> None:
    exchange.newUpdates = True
    while len(told) < count:
        told += await exchange.watch_my_trades(symbol)


async def _listening(exchange: Any, channels: int = 1) -> None:
    """Wait until the venue has confirmed so many channels."""
    for _ in range(channels):
        await asyncio.wait_for(exchange.confirmed.acquire(), 5)


@pytest.mark.parametrize("hedge", [False, True])
def test_a_liquidation_is_told_as_burst(server: SandboxServer, alice: dict[str, Any], hedge: bool) -> None:
    number = alice["account_id"]
    server.control.set_modes(number, hedge=hedge)
    server.control.place(number, "BTCUSDT", "BUY", "0.5", position_side="LONG" if hedge else None)
    server.control.liquidate(number)

    async def use(exchange: Any) -> None:
        fills = await exchange.fetch_my_trades(BTC)
        assert fills[-1]["info"]["tradeSide"] == ("burst_close_long" if hedge else "burst_sell_single")
        bills = (await exchange.private_mix_get_v2_mix_account_bill({"productType": "USDT-FUTURES"}))["data"]["bills"]
        kinds = [row["businessType"] for row in bills]
        assert ("burst_long_loss_query" if hedge else "burst_sell") in kinds

    with_client(server, alice, use)


def test_spot_buys_with_money_and_sells_what_is_there(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def use(exchange: Any) -> None:
        placed = await exchange.create_order(SPOT, "market", "buy", 0.01, 60_001, {"clientOrderId": "s-1"})
        order = await exchange.fetch_order(placed["id"], SPOT)
        assert (order["status"], order["filled"], order["fee"]["currency"]) == ("closed", 0.01, "BTC")
        fill = (await exchange.fetch_my_trades(SPOT))[0]
        assert fill["fee"] == {"currency": "BTC", "cost": 0.00001}
        free = (await exchange.fetch_balance({"type": "spot"}))["BTC"]["free"]
        assert free == pytest.approx(2.00999)
        with pytest.raises(ccxt.InsufficientFunds, match="43012"):
            await exchange.create_order(SPOT, "market", "sell", 2.01)
        await exchange.create_order(SPOT, "market", "sell", 2)
        resting = await exchange.create_order(SPOT, "limit", "buy", 0.01, 59_000)
        assert (await exchange.fetch_balance({"type": "spot"}))["USDT"]["used"] == 590
        await exchange.cancel_order(resting["id"], SPOT)
        statuses = [row["status"] for row in await exchange.fetch_canceled_and_closed_orders(SPOT)]
        assert sorted(statuses) == ["canceled", "closed", "closed"]
        with pytest.raises(ccxt.ExchangeError, match="43118"):
            await exchange.create_order(SPOT, "market", "buy", 0.01, 60_000, {"clientOrderId": "s-1"})
        with pytest.raises(ccxt.OrderNotFound, match="43001"):
            await exchange.cancel_order("1", SPOT)

    with_client(server, alice, use)


def test_ccxt_pro_hears_both_markets(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def use(exchange: Any) -> None:
        await exchange.load_markets()
        swap, spot, orders, balance, positions = (
            asyncio.create_task(coming)
            for coming in (
                exchange.watch_my_trades(BTC),
                exchange.watch_my_trades(SPOT),
                exchange.watch_orders(BTC),
                exchange.watch_balance({"type": "spot"}),
                exchange.watch_positions([BTC]),
            )
        )
        await _listening(exchange, 5)
        await exchange.create_order(BTC, "market", "buy", 0.02, None, {"clientOrderId": "p-1"})
        await exchange.create_order(SPOT, "market", "sell", 0.3)
        heard = await asyncio.wait_for(asyncio.gather(swap, spot, orders, balance, positions), 5)
        assert [(one["symbol"], one["side"], one["amount"]) for one in (heard[0][0], heard[1][0])] == [
            (BTC, "buy", 0.02),
            (SPOT, "sell", 0.3),
        ]
        assert heard[2][0]["clientOrderId"] == "p-1"
        assert heard[3]["BTC"]["free"] == 1.7
        assert (heard[4][0]["side"], heard[4][0]["contracts"]) == ("long", 0.02)

    with_client(server, alice, use)


def test_public_channels_speak_once_a_second(server: SandboxServer) -> None:
    server.control.set_price("BTCUSDT", 60_000)

    async def use(exchange: Any) -> None:
        ticker = await asyncio.wait_for(exchange.watch_ticker(SPOT), 5)
        assert (ticker["bid"], ticker["ask"]) == (60_000, 60_000.01)
        book = await asyncio.wait_for(exchange.watch_order_book(BTC, 5), 5)
        assert book["bids"][0][0] == 60_000
        with pytest.raises(ccxt.ExchangeError, match="30001"):
            await asyncio.wait_for(exchange.watch_trades(BTC), 5)

    with_client(server, None, use)


def test_history_reads_candles_bills_and_funding(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def use(exchange: Any) -> None:
        await exchange.create_order(BTC, "market", "buy", 0.5)
        server.control.advance(9 * 3600)
        await exchange.create_order(BTC, "market", "sell", 0.5, None, {"reduceOnly": True})
        funding = await exchange.fetch_funding_history(BTC)
        assert 1 <= len(funding) <= 2
        kinds = {row["info"]["businessType"] for row in await exchange.fetch_ledger("USDT", params={"type": "swap"})}
        assert kinds == {"trans_from_exchange", "buy", "sell", "contract_settle_fee"}
        for symbol in (BTC, SPOT):
            candles = await exchange.fetch_ohlcv(symbol, "1h", limit=6)
            assert len(candles) == 6
            assert [row[1] for row in candles[1:]] == [row[4] for row in candles[:-1]]
            assert (await exchange.fetch_ticker(symbol))["last"] == pytest.approx(candles[-1][4], rel=0.01)
            book = await exchange.fetch_order_book(symbol, limit=20)
            assert book["bids"][0][0] < book["asks"][0][0]

    with_client(server, alice, use)


def test_limits_are_counted_by_user_and_second_and_by_address(server: SandboxServer, alice: dict[str, Any]) -> None:
    server.control.limits(venue="bitget", user_percent=10, copied_user=alice["account_id"])

    async def use(exchange: Any) -> None:
        exchange.options["uta"] = False
        await exchange.load_markets()

        async def burst(ask: Callable[[], Coroutine[Any, Any, Any]], count: int) -> list[Any]:
            return await asyncio.gather(*(ask() for _ in range(count)), return_exceptions=True)

        def refused(answers: list[Any]) -> int:
            return sum(isinstance(one, ccxt.RateLimitExceeded | ccxt.DDoSProtection) for one in answers)

        reads = await burst(lambda: exchange.fetch_balance({"type": "spot"}), 30)
        assert refused(reads) >= 10
        server.control.limits(venue="bitget", user_percent=100)
        orders = await burst(lambda: exchange.create_order(BTC, "market", "buy", 0.01), 9)
        assert refused(orders) >= 5, "a trader of the venue's own copy trading has one a second"
        info = await exchange.private_spot_get_v2_spot_account_info()
        assert info["data"]["traderType"] == "trader"
        server.control.limits(venue="bitget", user_percent=100_000, requests_per_minute=3)
        assert refused(await burst(exchange.fetch_time, 20)) >= 14

    with_client(server, alice, use)
    server.control.limits(venue="bitget", requests_per_minute=6000, copied_user=0)


def test_a_socket_that_logs_in_wrongly_hears_nothing(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        address = f"{server.url}/bitget/v2/ws/private".replace("http", "ws", 1)
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            fill = {"instType": "SPOT", "channel": "fill", "instId": "default"}
            await socket.send_json({"op": "subscribe", "args": [fill]})
            assert (await socket.receive_json(timeout=5))["code"] == 30004
            await socket.send_str("not json")
            assert (await socket.receive_json(timeout=5))["code"] == 30002
            stale = {"apiKey": alice["api_key"], "passphrase": alice["passphrase"], "timestamp": "1700000000"}
            await socket.send_json({"op": "login", "args": [{**stale, "sign": "x"}]})
            assert (await socket.receive_json(timeout=5))["code"] == 30013
            await socket.send_str("ping")
            assert await socket.receive_str(timeout=5) == "pong"

    asyncio.run(run())


def test_the_venues_own_hosts_are_served_over_tls(tls: tuple[SandboxServer, int]) -> None:
    server, port = tls
    account = server.control.create_account("alice", venue="bitget", deposit=1_000)
    server.control.set_price("BTCUSDT", 60_000)

    async def run() -> None:
        connector = aiohttp.TCPConnector(resolver=ToSandbox(port), ssl=False, limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            keys = {name: account[ours] for name, ours in (("apiKey", "api_key"), ("secret", "api_secret"))}
            config: Any = {**keys, "password": account["passphrase"], "session": session, "verify": False}
            exchange = Counting(config | {"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["swap"]}}})
            await exchange.load_markets()
            watching = asyncio.create_task(exchange.watch_my_trades(BTC))
            await _listening(exchange)
            await exchange.create_order(BTC, "market", "buy", 0.1)
            assert (await asyncio.wait_for(watching, 5))[0]["amount"] == 0.1
            await exchange.close()

    asyncio.run(run())
