"""From an incomplete subscription over the hosted page to an active one, whatever happens on the way."""

import random
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.events import Event
from copytrade.errors import Conflict, NotFound
from copytrade.payments import bills, gateway, service
from copytrade.payments.entries import balances_of
from copytrade.payments.ledger_models import LedgerEntry
from copytrade.payments.models import Checkout, Customer, PaidPeriod, WebhookEvent
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions import service as subscription_service
from copytrade.subscriptions.states import State
from tests.integration.payments.paying import ASKS, DECLINED, Stripe
from tests.integration.subscriptions.market import Market, opened, subscribed
from tests.integration.users import people


def _state(session: Session, market: Market, id: UUID) -> str:
    session.expire_all()
    return subscriptions.subscription(session, owner=market.bob.id, subscription_id=id).state


def _page(session: Session, market: Market, id: UUID) -> str:
    started = service.start_payment(session, owner=market.bob.id, subscription_id=id)
    session.commit()
    assert started.state == "open"
    return started.url


def test_a_paid_page_activates_the_subscription_and_divides_the_money(session: Session, stripe: Stripe) -> None:
    market = opened(session, price="29.99")
    id = subscribed(session, market)
    answer = stripe.pay(_page(session, market, id))
    assert (answer.status_code, "payment=paid" in answer.headers["location"]) == (303, True)
    stripe.wait_for("checkout.session.completed")
    stripe.hand_over(session)
    row = subscriptions.subscription(session, owner=market.bob.id, subscription_id=id)
    assert row.state == "active"
    assert row.entitled_until is not None
    assert timedelta(days=27) < row.entitled_until - clock.now() < timedelta(days=32)
    (paid,) = bills.invoices_of(session, owner=market.bob.id)
    assert (paid.amount, paid.trader_name, paid.period_end) == (Decimal("29.99"), "Nordwind", row.entitled_until)
    [earned] = balances_of(session, trader_id=market.alice.id)
    assert (earned.total, earned.held, earned.available) == (2399, 2399, 0)
    assert sum(entry.minor for entry in session.exec(select(LedgerEntry))) == 0


@pytest.mark.parametrize("seed", range(6))
def test_webhooks_doubled_and_in_any_order_have_one_effect(session: Session, stripe: Stripe, seed: int) -> None:
    market = opened(session)
    id = subscribed(session, market)
    stripe.pay(_page(session, market, id))
    stripe.wait_for("checkout.session.completed")

    def shuffled(caught: list[object]) -> list[object]:
        return random.Random(seed).sample(caught * 3, k=len(caught) * 3)

    stripe.hand_over(session, order=shuffled)  # pyright: ignore[reportArgumentType]
    assert _state(session, market, id) == "active"
    assert len(session.exec(select(PaidPeriod)).all()) == 1
    kinds = session.exec(select(Event.kind)).all()
    assert kinds.count("subscription.activated") == 1
    assert set(session.exec(select(WebhookEvent.state)).all()) <= {"done", "ignored"}


