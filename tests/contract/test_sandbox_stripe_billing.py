"""What the sandbox's Stripe bills: coupons, trials, pauses, other prices, previews, invoices that are closed."""

import time
from collections.abc import Generator
from typing import Any

import httpx
import pytest
import stripe

from tests.contract import stripe_side as side
from tests.contract.sdk_shapes import complaints
from tests.contract.served import Served
from tests.waiting import wait_until

DAY = 86_400
LATER = "4000 0000 0000 0341"


@pytest.fixture
def hook(served: Served) -> Generator[side.Hook]:
    """The app's endpoint."""
    with side.hook() as made:
        served.control("POST", "endpoint", url=made.url, secret="whsec_own")
        yield made


def _advance(served: Served, days: float) -> None:
    served.control("POST", "clock", seconds=int(days * DAY))


def _bought(served: Served, number: str = side.GOOD, **more: Any) -> stripe.Subscription:
    """Return a subscription that was just bought on the hosted page."""
    session = side.opened(served, **more)
    answer = side.pay(session.url, number)
    assert answer.status_code == 303, answer.text
    found = side.client(served).v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert isinstance(found.subscription, stripe.Subscription)
    return found.subscription


def _trial(days: int = 14, without: str = "create_invoice", **more: Any) -> dict[str, Any]:
    end: Any = {"end_behavior": {"missing_payment_method": without}}
    return {"subscription_data": {"trial_period_days": days, "trial_settings": end}, **more}


def _invoices(served: Served, subscription: str) -> list[stripe.Invoice]:
    """Return the invoices of a subscription, oldest first."""
    found = side.client(served).v1.invoices.list({"subscription": subscription, "limit": 100}).data
    assert [line for one in found for line in complaints(one.to_dict(), stripe.Invoice)] == []
    return found[::-1]


@pytest.mark.parametrize(
    ("coupon", "totals"),
    [
        ({"percent_off": 50}, [1450, 2900, 2900]),
        ({"percent_off": 33.33, "duration": "forever"}, [1933, 1933, 1933]),
        ({"amount_off": 400, "currency": "usd", "duration": "repeating", "duration_in_months": 2}, [2500, 2500, 2900]),
        ({"percent_off": 100}, [0, 2900, 2900]),
        ({"amount_off": 5000, "currency": "usd"}, [0, 2900, 2900]),
    ],
)
def test_a_coupon_takes_off_what_it_says_as_long_as_it_says(
    served: Served, coupon: dict[str, Any], totals: list[int]
) -> None:
    v1 = side.client(served).v1
    made = v1.coupons.create(coupon)  # pyright: ignore[reportArgumentType]
    assert complaints(made.to_dict(), stripe.Coupon) == []
    subscription = _bought(served, discounts=[{"coupon": made.id}])
    assert subscription.status == "active"
    _advance(served, 63)
    found = _invoices(served, subscription.id)
    assert [one.total for one in found] == totals
    assert [one.amount_paid for one in found] == totals
    assert {one.subtotal for one in found} == {2900}
    taken = found[0].total_discount_amounts
    assert taken is not None
    assert taken[0].amount == 2900 - totals[0]
    assert v1.coupons.retrieve(made.id).times_redeemed == 1


def test_a_coupon_is_used_up_or_too_late(served: Served) -> None:
    v1 = side.client(served).v1
    once = v1.coupons.create({"percent_off": 10, "max_redemptions": 1})
    _bought(served, discounts=[{"coupon": once.id}])
    late = v1.coupons.create({"percent_off": 10, "redeem_by": int(time.time()) + DAY})
    _advance(served, 2)
    for coupon in (once, late):
        assert v1.coupons.retrieve(coupon.id).valid is False
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            side.opened(served, discounts=[{"coupon": coupon.id}])
        assert refusal.value.code == "coupon_expired"
    with pytest.raises(stripe.InvalidRequestError):
        v1.coupons.create({"percent_off": 10, "amount_off": 10})
    with pytest.raises(stripe.InvalidRequestError):
        v1.coupons.create({"percent_off": 101})


