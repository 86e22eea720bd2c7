"""Binance spot on the wire: what unmodified ccxt does with it, and what a bare signed client sees."""

import asyncio
import hmac
import json
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import pytest

from copytrade.sandbox.client import ControlError
from tests.contract.sandbox.clients import client
from tests.contract.sandbox.served import Raw, SandboxServer
from tests.waiting import wait_until

BTC = "BTC/USDT"
ORDER = "/api/v3/order"
ONLY_SPOT = {"fetchMargins": False, "fetchMarkets": {"types": ["spot"]}}
DAY_MS = 86_400_000


@pytest.fixture
def alice(server: SandboxServer) -> dict[str, Any]:
    server.control.set_price("BTCUSDT", 60_000)
    return server.control.create_account("alice", coins={"USDT": 10_000, "BTC": 1}, deposit=500)


def spot_order(raw: Raw, **params: Any) -> Any:
    form = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    return raw.signed("POST", ORDER, **{name: value for name, value in (form | params).items() if value is not None})


def test_ccxt_trades_and_reads_spot(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice, options=ONLY_SPOT) as exchange:
            markets = await exchange.load_markets()
            assert sum(market["spot"] for market in markets.values()) == 30
            assert markets[BTC]["precision"] == {
                **markets[BTC]["precision"],
                "amount": 0.00001,
                "price": 0.01,
            }
            assert markets[BTC]["limits"]["cost"]["min"] == 5
            bought = await exchange.create_order(BTC, "market", "buy", 0.01, None, {"clientOrderId": "cp-1"})
            assert (bought["status"], bought["filled"], bought["clientOrderId"]) == ("closed", 0.01, "cp-1")
            assert bought["fees"][0] == {"cost": 0.00001, "currency": "BTC"}
            by_cost = await exchange.create_order(BTC, "market", "buy", 0, None, {"cost": 100})
            assert 99 < by_cost["cost"] <= 100
            balance = await exchange.fetch_balance()
            assert balance["BTC"]["total"] == pytest.approx(1 + 0.01 * 0.999 + by_cost["filled"] * 0.999)
            resting = await exchange.create_order(BTC, "limit", "buy", 0.01, 50_000)
            assert (await exchange.fetch_balance())["USDT"]["used"] == 500
            assert [row["id"] for row in await exchange.fetch_open_orders(BTC)] == [resting["id"]]
            assert (await exchange.cancel_order(resting["id"], BTC))["status"] == "canceled"
            with pytest.raises(ccxt.OrderNotFound):
                await exchange.cancel_order(resting["id"], BTC)
            found = await exchange.fetch_order(None, BTC, {"origClientOrderId": "cp-1"})
            assert (found["id"], found["average"]) == (bought["id"], 60_000.01)
            trades = await exchange.fetch_my_trades(BTC)
            assert [trade["order"] for trade in trades] == [bought["id"], by_cost["id"]]
            assert {row["id"] for row in await exchange.fetch_orders(BTC)} >= {bought["id"], resting["id"]}
            ticker = await exchange.fetch_ticker(BTC)
            assert (ticker["bid"], ticker["ask"]) == (60_000, 60_000.01)
            assert (await exchange.fetch_order_book(BTC, 5))["asks"][0][0] == 60_000.01
            candles = await exchange.fetch_ohlcv(BTC, "1m", limit=10)
            assert len(candles) == 10
            assert len(await exchange.fetch_tickers()) == 30

    asyncio.run(run())


async def subscribed(server: SandboxServer, account: dict[str, Any]) -> None:
    """Wait until somebody listens to the account."""
    while True:
        if server.control.streams()["users"].get(str(account["account_id"])):
            return
        await asyncio.sleep(0.01)


