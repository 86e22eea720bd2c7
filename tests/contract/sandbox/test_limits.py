"""Request weights by address and order counts by account."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from tests.contract.sandbox.served import Raw, SandboxServer

FIGURES = {"weight_per_minute": 2400, "orders_per_10s": 300, "orders_per_minute": 1200, "ban_after": 50}


@pytest.fixture(autouse=True)
def _venue_figures(server: SandboxServer) -> Generator[None]:
    yield
    server.control.limits(venue="binance", **FIGURES)


def test_the_weight_is_told_and_shared_by_all_keys_of_an_address(
    server: SandboxServer, raw: Raw, bob: dict[str, Any], open_raw: Callable[[dict[str, Any]], Raw]
) -> None:
    server.control.limits(venue="binance", **FIGURES)
    before = int(raw.signed("GET", "/fapi/v2/balance").headers["X-MBX-USED-WEIGHT-1M"])
    after = int(open_raw(bob).signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT").headers["X-MBX-USED-WEIGHT-1M"])
    assert after - before == 5 or after == 5, "five more, unless a new minute began"


def test_too_much_weight_is_429_then_a_ban(server: SandboxServer, raw: Raw) -> None:
    server.control.limits(weight_per_minute=20, ban_after=3)
    answers = [raw.signed("GET", "/fapi/v2/balance") for _ in range(12)]
    statuses = [answer.status for answer in answers]
    assert statuses[0] == 200
    assert 429 in statuses
    assert statuses[-1] == 418
    limited = answers[statuses.index(429)]
    assert limited.code == -1003
    assert 0 < int(limited.headers["Retry-After"]) <= 60
    assert 60 < int(answers[-1].headers["Retry-After"]) <= 120
    assert raw.order().status == 418, "a banned address places nothing"
    assert server.control.account(int(server.control.accounts()[-1]["account_id"]))["orders"] == 0


def test_too_many_orders_of_one_account(
    server: SandboxServer,
    alice: dict[str, Any],
    raw: Raw,
    bob: dict[str, Any],
    open_raw: Callable[[dict[str, Any]], Raw],
) -> None:
    server.control.limits(orders_per_10s=10_000, orders_per_minute=3)
    statuses = [raw.order().status for _ in range(8)]
    assert statuses[:3] == [200, 200, 200]
    limited = raw.order()
    assert (limited.status, limited.code) == (429, -1015)
    assert int(limited.headers["X-MBX-ORDER-COUNT-1M"]) > 3
    assert open_raw(bob).order().status == 200, "another account is not limited"
    assert server.control.account(alice["account_id"])["orders"] == statuses.count(200)


def test_limits_are_told_in_the_rules(server: SandboxServer, raw: Raw) -> None:
    server.control.limits(weight_per_minute=1234)
    rules = raw.send("GET", "/fapi/v1/exchangeInfo").body["rateLimits"]
    assert {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 1234} in rules
