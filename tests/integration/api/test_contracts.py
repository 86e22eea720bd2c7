"""The services' contracts: who is let in, what goes out, and that nobody sees what is not his."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, select
from starlette.testclient import TestClient

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.api import docs
from copytrade.api.app import api
from copytrade.capture import service as capture
from copytrade.capture.models import CaptureState
from copytrade.capture.storing import Source
from copytrade.copying import service as copying
from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Side
from copytrade.domain.sizing import CopySettings
from copytrade.notifications import queries as notices
from copytrade.payments.models import WebhookEvent
from copytrade.settings import settings
from copytrade.subscriptions.models import Subscription
from copytrade.users.service_tokens import Scope, issue
from tests import paid
from tests.conftest import Sandbox
from tests.integration.subscriptions.market import Market, opened, subscribed
from tests.integration.users.people import PASSWORD, mallory

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def token(*scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue(name='copier', scopes=set(scopes))}"}


def sign_in(web: TestClient, email: str) -> None:
    web.cookies.clear()
    assert web.post("/api/v1/login", json={"email": email, "password": PASSWORD}).status_code == 200


def traded(session: Session, account_id: UUID, count: int, *, symbol: str = "BTC/USDT:USDT") -> None:
    fills = [
        Fill(
            trade_id=str(number),
            order_id=f"o{number}",
            symbol=symbol,
            side=Side.BUY,
            quantity=Decimal("0.02"),
            price=Decimal("60014.2"),
            fee=Decimal("0.48"),
            fee_asset="USDT",
            venue_time=BEGIN + timedelta(minutes=number // 2),
        )
        for number in range(count)
    ]
    session.merge(
        CaptureState(
            exchange_account_id=account_id,
            user_id=accounts.owner_of(session, account_id),
            venue="binance",
            market="perpetual",
            role="lead",
            created_at=clock.now(),
        )
    )
    session.flush()
    capture.store_fills(session, account_id=account_id, fills=fills, source=Source.POLL, received_at=clock.now())
    session.commit()


@pytest.fixture
def market(session: Session, program: TestClient) -> Market:
    return opened(session)


NOBODY = UUID("00000000-0000-4000-8000-000000000000")
SERVICES: list[tuple[str, str, str, dict[str, Any] | None]] = [
    ("GET", "/api/v1/traders", Scope.TRADERS_READ, None),
    ("GET", f"/api/v1/subscriptions/{NOBODY}", Scope.SUBSCRIPTIONS_READ, None),
    ("GET", f"/api/v1/accounts/{NOBODY}", Scope.ACCOUNTS_SECRETS, None),
    ("GET", f"/api/v1/trades/{NOBODY}", Scope.TRADES_READ, None),
    ("GET", f"/api/v1/trades?exchange_account={NOBODY}", Scope.TRADES_READ, None),
    ("POST", "/api/v1/orders", Scope.ORDERS_PLACE, {}),
    ("POST", "/api/v1/payments", Scope.PAYMENTS_START, {"subscription_id": str(NOBODY)}),
    ("POST", "/api/v1/notifications", Scope.NOTIFICATIONS_WRITE, {"user_id": str(NOBODY), "kind": "x"}),
]


@pytest.mark.parametrize(("method", "path", "scope", "body"), SERVICES)
def test_a_service_needs_a_signed_token_with_the_scope(
    program: TestClient, method: str, path: str, scope: Scope, body: dict[str, Any] | None
) -> None:
    def status(headers: dict[str, str]) -> int:
        return program.request(method, path, json=body, headers=headers).status_code

    assert status({}) == 401
    assert status({"Authorization": "Bearer forged"}) == 401
    assert status(token(*(set(Scope) - {scope}))) == 403
    assert status(token(scope)) not in (401, 403)


def test_the_traders_to_capture(market: Market, program: TestClient) -> None:
    told = program.get("/api/v1/traders", headers=token("traders:read"))
    assert told.json() == [
        {
            "trader_id": str(market.alice.id),
            "profile_id": str(market.profile_id),
            "lead_account_id": str(market.lead),
            "venue": "binance",
            "market": "perpetual",
        }
    ]
    assert "a" * 20 not in told.text


def test_a_users_trades_page_by_page(session: Session, market: Market, program: TestClient) -> None:
    traded(session, market.lead, 7)
    sign_in(program, market.alice.email)
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = program.get(f"/api/v1/trades/{market.alice.id}", params={"limit": 2, "cursor": cursor}).json()
        seen += [one["trade_id"] for one in page["trades"]]
        cursor = page["cursor"]
    assert (sorted(seen), len(set(seen)), cursor) == (list("0123456"), 7, "")
    by_service = program.get(f"/api/v1/trades/{market.alice.id}", headers=token("trades:read")).json()
    assert [one["price"] for one in by_service["trades"]] == ["60014.2"] * 7
    assert by_service["trades"][0]["venue"] == "binance"


@pytest.mark.parametrize("cursor", ["x", "2026-03-01T12:00:00_x", f"2026-03-01T12:00:00_{NOBODY}", "_", "x" * 101])
def test_a_cursor_that_is_none_of_ours_is_told_so(market: Market, program: TestClient, cursor: str) -> None:
    sign_in(program, market.alice.email)
    answer = program.get(f"/api/v1/trades/{market.alice.id}", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")


def test_mallory_sees_nobodys_trades(session: Session, market: Market, program: TestClient) -> None:
    traded(session, market.lead, 1)
    sign_in(program, mallory(session).email)
    hers, nobodys = (program.get(f"/api/v1/trades/{user}") for user in (market.alice.id, uuid4()))
    assert (hers.status_code, hers.json()) == (404, nobodys.json())


def test_an_accounts_trades_since_a_time_in_a_symbol(session: Session, market: Market, program: TestClient) -> None:
    traded(session, market.lead, 6)
    traded(session, market.lead, 3, symbol="ETH/USDT:USDT")
    asked: dict[str, Any] = {"exchange_account": str(market.lead), "symbol": "BTC/USDT:USDT"}
    since = (BEGIN + timedelta(minutes=1)).isoformat()
    told = program.get("/api/v1/trades", params=asked | {"since": since}, headers=token("trades:read")).json()
    assert [one["trade_id"] for one in told["trades"]] == ["5", "4", "3", "2"]
    naive = program.get("/api/v1/trades", params=asked | {"since": "2026-03-01T12:00:00"}, headers=token("trades:read"))
    assert naive.status_code == 422
    nobodys = program.get("/api/v1/trades", params={"exchange_account": str(uuid4())}, headers=token("trades:read"))
    assert nobodys.status_code == 404


def test_a_service_tells_a_person_something_once(session: Session, market: Market, program: TestClient) -> None:
    wish = {"user_id": str(market.bob.id), "kind": "account.paused", "facts": {"label": "Main"}, "dedupe_key": "k1"}
    answers = [program.post("/api/v1/notifications", json=wish, headers=token("notifications:write")) for _ in range(2)]
    assert [(one.status_code, one.json()) for one in answers] == [(201, {"told": True}), (201, {"told": False})]
    session.expire_all()
    assert notices.unread(session, owner=market.bob.id) == 1
    for wrong in ({"kind": "nothing.known"}, {"user_id": str(uuid4())}, {"facts": {"x": "y" * 10_000}}):
        refused = program.post("/api/v1/notifications", json=wish | wrong, headers=token("notifications:write"))
        assert refused.status_code in (404, 422)


WISH_SETTINGS = {"mode": "ratio", "factor": "0.1", "max_order_notional": "500"}
STOPS = {
    "max_daily_loss": "0.05",
    "daily_loss_unit": "share",
    "max_drawdown": "250",
    "drawdown_unit": "quote",
    "stop_mode": "close",
    "drift_less": "halt",
    "drift_more": "halt",
    "drift_liquidated": "halt",
    "drift_modes": "reset",
    "silence": "protect",
    "silence_loss": "0.075",
    "end_mode": "keep",
}


def test_bob_subscribes_and_is_sent_to_pay(
    session: Session, market: Market, sandbox: Sandbox, program: TestClient
) -> None:
    sign_in(program, market.bob.email)
    wish = {
        "profile_id": str(market.profile_id),
        "copy_account_id": str(market.copy),
        "settings": WISH_SETTINGS | STOPS,
    }
    made = program.post("/api/v1/subscriptions", json=wish)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["state"], told["payment"]["state"]) == ("incomplete", "open")
    assert told["payment"]["url"].startswith(sandbox.url)
    assert Decimal(told["settings"]["factor"]) == Decimal("0.1")
    assert {name: told["settings"][name] for name in STOPS} == STOPS
    again = program.post("/api/v1/payments", json={"subscription_id": told["id"]})
    assert again.json() == told["payment"], "the page that is open is used again"
    by_service = program.post("/api/v1/payments", json={"subscription_id": told["id"]}, headers=token("payments:start"))
    assert by_service.json() == told["payment"]
    (listed,) = program.get("/api/v1/subscriptions").json()
    assert (listed["id"], listed["trader_name"]) == (told["id"], "Nordwind")


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"factor": "0"}, 422),
        ({"factor": "NaN"}, 422),
        ({"factor": "-1"}, 422),
        ({"factor": "1e30"}, 422),
        ({"factor": "abc"}, 422),
        ({"mode": "martingale"}, 422),
        ({"max_order_notional": "-5"}, 422),
        ({"max_daily_loss": "2", "daily_loss_unit": "share"}, 422),
        ({"silence_loss": "0.9"}, 422),
        ({"stop_mode": "double"}, 422),
    ],
)
def test_a_subscription_that_cannot_copy_is_not_made(
    session: Session, market: Market, program: TestClient, settings: dict[str, str], status: int
) -> None:
    sign_in(program, market.bob.email)
    wish = {"profile_id": str(market.profile_id), "copy_account_id": str(market.copy), "settings": settings}
    refused = program.post("/api/v1/subscriptions", json=wish)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, "invalid_input")
    assert program.get("/api/v1/subscriptions").json() == []


def test_mallory_subscribes_with_nobodys_account(session: Session, market: Market, program: TestClient) -> None:
    outsider = mallory(session)
    sign_in(program, outsider.email)
    wish = {"profile_id": str(market.profile_id), "copy_account_id": str(market.copy)}
    assert program.post("/api/v1/subscriptions", json=wish).status_code == 404
    assert program.post("/api/v1/subscriptions", json=wish | {"profile_id": str(uuid4())}).status_code == 404
    sign_in(program, market.alice.email)
    assert program.post("/api/v1/subscriptions", json=wish).status_code in (403, 409)
    assert session.exec(select(Subscription)).all() == []


def test_a_traders_active_subscribers(session: Session, market: Market, program: TestClient) -> None:
    made = copying.subscribe(
        session,
        owner=market.bob.id,
        profile_id=market.profile_id,
        copy_account_id=market.copy,
        settings=CopySettings(factor=Decimal("0.1")),
    )
    session.commit()
    path = f"/api/v1/subscriptions/{market.alice.id}"
    assert program.get(path, headers=token("subscriptions:read")).json() == [], "not paid yet"
    paid.entitle(session, subscription_id=made, until=clock.now() + timedelta(days=30))
    session.commit()
    (told,) = program.get(path, headers=token("subscriptions:read")).json()
    assert (told["subscription_id"], told["copy_account_id"]) == (str(made), str(market.copy))
    assert Decimal(told["settings"]["factor"]) == Decimal("0.1")
    assert program.get(f"/api/v1/subscriptions/{uuid4()}", headers=token("subscriptions:read")).json() == []


def test_only_the_payer_or_a_service_starts_a_payment(session: Session, market: Market, program: TestClient) -> None:
    wish = {"subscription_id": str(subscribed(session, market))}
    for email in (market.alice.email, mallory(session).email):
        sign_in(program, email)
        assert program.post("/api/v1/payments", json=wish).status_code == 404
    program.cookies.clear()
    nobodys = {"subscription_id": str(uuid4())}
    assert program.post("/api/v1/payments", json=nobodys, headers=token("payments:start")).status_code == 404


def test_a_forged_webhook_changes_nothing(session: Session, market: Market, program: TestClient) -> None:
    subscription_id = subscribed(session, market)
    event = {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"subscription": str(subscription_id)}}}
    for signature in ("", "t=1,v1=00", f"t={int(clock.real_now().timestamp())},v1={'0' * 64}"):
        answer = program.post(
            "/api/v1/payments/notify", content=json.dumps(event), headers={"Stripe-Signature": signature}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    session.expire_all()
    assert session.exec(select(Subscription.state)).all() == ["incomplete"]


def signed(body: str, *, at: datetime) -> dict[str, str]:
    moment = int(at.timestamp())
    secret = settings().stripe_webhook_secret.get_secret_value()
    proof = hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={moment},v1={proof}"}


def test_a_webhook_of_stripes_is_stored_once_and_an_old_one_not(session: Session, program: TestClient) -> None:
    body = json.dumps({"id": "evt_7", "object": "event", "type": "product.created", "data": {"object": {}}})
    now = clock.real_now()
    for _ in range(2):
        answer = program.post("/api/v1/payments/notify", content=body, headers=signed(body, at=now))
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    old = program.post("/api/v1/payments/notify", content=body, headers=signed(body, at=now - timedelta(minutes=10)))
    assert old.status_code == 403
    session.expire_all()
    assert session.exec(select(WebhookEvent.id)).all() == ["evt_7"]


def test_the_document_and_its_page_tell_every_contract() -> None:
    document = api.openapi()
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told >= {
        ("POST", "/api/v1/register"),
        ("POST", "/api/v1/login"),
        ("POST", "/api/v1/accounts"),
        ("GET", "/api/v1/accounts"),
        ("POST", "/api/v1/subscriptions"),
        ("GET", "/api/v1/subscriptions"),
        ("POST", "/api/v1/payments"),
        ("POST", "/api/v1/payments/notify"),
        ("GET", "/api/v1/traders"),
        ("GET", "/api/v1/subscriptions/{trader_id}"),
        ("GET", "/api/v1/accounts/{subscriber_id}"),
        ("GET", "/api/v1/trades/{user_id}"),
        ("POST", "/api/v1/orders"),
        ("GET", "/api/v1/trades"),
        ("POST", "/api/v1/notifications"),
    }
    page = docs.page(api)
    assert all(path in page for _, path in told)
    assert "<script" not in page
    assert "http" not in page.replace("https://checkout.stripe.com", "")


def test_every_example_of_a_body_has_the_form_that_it_shows() -> None:
    document = api.openapi()
    for path, methods in document["paths"].items():
        for told in methods.values():
            for content in told.get("requestBody", {}).get("content", {}).values():
                shown = docs.example(document, content["schema"])
                assert isinstance(shown, dict), path
                assert all(value is not None for value in shown.values()), path
