"""The sandbox's Stripe as the unmodified SDK and a browser see it: objects, errors, pages, idempotency, faults."""

import copy
import signal
from collections.abc import Generator
from typing import Any

import httpx
import pytest
import stripe

from tests.contract import stripe_side as side
from tests.contract.sdk_shapes import complaints
from tests.contract.served import Served

LISTS: dict[str, type[Any]] = {
    "products": stripe.Product,
    "prices": stripe.Price,
    "customers": stripe.Customer,
    "payment_methods": stripe.PaymentMethod,
    "checkout/sessions": stripe.checkout.Session,
    "subscriptions": stripe.Subscription,
    "invoices": stripe.Invoice,
    "invoice_payments": stripe.InvoicePayment,
    "payment_intents": stripe.PaymentIntent,
    "charges": stripe.Charge,
    "refunds": stripe.Refund,
    "balance_transactions": stripe.BalanceTransaction,
    "disputes": stripe.Dispute,
    "coupons": stripe.Coupon,
    "promotion_codes": stripe.PromotionCode,
    "invoiceitems": stripe.InvoiceItem,
    "accounts": stripe.Account,
    "transfers": stripe.Transfer,
    "test_helpers/test_clocks": stripe.test_helpers.TestClock,
    "webhook_endpoints": stripe.WebhookEndpoint,
    "events": stripe.Event,
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A server of this file's own."""
    server = Served(tmp_path_factory.mktemp("stripe")).start()
    yield server
    server.stop()


def _get(served: Served, path: str, **params: str) -> Any:
    headers = {"Authorization": f"Bearer {side.KEY}"}
    return httpx.get(f"{served.url}/stripe/v1/{path}", headers=headers, params=params).json()


def test_every_object_has_the_shape_of_the_sdks_class(served: Served) -> None:
    v1 = side.client(served).v1
    session = side.opened(served)
    side.pay(session.url, side.DECLINED)
    side.pay(session.url)
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:1/x", "enabled_events": ["charge.refunded"]})
    v1.refunds.create({"payment_intent": v1.payment_intents.list().data[0].id, "amount": 100})
    _everything_else(served, v1)
    portal = v1.billing_portal.sessions.create({"customer": str(session.customer)})
    for path, cls in LISTS.items():
        found = _get(served, path, limit="100")["data"]
        assert found, path
        assert [line for body in found for line in complaints(body, cls, path)] == []
    kinds = {cls.OBJECT_NAME: cls for cls in (*LISTS.values(), stripe.BankAccount, stripe.Discount)}
    told = [event["data"]["object"] for event in _get(served, "events", limit="100")["data"]]
    assert [line for body in told for line in complaints(body, kinds[body["object"]], body["object"])] == []
    assert complaints(portal.to_dict(), stripe.billing_portal.Session) == []
    expanded = _get(served, f"checkout/sessions/{session.id}", **{"expand[]": "subscription.latest_invoice.payments"})
    assert complaints(expanded, stripe.checkout.Session) == []


def _everything_else(served: Served, v1: Any) -> None:
    """Make what a sold and refunded subscription has not brought about."""
    coupon = v1.coupons.create({"percent_off": 10})
    v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "ten"})
    account = v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    served.control("POST", "onboard", account=account.id)
    subscription, charge = side.sold(served), v1.charges.list().data[0]
    v1.transfers.create({"amount": 5, "currency": "usd", "destination": account.id, "source_transaction": charge.id})
    item = {"id": subscription["items"].data[0].id, "quantity": 2}
    v1.subscriptions.update(subscription.id, {"items": [item], "discounts": [{"coupon": coupon.id}]})
    served.control("POST", "dispute", charge=charge.id)
    v1.test_helpers.test_clocks.create({"frozen_time": 1})


def test_the_walk_over_the_shapes_finds_what_is_wrong(served: Served) -> None:
    body = _get(served, f"subscriptions/{side.sold(served).id}")
    item = ("items", "data", 0)
    for path, value, says in [
        (("colour",), "red", "unknown"),
        (("status",), 7, "fits none"),
        ((*item, "current_period_end"), "soon", "fits none"),
        ((*item, "price", "unit_amount"), "2900", "fits none"),
    ]:
        wrong: Any = copy.deepcopy(body)
        node = wrong
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value
        assert any(says in line for line in complaints(wrong, stripe.Subscription)), path
    del body["customer"]
    assert complaints(body, stripe.Subscription) == [".customer: missing"]