def test_a_promotion_code_is_typed_into_the_page(served: Served) -> None:
    v1 = side.client(served).v1
    coupon = v1.coupons.create({"percent_off": 20})
    code = v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "welcome"})
    assert complaints(code.to_dict(), stripe.PromotionCode) == []
    session = side.opened(served, allow_promotion_codes=True)
    assert "This code is invalid." in httpx.post(session.url or "", data={"action": "redeem", "code": "x"}).text
    httpx.post(session.url or "", data={"action": "redeem", "code": "Welcome"})
    assert "23.20 USD" in httpx.get(session.url or "").text
    side.pay(session.url)
    found = v1.checkout.sessions.retrieve(session.id)
    assert complaints(found.to_dict(), stripe.checkout.Session) == []
    assert (found.amount_total, found.status) == (2320, "complete")
    subscription = v1.subscriptions.retrieve(str(found.subscription), {"expand": ["discounts"]})
    assert [one.total for one in _invoices(served, subscription.id)] == [2320]
    assert v1.promotion_codes.retrieve(code.id).times_redeemed == 1


def test_a_discount_is_put_on_and_taken_off_a_running_subscription(served: Served) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    coupon = v1.coupons.create({"percent_off": 10, "duration": "forever"})
    changed = v1.subscriptions.update(subscription.id, {"discounts": [{"coupon": coupon.id}], "expand": ["discounts"]})
    assert complaints(changed.to_dict(), stripe.Subscription) == []
    assert complaints(changed.to_dict()["discounts"][0], stripe.Discount) == []
    _advance(served, 32)
    v1.subscriptions.update(subscription.id, {"discounts": ""})
    _advance(served, 31)
    assert [one.total for one in _invoices(served, subscription.id)] == [2900, 2610, 2900]


def test_a_trial_costs_nothing_until_it_ends_and_says_so_three_days_before(served: Served, hook: side.Hook) -> None:
    subscription = _bought(served, **_trial())
    assert (subscription.status, complaints(subscription.to_dict(), stripe.Subscription)) == ("trialing", [])
    _advance(served, 10)
    assert "customer.subscription.trial_will_end" not in hook.types()
    _advance(served, 2)
    wait_until(lambda: hook.types().count("customer.subscription.trial_will_end") == 1)
    _advance(served, 3)
    after = side.client(served).v1.subscriptions.retrieve(subscription.id)
    found = _invoices(served, subscription.id)
    assert (after.status, [one.amount_paid for one in found]) == ("active", [0, 2900])
    assert after["items"].data[0].current_period_start == after.trial_end
    assert hook.types().count("customer.subscription.trial_will_end") == 1


def test_a_card_that_only_attaches_fails_when_the_trial_ends(served: Served) -> None:
    session = side.opened(served)
    assert "declined" in side.pay(session.url, LATER).text
    subscription = _bought(served, LATER, **_trial())
    _advance(served, 15)
    assert side.client(served).v1.subscriptions.retrieve(subscription.id).status == "past_due"


