"""Contracts 3 and 4 where money begins: consent, country, coupon, and what the document tells."""

from collections.abc import Generator
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session, select
from starlette.testclient import TestClient

from copytrade.api.app import api
from copytrade.domain.billing import Happening, State
from copytrade.payments import coupons
from copytrade.payments.coupons import Offer
from copytrade.payments.models import Checkout
from copytrade.settings import settings
from copytrade.subscriptions.consent import RISK_VERSION
from copytrade.subscriptions.models import RiskConsent, Subscription
from tests.conftest import Sandbox
from tests.integration.api.test_contracts import sign_in
from tests.integration.payments.paying import Stripe, stripe_at
from tests.integration.subscriptions.market import Market, opened


@pytest.fixture
def stripe(sandbox: Sandbox) -> Generator[Stripe]:
    """Stripe, new and empty."""
    with stripe_at(sandbox.url) as made:
        yield made


@pytest.fixture
def market(session: Session, stripe: Stripe) -> Market:
    """Alice's profile and Bob, who has not accepted the risk text yet."""
    made = opened(session)
    for one in session.exec(select(RiskConsent)):
        session.delete(one)
    session.commit()
    return made


def wish(market: Market, **more: Any) -> dict[str, Any]:
    given = {"profile_id": str(market.profile_id), "copy_account_id": str(market.copy)}
    return given | {"consent": {"version": RISK_VERSION, "locale": "en", "country": "DE"}} | more


@pytest.mark.parametrize(
    ("consent", "status"),
    [
        (None, 409),
        ({"version": "2020-01", "country": "DE"}, 409),
        ({"version": RISK_VERSION, "country": "Germany"}, 422),
        ({"version": RISK_VERSION, "country": ""}, 422),
        ({"country": "DE"}, 422),
        ({"version": RISK_VERSION, "country": "DE", "locale": "english"}, 422),
    ],
)
def test_without_consent_nothing_is_made(
    session: Session, market: Market, program: TestClient, consent: dict[str, str] | None, status: int
) -> None:
    sign_in(program, market.bob.email)
    refused = program.post("/api/v1/subscriptions", json=wish(market, consent=consent))
    assert refused.status_code == status, refused.text
    assert session.exec(select(Subscription)).all() == []


def test_a_country_where_it_is_off_gets_a_clear_no(
    session: Session, market: Market, program: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYTRADE_PAID_COPYING_OFF", '["DE"]')
    settings.cache_clear()
    try:
        sign_in(program, market.bob.email)
        refused = program.post("/api/v1/subscriptions", json=wish(market))
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")
        assert "where you live" in refused.json()["error"]["message"]
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert session.exec(select(Subscription)).all() == []
    assert session.exec(select(RiskConsent).where(RiskConsent.user_id == market.bob.id)).all() == []


def test_a_coupon_is_taken_along_and_a_wrong_one_is_refused_before_anything_is_made(
    session: Session, market: Market, program: TestClient
) -> None:
    offer = Offer("SPRING-26", percent=Decimal(50))
    coupons.create(session, owner=market.alice.id, profile_id=market.profile_id, offer=offer)
    session.commit()
    sign_in(program, market.bob.email)
    refused = program.post("/api/v1/subscriptions", json=wish(market, code="AUTUMN"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_input")
    assert session.exec(select(Subscription)).all() == []
    made = program.post("/api/v1/subscriptions", json=wish(market, code="spring-26")).json()
    assert (made["state"], made["payment"]["state"]) == ("incomplete", "open")
    session.expire_all()
    assert session.exec(select(Checkout.coupon_id)).one() is not None
    again = program.post("/api/v1/payments", json={"subscription_id": made["id"], "code": "spring-26"})
    assert again.json() == made["payment"]
    wrong = program.post("/api/v1/payments", json={"subscription_id": made["id"], "code": "AUTUMN"})
    assert wrong.status_code == 422


def test_stripe_being_away_leaves_a_subscription_that_can_be_paid_later(
    session: Session, market: Market, program: TestClient, stripe: Stripe
) -> None:
    sign_in(program, market.bob.email)
    stripe.control("POST", "faults", kind="error_before", match="POST /v1/checkout/sessions", count=50)
    made = program.post("/api/v1/subscriptions", json=wish(market))
    assert (made.status_code, made.json()["payment"]) == (201, None)
    down = program.post("/api/v1/payments", json={"subscription_id": made.json()["id"]})
    assert (down.status_code, down.json()["error"]["code"]) == (502, "payments_unavailable")
    assert "Nothing was charged" in down.json()["error"]["message"]
    stripe.control("DELETE", "faults")
    assert program.post("/api/v1/payments", json={"subscription_id": made.json()["id"]}).status_code == 200


def test_the_document_tells_every_state_and_every_end() -> None:
    told = api.openapi()["components"]["schemas"]["SubscriptionAnswer"]["properties"]
    assert all(f"`{state}`" in told["state"]["description"] for state in State)
    ends = {"refunded", "dispute_lost", "period_over", "given_up", "stopped", "trader_gone", "replaced", "forgotten"}
    assert {one for one in Happening if f"`{one}`" in told["end_reason"]["description"]} == ends
    assert {"next_charge_at", "next_amount", "trial_ends_at", "next_price", "successor_id"} <= told.keys()