def test_pro_hears_spot_trades_orders_and_balances(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        addresses = {"ws": {"ws-api": {"spot": f"{server.url}/binance/ws-api/v3".replace("http", "ws", 1)}}}
        async with client(server.url, alice, options=ONLY_SPOT) as exchange:
            exchange.urls["api"]["ws"] |= addresses["ws"]
            await exchange.load_markets()
            watches = [
                asyncio.create_task(exchange.watch_my_trades(BTC)),
                asyncio.create_task(exchange.watch_orders(BTC)),
                asyncio.create_task(exchange.watch_balance()),
            ]
            await subscribed(server, alice)
            placed = await exchange.create_order(BTC, "market", "buy", 0.01)
            trades, orders, balance = await asyncio.wait_for(asyncio.gather(*watches), 5)
            assert (trades[0]["order"], trades[0]["amount"]) == (placed["id"], 0.01)
            assert trades[0]["id"] == placed["trades"][0]["id"]
            assert trades[0]["fee"] == {"cost": 0.00001, "currency": "BTC"}
            assert orders[0]["id"] == placed["id"]
            assert balance["BTC"]["total"] == 1.00999

    asyncio.run(run())


@pytest.mark.parametrize(
    ("form", "code", "text"),
    [
        ({"quantity": "0.000001"}, -1013, "LOT_SIZE"),
        ({"quantity": "0.0000000001"}, -1111, "too much precision"),
        ({"quantity": "0"}, -1013, "Invalid quantity"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "2"}, -2010, "insufficient balance"),
        ({"side": "SELL", "quantity": "1.5"}, -2010, "insufficient balance"),
        ({"quantity": "1e-2"}, -1100, "Illegal characters"),
        ({"quantity": None}, -1102, "'quantity' or 'quoteOrderQty' must be sent"),
        ({"quoteOrderQty": "10"}, -1128, "Combination"),
        ({"symbol": "NOPEUSDT"}, -1121, "Invalid symbol"),
        ({"side": "HOLD"}, -1117, "Invalid side"),
        ({"type": "STOP_LOSS"}, -1116, "Invalid orderType"),
        ({"price": "1"}, -1106, "not required"),
        ({"newClientOrderId": "no.dots"}, -1100, "newClientOrderId"),
        ({"type": "LIMIT", "price": "50000"}, -1102, "timeInForce"),
        ({"type": "LIMIT", "price": "50000.001", "timeInForce": "GTC"}, -1013, "PRICE_FILTER"),
        ({"type": "LIMIT", "price": "500000", "timeInForce": "GTC"}, -1013, "PERCENT_PRICE_BY_SIDE"),
        ({"type": "LIMIT_MAKER", "price": "60001"}, -2010, "immediately match and take"),
    ],
)
def test_a_refusal_has_spots_own_code(
    server: SandboxServer, raw: Raw, form: dict[str, Any], code: int, text: str
) -> None:
    answer = spot_order(raw, **form)
    assert (answer.status, answer.code) == (400, code)
    assert text in answer.body["msg"]


def test_halted_and_delisted_symbols(server: SandboxServer, raw: Raw) -> None:
    server.control.halt("LTCUSDT", market="spot")
    assert spot_order(raw, symbol="LTCUSDT", quantity="1").body == {"code": -1013, "msg": "Market is closed."}
    server.control.halt("LTCUSDT", market="spot", halted=False)
    server.control.delist("LTCUSDT", market="spot")
    assert spot_order(raw, symbol="LTCUSDT", quantity="1").code == -1121
    listed = {row["symbol"] for row in raw.send("GET", "/api/v3/exchangeInfo").body["symbols"]}
    assert len(listed) == 29
    assert raw.send("GET", "/api/v3/ticker/price?symbol=LTCUSDT").code == -1121
    server.control.delist("LTCUSDT", market="spot", delisted=False)
    assert raw.send("GET", "/api/v3/ticker/price?symbol=LTCUSDT").status == 200


