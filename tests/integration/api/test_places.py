"""Contracts 2 and 9 at every venue and market: link an account, place orders on it, read what was executed."""

from collections.abc import Generator
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from copytrade.accounts import checking
from copytrade.api.app import api
from copytrade.capture import polling
from copytrade.copying import engine
from copytrade.db.session import transaction
from copytrade.demo.keys import Key, Place, made
from copytrade.domain.instruments import Market, Venue
from copytrade.engines import Engines
from copytrade.exchanges.venues import is_served
from copytrade.settings import Settings, settings
from copytrade.users.service_tokens import issue
from tests import engines as test_engines
from tests.conftest import Sandbox
from tests.integration.users.people import PASSWORD, bob
from tests.waiting import wait_until
from workers.loop import WarmLoop

PLACES = [(venue, market) for venue in Venue for market in Market if is_served(venue, market=market)]
TOKEN = {"Authorization": f"Bearer {issue(name='rebalancer', scopes={'orders:place', 'trades:read'})}"}


@pytest.fixture(scope="module")
def web(database: Engines, sandbox: Sandbox) -> Generator[TestClient]:
    """The API of an installation that takes orders of services, with its workers' parts; Bob is signed in."""
    sandbox.control.clear_faults()
    for market in Market:
        sandbox.control.clear_book("BTCUSDT", market=market.value)
        sandbox.control.set_price("BTCUSDT", 60_000, market=market.value)
    allowed = Settings(api_orders_enabled=True)
    loop = WarmLoop([checking.run, polling.run, engine.run])
    with pytest.MonkeyPatch.context() as patch, TestClient(api, base_url=settings().web_url) as client:
        patch.setattr("copytrade.api.orders.settings", lambda: allowed)
        patch.setattr("copytrade.copying.engine.settings", lambda: allowed)
        with transaction() as session:
            bob(session)
        client.post("/api/v1/login", json={"email": "bob@copytrade.example", "password": PASSWORD})
        loop.start()
        try:
            yield client
        finally:
            loop.stop()
            test_engines.wipe(database)


def link(web: TestClient, key: Key, **changes: str) -> Any:
    typed = {"venue": key.venue, "market": key.market, "role": "copy", "label": "-".join((key.venue, key.market))}
    secrets = {"api_key": key.api_key, "api_secret": key.api_secret, "passphrase": key.passphrase}
    return web.post("/api/v1/accounts", json=typed | secrets | changes)


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_an_account_is_linked_traded_and_its_trades_read(web: TestClient, sandbox: Sandbox, place: Place) -> None:
    linked = link(web, made(sandbox.control, "api", funds=10_000, place=place))
    assert linked.status_code == 201, linked.text
    told = linked.json()
    assert (told["venue"], told["market"], told["state"]) == (*place, "active")
    assert Decimal(told["equity"]) == 10_000
    assert told["id"] in {row["id"] for row in web.get("/api/v1/accounts").json()}

    symbol = "BTC/USDT" if place[1] is Market.SPOT else "BTC/USDT:USDT"
    bought = order(web, told["id"], symbol=symbol, side="buy", quantity="0.02", client_order_id="in")
    assert (bought["state"], bought["symbol"]) == ("filled", symbol)
    assert abs(Decimal(bought["filled"]) - Decimal("0.02")) < Decimal("0.00002")
    assert Decimal(bought["average_price"]) > 0
    sold = order(web, told["id"], symbol=symbol, side="sell", quantity="0.01", client_order_id="out")
    assert (sold["state"], Decimal(sold["filled"])) == ("filled", Decimal("0.01"))

    trades = wait_until(lambda: both(web, told["id"]), timeout=30, what="both trades")
    assert [(row["side"], row["symbol"], row["venue"], row["market"]) for row in trades] == [
        ("sell", symbol, *place),
        ("buy", symbol, *place),
    ]
    assert [row["order_id"] for row in trades] == [sold["venue_order_id"], bought["venue_order_id"]]
    assert trades[1]["fee_asset"] == ("BTC" if place[1] is Market.SPOT else "USDT")


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_what_a_market_does_not_know_is_refused_before_it_is_stored(
    web: TestClient, sandbox: Sandbox, place: Place
) -> None:
    account = link(web, made(sandbox.control, "api", funds=1_000, place=place)).json()["id"]
    is_spot = place[1] is Market.SPOT
    other = "BTC/USDT:USDT" if is_spot else "BTC/USDT"
    wish = {"exchange_account": account, "side": "buy", "type": "market", "quantity": "0.001", "client_order_id": "no"}
    refused = web.post("/api/v1/orders", json=wish | {"symbol": other}, headers=TOKEN)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "symbol")
    if is_spot:
        asked = wish | {"symbol": "BTC/USDT", "reduce_only": True}
        refused = web.post("/api/v1/orders", json=asked, headers=TOKEN)
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, "reduce_only")
    too_much = wish | {"symbol": "BTC/USDT" if is_spot else "BTC/USDT:USDT", "quantity": "50"}
    told = web.post("/api/v1/orders", json=too_much, headers=TOKEN).json()
    assert (told["state"], told["refusal"], bool(told["venue_code"])) == ("refused", "funds", True)


def test_a_key_without_its_passphrase_is_refused(web: TestClient, sandbox: Sandbox) -> None:
    for venue, market in PLACES:
        if venue is Venue.BITGET:
            refused = link(web, made(sandbox.control, "api", funds=1_000, place=(venue, market)), passphrase="")
            assert (refused.status_code, refused.json()["error"]["field"]) == (422, "passphrase")


def order(web: TestClient, account: str, **wish: str) -> Any:
    """Place a market order and return how it stands when it is over."""
    asked = wish | {"exchange_account": account, "type": "market"}

    def over() -> Any:
        told = web.post("/api/v1/orders", json=asked, headers=TOKEN)
        assert told.status_code in (200, 201), told.text
        return told.json() if told.json()["state"] not in ("planned", "sending", "unknown", "placed") else None

    return wait_until(over, timeout=20, what="an order that is over")


def both(web: TestClient, account: str) -> Any:
    rows = web.get("/api/v1/trades", params={"exchange_account": account}, headers=TOKEN).json()["trades"]
    return rows if len({row["order_id"] for row in rows}) == 2 else None
