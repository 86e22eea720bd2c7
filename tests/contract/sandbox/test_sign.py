"""Signatures and receive windows, with the vectors of the wire page."""

import time
from typing import Any

import pytest

from copytrade.sandbox.binance import sign
from copytrade.sandbox.binance.errors import ApiError
from tests.contract.sandbox.served import Raw, SandboxServer

VECTOR = (
    "timestamp=1700000000000&symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId=cp-1&recvWindow=10000"
)
SIGNATURE = "295f0521f5e90c2c53061b9f43a4c5eee430d83d9a33325f4eaa97da32758e35"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", f"{VECTOR}&signature={SIGNATURE}"),
        (f"{VECTOR}&signature={SIGNATURE}", ""),
        (VECTOR[:40], f"{VECTOR[40:]}&signature={SIGNATURE}"),
        (f"{VECTOR[:40]}", f"{VECTOR[40:]}&signature={SIGNATURE.upper()}"),
    ],
)
def test_the_vector_is_accepted_wherever_its_parameters_stand(query: str, body: str) -> None:
    sign.check_signature("s-f1", query, body)


def test_another_secret_or_changed_content_is_refused() -> None:
    for secret, content in (("s-f2", VECTOR), ("s-f1", VECTOR.replace("0.01", "0.02"))):
        with pytest.raises(ApiError) as refusal:
            sign.check_signature(secret, "", f"{content}&signature={SIGNATURE}")
        assert refusal.value.code == -1022


@pytest.mark.parametrize(
    ("sent", "window", "code"),
    [
        (1_000_000, "5000", 0),
        (1_000_999, "5000", 0),
        (1_001_000, "5000", -1021),
        (995_000, "5000", 0),
        (994_999, "5000", -1021),
        (940_001, "60000", 0),
        (1_000_000, "60001", -1131),
        (1_000_000, "abc", -1100),
    ],
)
def test_the_receive_window(sent: int, window: str, code: int) -> None:
    params = {"timestamp": str(sent), "recvWindow": window}
    if not code:
        sign.check_time(params, 1_000_000)
        return
    with pytest.raises(ApiError) as refusal:
        sign.check_time(params, 1_000_000)
    assert refusal.value.code == code


def test_requests_with_parameters_in_query_body_and_both(server: SandboxServer, raw: Raw) -> None:
    now = time.time_ns() // 1_000_000
    assert raw.signed("GET", "/fapi/v2/balance").status == 200
    form = raw.sign({"symbol": "BTCUSDT", "leverage": 7, "timestamp": now})
    assert raw.send("POST", "/fapi/v1/leverage", content=form).body["leverage"] == 7
    whole = raw.sign({"symbol": "ETHUSDT", "leverage": 8, "timestamp": now})
    signature = whole.rpartition("=")[2]
    answer = raw.send(
        "POST",
        "/fapi/v1/leverage?symbol=ETHUSDT&lev",
        content=f"erage=8&timestamp={now}&signature={signature}",
    )
    assert answer.status == 400, "names cut in two are names no more"
    query, body = "symbol=ETHUSDT&leverage=8", f"&timestamp={now}&signature={signature}"
    assert raw.send("POST", f"/fapi/v1/leverage?{query}", content=body).body["leverage"] == 8


def test_keys_that_are_refused(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    assert raw.send("GET", "/fapi/v2/balance?timestamp=1", key="").body["code"] == -2014
    unknown = raw.send("GET", "/fapi/v2/balance?timestamp=1", key="x" * 64)
    assert (unknown.status, unknown.code) == (401, -2015)
    for change in ({"addresses": ["10.0.0.1"]}, {"expires_in_s": -1}, {"reading": False}, {"revoked": True}):
        key = server.control.add_key(alice["account_id"])
        refused = Raw(server.url, key)
        assert refused.signed("GET", "/fapi/v2/balance").status == 200
        server.control.change_key(key["api_key"], **change)
        assert refused.signed("GET", "/fapi/v2/balance").code == -2015
        refused.close()


def test_a_read_only_key_reads_and_does_not_trade(server: SandboxServer, alice: dict[str, Any]) -> None:
    reader = Raw(server.url, server.control.add_key(alice["account_id"], read_only=True, withdrawals=True))
    assert reader.signed("GET", "/fapi/v2/balance").status == 200
    rights = reader.signed("GET", "/sapi/v1/account/apiRestrictions").body
    assert (rights["enableFutures"], rights["enableWithdrawals"]) == (False, True)
    assert reader.order().code == -2015
    assert server.control.account(alice["account_id"])["orders"] == 0
    reader.close()
