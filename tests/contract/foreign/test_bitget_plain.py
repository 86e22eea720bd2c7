"""A plain client from Bitget's documents against the sandbox: a second reading, which shares nothing with ours."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import pytest

from copytrade.sandbox.client import Control
from tests.conftest import Sandbox
from tests.contract.foreign.bitget_plain import PRODUCT, Refusal, Rest, Socket

BTC = "BTCUSDT"
ORDERS, SPOT_ORDERS = "/api/v2/mix/order", "/api/v2/spot/trade"
Open = Callable[..., tuple[Rest, dict[str, Any]]]


@pytest.fixture
def control(sandbox: Sandbox) -> Generator[Control]:
    sandbox.control.limits(venue="bitget", user_percent=100_000)
    sandbox.control.set_price(BTC, 60_000)
    yield sandbox.control
    sandbox.control.clear_faults()
    sandbox.control.release_price(BTC)


@pytest.fixture
def opening(sandbox: Sandbox, control: Control) -> Generator[Open]:
    opened: list[Rest] = []

    def opener(**facts: Any) -> tuple[Rest, dict[str, Any]]:
        chosen = {"deposit": 100_000, "coins": {"USDT": 50_000, "BTC": 2}} | facts
        account = control.create_account("alice", venue="bitget", **chosen)
        rest = Rest(f"{sandbox.url}/bitget", account["api_key"], account["api_secret"], account["passphrase"])
        opened.append(rest.__enter__())
        return rest, account

    yield opener
    for rest in opened:
        rest.__exit__(None, None, None)


def socket(sandbox: Sandbox, rest: Rest) -> AbstractContextManager[Socket]:
    address = f"{sandbox.url}/bitget/v2/ws/private".replace("http", "ws", 1)
    return Socket.opened(address, rest.key, rest.secret, rest.passphrase)


def trade(rest: Rest, side: str, size: str, **fields: Any) -> str:
    order = {"symbol": BTC, "productType": "usdt-futures", "marginMode": "crossed", "marginCoin": "USDT"}
    order |= {"side": side, "orderType": "market", "size": size, "force": "gtc"}
    return rest.post(f"{ORDERS}/place-order", **(order | fields))["orderId"]


def buy_spot(rest: Rest, money: str, **fields: Any) -> str:
    order = {"symbol": BTC, "side": "buy", "orderType": "market", "force": "gtc", "size": money}
    return rest.post(f"{SPOT_ORDERS}/place-order", **(order | fields))["orderId"]


def test_a_perpetual_is_opened_looked_up_and_closed(opening: Open) -> None:
    rest, _ = opening()
    opened = trade(rest, "buy", "0.02", clientOid="plain-1")
    order = rest.get(f"{ORDERS}/detail", symbol=BTC, productType=PRODUCT, clientOid="plain-1")
    assert (order["orderId"], order["state"], order["side"], order["posMode"]) == (
        opened,
        "filled",
        "buy",
        "one_way_mode",
    )
    assert Decimal(order["baseVolume"]) == Decimal("0.02")
    position = rest.get("/api/v2/mix/position/all-position", productType=PRODUCT, marginCoin="USDT")[0]
    assert (position["symbol"], position["holdSide"], position["posMode"]) == (BTC, "long", "one_way_mode")
    assert Decimal(position["total"]) == Decimal("0.02")
    closed = trade(rest, "sell", "0.05", reduceOnly="YES")
    fills = rest.get(f"{ORDERS}/fills", productType=PRODUCT, symbol=BTC)["fillList"]
    assert [fill["orderId"] for fill in fills] == [closed, opened]
    assert [Decimal(fill["baseVolume"]) for fill in fills] == [Decimal("0.02"), Decimal("0.02")]
    assert rest.get("/api/v2/mix/position/all-position", productType=PRODUCT, marginCoin="USDT") == []
    with pytest.raises(Refusal, match="22002"):
        trade(rest, "sell", "0.02", reduceOnly="YES")
    with pytest.raises(Refusal, match="40786"):
        trade(rest, "buy", "0.02", clientOid="plain-1")
    with pytest.raises(Refusal, match="40109"):
        rest.get(f"{ORDERS}/detail", symbol=BTC, productType=PRODUCT, clientOid="plain-2")


def test_the_bills_of_a_futures_account_add_up_to_its_equity(opening: Open) -> None:
    rest, _ = opening()
    for side, size in (("buy", "0.03"), ("sell", "0.05"), ("buy", "0.02")):
        trade(rest, side, size)
    bills = rest.everything("/api/v2/mix/account/bill", rows="bills", id_name="billId", productType=PRODUCT)
    assert [row["businessType"] for row in bills] == ["buy", "sell", "buy", "trans_from_exchange"]
    booked = sum(Decimal(row["amount"]) + Decimal(row["fee"]) for row in bills)
    account = rest.get("/api/v2/mix/account/accounts", productType=PRODUCT)[0]
    assert booked == Decimal(account["accountEquity"]) == Decimal(bills[0]["balance"])
    fees = sum(Decimal(row["fee"]) for row in bills)
    fills = rest.everything(f"{ORDERS}/fills", rows="fillList", id_name="tradeId", productType=PRODUCT)
    assert fees == sum(Decimal(fill["feeDetail"][0]["totalFee"]) for fill in fills) < 0


def test_in_hedge_mode_rest_names_the_position_and_the_stream_the_transaction(sandbox: Sandbox, opening: Open) -> None:
    rest, _ = opening()
    rest.post("/api/v2/mix/account/set-position-mode", productType=PRODUCT, posMode="hedge_mode")
    with pytest.raises(Refusal, match="40774"):
        trade(rest, "buy", "0.02")
    with socket(sandbox, rest) as line:
        line.log_in()
        line.subscribe(PRODUCT, "fill")
        for side, what in (("buy", "open"), ("buy", "close"), ("sell", "open"), ("sell", "close")):
            trade(rest, side, "0.02", tradeSide=what)
        told = [(row["side"], row["tradeSide"]) for row in line.until("fill", 4)]
    fills = rest.get(f"{ORDERS}/fills", productType=PRODUCT, symbol=BTC)["fillList"]
    listed = [(row["side"], row["tradeSide"]) for row in reversed(fills)]
    assert told == [("buy", "open"), ("sell", "close"), ("sell", "open"), ("buy", "close")]
    assert listed == [("buy", "open"), ("buy", "close"), ("sell", "open"), ("sell", "close")]
    assert {row["posMode"] for row in fills} == {"hedge_mode"}


def test_leverage_margin_mode_and_limits_of_an_account(opening: Open) -> None:
    rest, _ = opening()
    common = {"symbol": BTC, "productType": PRODUCT, "marginCoin": "USDT"}
    assert rest.post("/api/v2/mix/account/set-leverage", **common, leverage="7")["longLeverage"] == "7"
    mode = rest.post("/api/v2/mix/account/set-margin-mode", **common, marginMode="isolated")
    assert mode["marginMode"] == "isolated"
    account = rest.get("/api/v2/mix/account/account", **common)
    assert (account["marginMode"], account["isolatedLongLever"], account["posMode"]) == (
        "isolated",
        "7",
        "one_way_mode",
    )
    trade(rest, "buy", "0.01", marginMode="isolated")
    with pytest.raises(Refusal, match="45117"):
        rest.post("/api/v2/mix/account/set-margin-mode", **common, marginMode="crossed")
    with pytest.raises(Refusal, match="40797"):
        rest.post("/api/v2/mix/account/set-leverage", **common, leverage="500")
    with pytest.raises(Refusal, match="40762"):
        trade(rest, "buy", "50", marginMode="isolated")
    with pytest.raises(Refusal, match="45110"):
        trade(rest, "buy", "0.001", orderType="limit", price="4000", marginMode="isolated")


def test_a_spot_market_buy_is_given_in_money_and_pays_its_fee_in_what_it_bought(opening: Open) -> None:
    rest, _ = opening()
    bought = buy_spot(rest, "600.001", clientOid="plain_spot")
    (order,) = rest.get(f"{SPOT_ORDERS}/orderInfo", clientOid="plain_spot")
    assert (order["orderId"], order["status"], Decimal(order["size"])) == (bought, "filled", Decimal("600.001"))
    (fill,) = rest.get(f"{SPOT_ORDERS}/fills", symbol=BTC, orderId=bought)
    fee = fill["feeDetail"]
    assert (fee["feeCoin"], Decimal(fee["totalFee"])) == ("BTC", -Decimal(fill["size"]) / 1000)
    held = {row["coin"]: Decimal(row["available"]) for row in rest.get("/api/v2/spot/account/assets")}
    assert held["BTC"] == 2 + Decimal(fill["size"]) + Decimal(fee["totalFee"])
    assert held["USDT"] == 50_000 - Decimal(fill["amount"])
    assert rest.get(f"{SPOT_ORDERS}/orderInfo", clientOid="unheard") == []
    bills = rest.everything("/api/v2/spot/account/bills", id_name="billId")
    for coin, there in held.items():
        booked = sum(Decimal(row["size"]) + Decimal(row["fees"]) for row in bills if row["coin"] == coin)
        assert booked == there


def test_a_spot_order_rests_holds_money_back_and_is_cancelled_once(opening: Open) -> None:
    rest, _ = opening()
    fields = {"symbol": BTC, "side": "buy", "orderType": "limit", "force": "gtc", "price": "59000", "size": "0.1"}
    number = rest.post(f"{SPOT_ORDERS}/place-order", **fields)["orderId"]
    (row,) = rest.get(f"{SPOT_ORDERS}/unfilled-orders", symbol=BTC)
    assert (row["orderId"], row["status"]) == (number, "live")
    (usdt,) = rest.get("/api/v2/spot/account/assets", coin="USDT")
    assert (Decimal(usdt["frozen"]), Decimal(usdt["available"])) == (5_900, 44_100)
    rest.post(f"{SPOT_ORDERS}/cancel-order", symbol=BTC, orderId=number)
    with pytest.raises(Refusal, match="43004"):
        rest.post(f"{SPOT_ORDERS}/cancel-order", symbol=BTC, orderId=number)
    assert rest.get(f"{SPOT_ORDERS}/unfilled-orders", symbol=BTC) == []
    assert [old["status"] for old in rest.get(f"{SPOT_ORDERS}/history-orders", symbol=BTC)] == ["cancelled"]
    with pytest.raises(Refusal, match="43012"):
        buy_spot(rest, "50001")
    with pytest.raises(Refusal, match="45110"):
        buy_spot(rest, "0.5")


def test_what_moves_between_the_wallets_is_booked_on_both_sides(control: Control, opening: Open) -> None:
    rest, account = opening()
    number = account["account_id"]
    control.move(number, 100)
    control.move(number, -40)
    control.transfer(number, -1, asset="BTC", market="spot")
    bills = rest.get("/api/v2/spot/account/bills", groupType="transfer")
    assert [(row["businessType"], Decimal(row["size"])) for row in bills] == [
        ("TRANSFER_IN", Decimal(40)),
        ("TRANSFER_OUT", Decimal(-100)),
    ]
    (out,) = rest.get("/api/v2/spot/account/bills", groupType="withdraw")
    assert (out["coin"], Decimal(out["size"]), Decimal(out["balance"])) == ("BTC", Decimal(-1), Decimal(1))
    records = rest.get("/api/v2/spot/account/transferRecords", coin="USDT")
    assert [(row["fromType"], row["toType"], Decimal(row["size"])) for row in records] == [
        ("usdt_futures", "spot", Decimal(40)),
        ("spot", "usdt_futures", Decimal(100)),
    ]
    booked = rest.get("/api/v2/mix/account/bill", productType=PRODUCT)["bills"]
    assert [(row["businessType"], Decimal(row["amount"])) for row in booked] == [
        ("trans_to_exchange", Decimal(-40)),
        ("trans_from_exchange", Decimal(100)),
        ("trans_from_exchange", Decimal(100_000)),
    ]


def test_older_ways_of_asking_answer_alike(opening: Open) -> None:
    rest, _ = opening()
    trade(rest, "sell", "0.02")
    common = {"productType": PRODUCT, "symbol": BTC}
    (recent,) = rest.get(f"{ORDERS}/fills", **common)["fillList"]
    assert rest.get(f"{ORDERS}/fill-history", **common)["fillList"] == [recent]
    every = rest.get("/api/v2/mix/position/all-position", productType=PRODUCT, marginCoin="USDT")
    assert rest.get("/api/v2/mix/position/single-position", marginCoin="USDT", **common) == every
    (old,) = rest.get(f"{ORDERS}/orders-history", **common)["entrustedList"]
    order = rest.get(f"{ORDERS}/detail", orderId=recent["orderId"], **common)
    assert (old.pop("status"), old) == (order.pop("state"), order)
    assert rest.get(f"{ORDERS}/orders-pending", **common) == {"entrustedList": None, "endId": None}


@pytest.mark.parametrize("market", ["spot", "perpetual"])
def test_every_trade_is_met_once_by_walking_to_older_pages(control: Control, opening: Open, market: str) -> None:
    rest, account = opening()
    for number in range(130):
        control.place(account["account_id"], BTC, "SELL" if number % 2 else "BUY", "0.001", market=market)
    if market == "spot":
        found = rest.everything(f"{SPOT_ORDERS}/fills", id_name="tradeId", symbol=BTC, limit=50)
    else:
        path = f"{ORDERS}/fills"
        found = rest.everything(path, rows="fillList", id_name="tradeId", productType=PRODUCT, limit=50)
    there = [str(row["id"]) for row in control.fills(account["account_id"])]
    assert [row["tradeId"] for row in found] == there[::-1]


def test_the_private_channels_tell_trades_orders_positions_and_money(sandbox: Sandbox, opening: Open) -> None:
    rest, _ = opening()
    with socket(sandbox, rest) as line:
        assert line.log_in() == {"event": "login", "code": 0}
        line.say("ping")
        assert line.hear_text() == "pong"
        line.subscribe(PRODUCT, "fill", "orders", "positions", "account")
        number = trade(rest, "buy", "0.02", clientOid="told")
        told: dict[str, list[dict[str, Any]]] = {}
        while len(told) < 4 or told["orders"][-1]["status"] != "filled":
            message = line.hear()
            told.setdefault(message["arg"]["channel"], []).extend(message["data"])
    (fill,) = told["fill"]
    assert (fill["orderId"], fill["clientOid"], fill["tradeSide"]) == (number, "told", "buy_single")
    assert Decimal(fill["baseVolume"]) == Decimal("0.02")
    assert told["orders"][-1]["accBaseVolume"] == told["orders"][-1]["size"] == "0.020"
    assert (told["positions"][-1]["holdSide"], told["positions"][-1]["total"]) == ("long", "0.020")
    assert Decimal(told["account"][-1]["equity"]) < 100_000


def test_the_spot_channels_tell_a_trade_with_its_fee_and_both_balances(sandbox: Sandbox, opening: Open) -> None:
    rest, _ = opening(coins={"USDT": 50_000, "BGB": 1_000}, fee_asset="BGB")
    with socket(sandbox, rest) as line:
        line.log_in()
        line.subscribe("SPOT", "fill", "account")
        number = buy_spot(rest, "600.001")
        (fill,) = line.until("fill")
        balances = {row["coin"]: Decimal(row["available"]) for row in line.until("account")}
    (listed,) = rest.get(f"{SPOT_ORDERS}/fills", symbol=BTC)
    assert (fill["orderId"], fill["tradeId"]) == (number, listed["tradeId"])
    assert (fill["feeDetail"][0]["feeCoin"], fill["feeDetail"][0]["deduction"]) == ("BGB", "yes")
    assert balances["BTC"] == Decimal(fill["size"])
    assert balances["BGB"] == 1_000 + Decimal(fill["feeDetail"][0]["totalFee"])
    assert balances["USDT"] == 50_000 - Decimal(fill["amount"])


def test_who_is_not_let_in_is_told_why(sandbox: Sandbox, control: Control, opening: Open) -> None:
    rest, account = opening()
    right = rest.key, rest.secret, rest.passphrase
    for place, code, refusal in ((0, "40006", 30011), (1, "40009", 30015), (2, "40012", 30012)):
        wrong = [*right]
        wrong[place] = "x" * 20
        rest.key, rest.secret, rest.passphrase = wrong
        with pytest.raises(Refusal, match=code):
            rest.get("/api/v2/spot/account/assets")
        with socket(sandbox, rest) as line:
            answer = line.log_in()
            assert (answer["event"], answer["code"]) == ("error", refusal)
    rest.key, rest.secret, rest.passphrase = right
    rest.ahead_ms = 31_000
    with pytest.raises(Refusal, match="40008"):
        rest.get("/api/v2/spot/account/assets")
    rest.ahead_ms = 0
    control.change_key(account["api_key"], read_only=True)
    assert rest.get("/api/v2/spot/account/info")["authorities"] == ["stor", "coor", "cpor"]
    with pytest.raises(Refusal, match="40014"):
        trade(rest, "buy", "0.01")
    with pytest.raises(Refusal, match="40014"):
        buy_spot(rest, "100")


def test_the_public_side_tells_rules_prices_and_candles(opening: Open) -> None:
    rest, _ = opening()
    (contract,) = rest.get("/api/v2/mix/market/contracts", productType=PRODUCT, symbol=BTC)
    tick = Decimal(contract["priceEndStep"]).scaleb(-int(contract["pricePlace"]))
    (ticker,) = rest.get("/api/v2/mix/market/ticker", productType=PRODUCT, symbol=BTC)
    assert Decimal(ticker["askPr"]) - Decimal(ticker["bidPr"]) == tick
    assert Decimal(ticker["markPrice"]) == 60_000
    (pair,) = rest.get("/api/v2/spot/public/symbols", symbol=BTC)
    assert (pair["baseCoin"], pair["quoteCoin"], pair["status"]) == ("BTC", "USDT", "online")
    book = rest.get("/api/v2/spot/market/orderbook", symbol=BTC, limit=5)
    assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0])
    candles = rest.get("/api/v2/mix/market/candles", symbol=BTC, productType=PRODUCT, granularity="1H", limit=5)
    assert [int(row[0]) for row in candles] == sorted(int(row[0]) for row in candles)
    assert len(candles) == 5