@pytest.mark.parametrize(
    ("without", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_a_trial_without_a_card_ends_as_it_was_set(served: Served, hook: side.Hook, without: str, status: str) -> None:
    v1 = side.client(served).v1
    session = side.opened(served, **_trial(7, without, payment_method_collection="if_required"))
    assert httpx.post(session.url or "", data={"action": "pay", "email": "bob@x.example"}).status_code == 303
    subscription = v1.subscriptions.list({"customer": str(session.customer)}).data[0]
    _advance(served, 8)
    assert v1.subscriptions.retrieve(subscription.id).status == status
    if status != "paused":
        return
    wait_until(lambda: "customer.subscription.paused" in hook.types())
    with pytest.raises(stripe.InvalidRequestError):
        v1.subscriptions.resume(subscription.id)
    card = v1.payment_methods.attach("pm_card_visa", {"customer": str(session.customer)})
    v1.subscriptions.update(subscription.id, {"default_payment_method": card.id})
    assert v1.subscriptions.resume(subscription.id).status == "active"
    assert [one.amount_paid for one in _invoices(served, subscription.id)] == [0, 2900]
    wait_until(lambda: "customer.subscription.resumed" in hook.types())


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_a_paused_collection_takes_no_money(served: Served, behavior: str, status: str) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    pause: Any = {"behavior": behavior, "resumes_at": int(time.time()) + 40 * DAY}
    v1.subscriptions.update(subscription.id, {"pause_collection": pause})
    _advance(served, 63)
    assert [one.status for one in _invoices(served, subscription.id)] == ["paid", status, "paid"]
    assert v1.subscriptions.retrieve(subscription.id).pause_collection is None


@pytest.mark.parametrize(
    ("behavior", "paid"),
    [("none", [2900, 5800]), ("create_prorations", [2900, 8700]), ("always_invoice", [2900, 2900, 5800])],
)
def test_another_price_is_reckoned_as_told(served: Served, behavior: str, paid: list[int]) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    item = subscription["items"].data[0]
    price = side.priced(served, amount=5800)
    change: Any = {"items": [{"id": item.id, "price": price.id}], "proration_behavior": behavior}
    changed = v1.subscriptions.update(subscription.id, change)
    assert changed["items"].data[0].price.id == price.id
    assert [
        line for one in v1.invoice_items.list().data for line in complaints(one.to_dict(), stripe.InvoiceItem)
    ] == []
    _advance(served, 32)
    found = [one.amount_paid for one in _invoices(served, subscription.id)]
    # The change came within the first seconds of the month: the rest is all of it, to some cents.
    assert len(found) == len(paid)
    assert all(abs(one - expected) <= 2 for one, expected in zip(found, paid, strict=True))


def test_a_credit_is_set_against_the_next_invoices(served: Served) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    item = subscription["items"].data[0]
    cheap = side.priced(served, amount=900)
    change: Any = {"items": [{"id": item.id, "price": cheap.id}], "proration_behavior": "always_invoice"}
    v1.subscriptions.update(subscription.id, change)
    assert v1.customers.retrieve(str(subscription.customer)).balance == -2000
    _advance(served, 95)
    assert [one.amount_due for one in _invoices(served, subscription.id)] == [2900, 0, 0, 0, 700]


def test_the_next_charge_can_be_asked_for(served: Served, hook: side.Hook) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    preview = v1.invoices.create_preview({"subscription": subscription.id})
    assert complaints(preview.to_dict(), stripe.Invoice) == []
    assert (preview.amount_due, preview.next_payment_attempt) == (
        2900,
        subscription["items"].data[0].current_period_end,
    )
    assert preview.lines.data[0].period.start == subscription["items"].data[0].current_period_end
    dear = side.priced(served, amount=5800)
    asked: Any = {"items": [{"id": subscription["items"].data[0].id, "price": dear.id}]}
    other = v1.invoices.create_preview({"subscription": subscription.id, "subscription_details": asked})
    assert other.amount_due == 5800
    assert len(_invoices(served, subscription.id)) == 1
    _advance(served, 25)
    wait_until(lambda: hook.types().count("invoice.upcoming") == 1)
    v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        v1.invoices.create_preview({"subscription": subscription.id})
    assert refusal.value.code == "invoice_upcoming_none"


def test_a_subscription_is_made_by_the_api_as_far_as_its_card_goes(served: Served) -> None:
    v1 = side.client(served).v1
    price = side.priced(served)
    customer = v1.customers.create({"email": "bob@x.example"})
    facts: Any = {"customer": customer.id, "items": [{"price": price.id}]}
    with pytest.raises(stripe.InvalidRequestError):
        v1.subscriptions.create(facts)
    bad = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    refused: Any = {**facts, "default_payment_method": bad.id}
    with pytest.raises(stripe.CardError):
        v1.subscriptions.create(refused | {"payment_behavior": "error_if_incomplete"})
    assert v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    waiting = v1.subscriptions.create(refused)
    assert waiting.status == "incomplete"
    good = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    paid: Any = {**facts, "default_payment_method": good.id, "cancel_at": int(time.time()) + 40 * DAY}
    running = v1.subscriptions.create(paid)
    assert (running.status, running.cancel_at_period_end) == ("active", False)
    _advance(served, 2)
    assert v1.subscriptions.retrieve(waiting.id).status == "incomplete_expired"
    assert _invoices(served, waiting.id)[0].status == "void"
    _advance(served, 60)
    assert v1.subscriptions.retrieve(running.id).status == "canceled"
    assert len(_invoices(served, running.id)) == 2
    with pytest.raises(stripe.CardError):
        v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})


