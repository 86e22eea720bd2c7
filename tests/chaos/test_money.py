"""Whatever dies between a payment and its subscription: it is active in the end, booked once, told once."""

from collections.abc import Generator
from uuid import UUID

import httpx
import pytest
from sqlmodel import select

from copytrade.db.session import reading, transaction
from copytrade.payments import service
from copytrade.payments.models import PaidPeriod
from copytrade.queues import connection
from copytrade.subscriptions import queries as subscriptions
from tests.conftest import Sandbox
from tests.integration.payments.paying import Stripe, stripe_at
from tests.integration.subscriptions.market import Market, opened, subscribed
from tests.processes import Processes
from tests.waiting import wait_until

MONEY = ("cron", "worker-billing", "worker-notify")


@pytest.fixture
def stripe(sandbox: Sandbox) -> Generator[Stripe]:
    with stripe_at(sandbox.url) as made:
        httpx.delete(f"{sandbox.url}/mail/messages")
        yield made


def _paid(stripe: Stripe) -> tuple[Market, UUID]:
    """Bob pays; the webhooks have arrived at the door, nobody has given them to the app yet."""
    with transaction() as session:
        market = opened(session)
        id = subscribed(session, market)
    with transaction() as session:
        url = service.start_payment(session, owner=market.bob.id, subscription_id=id).url
    stripe.pay(url)
    stripe.wait_for("checkout.session.completed")
    return market, id


def _arrive(stripe: Stripe) -> None:
    for one in stripe.caught:
        with transaction() as session:
            service.receive_webhook(session, body=one.body, signature=one.signature)


def _ends_active_and_told(sandbox: Sandbox, market: Market, id: UUID) -> None:
    def active() -> bool:
        with reading() as session:
            return subscriptions.subscription(session, owner=market.bob.id, subscription_id=id).state == "active"

    def subjects() -> list[str]:
        mails = httpx.get(f"{sandbox.url}/mail/messages", params={"to": market.bob.email}).json()
        return [mail["subject"] for mail in mails]

    wait_until(active, timeout=60, what="the subscription is active")
    wait_until(lambda: "Your subscription is active" in subjects(), timeout=60, what="a mail about it")
    assert subjects().count("Your subscription is active") == 1
    with reading() as session:
        assert len(session.exec(select(PaidPeriod)).all()) == 1


def test_a_payment_becomes_a_subscription_and_a_mail(processes: Processes, sandbox: Sandbox, stripe: Stripe) -> None:
    processes.start(*MONEY)
    market, id = _paid(stripe)
    _arrive(stripe)
    _ends_active_and_told(sandbox, market, id)


def test_queue_messages_lost_while_nobody_worked_lose_no_payment(
    processes: Processes, sandbox: Sandbox, stripe: Stripe
) -> None:
    market, id = _paid(stripe)
    _arrive(stripe)
    connection().flushall()
    processes.start(*MONEY)
    _ends_active_and_told(sandbox, market, id)


def test_a_billing_worker_killed_in_the_middle_books_once(
    processes: Processes, sandbox: Sandbox, stripe: Stripe
) -> None:
    processes.start(*MONEY)
    market, id = _paid(stripe)
    stripe.control("POST", "faults", kind="timeout_after", match="GET /v1/subscriptions", count=1, seconds=8)
    _arrive(stripe)
    wait_until(lambda: stripe.control("GET", "faults") == [], timeout=40, what="the worker hangs at Stripe")
    processes.restart("worker-billing")
    _ends_active_and_told(sandbox, market, id)
