"""pybit, unmodified but for its addresses, against the sandbox: a second reading of Bybit's documents."""

from collections.abc import Callable, Generator
from contextlib import suppress
from decimal import Decimal
from queue import Empty, Queue
from typing import Any

import pytest
from pybit import _http_manager, unified_trading  # pyright: ignore[reportMissingTypeStubs]
from pybit.exceptions import InvalidRequestError  # pyright: ignore[reportMissingTypeStubs]

from copytrade.sandbox.client import Control
from tests.conftest import Sandbox

BTC = "BTCUSDT"


@pytest.fixture(autouse=True)
def _here(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    base = f"{sandbox.url}/bybit"
    sockets = base.replace("http", "ws", 1)
    monkeypatch.setattr(_http_manager, "HTTP_URL", base)
    monkeypatch.setattr(unified_trading, "PRIVATE_WSS", f"{sockets}/v5/private")
    monkeypatch.setattr(unified_trading, "PUBLIC_WSS", sockets + "/v5/public/{CHANNEL_TYPE}")


@pytest.fixture
def control(sandbox: Sandbox) -> Generator[Control]:
    sandbox.control.limits(venue="bybit")
    sandbox.control.set_price(BTC, 60000)
    yield sandbox.control
    sandbox.control.release_price(BTC)


@pytest.fixture
def account(control: Control) -> dict[str, Any]:
    return control.create_account("alice", venue="bybit", deposit=100_000, coins={"BTC": 2})


@pytest.fixture
def http(account: dict[str, Any]) -> Generator[Any]:
    opened: Any = unified_trading.HTTP(api_key=account["api_key"], api_secret=account["api_secret"], timeout=5)
    yield opened
    opened.client.close()


Listen = Callable[..., "Queue[Any]"]


@pytest.fixture
def listen(account: dict[str, Any]) -> Generator[Listen]:
    """Subscribe to a private topic; its rows come into a queue."""
    keys = {"api_key": account["api_key"], "api_secret": account["api_secret"]}
    socket: Any = unified_trading.WebSocket(channel_type="private", testnet=False, private_auth_expire=10, **keys)

    def on(topic: str, **options: Any) -> "Queue[Any]":
        rows: Queue[Any] = Queue()
        getattr(socket, f"{topic}_stream")(lambda message: [rows.put(row) for row in message["data"]], **options)
        return rows

    yield on
    socket.exit()


def rows_of(answer: Any) -> list[Any]:
    assert answer["retCode"] == 0
    return answer["result"]["list"]


def order(http: Any, **fields: Any) -> str:
    form = {"category": "linear", "symbol": BTC, "side": "Buy", "orderType": "Market", "qty": "0.5"}
    return http.place_order(**{**form, **fields})["result"]["orderId"]


def test_time_rules_prices_and_candles(http: Any, control: Control) -> None:
    assert http.get_server_time()["retCode"] == 0
    (linear,) = rows_of(http.get_instruments_info(category="linear", symbol=BTC))
    assert (linear["contractType"], linear["lotSizeFilter"]["qtyStep"]) == ("LinearPerpetual", "0.001")
    spots: list[Any] = []
    cursor = ""
    while True:
        page = http.get_instruments_info(category="spot", limit=7, cursor=cursor)["result"]
        spots += page["list"]
        cursor = page["nextPageCursor"]
        if not cursor:
            break
    assert len({row["symbol"] for row in spots}) == len(spots) >= 30
    (ticker,) = rows_of(http.get_tickers(category="linear", symbol=BTC))
    assert Decimal(ticker["bid1Price"]) < Decimal(ticker["ask1Price"])
    assert ticker["markPrice"] == "60000.0"
    book = http.get_orderbook(category="spot", symbol=BTC, limit=5)["result"]
    assert (len(book["b"]), len(book["a"])) == (5, 5)
    candles = rows_of(http.get_kline(category="linear", symbol=BTC, interval=60, limit=3))
    assert [int(row[0]) for row in candles] == sorted((int(row[0]) for row in candles), reverse=True)
    assert len(rows_of(http.get_funding_rate_history(category="linear", symbol=BTC, limit=2))) == 2


def test_a_perpetual_is_bought_and_seen_everywhere(http: Any, account: dict[str, Any], control: Control) -> None:
    placed = order(http, orderLinkId="pybit-1")
    (found,) = rows_of(http.get_open_orders(category="linear", orderLinkId="pybit-1"))
    assert (found["orderId"], found["orderStatus"], found["cumExecQty"]) == (placed, "Filled", "0.5")
    (past,) = rows_of(http.get_order_history(category="linear", orderId=placed))
    assert past["avgPrice"] == found["avgPrice"]
    (traded,) = rows_of(http.get_executions(category="linear", symbol=BTC))
    (truth,) = control.fills(account["account_id"])
    assert (traded["execId"], traded["execQty"], traded["execType"]) == (truth["id"], "0.5", "Trade")
    assert Decimal(traded["execFee"]) == Decimal(truth["commission"])
    (held,) = rows_of(http.get_positions(category="linear", settleCoin="USDT"))
    assert (held["side"], held["size"], held["positionIdx"]) == ("Buy", "0.5", 0)
    (wallet,) = rows_of(http.get_wallet_balance(accountType="UNIFIED"))
    coins = {row["coin"]: row for row in wallet["coin"]}
    assert Decimal(coins["USDT"]["walletBalance"]) == 100_000 - Decimal(truth["commission"])
    assert coins["BTC"]["walletBalance"] == "2"


def test_executions_are_paged_by_their_cursor(http: Any, account: dict[str, Any], control: Control) -> None:
    for _ in range(5):
        order(http, qty="0.01")
    told: list[str] = []
    cursor = None
    while cursor != "":
        page = http.get_executions(category="linear", symbol=BTC, limit=2, cursor=cursor)["result"]
        told += [row["execId"] for row in page["list"]]
        cursor = page["nextPageCursor"]
    assert told == [row["id"] for row in reversed(control.fills(account["account_id"]))]


def test_spot_is_bought_in_base_and_in_quote_and_pays_in_coins(http: Any) -> None:
    order(http, category="spot", qty="0.01", marketUnit="baseCoin", orderLinkId="pybit-base")
    order(http, category="spot", qty="120", orderLinkId="pybit-quote")
    (by_value,) = rows_of(http.get_open_orders(category="spot", orderLinkId="pybit-quote"))
    assert (by_value["marketUnit"], by_value["qty"]) == ("quoteCoin", "120")
    assert Decimal("0.0019") < Decimal(by_value["cumExecQty"]) <= Decimal("0.002")
    bought = rows_of(http.get_executions(category="spot", symbol=BTC))
    assert {row["feeCurrency"] for row in bought} == {"BTC"}
    assert all(Decimal(row["execFee"]) <= Decimal(row["execQty"]) / 1000 for row in bought)
    order(http, category="spot", side="Sell", qty="0.01")
    sold = rows_of(http.get_executions(category="spot", symbol=BTC))[0]
    assert (sold["side"], sold["feeCurrency"]) == ("Sell", "USDT")


def test_a_resting_order_is_seen_and_cancelled_once(http: Any) -> None:
    placed = order(http, orderType="Limit", price="59000", qty="0.01", timeInForce="GTC")
    assert [row["orderId"] for row in rows_of(http.get_open_orders(category="linear", symbol=BTC))] == [placed]
    assert http.cancel_order(category="linear", symbol=BTC, orderId=placed)["retCode"] == 0
    with pytest.raises(InvalidRequestError) as raised:
        http.cancel_order(category="linear", symbol=BTC, orderId=placed)
    assert raised.value.status_code == 110001
    order(http, orderType="Limit", price="59000", qty="0.01")
    assert len(rows_of(http.cancel_all_orders(category="linear", settleCoin="USDT"))) == 1


def test_orders_are_amended_and_sent_in_batches(http: Any) -> None:
    resting = {"symbol": BTC, "side": "Buy", "orderType": "Limit", "price": "59000", "qty": "0.01"}
    batch = http.place_batch_order(category="linear", request=[resting, resting | {"price": "58900"}])
    first, second = (row["orderId"] for row in rows_of(batch))
    assert [fate["code"] for fate in batch["retExtInfo"]["list"]] == [0, 0]
    http.amend_order(category="linear", symbol=BTC, orderId=first, qty="0.02", price="59100")
    live = {
        row["orderId"]: (row["price"], row["qty"])
        for row in rows_of(http.get_open_orders(category="linear", symbol=BTC))
    }
    assert live == {first: ("59100.0", "0.02"), second: ("58900.0", "0.01")}
    http.cancel_batch_order(category="linear", request=[{"symbol": BTC, "orderId": one} for one in live])
    assert rows_of(http.get_open_orders(category="linear", symbol=BTC)) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"orderLinkId": "taken"}, 110072),
        ({"qty": "90"}, 110007),
        ({"qty": "0.0001"}, 10001),
        ({"symbol": "DOGEUSDT", "qty": "1"}, 110094),
        ({"side": "Sell", "reduceOnly": True, "symbol": "ETHUSDT"}, 110017),
        ({"symbol": "NOTHING"}, 10001),
        ({"positionIdx": 1}, 10001),
        ({"category": "spot", "symbol": "NOTHING"}, 170121),
        ({"category": "spot", "side": "Sell", "qty": "3"}, 170131),
        ({"category": "spot", "qty": "1", "marketUnit": "quoteCoin"}, 170140),
    ],
)
def test_refusals_carry_the_venues_codes(http: Any, fields: dict[str, Any], code: int) -> None:
    order(http, orderLinkId="taken", qty="0.01")
    with pytest.raises(InvalidRequestError) as raised:
        order(http, **fields)
    assert raised.value.status_code == code


