"""Answers and messages changed on purpose: empty, huge, with values replaced, with exponents; garbage on streams."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from copytrade.sandbox.client import ControlError
from copytrade.sandbox.exchange.tampering import Tampering
from tests.contract.sandbox.served import Raw, SandboxServer
from tests.contract.sandbox.test_streams import listening, until

TRADES = "/fapi/v1/userTrades"


def test_values_are_replaced_and_taken_away_at_their_places() -> None:
    body = json.dumps({"list": [{"p": "1.5", "n": 1}, {"p": "2.5", "n": 2}], "x": {"y": 3}}).encode()
    tampering = Tampering({"list.1.p": None, "x.y": "seven", "list.*.n": 9, "list.7.p": 1}, ["list.0.p"])
    assert json.loads(tampering.apply(body)) == {"list": [{"n": 9}, {"p": None, "n": 9}], "x": {"y": "seven"}}
    assert json.loads(Tampering(remove=["list.*"]).apply(body))["list"] == []
    assert Tampering(remove=["a"]).apply(b"no json") == b"no json"
    assert not Tampering()


def test_numbers_get_exponents_and_keep_their_values() -> None:
    body = json.dumps([{"price": "60000.10", "id": "1001", "qty": "0.00000012", "time": 5, "name": "1.5x"}]).encode()
    (row,) = json.loads(Tampering(exponents=True).apply(body))
    assert row == {"price": "6.000010E+4", "id": "1001", "qty": "1.2E-7", "time": 5, "name": "1.5x"}
    assert Decimal(row["price"]) == Decimal("60000.10")
    (named,) = json.loads(Tampering(exponents=["id"]).apply(body))
    assert (named["id"], named["price"]) == ("1.001E+3", "60000.10")


def test_an_answer_is_empty_huge_or_changed_once(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    raw.order()
    fine = raw.signed("GET", TRADES, symbol="BTCUSDT").body
    server.control.fault(path=TRADES, answer="empty")
    with pytest.raises(json.JSONDecodeError):
        raw.signed("GET", TRADES, symbol="BTCUSDT")
    server.control.fault(path=TRADES, answer="large", size=10_000_000)
    assert int(raw.signed("GET", TRADES, symbol="BTCUSDT").headers["Content-Length"]) == 10_000_000
    server.control.fault(path=TRADES, replace={"0.qty": "0", "0.time": 9_999_999_999_999}, remove=["0.commission"])
    (changed,) = raw.signed("GET", TRADES, symbol="BTCUSDT").body
    assert (changed["qty"], changed["time"], "commission" in changed) == ("0", 9_999_999_999_999, False)
    server.control.fault(path=TRADES, exponents=["price", "qty"])
    (written,) = raw.signed("GET", TRADES, symbol="BTCUSDT").body
    assert written["qty"] == "1.0E-2"
    assert Decimal(written["price"]) == Decimal(fine[0]["price"])
    assert raw.signed("GET", TRADES, symbol="BTCUSDT").body == fine


def test_a_fault_may_be_of_one_venue_only(server: SandboxServer, raw: Raw) -> None:
    server.control.fault(venue="bybit", answer="empty", count=-1)
    assert raw.signed("GET", "/fapi/v3/balance").status == 200


def test_a_stream_says_garbage_and_changed_messages(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    async def run() -> None:
        control, account = server.control, alice["account_id"]
        async with listening(server, raw) as socket:
            assert control.tell_raw(account, "not { json") == 1
            assert (await socket.receive_str(timeout=5)) == "not { json"
            control.stream_fault("change", account=account, event="ORDER_TRADE_UPDATE", exponents=["q"], count=1)
            control.stream_fault("change", account=account, event="ORDER_TRADE_UPDATE", replace={"o.X": "NEVER_HEARD"})
            control.place(account, "BTCUSDT", "BUY", "0.25")
            rows = [
                row["o"] for row in await until(socket, "ORDER_TRADE_UPDATE", 2) if row["e"] == "ORDER_TRADE_UPDATE"
            ]
            assert (rows[0]["q"], rows[1]["X"]) == ("2.50E-1", "NEVER_HEARD")
            assert control.tell_raw(10**9 + 1, "nobody") == 0

    with pytest.raises(ControlError, match="there is no account"):
        asyncio.run(run())
    with pytest.raises(ControlError, match="action is one of"):
        server.control.stream_fault("mumble")


def test_a_delisted_perpetual_vanishes_and_refuses(server: SandboxServer, raw: Raw) -> None:
    server.control.delist("LINKUSDT")
    listed = {row["symbol"] for row in raw.send("GET", "/fapi/v1/exchangeInfo").body["symbols"]}
    assert "LINKUSDT" not in listed
    assert len(listed) == 7
    assert raw.order(symbol="LINKUSDT", quantity="10").code == -1121
    server.control.delist("LINKUSDT", delisted=False)
    assert raw.order(symbol="LINKUSDT", quantity="10").status == 200


@pytest.mark.parametrize("hedge", [False, True])
def test_auto_deleveraging_closes_a_part_and_says_so(server: SandboxServer, open_raw: Any, hedge: bool) -> None:
    account = server.control.create_account("bob", deposit=100_000, hedge=hedge)
    raw, number = open_raw(account), account["account_id"]
    server.control.place(number, "BTCUSDT", "SELL", "0.5", position_side="SHORT" if hedge else "BOTH")

    async def run() -> None:
        async with listening(server, raw) as socket:
            assert server.control.deleverage(number, "BTCUSDT", "0.2") == 1
            rows = await until(socket, "ORDER_TRADE_UPDATE", 2)
            told = rows[-1]["o"]
            assert (told["x"], told["X"], told["S"], told["l"]) == ("CALCULATED", "FILLED", "BUY", "0.200")
            assert told["c"].startswith("adl_autoclose")
            assert told["ps"] == ("SHORT" if hedge else "BOTH")
            assert all(row["e"] != "TRADE_LITE" for row in rows)

    asyncio.run(run())
    assert server.control.position(number, "BTCUSDT") == Decimal("-0.3")
    assert server.control.liquidate(number, "BTCUSDT") == 1
    names = [row["clientOrderId"][:9] for row in server.control.orders(number)][1:]
    assert names == ["adl_autoc", "autoclose"]
    cleared = [row for row in server.control.incomes(number) if row["incomeType"] == "INSURANCE_CLEAR"]
    assert len(cleared) == 1, "the insurance fund has to do with the liquidation only"
