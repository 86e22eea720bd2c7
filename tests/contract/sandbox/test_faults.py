"""What goes wrong on purpose, and what ccxt makes of it: the fault menu of the wire page."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import ccxt
import pytest

from tests.contract.sandbox.clients import BTC, client
from tests.contract.sandbox.served import Raw, SandboxServer
from tests.waiting import wait_until

ORDER = "/fapi/v1/order"

BROKEN: list[tuple[dict[str, Any], type[Exception], int]] = [
    ({"answer": "drop"}, ccxt.ExchangeNotAvailable, 1),
    ({"answer": "drop", "execute": "no"}, ccxt.ExchangeNotAvailable, 0),
    ({"answer": "hang"}, ccxt.RequestTimeout, 1),
    ({"answer": "hang", "execute": "no"}, ccxt.RequestTimeout, 0),
    ({"answer": "truncated"}, ccxt.ExchangeError, 1),
    ({"answer": "bad_gzip"}, ccxt.ExchangeError, 1),
    ({"answer": "garbage"}, ccxt.ExchangeError, 1),
    ({"answer": "status", "status": 502}, ccxt.ExchangeNotAvailable, 1),
    (
        {"answer": "status", "status": 503, "execute": "no", "message": "Service Unavailable."},
        ccxt.ExchangeNotAvailable,
        0,
    ),
    ({"answer": "status", "status": 504}, ccxt.RequestTimeout, 1),
    ({"answer": "status", "status": 403, "execute": "no"}, ccxt.ExchangeNotAvailable, 0),
    ({"answer": "status", "status": 408, "code": -1007, "message": "Timeout."}, ccxt.RequestTimeout, 1),
    ({"answer": "status", "status": 500, "code": -1001, "message": "Internal error."}, ccxt.OperationFailed, 1),
    ({"answer": "status", "status": 429, "execute": "no", "retry_after": 3}, ccxt.DDoSProtection, 0),
    ({"answer": "status", "status": 418, "execute": "no", "retry_after": 3}, ccxt.DDoSProtection, 0),
]


@pytest.mark.parametrize(("fault", "error", "placed"), BROKEN, ids=[str(row[0]) for row in BROKEN])
def test_a_broken_answer(
    server: SandboxServer, alice: dict[str, Any], fault: dict[str, Any], error: type[Exception], placed: int
) -> None:
    async def run() -> None:
        async with client(server.url, alice, timeout=1500, options=ONLY_LINEAR) as exchange:
            await exchange.load_markets()
            server.control.fault(path=ORDER, method="POST", key=alice["api_key"], **fault)
            with pytest.raises(error) as told:
                await exchange.create_order(BTC, "market", "buy", 0.01, None, {"clientOrderId": "cp-1"})
            assert type(told.value.__cause__).__name__ == CAUSES.get(fault["answer"], "NoneType")
            assert server.control.account(alice["account_id"])["orders"] == placed
            order = await exchange.create_order(BTC, "market", "buy", 0.01, None, {"clientOrderId": "cp-2"})
            assert order["status"] == "closed", "the fault was for one request"

    asyncio.run(run())


CAUSES = {
    "drop": "ServerDisconnectedError",
    "hang": "TimeoutError",
    "truncated": "ClientPayloadError",
    "bad_gzip": "ClientPayloadError",
    "garbage": "ClientResponseError",
}
ONLY_LINEAR = {"fetchCurrencies": False, "fetchMargins": False, "fetchMarkets": {"types": ["linear"]}}


@pytest.mark.parametrize("answer", ["html", "broken_json"])
def test_a_page_or_broken_json_looks_like_an_order_without_an_id(
    server: SandboxServer, alice: dict[str, Any], answer: str
) -> None:
    async def run() -> None:
        async with client(server.url, alice, options=ONLY_LINEAR) as exchange:
            server.control.fault(path=ORDER, answer=answer)
            order = await exchange.create_order(BTC, "market", "buy", 0.01)
            assert (order["id"], order["status"]) == (None, None)
            assert server.control.account(alice["account_id"])["orders"] == 1

    asyncio.run(run())


def test_an_order_that_executes_after_the_client_gave_up(
    server: SandboxServer, alice: dict[str, Any], raw: Raw
) -> None:
    server.control.fault(
        path=ORDER, execute="late", late_ms=300, answer="status", status=408, code=-1007, message="Timeout waiting."
    )
    assert raw.order(newClientOrderId="cp-late").code == -1007
    lookup = {"symbol": "BTCUSDT", "origClientOrderId": "cp-late"}
    assert raw.signed("GET", ORDER, **lookup).code == -2013
    wait_until(lambda: raw.signed("GET", ORDER, **lookup).status == 200)
    assert server.control.account(alice["account_id"])["orders"] == 1


def test_a_delay_longer_than_the_receive_window_refuses_the_order(
    server: SandboxServer, alice: dict[str, Any], raw: Raw
) -> None:
    server.control.fault(path=ORDER, delay_in_ms=400)
    assert raw.order(recvWindow=200).code == -1021
    assert server.control.account(alice["account_id"])["orders"] == 0


def test_lookups_that_lag(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    server.control.read_lag(2000, account=alice["account_id"])
    placed = raw.order(newClientOrderId="cp-lag").body
    assert placed["status"] == "FILLED"
    lookup = {"symbol": "BTCUSDT", "origClientOrderId": "cp-lag"}
    assert raw.signed("GET", ORDER, **lookup).code == -2013
    assert raw.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT").body == []
    assert raw.signed("GET", "/fapi/v1/allOrders", symbol="BTCUSDT").body == []
    wait_until(lambda: raw.signed("GET", ORDER, **lookup).status == 200)
    assert len(raw.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT").body) == 1


def test_latency_is_paid_on_the_way_in_and_out(server: SandboxServer, raw: Raw) -> None:
    raw.order()
    server.control.latency(in_ms=60, out_ms=60)
    began = time.perf_counter()
    raw.order()
    assert 0.115 < time.perf_counter() - began < 3


def test_a_fault_for_one_account_leaves_the_others_alone(
    server: SandboxServer,
    alice: dict[str, Any],
    raw: Raw,
    bob: dict[str, Any],
    open_raw: Callable[[dict[str, Any]], Raw],
) -> None:
    fault = server.control.fault(account=alice["account_id"], answer="status", status=500, count=2, skip=1)
    assert [raw.order().status for _ in range(4)] == [200, 500, 500, 200]
    assert open_raw(bob).order().status == 200
    assert {row["id"]: row["hits"] for row in server.control.faults()["requests"]}[fault] == 2


def test_a_key_revoked_on_the_way(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice, options=ONLY_LINEAR) as exchange:
            assert (await exchange.create_order(BTC, "market", "buy", 0.01))["status"] == "closed"
            server.control.revoke_key(alice["api_key"])
            with pytest.raises(ccxt.AuthenticationError):
                await exchange.create_order(BTC, "market", "buy", 0.01)

    asyncio.run(run())


def test_nobody_listens_is_not_sent(alice: dict[str, Any], server: SandboxServer) -> None:
    from workers.launching.ports import any_free

    async def run() -> None:
        async with client(server.url, alice, options=ONLY_LINEAR) as exchange:
            await exchange.load_markets()
            exchange.urls["api"]["fapiPrivate"] = f"http://127.0.0.1:{any_free()}/fapi/v1"
            with pytest.raises(ccxt.ExchangeNotAvailable) as refusal:
                await exchange.create_order(BTC, "market", "buy", 0.01)
            assert "ClientConnectorError" in type(refusal.value.__cause__).__mro__[0].__name__

    asyncio.run(run())


def test_a_wrong_fault_is_told(server: SandboxServer) -> None:
    from copytrade.sandbox.client import ControlError

    with pytest.raises(ControlError, match="400"):
        server.control.fault(answer="sing")
    with pytest.raises(ControlError, match="404"):
        server.control.account(1)
    with pytest.raises(ControlError, match="400"):
        server.control.call("POST", "/price", symbol="BTCUSDT", price="-1")