def test_a_paid_checkout_makes_an_active_subscription_with_the_period_on_its_items(served: Served) -> None:
    subscription = side.sold(served)
    assert subscription.status == "active"
    assert subscription.metadata.to_dict() == {"subscription_id": "ours"}
    item = subscription["items"].data[0]
    assert 27 * 86_400 < item.current_period_end - item.current_period_start < 32 * 86_400
    assert "current_period_end" not in subscription.to_dict()
    invoice = side.client(served).v1.invoices.retrieve(str(subscription.latest_invoice), {"expand": ["payments"]})
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 2900, "subscription_create")
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.payments is not None
    assert invoice.payments.data[0].status == "paid"


def test_a_declined_card_says_so_and_leaves_the_page_open(served: Served) -> None:
    session = side.opened(served)
    answer = side.pay(session.url, side.DECLINED)
    assert (answer.status_code, "Your card was declined." in answer.text) == (402, True)
    assert side.DECLINED.replace(" ", "") not in answer.text.replace(" ", "")
    again = side.client(served).v1.checkout.sessions.retrieve(session.id)
    assert (again.status, again.payment_status, again.subscription) == ("open", "unpaid", None)
    assert side.pay(session.url).headers["location"] == f"http://127.0.0.1:1/done?session={session.id}"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"number": "4242 4242 4242 4241"}, "card number is invalid"),
        ({"number": "12"}, "card number is incomplete"),
        ({"expiry": "13/40"}, "expiration date is incomplete"),
        ({"expiry": "01/20"}, "in the past"),
        ({"cvc": "1"}, "security code is incomplete"),
        ({"number": "4000 0000 0000 9995"}, "insufficient funds"),
        ({"number": "4111 1111 1111 1111"}, "non test card"),
    ],
)
def test_a_mistyped_or_refused_card_is_explained(served: Served, typed: dict[str, str], says: str) -> None:
    session = side.opened(served)
    assert says in side.pay(session.url, **{"number": side.GOOD, **typed}).text
    assert side.client(served).v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_card_may_ask_its_holder_who_may_refuse(served: Served) -> None:
    session = side.opened(served)
    confirm = side.pay(session.url, side.ASKS).headers["location"]
    assert "Complete authentication" in httpx.get(confirm).text
    assert "unable to authenticate" in httpx.post(confirm, data={"action": "fail"}).text
    assert side.client(served).v1.checkout.sessions.retrieve(session.id).status == "open"
    confirm = side.pay(session.url, side.ASKS).headers["location"]
    assert httpx.post(confirm, data={"action": "complete"}).status_code == 303
    assert side.client(served).v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_closed_page_leads_to_the_cancel_address(served: Served) -> None:
    session = side.opened(served)
    assert httpx.post(session.url or "", data={"action": "close"}).headers["location"] == "http://127.0.0.1:1/closed"


def test_paying_twice_pays_once(served: Served) -> None:
    session = side.opened(served)
    for _ in range(2):
        assert side.pay(session.url).status_code == 303
    found = side.client(served).v1.invoices.list({"customer": str(session.customer)})
    assert len(found.data) == 1


def test_an_expired_session_takes_no_card(served: Served) -> None:
    session = side.opened(served)
    side.client(served).v1.checkout.sessions.expire(session.id)
    assert side.pay(session.url).status_code == 410
    with pytest.raises(stripe.InvalidRequestError):
        side.client(served).v1.checkout.sessions.expire(session.id)


def test_what_the_page_shows_is_escaped(served: Served) -> None:
    v1 = side.client(served).v1
    product = v1.products.create({"name": "<script>alert(1)</script>"})
    price = v1.prices.create(
        {"product": product.id, "unit_amount": 100, "currency": "usd", "recurring": {"interval": "month"}}
    )
    session = side.opened(served, line_items=[{"price": price.id, "quantity": 1}])
    page = httpx.get(session.url or "")
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_portal_cancels_at_the_end_of_the_period_and_takes_it_back(served: Served) -> None:
    subscription, v1 = side.sold(served), side.client(served).v1
    portal = v1.billing_portal.sessions.create(
        {"customer": str(subscription.customer), "return_url": "http://127.0.0.1:1/back"}
    )
    assert "Cancel subscription" in httpx.get(portal.url).text
    for action, expected in (("cancel", True), ("resume", False)):
        httpx.post(portal.url, data={"action": action, "subscription": subscription.id})
        assert v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is expected
    other = side.sold(served)
    assert httpx.post(portal.url, data={"action": "cancel", "subscription": other.id}).status_code == 404
    assert v1.subscriptions.retrieve(other.id).cancel_at_period_end is False


