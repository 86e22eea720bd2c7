"""Contract 9: orders of services, sent by the engine to the sandbox, with the outcomes and switches of copies."""

from collections.abc import Generator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from copytrade.accounts import checking, queries
from copytrade.accounts import service as accounts
from copytrade.accounts.reasons import Reason
from copytrade.api.app import api
from copytrade.copying import engine
from copytrade.copying import service as copying
from copytrade.copying.models import CopyOrder, SwitchMode, SwitchScope
from copytrade.copying.switches import PLATFORM
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import Role
from copytrade.engines import Engines
from copytrade.exchanges.port import AccountRef
from copytrade.settings import Settings, settings
from copytrade.users import service as users
from copytrade.users.service_tokens import issue
from tests.conftest import Sandbox
from tests.integration.accounts.linking import taken
from tests.integration.api.working import working
from tests.integration.users.people import bob
from tests.waiting import wait_until

BUY = {"symbol": "BTC/USDT:USDT", "side": "buy", "type": "market", "quantity": "0.02", "client_order_id": "one"}
TOKEN = {"Authorization": f"Bearer {issue(name='rebalancer', scopes={'orders:place'})}"}


@pytest.fixture
def web(committed: Engines, monkeypatch: pytest.MonkeyPatch) -> Generator[TestClient]:
    """The API of an installation that takes orders of services."""
    allowed = Settings(api_orders_enabled=True)
    monkeypatch.setattr("copytrade.api.orders.settings", lambda: allowed)
    monkeypatch.setattr("copytrade.copying.engine.settings", lambda: allowed)
    with TestClient(api, base_url=settings().web_url) as client:
        yield client


@pytest.fixture
def account(web: TestClient, sandbox: Sandbox) -> Generator[tuple[UUID, int]]:
    """Bob's copy account, linked by a worker, and its number at the sandbox."""
    made = sandbox.control.create_account("orders", deposit=10_000, reading=True, futures=True, withdrawals=False)
    with transaction() as session:
        account_id = taken(session, bob(session).id, api_key=made["api_key"], secret=made["api_secret"])
    with reading() as session:
        ref: AccountRef = queries.ref(session, account_id)
    with working(lambda pool, _stop: checking.check(pool, ref, role=Role.COPY)):
        pass
    yield account_id, made["account_id"]
    sandbox.control.clear_faults()


def place(web: TestClient, account_id: UUID, **wish: Any) -> Any:
    return web.post("/api/v1/orders", json=BUY | {"exchange_account": str(account_id)} | wish, headers=TOKEN)


def test_an_order_is_placed_once_however_often_it_is_asked_for(
    web: TestClient, account: tuple[UUID, int], sandbox: Sandbox
) -> None:
    account_id, number = account
    with working(engine.run):
        first, again = place(web, account_id), place(web, account_id)
    assert (first.status_code, again.status_code) == (201, 200), first.text
    told = first.json()
    assert (told["state"], Decimal(told["filled"]), told["client_order_id"]) == ("filled", Decimal("0.02"), "one")
    assert Decimal(told["average_price"]) > 0
    assert again.json()["id"] == told["id"]
    assert sandbox.control.position(number, "BTCUSDT") == Decimal("0.02")
    assert [order["clientOrderId"] for order in sandbox.control.orders(number)] == [told["venue_client_order_id"]]


def test_an_order_whose_answer_was_lost_is_looked_up_and_never_repeated(
    web: TestClient, account: tuple[UUID, int], sandbox: Sandbox
) -> None:
    account_id, number = account
    sandbox.control.fault(account=number, method="POST", path="/fapi/v1/order", answer="drop", count=1)
    with working(engine.run):
        told = place(web, account_id).json()
        if told["state"] == "unknown":
            web_again = place(web, account_id).json()
            assert web_again["id"] == told["id"]
            told = _settled(web, account_id)
    assert told["state"] == "filled"
    assert len(sandbox.control.orders(number)) == 1


def _settled(web: TestClient, account_id: UUID) -> Any:
    def known() -> Any:
        told = place(web, account_id).json()
        return told if told["state"] != "unknown" else None

    return wait_until(known, timeout=20, what="the outcome is found out")


def test_what_the_venue_refuses_is_told_with_its_code(web: TestClient, account: tuple[UUID, int]) -> None:
    account_id, _ = account
    with working(engine.run):
        told = place(web, account_id, quantity="5000").json()
    assert told["state"] == "refused"
    assert told["venue_code"]
    assert told["refusal"] in ("funds", "quantity", "other")


def test_the_switches_hold_back_orders_of_services_too(
    web: TestClient, account: tuple[UUID, int], sandbox: Sandbox
) -> None:
    account_id, number = account
    with transaction() as session:
        operator, _ = users.make_operator(session, email="operator@copytrade.example")
        session.flush()
        copying.set_switch(
            session,
            by=operator.id,
            scope=SwitchScope.PLATFORM,
            scope_id=PLATFORM,
            mode=SwitchMode.ENTRIES_OFF,
            reason="a test",
        )
    with working(engine.run):
        told = place(web, account_id).json()
    assert (told["state"], told["refusal"]) == ("dropped", "halted")
    assert sandbox.control.orders(number) == []


def test_what_cannot_be_an_order_is_refused_before_it_is_stored(web: TestClient, account: tuple[UUID, int]) -> None:
    account_id, _ = account
    for wrong in (
        {"quantity": "0"},
        {"quantity": "-1"},
        {"quantity": "NaN"},
        {"price": "60000"},
        {"type": "limit"},
        {"type": "limit_ioc", "price": "0"},
        {"side": "up"},
        {"client_order_id": ""},
        {"client_order_id": "a b"},
    ):
        assert place(web, account_id, **wrong).status_code == 422, wrong
    assert place(web, uuid4()).status_code == 404
    with transaction() as session:
        accounts.pause(session, account_id=account_id, reason=Reason.OPERATOR)
    assert place(web, account_id).status_code == 409
    with reading() as session:
        assert session.exec(select(CopyOrder)).all() == []


def test_the_same_id_never_stands_for_two_orders(web: TestClient, account: tuple[UUID, int]) -> None:
    account_id, _ = account
    with working(engine.run):
        assert place(web, account_id).status_code == 201
        refused = place(web, account_id, quantity="0.03")
    assert (refused.status_code, refused.json()["error"]["field"]) == (409, "client_order_id")


def test_orders_of_services_are_off_unless_configured(committed: Engines) -> None:
    with TestClient(api, base_url=settings().web_url) as client:
        refused = place(client, uuid4())
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
