"""The rules an order is held against, with Binance's codes, and what orders do to an account."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.sandbox.served import Raw, SandboxServer
from tests.waiting import wait_until

OpenRaw = Callable[[dict[str, Any]], Raw]


@pytest.fixture(autouse=True)
def _steady_price(server: SandboxServer) -> None:
    server.control.set_price("BTCUSDT", 60_000)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "NONE"}, -1121),
        ({"side": "HOLD"}, -1117),
        ({"type": "STOP_MARKET"}, -1116),
        ({"quantity": ""}, -1102),
        ({"quantity": "abc"}, -1102),
        ({"quantity": "-1"}, -1102),
        ({"quantity": "0"}, -4003),
        ({"quantity": "0.0015"}, -1111),
        ({"quantity": "121"}, -4005),
        ({"price": "60000"}, -1106),
        ({"type": "LIMIT", "price": "60000.05", "timeInForce": "GTC"}, -4014),
        ({"type": "LIMIT", "price": "60000"}, -1102),
        ({"type": "LIMIT", "timeInForce": "GTC"}, -1102),
        ({"type": "LIMIT", "price": "60000", "timeInForce": "ALWAYS"}, -1115),
        ({"type": "LIMIT", "price": "64000", "timeInForce": "GTC"}, -4016),
        ({"side": "SELL", "type": "LIMIT", "price": "56000", "timeInForce": "GTC"}, -4024),
        ({"type": "LIMIT", "price": "60010", "timeInForce": "GTX"}, -5022),
        ({"type": "LIMIT", "price": "60000.1", "quantity": "9", "timeInForce": "FOK"}, -5021),
        ({"type": "LIMIT", "price": "100", "quantity": "0.01", "timeInForce": "GTC"}, -4164),
        ({"quantity": "40"}, -2019),
        ({"reduceOnly": "true"}, -2022),
        ({"reduceOnly": "maybe"}, -1130),
        ({"positionSide": "LONG"}, -4061),
        ({"newClientOrderId": "no%20spaces"}, -1100),
        ({"newClientOrderId": "x" * 37}, -1100),
    ],
)
def test_what_is_refused(
    server: SandboxServer, alice: dict[str, Any], raw: Raw, change: dict[str, str], code: int
) -> None:
    refused = raw.order(**change)
    assert (refused.status, refused.code) == (400, code)
    account = server.control.account(alice["account_id"])
    assert (account["orders"], Decimal(account["wallet"])) == (0, 100_000)


def test_a_position_too_large_for_its_leverage_is_refused(
    server: SandboxServer, alice: dict[str, Any], raw: Raw
) -> None:
    server.control.set_modes(alice["account_id"], leverage={"BTCUSDT": 125})
    assert raw.order(quantity="0.8").status == 200
    assert raw.order(quantity="0.1").code == -2027
    assert raw.order(side="SELL", quantity="1.6").status == 200, "a flip counts only what it opens"


def test_one_bitcoin_is_taken_within_a_thousandth(raw: Raw) -> None:
    for side in ("BUY", "SELL"):
        average = Decimal(raw.order(side=side, quantity="1").body["avgPrice"])
        assert abs(average / 60_000 - 1) < Decimal("0.001")


def test_the_minimum_notional_is_five_and_reduce_only_is_exempt(server: SandboxServer, raw: Raw) -> None:
    server.control.set_price("XRPUSDT", "0.5")
    small = {"symbol": "XRPUSDT", "quantity": "9.9"}
    assert raw.order(**small).code == -4164
    assert raw.order(symbol="XRPUSDT", quantity="20").status == 200
    assert raw.order(**small, side="SELL", reduceOnly="true").body["status"] == "FILLED"


def test_reduce_only_never_goes_beyond_the_position(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    raw.order(quantity="0.5")
    closed = raw.order(side="SELL", quantity="0.8", reduceOnly="true").body
    assert (closed["status"], closed["executedQty"], closed["origQty"]) == ("FILLED", "0.500", "0.500")
    assert server.control.position(alice["account_id"], "BTCUSDT") == 0


def test_ioc_takes_what_is_there_and_expires(server: SandboxServer, raw: Raw) -> None:
    server.control.set_book("BTCUSDT", bids=[(59_990, 5)], asks=[(60_000, "0.3"), (60_400, 5)])
    try:
        form = {"type": "LIMIT", "timeInForce": "IOC", "price": "60300", "quantity": "1"}
        part = raw.order(**form).body
        assert (part["status"], part["executedQty"], Decimal(part["avgPrice"])) == ("EXPIRED", "0.300", 60_000)
        nothing = raw.order(**form).body
        assert (nothing["status"], nothing["executedQty"]) == ("EXPIRED", "0.000")
        assert raw.order(quantity="9").body["executedQty"] == "5.000"
        assert raw.order(quantity="0.01").code == -4131, "nothing is offered any more"
    finally:
        server.control.clear_book("BTCUSDT")


def test_two_accounts_trade_with_each_other(
    server: SandboxServer, raw: Raw, alice: dict[str, Any], bob: dict[str, Any], open_raw: OpenRaw
) -> None:
    server.control.set_book("BTCUSDT", bids=[(59_000, 1)], asks=[(61_000, 1)])
    try:
        resting = raw.order(type="LIMIT", timeInForce="GTC", side="SELL", price="60010", quantity="0.4").body
        assert resting["status"] == "NEW"
        taken = open_raw(bob).order(quantity="0.3").body
        assert Decimal(taken["avgPrice"]) == Decimal("60010")
        assert (
            raw.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=resting["orderId"]).body["executedQty"]
            == "0.300"
        )
        mine = raw.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT").body[-1]
        his = open_raw(bob).signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT").body[-1]
        assert (mine["id"], mine["maker"], his["maker"]) == (his["id"], True, False)
        assert Decimal(mine["commission"]) * 5 == Decimal(his["commission"]) * 2
    finally:
        server.control.cancel_all(alice["account_id"])
        server.control.clear_book("BTCUSDT")


def test_a_resting_order_fills_when_the_market_comes(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    resting = raw.order(type="LIMIT", timeInForce="GTC", price="59500", quantity="0.2").body
    server.control.set_price("BTCUSDT", 59_400)
    filled = raw.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=resting["orderId"]).body
    assert (filled["status"], Decimal(filled["avgPrice"])) == ("FILLED", 59_500)
    assert server.control.position(alice["account_id"], "BTCUSDT") == Decimal("0.2")


def test_a_client_id_is_unique_among_open_orders_only(raw: Raw) -> None:
    assert raw.order(newClientOrderId="cp-a").body["status"] == "FILLED"
    assert raw.order(newClientOrderId="cp-a").body["status"] == "FILLED", "the first is no longer open"
    form = {"type": "LIMIT", "timeInForce": "GTC", "price": "59000", "newClientOrderId": "cp-b"}
    assert raw.order(**form).body["status"] == "NEW"
    assert raw.order(**form).code == -4116
    assert (
        raw.signed("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="cp-b").body["status"] == "CANCELED"
    )
    assert raw.order(**form).body["status"] == "NEW"


def test_money_adds_up_to_the_last_digit(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    for side, quantity in (("BUY", "0.7"), ("SELL", "1.1"), ("SELL", "0.333"), ("BUY", "0.733")):
        assert raw.order(side=side, quantity=quantity).body["status"] == "FILLED"
    account = server.control.account(alice["account_id"])
    assert account["positions"] == []
    fills = server.control.fills(alice["account_id"])
    by_hand = Decimal(100_000)
    for fill in fills:
        sign = -1 if fill["side"] == "BUY" else 1
        by_hand += sign * Decimal(fill["quoteQty"]) - Decimal(fill["commission"])
    assert Decimal(account["wallet"]) == by_hand
    assert sum(Decimal(row["income"]) for row in server.control.incomes(alice["account_id"])) == by_hand
    assert sum(Decimal(fill["commission"]) for fill in fills) == sum(
        Decimal(fill["quoteQty"]) for fill in fills
    ) * Decimal("0.0005")


def test_trades_are_walked_by_id_and_by_time(server: SandboxServer, raw: Raw) -> None:
    for _ in range(5):
        raw.order(quantity="0.1")
    path = "/fapi/v1/userTrades"
    whole = raw.signed("GET", path, symbol="BTCUSDT").body
    assert [row["id"] for row in whole] == sorted(row["id"] for row in whole)
    walked: list[int] = []
    cursor = 0
    while page := raw.signed("GET", path, symbol="BTCUSDT", fromId=cursor, limit=2).body:
        walked += [row["id"] for row in page]
        cursor = walked[-1] + 1
    assert walked == [row["id"] for row in whole]
    now = whole[-1]["time"]
    week = 7 * 86_400_000
    assert raw.signed("GET", path, symbol="BTCUSDT", startTime=now - week - 1, endTime=now).code == -4166
    assert len(raw.signed("GET", path, symbol="BTCUSDT", startTime=now - week, endTime=now).body) == len(whole)
    assert raw.signed("GET", path, symbol="BTCUSDT", fromId=1, startTime=now).code == -1128
    assert len(raw.signed("GET", path, symbol="BTCUSDT", limit=1).body) == 1


def test_a_liquidation_ends_with_nothing_owed(server: SandboxServer) -> None:
    carol = server.control.create_account("carol", deposit=1_000, leverage={"BTCUSDT": 100})
    server.control.place(carol["account_id"], "BTCUSDT", "BUY", "1")
    shown = server.control.account(carol["account_id"])["positions"][0]
    assert 59_000 < Decimal(shown["liquidationPrice"]) < 60_000
    server.control.set_price("BTCUSDT", int(Decimal(shown["liquidationPrice"])) + 60)
    assert server.control.position(carol["account_id"], "BTCUSDT") == 1
    server.control.set_price("BTCUSDT", int(Decimal(shown["liquidationPrice"])) - 60)
    account = server.control.account(carol["account_id"])
    assert account["positions"] == []
    assert Decimal(account["wallet"]) >= 0
    last = server.control.orders(carol["account_id"])[-1]
    assert last["clientOrderId"].startswith("autoclose-")
    kinds = {row["incomeType"] for row in server.control.incomes(carol["account_id"])}
    assert "INSURANCE_CLEAR" in kinds


def test_isolated_margin_loses_only_what_was_set_aside(server: SandboxServer) -> None:
    facts = {"leverage": {"BTCUSDT": 50}, "isolated": {"BTCUSDT": True}}
    carol = server.control.create_account("carol", deposit=10_000, **facts)
    server.control.place(carol["account_id"], "BTCUSDT", "BUY", "0.5")
    set_aside = Decimal(server.control.account(carol["account_id"])["positions"][0]["isolatedWallet"])
    assert Decimal(595) < set_aside < Decimal(605)
    server.control.set_price("BTCUSDT", 58_500)
    account = server.control.account(carol["account_id"])
    assert account["positions"] == []
    assert Decimal(10_000) - set_aside - 800 < Decimal(account["wallet"]) < 10_000


def test_withdrawing_more_than_is_available_is_refused(server: SandboxServer, alice: dict[str, Any]) -> None:
    from copytrade.sandbox.client import ControlError

    server.control.transfer(alice["account_id"], -40_000)
    with pytest.raises(ControlError, match="available"):
        server.control.transfer(alice["account_id"], -60_001)
    assert Decimal(server.control.account(alice["account_id"])["wallet"]) == 60_000


def test_a_halted_symbol_takes_no_orders(server: SandboxServer, raw: Raw) -> None:
    server.control.halt("ETHUSDT")
    assert raw.order(symbol="ETHUSDT", quantity="1").code == -4140
    server.control.halt("ETHUSDT", halted=False)
    assert raw.order(symbol="ETHUSDT", quantity="1").status == 200


def test_nobody_trades_with_himself(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    server.control.set_book("BTCUSDT", bids=[(59_000, 1)], asks=[(61_000, 1)])
    try:
        resting = raw.order(type="LIMIT", timeInForce="GTC", side="SELL", price="60010", quantity="0.4").body
        taken = raw.order(quantity="0.3").body
        assert Decimal(taken["avgPrice"]) == 61_000
        found = raw.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=resting["orderId"]).body
        assert (found["status"], found["executedQty"]) == ("EXPIRED", "0.000")
        assert len(server.control.fills(alice["account_id"])) == 1
    finally:
        server.control.clear_book("BTCUSDT")


def test_in_hedge_mode_resting_closes_never_turn_a_position_round(server: SandboxServer, open_raw: OpenRaw) -> None:
    account = server.control.create_account("bob", deposit=100_000, hedge=True)
    number, raw = account["account_id"], open_raw(account)
    server.control.set_price("BTCUSDT", 60_000)
    assert raw.order(side="BUY", quantity="0.5", positionSide="LONG").status == 200
    assert raw.order(side="SELL", quantity="0.2", positionSide="SHORT").status == 200
    form = {"type": "LIMIT", "timeInForce": "GTC", "price": "60600", "positionSide": "LONG", "side": "SELL"}
    first, second = (raw.order(quantity="0.4", **form).body["orderId"] for _ in range(2))
    assert raw.order(side="SELL", quantity="0.6", positionSide="LONG").code == -2022
    server.control.set_price("BTCUSDT", 60_700)

    def row(order: int) -> tuple[str, str]:
        found = next(row for row in server.control.orders(number) if row["orderId"] == order)
        return found["executedQty"], found["status"]

    assert row(first) == ("0.400", "FILLED")
    wait_until(lambda: row(second) == ("0.100", "EXPIRED"), timeout=5)
    rows = raw.signed("GET", "/fapi/v2/positionRisk", symbol="BTCUSDT").body
    assert {row["positionSide"]: row["positionAmt"] for row in rows} == {"LONG": "0.000", "SHORT": "-0.200"}


def test_what_other_clients_ask_is_answered(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    assert raw.send("GET", "/sapi/v1/system/status").body == {"status": 0, "msg": "normal"}
    for market in ("/api/v3", "/fapi/v1"):
        tape = raw.send("GET", f"{market}/trades?symbol=BTCUSDT&limit=5").body
        assert [row["time"] for row in tape] == sorted(row["time"] for row in tape)
        assert len(raw.send("GET", f"{market}/aggTrades?symbol=BTCUSDT&limit=5").body) == 5
        assert [row["count"] for row in raw.signed("GET", f"{market}/rateLimit/order").body] == [0, 0]
    assert raw.signed("POST", "/fapi/v1/order/test", symbol="BTCUSDT", side="BUY", type="MARKET", quantity=1).body == {}
    assert raw.order(quantity="0.5").status == 200
    assert raw.signed("GET", "/fapi/v1/adlQuantile").body == [{"symbol": "BTCUSDT", "adlQuantile": {"BOTH": 2}}]
    account = alice["account_id"]
    server.control.deleverage(account, "BTCUSDT", "0.1")
    server.control.liquidate(account)
    forced = raw.signed("GET", "/fapi/v1/forceOrders").body
    assert [row["origQty"] for row in forced] == ["0.100", "0.400"]
    only = raw.signed("GET", "/fapi/v1/forceOrders", autoCloseType="ADL").body
    assert [row["origQty"] for row in only] == ["0.100"]
    assert len(raw.signed("GET", "/sapi/v1/asset/tradeFee").body) == 30
    assert raw.signed("POST", "/sapi/v3/asset/getUserAsset").body == []


def test_a_batch_answers_each_order_for_itself(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    form = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "newOrderRespType": "RESULT"}
    rows = [form | {"quantity": "0.01"}, form | {"quantity": "0.0001"}, form | {"quantity": "0.02", "side": "SELL"}]
    answer = raw.signed("POST", "/fapi/v1/batchOrders", batchOrders=quote(json.dumps(rows)))
    assert [row.get("status", row.get("code")) for row in answer.body] == ["FILLED", -1111, "FILLED"]
    assert server.control.position(alice["account_id"], "BTCUSDT") == Decimal("-0.01")
    assert raw.signed("POST", "/fapi/v1/batchOrders", batchOrders="5").code == -1130
    assert raw.signed("POST", "/fapi/v1/batchOrders", batchOrders=quote(json.dumps([form] * 6))).code == -4082
