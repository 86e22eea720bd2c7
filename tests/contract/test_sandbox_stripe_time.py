"""The sandbox's Stripe through the months, and how its webhooks arrive."""

import json
import signal
from collections.abc import Generator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest
import stripe

from copytrade.sandbox.stripe_control import StripeControl
from tests.contract import stripe_side as side
from tests.contract.sdk_shapes import complaints
from tests.contract.served import Served
from tests.waiting import wait_until

DAY = 86_400
SECRET = "whsec_known_to_both"


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


def _moment(year: int, month: int, day: int, hour: int = 12) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def _on_clock(served: Served, start: int, **more: Any) -> tuple[stripe.test_helpers.TestClock, stripe.Subscription]:
    """Return a test clock and a subscription of a customer who lives by it."""
    v1 = side.client(served).v1
    clock = v1.test_helpers.test_clocks.create({"frozen_time": start, "name": "ours"})
    customer = v1.customers.create({"email": "bob@x.example", "test_clock": clock.id})
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    price = side.priced(served)
    facts: Any = {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": card.id, **more}
    return clock, v1.subscriptions.create(facts)


def _clock_to(served: Served, clock: str, moment: int) -> stripe.test_helpers.TestClock:
    clocks = side.client(served).v1.test_helpers.test_clocks
    assert clocks.advance(clock, {"frozen_time": moment}).status == "advancing"
    wait_until(lambda: clocks.retrieve(clock).status == "ready")
    return clocks.retrieve(clock)


def test_a_test_clock_moves_its_customers_and_nobody_else(served: Served, hook: side.Hook) -> None:
    v1, other = side.client(served).v1, side.sold(served)
    clock, subscription = _on_clock(served, _moment(2031, 3, 10))
    assert complaints(clock.to_dict(), stripe.test_helpers.TestClock) == []
    assert (subscription.test_clock, subscription.created) == (clock.id, clock.frozen_time)
    after = _clock_to(served, clock.id, _moment(2031, 4, 11))
    assert after.frozen_time == _moment(2031, 4, 11)
    assert len(v1.invoices.list({"subscription": subscription.id}).data) == 2
    assert len(v1.invoices.list({"subscription": other.id}).data) == 1
    wait_until(lambda: "test_helpers.test_clock.ready" in hook.types())
    with pytest.raises(stripe.InvalidRequestError, match="after the current"):
        v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": _moment(2031, 1, 1)})
    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": _moment(2031, 7, 1)})
    assert v1.test_helpers.test_clocks.delete(clock.id).deleted is True
    assert v1.subscriptions.retrieve(subscription.id).status == "canceled"


@pytest.mark.parametrize(
    ("start", "ends"),
    [
        ((2031, 1, 31), [(2031, 2, 28), (2031, 3, 31), (2031, 4, 30)]),
        ((2032, 1, 31), [(2032, 2, 29), (2032, 3, 31), (2032, 4, 30)]),
        ((2032, 2, 29), [(2032, 3, 29), (2032, 4, 29), (2032, 5, 29)]),
        ((2031, 3, 1), [(2031, 4, 1), (2031, 5, 1), (2031, 6, 1)]),
    ],
)
def test_months_are_counted_from_the_first_day_over_short_months_and_summer_time(
    served: Served, start: tuple[int, int, int], ends: list[tuple[int, int, int]]
) -> None:
    v1 = side.client(served).v1
    clock, subscription = _on_clock(served, _moment(*start))
    for end in ends:
        found = v1.subscriptions.retrieve(subscription.id)
        assert found["items"].data[0].current_period_end == _moment(*end)
        _clock_to(served, clock.id, _moment(*end, hour=13))
    assert v1.subscriptions.retrieve(subscription.id).billing_cycle_anchor == _moment(*start)


def test_a_year_from_the_29th_of_february_ends_on_the_28th(served: Served) -> None:
    v1 = side.client(served).v1
    product = v1.products.create({"name": "Nordwind"})
    price = v1.prices.create(
        {"product": product.id, "unit_amount": 29000, "currency": "usd", "recurring": {"interval": "year"}}
    )
    _, subscription = _on_clock(served, _moment(2032, 2, 29), items=[{"price": price.id}])
    assert subscription["items"].data[0].current_period_end == _moment(2033, 2, 28)


def test_a_crowd_renews_on_one_night_and_every_event_arrives_once(served: Served, hook: side.Hook) -> None:
    price = side.priced(served)
    people = [{"metadata": {"subscription_id": str(number)}} for number in range(40)]
    with StripeControl(served.url) as control:
        crowd = control.crowd(price.id, people=people)
        control.advance(32 * DAY)
        wait_until(lambda: hook.types().count("invoice.paid") == 80, timeout=30)
        wait_until(lambda: control.backlog() == 0)
    found = side.client(served).v1.subscriptions.retrieve(crowd[7]["subscription"])
    assert found.metadata.to_dict() == {"subscription_id": "7"}
    ids = [json.loads(body)["id"] for body, _ in hook.got]
    assert len(ids) == len(set(ids))


def test_the_events_of_one_customer_come_in_their_order(served: Served, hook: side.Hook) -> None:
    price = side.priced(served)
    served.control("POST", "crowd", price=price.id, count=10)
    wait_until(lambda: hook.types().count("checkout.session.completed") == 10)
    told: dict[str, list[str]] = {}
    for body, _ in hook.got:
        event = json.loads(body)
        told.setdefault(str(event["data"]["object"].get("customer")), []).append(event["type"])
    expected = next(iter(v for k, v in told.items() if k != "None"))
    assert [types for customer, types in told.items() if customer != "None"] == [expected] * 10
    assert expected.index("customer.subscription.created") < expected.index("invoice.paid")


def test_a_delivery_may_come_fifty_times_at_once(served: Served, hook: side.Hook) -> None:
    served.control("PUT", "webhooks", duplicates=49)
    side.client(served).v1.products.create({"name": "x"})
    wait_until(lambda: len(hook.got) == 50)
    assert len({body for body, _ in hook.got}) == 1


def test_a_test_clock_goes_on_after_a_kill(served: Served) -> None:
    clock, subscription = _on_clock(served, _moment(2031, 3, 10))
    v1 = side.client(served).v1
    v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": _moment(2031, 5, 10)})
    served.stop(signal.SIGKILL)
    served.start()
    wait_until(lambda: v1.test_helpers.test_clocks.retrieve(clock.id).status == "ready")
    assert len(v1.invoices.list({"subscription": subscription.id}).data) == 3