@pytest.mark.parametrize(("call", "status"), [("void_invoice", "void"), ("mark_uncollectible", "uncollectible")])
def test_an_open_invoice_is_closed_and_the_subscription_goes_on(served: Served, call: str, status: str) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    served.control("POST", "card", customer=str(subscription.customer), number=side.DECLINED)
    _advance(served, 32)
    invoice = _invoices(served, subscription.id)[-1]
    assert getattr(v1.invoices, call)(invoice.id).status == status
    assert v1.subscriptions.retrieve(subscription.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError):
        v1.invoices.mark_uncollectible(invoice.id)


def test_what_happens_after_the_last_try_is_a_setting(served: Served) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    served.control("PUT", "dunning", days=[1, 1], then="unpaid")
    served.control("POST", "card", customer=str(subscription.customer), number=side.DECLINED)
    _advance(served, 35)
    assert v1.subscriptions.retrieve(subscription.id).status == "unpaid"
    served.control("POST", "card", customer=str(subscription.customer), number=side.GOOD)
    v1.invoices.pay(_invoices(served, subscription.id)[-1].id)
    assert v1.subscriptions.retrieve(subscription.id).status == "active"


def test_a_canceled_subscription_may_leave_a_credit(served: Served) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    ended = v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})
    assert ended.status == "canceled"
    assert v1.customers.retrieve(str(subscription.customer)).balance in (-2900, -2899, -2898)


def test_an_invoice_has_a_page_and_a_pdf(served: Served) -> None:
    subscription = _bought(served)
    invoice = _invoices(served, subscription.id)[0]
    assert "29.00 USD" in httpx.get(invoice.hosted_invoice_url or "").text
    file = httpx.get(invoice.invoice_pdf or "")
    assert file.headers["content-type"] == "application/pdf"
    assert file.content.startswith(b"%PDF-1.4")
    assert file.content.endswith(b"%%EOF\n")
    assert b"Total 29.00 USD" in file.content
    at = int(file.content.split(b"startxref\n")[1].split(b"\n")[0])
    assert file.content[at:].startswith(b"xref")


def test_a_card_expires_and_is_renewed_by_its_bank(served: Served, hook: side.Hook) -> None:
    v1, subscription = side.client(served).v1, _bought(served)
    method = str(subscription.default_payment_method)
    v1.payment_methods.update(method, {"card": {"exp_month": 1, "exp_year": 2020}})
    _advance(served, 32)
    assert v1.subscriptions.retrieve(subscription.id).status == "past_due"
    served.control("POST", "card/renewed", payment_method=method, exp_month=1, exp_year=2041)
    wait_until(lambda: "payment_method.automatically_updated" in hook.types())
    assert v1.invoices.pay(_invoices(served, subscription.id)[-1].id).status == "paid"


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0.5", "parameter_invalid_integer"), ("-1", "parameter_invalid_integer"), ("x", "parameter_invalid_integer")],
)
def test_amounts_are_whole_minor_units(served: Served, amount: str, code: str) -> None:
    v1 = side.client(served).v1
    product = v1.products.create({"name": "x"})
    facts: Any = {"product": product.id, "unit_amount": amount, "currency": "usd"}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        v1.prices.create(facts)
    assert refusal.value.code == code