def test_settings_and_rights(http: Any) -> None:
    http.set_leverage(category="linear", symbol=BTC, buyLeverage="7", sellLeverage="7")
    with pytest.raises(InvalidRequestError) as raised:
        http.set_leverage(category="linear", symbol=BTC, buyLeverage="7", sellLeverage="7")
    assert raised.value.status_code == 110043
    http.switch_position_mode(category="linear", coin="USDT", mode=3)
    order(http, positionIdx=2, side="Sell")
    order(http, positionIdx=1)
    held = {(row["positionIdx"], row["side"]) for row in rows_of(http.get_positions(category="linear", symbol=BTC))}
    assert held == {(1, "Buy"), (2, "Sell")}
    rights = http.get_api_key_information()["result"]
    assert (rights["readOnly"], rights["uta"], rights["permissions"]["Wallet"]) == (0, 1, [])
    assert rights["permissions"]["ContractTrade"] == ["Order", "Position"]


def test_a_forged_key_is_refused(account: dict[str, Any]) -> None:
    mallory: Any = unified_trading.HTTP(api_key=account["api_key"], api_secret="guessed")
    with pytest.raises(InvalidRequestError) as raised:
        mallory.get_wallet_balance(accountType="UNIFIED")
    assert raised.value.status_code == 10004
    mallory.client.close()