def test_a_refund_is_bounded_by_what_was_paid(served: Served) -> None:
    subscription, v1 = side.sold(served), side.client(served).v1
    charge = v1.charges.list({"customer": str(subscription.customer)}).data[0]
    assert v1.refunds.create({"charge": charge.id, "amount": 900}).amount == 900
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        v1.refunds.create({"charge": charge.id, "amount": 2001})
    assert v1.refunds.create({"charge": charge.id}).amount == 2000
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_already_refunded"
    assert v1.charges.retrieve(charge.id).refunded is True


def test_errors_have_stripes_form(served: Served) -> None:
    v1 = side.client(served).v1
    with pytest.raises(stripe.InvalidRequestError) as missing:
        v1.subscriptions.retrieve("sub_none")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert missing.value.request_id
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        v1.products.create({"name": "x", "colour": "red"})  # pyright: ignore[reportArgumentType]
    assert unknown.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError) as negative:
        v1.prices.create({"product": "prod_none", "unit_amount": -1, "currency": "usd"})
    assert negative.value.code == "parameter_invalid_integer"
    with pytest.raises(stripe.AuthenticationError):
        side.client(served, key="sk_live_nothing").v1.products.list()
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        v1.topups.list()


def test_the_same_key_is_the_same_answer_and_other_parameters_are_refused(served: Served) -> None:
    v1, options = side.client(served).v1, {"idempotency_key": "customer:1"}
    first = v1.customers.create({"email": "a@x.example"}, options)  # pyright: ignore[reportArgumentType]
    second = v1.customers.create({"email": "a@x.example"}, options)  # pyright: ignore[reportArgumentType]
    assert first.id == second.id
    assert second.last_response is not None
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        v1.customers.create({"email": "b@x.example"}, options)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kind", ["error_after", "timeout_after"])
def test_a_lost_answer_and_the_same_key_make_one_object(served: Served, kind: str) -> None:
    served.control("POST", "faults", kind=kind, match="POST /v1/customers", seconds=3)
    email = f"{kind}@x.example"
    made = side.client(served, retries=2, timeout=1).v1.customers.create(
        {"email": email}, {"idempotency_key": f"once:{kind}"}
    )
    assert [one.id for one in side.client(served).v1.customers.list({"email": email}).data] == [made.id]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("error_before", stripe.APIError),
        ("timeout_before", stripe.APIConnectionError),
        ("rate_limit", stripe.RateLimitError),
    ],
)
def test_a_fault_before_anything_was_done_leaves_nothing(served: Served, kind: str, error: type[Exception]) -> None:
    served.control("POST", "faults", kind=kind, match="POST /v1/customers", seconds=2)
    v1 = side.client(served, timeout=1).v1
    with pytest.raises(error):
        v1.customers.create({"email": f"{kind}@before.example"})
    assert v1.customers.list({"email": f"{kind}@before.example"}).data == []


def test_lists_are_paged_and_filtered(served: Served) -> None:
    v1 = side.client(served).v1
    for number in range(7):
        v1.customers.create({"email": "page@x.example", "metadata": {"number": str(number)}})
    pages = v1.customers.list({"email": "page@x.example", "limit": 3})
    assert pages.has_more
    numbers = [customer.metadata.to_dict()["number"] for customer in pages.auto_paging_iter() if customer.metadata]
    assert numbers == [str(number) for number in reversed(range(7))]


def test_everything_survives_a_kill(served: Served) -> None:
    subscription = side.sold(served)
    key = {"idempotency_key": "kept"}
    before = side.client(served).v1.customers.create({"email": "k@x.example"}, key)  # pyright: ignore[reportArgumentType]
    served.stop(signal.SIGKILL)
    served.start()
    assert side.client(served).v1.subscriptions.retrieve(subscription.id).status == "active"
    after = side.client(served).v1.customers.create({"email": "k@x.example"}, key)  # pyright: ignore[reportArgumentType]
    assert after.id == before.id