def test_too_little_to_charge_and_another_currency_are_refused(served: Served) -> None:
    v1 = side.client(served).v1
    tiny = side.priced(served, amount=10)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        side.opened(served, line_items=[{"price": tiny.id, "quantity": 1}])
    assert refusal.value.code == "amount_too_small"
    coupon = v1.coupons.create({"amount_off": 100, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError):
        side.opened(served, discounts=[{"coupon": coupon.id}])


@pytest.mark.parametrize(
    ("number", "renewed"), [("4000 0000 0000 3220", "active"), ("4000 0027 6000 3184", "past_due")]
)
def test_a_card_that_asks_its_holder_pays_then_and_perhaps_never_without_him(
    served: Served, hook: side.Hook, number: str, renewed: str
) -> None:
    v1, session = side.client(served).v1, side.opened(served)
    confirm = side.pay(session.url, number).headers["location"]
    assert httpx.post(confirm, data={"action": "complete"}).status_code == 303
    subscription = str(v1.checkout.sessions.retrieve(session.id).subscription)
    assert v1.subscriptions.retrieve(subscription).status == "active"
    _advance(served, 32)
    assert v1.subscriptions.retrieve(subscription).status == renewed
    wait_until(lambda: hook.types().count("invoice.payment_action_required") == (renewed == "past_due"))


def test_the_portal_keeps_no_card_that_its_bank_refuses(served: Served) -> None:
    subscription, v1 = _bought(served), side.client(served).v1
    portal = v1.billing_portal.sessions.create(
        {"customer": str(subscription.customer), "flow_data": {"type": "payment_method_update"}}
    )
    assert "declined" in side.pay(portal.url, side.DECLINED).text
    assert v1.subscriptions.retrieve(subscription.id).default_payment_method == subscription.default_payment_method
    assert side.pay(portal.url, LATER).status_code == 303
    _advance(served, 32)
    assert v1.subscriptions.retrieve(subscription.id).status == "past_due"


def test_a_customer_who_is_deleted_is_billed_no_more(served: Served) -> None:
    subscription, v1 = _bought(served), side.client(served).v1
    v1.customers.delete(str(subscription.customer))
    assert v1.subscriptions.retrieve(subscription.id).status == "canceled"
    _advance(served, 32)
    assert len(_invoices(served, subscription.id)) == 1


def test_a_coupon_that_is_deleted_goes_on_where_it_was_given(served: Served) -> None:
    v1 = side.client(served).v1
    coupon = v1.coupons.create({"percent_off": 50, "duration": "forever"})
    subscription = _bought(served, discounts=[{"coupon": coupon.id}])
    assert v1.coupons.delete(coupon.id).deleted is True
    _advance(served, 32)
    assert [one.total for one in _invoices(served, subscription.id)] == [1450, 1450]
    with pytest.raises(stripe.InvalidRequestError):
        side.opened(served, discounts=[{"coupon": coupon.id}])


def test_currencies_without_cents_are_charged_whole(served: Served) -> None:
    v1 = side.client(served).v1
    product = v1.products.create({"name": "Nordwind"})
    price = v1.prices.create(
        {"product": product.id, "unit_amount": 3000, "currency": "jpy", "recurring": {"interval": "month"}}
    )
    session = side.opened(served, line_items=[{"price": price.id, "quantity": 1}])
    assert "3,000 JPY" in httpx.get(session.url or "").text
    side.pay(session.url)
    moved = v1.balance_transactions.list().data[0]
    assert (moved.amount, moved.fee, moved.currency) == (3000, 117, "jpy")