def test_the_ledger_books_fees_profit_and_transfers(http: Any, account: dict[str, Any], control: Control) -> None:
    order(http)
    control.set_price(BTC, 61000)
    order(http, side="Sell", reduceOnly=True)
    rows = rows_of(http.get_transaction_log(accountType="UNIFIED", currency="USDT"))
    assert [row["type"] for row in rows] == ["TRADE", "TRADE", "TRANSFER_IN"]
    assert 490 < Decimal(rows[0]["cashFlow"]) < 510
    (wallet,) = rows_of(http.get_wallet_balance(accountType="UNIFIED", coin="USDT"))
    assert sum(Decimal(row["change"]) for row in rows) == Decimal(wallet["coin"][0]["walletBalance"])
    assert rows[0]["cashBalance"] == wallet["coin"][0]["walletBalance"]


def heard_at_last(http: Any, rows: "Queue[Any]") -> None:
    """Trade until a subscription is in force, of which this client tells nothing."""
    for _ in range(50):
        order(http, symbol="ETHUSDT", qty="0.01")
        with suppress(Empty):
            rows.get(timeout=0.1)
            return
    raise AssertionError("nothing was heard")


def of_btc(rows: "Queue[Any]") -> Any:
    """Return the next row that is about BTC, or about no symbol."""
    while True:
        row = rows.get(timeout=5)
        if row.get("symbol", BTC) == BTC:
            return row


def test_private_streams_tell_orders_executions_positions_and_the_wallet(http: Any, listen: Listen) -> None:
    executions, orders, positions, wallets = (listen(name) for name in ("execution", "order", "position", "wallet"))
    on_spot = listen("fast_execution", categorised_topic="spot")
    fast = listen("fast_execution")
    heard_at_last(http, fast)
    placed = order(http, orderLinkId="pybit-stream", qty="0.25")
    told = of_btc(executions)
    assert (told["orderId"], told["execQty"], told["category"], told["feeCurrency"]) == (
        placed,
        "0.25",
        "linear",
        "USDT",
    )
    ended = of_btc(orders)
    assert (ended["orderStatus"], ended["orderLinkId"]) == ("Filled", "pybit-stream")
    held = of_btc(positions)
    assert (held["side"], held["size"], held["seq"]) == ("Buy", "0.25", told["seq"])
    assert {row["coin"] for row in of_btc(wallets)["coin"]} == {"USDT", "BTC"}
    assert of_btc(fast)["execId"] == told["execId"]
    order(http, category="spot", side="Sell", qty="0.1")
    sold = of_btc(executions)
    assert (sold["category"], sold["side"], sold["execQty"]) == ("spot", "Sell", "0.1")
    assert on_spot.get(timeout=5)["execId"] == sold["execId"]


def test_public_streams_tell_prices(control: Control) -> None:
    socket: Any = unified_trading.WebSocket(channel_type="linear", testnet=False)
    tickers: Queue[Any] = Queue()
    trades: Queue[Any] = Queue()
    socket.ticker_stream(symbol=BTC, callback=tickers.put)
    socket.trade_stream(symbol=BTC, callback=trades.put)
    assert tickers.get(timeout=5)["data"]["markPrice"] == "60000.0"
    assert trades.get(timeout=5)["data"][0]["s"] == BTC
    socket.exit()
