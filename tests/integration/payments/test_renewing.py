"""A subscription through the months: renewed, late, cancelled, refunded."""

import time
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.events import Event
from copytrade.payments import bills, gateway, inbox, service
from copytrade.payments.entries import balances_of
from copytrade.payments.ledger_models import LedgerEntry
from copytrade.payments.models import Customer, InboxState, PaidPeriod, StripeSubscription, WebhookEvent
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow
from tests.integration.payments.paying import DECLINED, Stripe
from tests.integration.subscriptions.market import Market, opened, subscribed

MONTH = 32 * 86_400


@pytest.fixture
def market(session: Session) -> Market:
    return opened(session)


@pytest.fixture
def paid(session: Session, stripe: Stripe, market: Market) -> UUID:
    """A subscription of Bob's that is paid and active."""
    id = subscribed(session, market)
    stripe.pay(service.start_payment(session, owner=market.bob.id, subscription_id=id).url)
    session.commit()
    stripe.wait_for("checkout.session.completed")
    stripe.hand_over(session)
    return id


def _row(session: Session, market: Market, id: UUID) -> SubscriptionRow:
    session.expire_all()
    return subscriptions.subscription(session, owner=market.bob.id, subscription_id=id)


def test_a_renewal_prolongs_and_pays_the_trader_again(
    session: Session, stripe: Stripe, market: Market, paid: UUID
) -> None:
    before = _row(session, market, paid)
    stripe.control("POST", "clock", seconds=MONTH)
    stripe.wait_for("invoice.paid")
    stripe.hand_over(session)
    after = _row(session, market, paid)
    assert before.entitled_until is not None
    assert after.entitled_until is not None
    assert after.entitled_until - before.entitled_until >= timedelta(days=28)
    assert after.started_at == before.started_at
    assert [one.total for one in balances_of(session, trader_id=market.alice.id)] == [4640]


def test_while_stripe_hangs_the_inbox_ends_in_time_and_tries_again(
    session: Session, stripe: Stripe, market: Market, paid: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripe.control("POST", "clock", seconds=MONTH)
    stripe.wait_for("invoice.paid")
    monkeypatch.setattr(inbox, "LONGEST_S", 1)
    stripe.control("POST", "faults", kind="timeout_before", seconds=8)
    began = time.monotonic()
    stripe.hand_over(session)
    assert time.monotonic() - began < 5
    waiting = session.exec(select(WebhookEvent).where(WebhookEvent.state == InboxState.PENDING)).all()
    assert waiting
    assert {(row.error, row.attempts) for row in waiting} == {("Stripe did not answer in time", 1)}
    for row in waiting:
        row.try_at = clock.real_now()
    session.commit()
    monkeypatch.undo()
    stripe.hand_over(session)
    assert len(session.exec(select(PaidPeriod)).all()) == 2
    assert {row.state for row in session.exec(select(WebhookEvent))} <= {"done", "ignored"}


def test_a_renewal_that_fails_is_late_told_and_paid_by_another_card(
    session: Session, stripe: Stripe, market: Market, paid: UUID
) -> None:
    customer = session.exec(select(Customer.stripe_customer_id)).one()
    stripe.control("POST", "card", customer=customer, number=DECLINED)
    stripe.control("POST", "clock", seconds=MONTH)
    stripe.wait_for("invoice.payment_failed")
    stripe.hand_over(session)
    assert _row(session, market, paid).state == "past_due"
    kinds = session.exec(select(Event.kind).where(Event.user_id == market.bob.id)).all()
    assert (kinds.count("subscription.past_due"), kinds.count("payment.failed")) == (1, 1)
    started = service.start_payment(session, owner=market.bob.id, subscription_id=paid)
    assert started.state == "past_due"
    assert "Your subscriptions" in httpx.get(started.url).text
    stripe.control("POST", "card", customer=customer, number="4242424242424242")
    stripe.control("POST", "clock", seconds=4 * 86_400)
    stripe.wait_for("invoice.paid")
    stripe.hand_over(session)
    assert _row(session, market, paid).state == "active"
    assert len(session.exec(select(PaidPeriod)).all()) == 2


def test_a_cancellation_in_the_portal_runs_to_the_end_of_the_paid_time(
    session: Session, stripe: Stripe, market: Market, paid: UUID
) -> None:
    url = service.portal_url(session, owner=market.bob.id)
    remote = session.exec(select(StripeSubscription.stripe_subscription_id)).one()
    httpx.post(url, data={"action": "cancel", "subscription": remote})
    stripe.wait_for("customer.subscription.updated")
    stripe.hand_over(session)
    row = _row(session, market, paid)
    assert (row.state, row.is_ending, row.access_until) == ("active", True, row.entitled_until)
    stripe.control("POST", "clock", seconds=MONTH)
    stripe.wait_for("customer.subscription.deleted")
    stripe.hand_over(session)
    assert len(session.exec(select(PaidPeriod)).all()) == 1


def test_refunds_take_back_both_shares_and_a_whole_one_ends_the_access(
    session: Session, stripe: Stripe, market: Market, paid: UUID
) -> None:
    invoice = session.exec(select(PaidPeriod.stripe_invoice_id)).one()
    client = gateway._client_of(0)
    link = client.v1.invoice_payments.list({"invoice": invoice}).data[0]
    intent = str(link.payment.payment_intent)
    client.v1.refunds.create({"payment_intent": intent, "amount": 1001})
    stripe.wait_for("charge.refunded")
    stripe.hand_over(session)
    assert [one.total for one in balances_of(session, trader_id=market.alice.id)] == [1519]
    assert _row(session, market, paid).state == "active"
    client.v1.refunds.create({"payment_intent": intent})
    stripe.wait_for("charge.refunded")
    stripe.hand_over(session)
    assert [one.total for one in balances_of(session, trader_id=market.alice.id)] == [0]
    assert sum(entry.minor for entry in session.exec(select(LedgerEntry))) == 0
    assert _row(session, market, paid).state == "canceled"
    (payment,) = bills.invoices_of(session, owner=market.bob.id)
    assert payment.refunded == 29


def test_reconciling_finds_what_no_webhook_told(session: Session, stripe: Stripe, market: Market, paid: UUID) -> None:
    before = _row(session, market, paid).entitled_until
    stripe.control("POST", "clock", seconds=MONTH)
    stripe.wait_for("invoice.paid")
    service.reconcile()
    after = _row(session, market, paid).entitled_until
    assert before is not None
    assert after is not None
    assert after > before
