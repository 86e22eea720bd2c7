"""The same thing from several processes at once has one effect; what a dead worker left is taken up again."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
import stripe as sdk
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.session import reading, transaction
from copytrade.domain import bookings
from copytrade.errors import Conflict
from copytrade.payments import connect, inbox, service
from copytrade.payments.ledger_models import LedgerEntry, PayoutAccount
from copytrade.payments.models import Checkout, InboxState, PaidPeriod, WebhookEvent
from copytrade.settings import settings
from copytrade.subscriptions import service as subscriptions
from copytrade.subscriptions.models import Subscription
from tests import paid
from tests.integration.payments.paying import Stripe
from tests.integration.subscriptions.market import Market, opened, subscribed


@pytest.fixture
def market(committed: object) -> Market:
    """Alice and Bob, really committed, so that several connections see them."""
    with transaction() as session:
        return opened(session)


def _at_once(work: Callable[[], object], *, times: int = 6) -> list[object]:
    def safely() -> object:
        try:
            return work()
        except Conflict as refusal:
            return refusal

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(safely) for _ in range(times)]]


def _in_transaction(work: Callable[[Session], object]) -> object:
    with transaction() as session:
        return work(session)


def _all(table: type[object]) -> list[object]:
    with reading() as session:
        return list(session.exec(select(table)))


def test_subscribing_many_times_at_once_makes_one_subscription(market: Market) -> None:
    ids = _at_once(lambda: _in_transaction(lambda session: subscribed(session, market)))
    assert len(set(map(str, ids))) == 1
    assert len(_all(Subscription)) == 1


def test_starting_to_pay_many_times_at_once_opens_one_page(market: Market, stripe: Stripe) -> None:
    id = UUID(str(_in_transaction(lambda session: subscribed(session, market))))
    urls = _at_once(
        lambda: _in_transaction(
            lambda session: service.start_payment(session, owner=market.bob.id, subscription_id=id).url
        )
    )
    assert len(set(urls)) == 1
    assert len(_all(Checkout)) == 1


def test_a_storm_of_the_same_webhooks_over_several_workers_books_once(market: Market, stripe: Stripe) -> None:
    id = UUID(str(_in_transaction(lambda session: subscribed(session, market))))
    with transaction() as session:
        url = service.start_payment(session, owner=market.bob.id, subscription_id=id).url
    stripe.pay(url)
    stripe.wait_for("checkout.session.completed")
    caught = stripe.caught

    def everything() -> None:
        for one in caught * 10:
            with transaction() as session:
                service.receive_webhook(session, body=one.body, signature=one.signature)
        service.process_events()

    _at_once(everything, times=5)
    service.process_events()
    assert len(_all(WebhookEvent)) == len(caught)
    assert len(_all(PaidPeriod)) == 1
    assert len(_all(LedgerEntry)) == 3
    with reading() as session:
        row = session.get_one(Subscription, id)
        assert row.state == "active"
        assert session.exec(select(LedgerEntry.account).where(LedgerEntry.account == bookings.STRIPE)).all() == [
            "stripe"
        ]


def test_an_event_of_a_worker_that_died_is_taken_up_again(committed: object) -> None:
    body = json.dumps({"id": "evt_dead", "type": "account.updated", "data": {"object": {"id": "acct_of_nobody"}}})
    secret = settings().stripe_webhook_secret.get_secret_value()
    signature = sdk.WebhookSignature.generate_signature_header(body, secret, int(time.time()))
    with transaction() as session:
        service.receive_webhook(session, body=body.encode(), signature=signature)
    with transaction() as session:
        inbox._hide(session, ["evt_dead"])
    assert inbox.work_off() == 0
    with transaction() as session:
        session.get_one(WebhookEvent, "evt_dead").try_at = clock.real_now()
    assert inbox.work_off() == 1
    with reading() as session:
        assert session.get_one(WebhookEvent, "evt_dead").state == InboxState.IGNORED


def test_an_event_that_never_works_ends_in_an_alarm(committed: object) -> None:
    with transaction() as session:
        session.add(
            WebhookEvent(
                id="evt_bad",
                type="price.created",
                api_version="",
                body='{"data": {"object": {}}}',
                attempts=inbox.MOST_ATTEMPTS,
                error="PaymentsUnavailable",
                try_at=clock.real_now(),
                received_at=clock.real_now(),
            )
        )
    inbox.work_off()
    with reading() as session:
        assert session.get_one(WebhookEvent, "evt_bad").state == InboxState.FAILED


def test_ending_and_paying_at_once_never_leaves_it_half(market: Market, stripe: Stripe) -> None:
    id = UUID(str(_in_transaction(lambda session: subscribed(session, market))))
    until = clock.now()

    def pay() -> None:
        with transaction() as session:
            paid.entitle(session, subscription_id=id, until=until)

    def end() -> None:
        with transaction() as session:
            subscriptions.end(session, owner=market.bob.id, subscription_id=id)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(pay), pool.submit(end)]:
            future.result()
    with reading() as session:
        row = session.get_one(Subscription, id)
        assert (row.state, row.ended_at is not None) == ("canceled", True)


def test_onboarding_from_many_tabs_at_once_makes_one_account(market: Market, stripe: Stripe) -> None:
    alice = market.alice.id
    links = _at_once(lambda: _in_transaction(lambda session: connect.onboarding_url(session, owner=alice)))
    assert all(str(link).startswith("http") for link in links)
    assert len(_all(PayoutAccount)) == 1