def test_a_declined_card_leaves_it_incomplete_and_the_page_open(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    url = _page(session, market, id)
    answer = stripe.pay(url, DECLINED)
    assert "Your card was declined." in answer.text
    stripe.wait_for("charge.failed")
    stripe.hand_over(session)
    assert _state(session, market, id) == "incomplete"
    assert _page(session, market, id) == url
    stripe.pay(url)
    stripe.wait_for("checkout.session.completed")
    stripe.hand_over(session)
    assert _state(session, market, id) == "active"


def test_a_closed_page_leads_back_and_can_be_paid_later(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    url = _page(session, market, id)
    answer = httpx.post(url, data={"action": "close"})
    assert answer.headers["location"].endswith(f"/traders/nordwind/subscribe?subscription={id}&payment=closed")
    assert _state(session, market, id) == "incomplete"
    assert _page(session, market, id) == url


def test_a_card_that_asks_is_paid_once_its_holder_confirms(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    answer = stripe.pay(_page(session, market, id), ASKS)
    confirm = answer.headers["location"]
    assert httpx.post(confirm, data={"action": "complete"}).status_code == 303
    stripe.wait_for("invoice.paid")
    stripe.hand_over(session)
    assert _state(session, market, id) == "active"


def test_a_payment_whose_webhooks_are_lost_is_found_by_asking(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    stripe.pay(_page(session, market, id))
    checkout = session.exec(select(Checkout)).one()
    checkout.check_at = clock.real_now()
    session.commit()
    service.process_events()
    assert _state(session, market, id) == "active"


def test_starting_again_after_paying_never_opens_a_second_page(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    stripe.pay(_page(session, market, id))
    again = service.start_payment(session, owner=market.bob.id, subscription_id=id)
    assert again.state == "processing"
    assert _state(session, market, id) == "active"
    with pytest.raises(Conflict):
        service.start_payment(session, owner=market.bob.id, subscription_id=id)


def test_an_expired_page_is_replaced_by_a_new_one(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    first = _page(session, market, id)
    gateway.expire_checkout(session.exec(select(Checkout.stripe_session_id)).one())
    second = _page(session, market, id)
    assert second != first
    assert sorted(session.exec(select(Checkout.state)).all()) == ["expired", "open"]


def test_a_crash_after_stripe_made_the_page_opens_the_same_page(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    nested = session.begin_nested()
    first = service.start_payment(session, owner=market.bob.id, subscription_id=id)
    nested.rollback()
    session.expire_all()
    assert session.exec(select(Customer)).all() == []
    assert service.start_payment(session, owner=market.bob.id, subscription_id=id).url == first.url


@pytest.mark.parametrize("kind", ["error_before", "error_after"])
def test_a_stumbling_stripe_is_asked_again_and_makes_one_page(session: Session, stripe: Stripe, kind: str) -> None:
    market = opened(session)
    id = subscribed(session, market)
    stripe.control("POST", "faults", kind=kind, match="POST /v1/checkout/sessions")
    url = _page(session, market, id)
    assert stripe.pay(url).status_code == 303
    stripe.wait_for("checkout.session.completed")
    stripe.hand_over(session)
    assert _state(session, market, id) == "active"


def test_a_busy_stripe_is_asked_again_by_the_payer(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    stripe.control("POST", "faults", kind="rate_limit", match="POST /v1/checkout/sessions")
    with pytest.raises(gateway.PaymentsUnavailable):
        service.start_payment(session, owner=market.bob.id, subscription_id=id)
    assert stripe.pay(_page(session, market, id)).status_code == 303


def test_a_stripe_that_is_away_costs_nothing_and_says_so(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    stripe.control("POST", "faults", kind="error_before", match="POST /v1/checkout/sessions", count=20)
    with pytest.raises(gateway.PaymentsUnavailable) as failure:
        service.start_payment(session, owner=market.bob.id, subscription_id=id)
    assert "sk_test" not in str(failure.value)
    assert "Nothing was charged" in failure.value.user.text
    session.rollback()
    assert session.exec(select(Checkout)).all() == []


def test_an_event_that_stripe_cannot_explain_now_is_tried_again(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    stripe.pay(_page(session, market, id))
    stripe.wait_for("checkout.session.completed")
    stripe.control("POST", "faults", kind="error_before", match="GET /v1/subscriptions", count=100)
    stripe.hand_over(session, order=lambda caught: [one for one in caught if b'"type":"invoice.paid"' in one.body])
    assert _state(session, market, id) == "incomplete"
    stripe.control("DELETE", "faults")
    for row in session.exec(select(WebhookEvent).where(WebhookEvent.state == "pending")):
        row.try_at = clock.real_now()
    session.commit()
    service.process_events()
    assert _state(session, market, id) == "active"


def test_mallory_pays_for_nobody_and_opens_nobodys_portal(session: Session, stripe: Stripe) -> None:
    market, mallory = opened(session), people.mallory(session)
    id = subscribed(session, market)
    with pytest.raises(NotFound):
        service.start_payment(session, owner=mallory.id, subscription_id=id)
    with pytest.raises(NotFound):
        service.portal_url(session, owner=mallory.id)
    assert bills.invoices_of(session, owner=mallory.id) == []
    assert balances_of(session, trader_id=mallory.id) == []


def test_stopping_here_ends_the_billing_at_stripe(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    stripe.pay(_page(session, market, id))
    stripe.wait_for("checkout.session.completed")
    stripe.hand_over(session)
    subscription_service.end(session, owner=market.bob.id, subscription_id=id)
    session.commit()
    service.process_events()
    stripe.wait_for("customer.subscription.deleted")
    stripe.hand_over(session)
    assert _state(session, market, id) == State.CANCELED


def test_ending_before_paying_closes_the_payment_page(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    url = _page(session, market, id)
    subscription_service.end(session, owner=market.bob.id, subscription_id=id)
    session.commit()
    service.process_events()
    assert "expired" in stripe.pay(url).text
    with pytest.raises(Conflict):
        service.start_payment(session, owner=market.bob.id, subscription_id=id)
