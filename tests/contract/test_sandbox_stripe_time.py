"""The sandbox's Stripe through the months, and how its webhooks arrive."""

import json
from collections.abc import Generator
from itertools import pairwise

import httpx
import pytest
import stripe

from tests.contract import stripe_side as side
from tests.contract.served import Served
from tests.waiting import wait_until

DAY = 86_400
SECRET = "whsec_known_to_both"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A server of this file's own, without the app's endpoint."""
    server = Served(tmp_path_factory.mktemp("stripe"), COPYTRADE_STRIPE_WEBHOOK_SECRET="").start()
    yield server
    server.stop()


@pytest.fixture
def served(running: Served) -> Served:
    """The server, new and empty, its clock on time."""
    running.control("DELETE", "state")
    return running


@pytest.fixture
def hook(served: Served) -> Generator[side.Hook]:
    """The app's endpoint, registered with a secret that both know."""
    with side.hook() as made:
        served.control("POST", "endpoint", url=made.url, secret=SECRET)
        yield made


def _advance(served: Served, days: float) -> None:
    served.control("POST", "clock", seconds=int(days * DAY))


def test_a_month_later_it_is_billed_again(served: Served) -> None:
    before, v1 = side.sold(served), side.client(served).v1
    _advance(served, 32)
    after = v1.subscriptions.retrieve(before.id)
    assert after["items"].data[0].current_period_start == before["items"].data[0].current_period_end
    reasons = [
        invoice.billing_reason for invoice in v1.invoices.list({"subscription": before.id, "status": "paid"}).data
    ]
    assert reasons == ["subscription_cycle", "subscription_create"]


def test_a_year_of_months_keeps_the_day(served: Served) -> None:
    subscription, v1 = side.sold(served), side.client(served).v1
    _advance(served, 367)
    invoices = v1.invoices.list({"subscription": subscription.id, "limit": 100}).data
    assert len(invoices) == 13
    periods = [(line.period.start, line.period.end) for invoice in reversed(invoices) for line in invoice.lines.data]
    assert all(end == start for (_, end), (start, _) in pairwise(periods))


def test_a_card_that_fails_is_tried_again_and_in_the_end_it_is_canceled(served: Served) -> None:
    subscription, v1 = side.sold(served), side.client(served).v1
    served.control("POST", "card", customer=str(subscription.customer), number=side.DECLINED)
    _advance(served, 32)
    late = v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert isinstance(late.latest_invoice, stripe.Invoice)
    assert (late.status, late.latest_invoice.status, late.latest_invoice.attempt_count) == ("past_due", "open", 1)
    _advance(served, 20)
    ended = v1.subscriptions.retrieve(subscription.id)
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "payment_failed"


def test_the_invoices_page_takes_another_card_and_mends_it(served: Served) -> None:
    subscription, v1 = side.sold(served), side.client(served).v1
    served.control("POST", "card", customer=str(subscription.customer), number=side.DECLINED)
    _advance(served, 32)
    invoice = v1.invoices.list({"subscription": subscription.id, "status": "open"}).data[0]
    assert "declined" in side.pay(invoice.hosted_invoice_url, side.DECLINED).text
    with pytest.raises(stripe.CardError):
        v1.invoices.pay(invoice.id)
    assert side.pay(invoice.hosted_invoice_url).status_code == 303
    assert v1.subscriptions.retrieve(subscription.id).status == "active"
    assert v1.invoices.retrieve(invoice.id).status == "paid"


def test_one_that_is_canceled_at_its_end_ends_there_unbilled(served: Served) -> None:
    subscription, v1 = side.sold(served), side.client(served).v1
    v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    _advance(served, 32)
    assert v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert len(v1.invoices.list({"subscription": subscription.id}).data) == 1
    with pytest.raises(stripe.InvalidRequestError):
        v1.subscriptions.cancel(subscription.id)


def test_an_open_page_expires_after_a_day(served: Served, hook: side.Hook) -> None:
    session = side.opened(served)
    _advance(served, 1.1)
    assert side.client(served).v1.checkout.sessions.retrieve(session.id).status == "expired"
    wait_until(lambda: "checkout.session.expired" in hook.types())


def test_webhooks_are_signed_as_the_sdk_checks_it(served: Served, hook: side.Hook) -> None:
    side.sold(served)
    wait_until(lambda: "checkout.session.completed" in hook.types())
    for body, signature in hook.got:
        assert stripe.Webhook.construct_event(body, signature, SECRET).api_version == stripe.api_version
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body + b" ", signature, SECRET)
    listed = side.client(served).v1.events.list({"limit": 100, "types": ["invoice.paid"]})
    assert {event.id for event in listed.data} <= {json.loads(body)["id"] for body, _ in hook.got}


def test_an_endpoint_made_by_the_api_gets_what_it_asked_for_with_its_own_secret(served: Served) -> None:
    with side.hook() as made:
        endpoint = side.client(served).v1.webhook_endpoints.create(
            {"url": made.url, "enabled_events": ["invoice.paid"]}
        )
        assert endpoint.secret
        side.sold(served)
        wait_until(lambda: made.got)
        assert made.types() == ["invoice.paid"]
        assert stripe.Webhook.construct_event(*made.got[0], endpoint.secret).type == "invoice.paid"


def test_a_refused_delivery_comes_again_until_it_is_taken(served: Served, hook: side.Hook) -> None:
    hook.answers = [500, 503]
    side.client(served).v1.products.create({"name": "x"})
    wait_until(lambda: len(hook.got) >= 3, timeout=15)
    assert hook.types() == ["product.created"] * 3
    wait_until(lambda: [one["state"] for one in served.control("GET", "deliveries")] == ["delivered"])


def test_deliveries_can_be_doubled_held_and_shuffled(served: Served, hook: side.Hook) -> None:
    served.control("PUT", "webhooks", hold=True)
    for number in range(12):
        side.client(served).v1.products.create({"name": str(number)})
    assert hook.got == []
    served.control("PUT", "webhooks", shuffle=True, duplicates=1)
    wait_until(lambda: len(hook.got) == 24)
    names = [json.loads(body)["data"]["object"]["name"] for body, _ in hook.got]
    assert sorted(names) == sorted([str(number) for number in range(12)] * 2)
    assert names != sorted(names, key=int)


def test_an_event_is_sent_again_on_request(served: Served, hook: side.Hook) -> None:
    side.client(served).v1.products.create({"name": "x"})
    wait_until(lambda: hook.got)
    served.control("POST", "resend", event=json.loads(hook.got[0][0])["id"])
    wait_until(lambda: len(hook.got) == 2)
    assert hook.got[0][0] == hook.got[1][0]


def test_a_control_call_that_makes_no_sense_is_refused(served: Served) -> None:
    for call, given in (("faults", {"kind": "fire"}), ("endpoint", {"url": "x", "secret": ""}), ("nothing", {})):
        assert httpx.post(f"{served.url}/stripe/_control/{call}", json=given).status_code in (400, 404)