def test_a_client_id_is_free_again_after_its_order_is_done(raw: Raw) -> None:
    resting = {"type": "LIMIT", "price": "50000", "timeInForce": "GTC", "newClientOrderId": "cp-1"}
    assert spot_order(raw, **resting).body["status"] == "NEW"
    assert spot_order(raw, **resting).body == {"code": -2010, "msg": "Duplicate order sent."}
    cancelled = raw.signed("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="cp-1")
    assert (cancelled.body["status"], cancelled.body["origClientOrderId"]) == ("CANCELED", "cp-1")
    assert raw.signed("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="cp-1").code == -2011
    assert raw.signed("GET", ORDER, symbol="BTCUSDT", origClientOrderId="cp-2").code == -2013
    assert spot_order(raw, newClientOrderId="cp-1").body["status"] == "FILLED"
    assert spot_order(raw, newClientOrderId="cp-1").body["status"] == "FILLED"


def test_trades_come_by_id_by_order_or_by_a_day(server: SandboxServer, raw: Raw) -> None:
    orders = [spot_order(raw, quantity="0.001").body for _ in range(5)]
    path = "/api/v3/myTrades"
    rows = raw.signed("GET", path, symbol="BTCUSDT").body
    assert [row["orderId"] for row in rows] == [order["orderId"] for order in orders]
    assert [row["id"] for row in rows] == [order["fills"][0]["tradeId"] for order in orders]
    assert raw.signed("GET", path, symbol="BTCUSDT", fromId=rows[1]["id"], limit=2).body == rows[1:3]
    assert raw.signed("GET", path, symbol="BTCUSDT", orderId=orders[2]["orderId"]).body == [rows[2]]
    assert raw.signed("GET", path, symbol="BTCUSDT", startTime=rows[0]["time"], limit=3).body == rows[:3]
    assert raw.signed("GET", path, symbol="ETHUSDT").body == []
    now = rows[-1]["time"]
    window = {"startTime": now - DAY_MS - 1, "endTime": now}
    assert raw.signed("GET", path, symbol="BTCUSDT", **window).code == -1127
    assert raw.signed("GET", path, symbol="BTCUSDT", fromId=1, endTime=now).code == -1128
    assert raw.signed("GET", path, symbol="BTCUSDT", limit=1001).code == -1130


def test_the_spot_right_is_needed_to_trade_and_not_to_read(server: SandboxServer, alice: dict[str, Any]) -> None:
    key = server.control.add_key(alice["account_id"], read_only=True)
    reader = Raw(server.url, key)
    assert spot_order(reader).code == -2015
    assert reader.signed("GET", "/api/v3/account").status == 200
    assert reader.signed("GET", "/sapi/v1/account/apiRestrictions").body["enableSpotAndMarginTrading"] is False
    reader.close()


def test_balances_orders_and_weights(server: SandboxServer, raw: Raw) -> None:
    server.control.limits()
    spot_order(raw, type="LIMIT", price="50000", timeInForce="GTC")
    body = raw.signed("GET", "/api/v3/account", omitZeroBalances="true").body
    assert {row["asset"]: (row["free"], row["locked"]) for row in body["balances"]} == {
        "USDT": ("9500.00000000", "500.00000000"),
        "BTC": ("1.00000000", "0.00000000"),
    }
    assert len(raw.signed("GET", "/api/v3/account").body["balances"]) == 31
    used = int(raw.signed("GET", "/api/v3/openOrders").headers["X-MBX-USED-WEIGHT-1M"])
    answer = raw.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    assert int(answer.headers["X-MBX-USED-WEIGHT-1M"]) == used + 20
    placed = spot_order(raw)
    assert placed.headers["X-MBX-ORDER-COUNT-10S"] == placed.headers["X-MBX-ORDER-COUNT-1D"] == "1", (
        "filled: not counted"
    )


def test_unfilled_orders_count_against_the_limit(server: SandboxServer, raw: Raw) -> None:
    server.control.limits(spot_orders_per_10s=2)
    resting = {"type": "LIMIT", "price": "50000", "timeInForce": "GTC", "quantity": "0.001"}
    codes = {spot_order(raw, **resting).body.get("code") for _ in range(8)}
    assert codes == {None, -1015}
    server.control.limits(spot_orders_per_10s=100)


def test_deposits_withdrawals_and_transfers_are_told(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    control, number = server.control, alice["account_id"]
    control.transfer(number, "0.5", asset="BTC", market="spot")
    control.transfer(number, "-0.25", asset="BTC", market="spot")
    control.move(number, "1000")
    control.move(number, "-200")
    deposits = raw.signed("GET", "/sapi/v1/capital/deposit/hisrec").body
    assert [(row["coin"], row["amount"], row["status"]) for row in deposits] == [
        ("BTC", "0.5", 1),
        ("BTC", "1", 1),
        ("USDT", "10000", 1),
    ]
    withdrawn = raw.signed("GET", "/sapi/v1/capital/withdraw/history").body
    assert [(row["coin"], row["amount"], row["status"]) for row in withdrawn] == [("BTC", "0.25", 6)]
    out = raw.signed("GET", "/sapi/v1/asset/transfer", type="MAIN_UMFUTURE").body
    back = raw.signed("GET", "/sapi/v1/asset/transfer", type="UMFUTURE_MAIN").body
    assert [(row["amount"], row["asset"]) for row in out["rows"]] == [("1000", "USDT")]
    assert [row["amount"] for row in back["rows"]] == ["200"]
    assert control.account(number)["wallet"] == "1300.00000000"
    assert raw.signed("POST", "/sapi/v1/asset/transfer", type="MAIN_UMFUTURE", asset="USDT", amount="1").code == -2015


@asynccontextmanager
async def api_socket(server: SandboxServer) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{server.url}/binance/ws-api/v3") as socket:
        yield socket


def signed(account: dict[str, Any], **params: Any) -> dict[str, Any]:
    facts = {"apiKey": account["api_key"], "timestamp": time.time_ns() // 1_000_000, **params}
    text = "&".join(f"{name}={facts[name]}" for name in sorted(facts))
    return facts | {"signature": hmac.digest(account["api_secret"].encode(), text.encode(), "sha256").hex()}


async def ask(socket: aiohttp.ClientWebSocketResponse, method: str, params: dict[str, Any]) -> dict[str, Any]:
    await socket.send_json({"id": method, "method": method, "params": params})
    return await socket.receive_json(timeout=5)


def test_the_websocket_api_subscribes_and_tells_in_order(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with api_socket(server) as socket:
            wrong = signed(alice) | {"signature": "00"}
            refused = await ask(socket, "userDataStream.subscribe.signature", wrong)
            assert (refused["status"], refused["error"]["code"]) == (400, -1022)
            told = await ask(socket, "userDataStream.subscribe.signature", signed(alice))
            number = told["result"]["subscriptionId"]
            assert (told["id"], told["status"]) == ("userDataStream.subscribe.signature", 200)
            again = await ask(socket, "userDataStream.subscribe.signature", signed(alice))
            assert again["error"]["code"] == -2035
            server.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01", market="spot", client_id="mine")
            events = [await socket.receive_json(timeout=5) for _ in range(3)]
            assert {row["subscriptionId"] for row in events} == {number}
            names = [(row["event"]["e"], row["event"].get("x")) for row in events]
            assert names == [
                ("executionReport", "NEW"),
                ("executionReport", "TRADE"),
                ("outboundAccountPosition", None),
            ]
            trade = events[1]["event"]
            assert (trade["c"], trade["X"], trade["l"], trade["n"], trade["N"]) == (
                *("mine", "FILLED", "0.01000000", "0.00001000", "BTC"),
            )
            assert {row["a"]: row["f"] for row in events[2]["event"]["B"]} == {
                "BTC": "1.00999000",
                "USDT": "9399.99990000",
            }
            server.control.transfer(alice["account_id"], 5, market="spot")
            moved = [(await socket.receive_json(timeout=5))["event"] for _ in range(2)]
            assert (moved[1]["e"], moved[1]["a"], moved[1]["d"]) == ("balanceUpdate", "USDT", "5.00000000")
            server.control.expire_listen_key(alice["account_id"])
            assert (await socket.receive_json(timeout=5))["event"]["e"] == "eventStreamTerminated"
            server.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01", market="spot")
            assert (await ask(socket, "ping", {}))["result"] == {}, "no event came before: the socket stays"

    asyncio.run(run())


def test_the_websocket_api_trades(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with api_socket(server) as socket:
            form = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
            placed = await ask(socket, "order.place", signed(alice, **form))
            assert placed["result"]["status"] == "FILLED"
            assert placed["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"
            facts = signed(alice, symbol="BTCUSDT", orderId=placed["result"]["orderId"])
            assert (await ask(socket, "order.status", facts))["result"]["executedQty"] == "0.01000000"
            refused = await ask(socket, "order.place", signed(alice, **(form | {"quantity": "9"})))
            assert refused["error"] == {"code": -2010, "msg": "Account has insufficient balance for requested action."}
            assert (await ask(socket, "userDataStream.subscribe", {}))["error"]["code"] == -2015
            assert (await ask(socket, "session.logon", signed(alice)))["status"] == 200
            assert (await ask(socket, "userDataStream.subscribe", {}))["status"] == 200
            assert len((await ask(socket, "myTrades", {"symbol": "BTCUSDT"}))["result"]) == 1
            ended = await ask(socket, "userDataStream.unsubscribe", {})
            assert ended["event"]["e"] == "eventStreamTerminated"
            assert (await socket.receive_json(timeout=5))["status"] == 200
            assert (await ask(socket, "userDataStream.unsubscribe", {}))["error"]["code"] == -2036
            assert (await ask(socket, "session.logout", {}))["result"]["apiKey"] is None
            assert (await ask(socket, "userDataStream.subscribe", {}))["error"]["code"] == -2015
            assert (await ask(socket, "nonsense", {}))["error"]["code"] == -1000
            await socket.send_str("{")
            assert (await socket.receive_json(timeout=5))["status"] == 400

    asyncio.run(run())


def test_an_old_listen_key_hears_spot_and_not_the_perpetuals(
    server: SandboxServer, alice: dict[str, Any], raw: Raw
) -> None:
    async def run() -> None:
        key = raw.send("POST", "/api/v3/userDataStream").body["listenKey"]
        assert raw.send("PUT", f"/api/v3/userDataStream?listenKey={key}").body == {}
        url = f"{server.url}/binance/ws/{key}"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            server.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01")
            server.control.place(alice["account_id"], "ETHUSDT", "BUY", "0.1", market="spot")
            first = await socket.receive_json(timeout=5)
            assert (first["e"], first["s"]) == ("executionReport", "ETHUSDT")
            server.control.expire_listen_key(alice["account_id"])
            rows = [await socket.receive_json(timeout=5) for _ in range(3)]
            assert rows[-1]["e"] == "listenKeyExpired"

    asyncio.run(run())


def test_market_streams_of_spot(server: SandboxServer) -> None:
    async def run() -> None:
        streams = "btcusdt@bookTicker/ethusdt@kline_1m/shibusdt@trade/btcusdt@depth5"
        url = f"{server.url}/binance/stream?streams={streams}"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            rows = {}
            while len(rows) < 4:
                row = await socket.receive_json(timeout=5)
                rows[row["stream"]] = row["data"]
            assert rows["btcusdt@bookTicker"]["b"] == "60000.00000000"
            assert rows["shibusdt@trade"]["M"] is True
            assert len(rows["btcusdt@depth5"]["bids"]) == 5

    server.control.set_price("BTCUSDT", 60_000)
    asyncio.run(run())


def test_the_control_shows_the_truth_of_spot(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    spot_order(raw, side="SELL", quantity="0.4")
    control, number = server.control, alice["account_id"]
    sales = control.fills(number)
    assert {(sold["market"], sold["side"], sold["commissionAsset"]) for sold in sales} == {("spot", "SELL", "USDT")}
    # The market moves twice a second: what came in is reckoned at the price that was met.
    assert sum(Decimal(sold["qty"]) for sold in sales) == Decimal("0.4")
    proceeds = sum(Decimal(sold["qty"]) * Decimal(sold["price"]) for sold in sales) * Decimal("0.999")
    assert control.coins(number) == {"USDT": f"{10_000 + proceeds:.8f}", "BTC": "0.60000000"}
    assert control.orders(number)[0]["market"] == "spot"
    quoted = control.place(number, "BTCUSDT", "BUY", market="spot", quote_quantity=600)
    assert quoted["executedQty"] in ("0.00999", "0.01000")
    assert json.dumps(control.market(market="spot")).count('"symbol"') == 30
    wait_until(lambda: control.account(number)["fills"] == len(sales) + 1)


def test_orders_that_cannot_do_what_they_must_are_taken_and_end(server: SandboxServer, raw: Raw) -> None:
    killed = spot_order(raw, type="LIMIT", price="60000", timeInForce="FOK").body
    assert (killed["status"], killed["executedQty"], killed["fills"]) == ("EXPIRED", "0.00000000", [])
    partly = spot_order(raw, type="LIMIT", price="60000.01", timeInForce="IOC", quantity="0.05").body
    assert partly["status"] == "FILLED"
    server.control.set_price("ETHUSDT", 2990)
    server.control.set_book("ETHUSDT", market="spot", asks=[(3000, "0.5")])
    short = spot_order(raw, symbol="ETHUSDT", quantity="1").body
    assert (short["status"], short["executedQty"]) == ("EXPIRED", "0.50000000")
    empty = spot_order(raw, symbol="ETHUSDT", quantity="1").body
    assert (empty["status"], empty["executedQty"]) == ("EXPIRED", "0.00000000")
    server.control.clear_book("ETHUSDT", market="spot")
    assert spot_order(raw, symbol="ETHUSDT", quantity="1").body["status"] == "FILLED"


def test_a_coin_without_a_perpetual_can_be_held_at_a_price(server: SandboxServer, raw: Raw) -> None:
    def bid(symbol: str) -> str:
        return raw.send("GET", f"/api/v3/ticker/bookTicker?symbol={symbol}").body["bidPrice"]

    server.control.set_price("LTCUSDT", "77.77", market="spot")
    assert bid("LTCUSDT") == "77.77000000"
    server.control.set_price("BTCUSDT", "61000", market="spot")
    assert raw.send("GET", "/fapi/v1/ticker/bookTicker?symbol=BTCUSDT").body["bidPrice"] == "61000.0"
    server.control.release_price("LTCUSDT", market="spot")
    assert bid("LTCUSDT") != "77.77000000"
    with pytest.raises(ControlError, match="can only be held"):
        server.control.set_price("LTCUSDT", 80, market="spot", hold=False)
    with pytest.raises(ControlError, match="market must be one of"):
        server.control.halt("LTCUSDT", market="moon")


def test_a_third_asset_pays_on_the_wire_and_after_a_restart(folder: Path) -> None:
    own = SandboxServer(folder).start()
    coins = {"USDT": 1_000, "BNB": 1}
    account = own.control.create_account("bob", coins=coins, fee_asset="BNB")
    with pytest.raises(ControlError, match="asset must be one of"):
        own.control.create_account("bob", fee_asset="GOLD")
    own.end(signal.SIGKILL)
    own.start()
    raw = Raw(own.url, account)
    (fill,) = spot_order(raw, quantity="0.005").body["fills"]
    assert fill["commissionAsset"] == "BNB"
    left = own.control.coins(account["account_id"])
    assert Decimal(left["BNB"]) == 1 - Decimal(fill["commission"])
    assert left["BTC"] == "0.00500000"
    raw.close()
    assert own.end() == 0
