"""What the app relies on at Stripe, by the SDK alone: the same cases for the sandbox and, by `make stripe-check`, for
Stripe's test mode. Months pass by test clocks, cards are Stripe's own test names."""

import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import stripe

from tests.contract import stripe_side as side
from tests.contract.sdk_shapes import complaints
from tests.contract.served import Served
from tests.waiting import wait_until

DAY = 86_400
MONTH = 32 * DAY
KEY = os.environ.get("COPYTRADE_STRIPE_CHECK_KEY", "")
pytestmark = pytest.mark.timeout(600 if KEY else 120)


@dataclass(frozen=True, slots=True)
class There:
    """Where the cases run, and how long one waits there."""

    client: stripe.StripeClient
    patience: float

    @property
    def v1(self) -> Any:
        """The API; untyped, since the cases build their parameters from parts."""
        return self.client.v1

    def until(self, check: Callable[[], object]) -> None:
        """Wait for what happens after an answer."""
        wait_until(check, timeout=self.patience, every=1 if KEY else 0.02)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Generator[There]:
    """Stripe's test mode when its key was given, else a sandbox of this file's own."""
    if KEY:
        yield There(stripe.StripeClient(KEY, max_network_retries=2), 180)
        return
    server = Served(tmp_path_factory.mktemp("stripe"), COPYTRADE_STRIPE_WEBHOOK_SECRET="").start()
    yield There(side.client(server), 15)
    server.stop()


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer on a test clock, with a price to subscribe to."""

    there: There
    clock: str
    start: int
    customer: str
    price: str

    def subscribe(self, card: str | None = "pm_card_visa", **more: Any) -> stripe.Subscription:
        facts: dict[str, Any] = {"customer": self.customer, "items": [{"price": self.price}], **more}
        if card:
            made = self.there.v1.payment_methods.attach(card, {"customer": self.customer})
            facts["default_payment_method"] = made.id
        return self.there.v1.subscriptions.create(facts)

    def after(self, seconds: int) -> None:
        """Let time pass since the start."""
        clocks = self.there.v1.test_helpers.test_clocks
        clocks.advance(self.clock, {"frozen_time": self.start + seconds})
        self.there.until(lambda: clocks.retrieve(self.clock).status == "ready")

    def invoices(self) -> list[stripe.Invoice]:
        """Return what was billed, oldest first."""
        return self.there.v1.invoices.list({"customer": self.customer, "limit": 100}).data[::-1]

    def charge(self) -> stripe.Charge:
        """Return the first payment."""
        return self.there.v1.charges.list({"customer": self.customer, "expand": ["data.balance_transaction"]}).data[-1]


@pytest.fixture
def bob(there: There) -> Generator[Buyer]:
    """A buyer, who is forgotten afterwards."""
    v1, start = there.v1, int(time.time())
    clock = v1.test_helpers.test_clocks.create({"frozen_time": start, "name": "stripe-check"})
    customer = v1.customers.create({"email": "bob@copytrade.example", "test_clock": clock.id})
    product = v1.products.create({"name": "Stripe check"})
    price = v1.prices.create(
        {"product": product.id, "unit_amount": 2900, "currency": "usd", "recurring": {"interval": "month"}}
    )
    yield Buyer(there, clock.id, start, customer.id, price.id)
    v1.test_helpers.test_clocks.delete(clock.id)
    v1.products.update(product.id, {"active": False})


def _shaped(found: stripe.StripeObject) -> bool:
    assert complaints(found.to_dict(), type(found)) == []
    return True


def test_a_subscription_is_paid_and_paid_again_a_month_later(bob: Buyer) -> None:
    made = bob.subscribe(metadata={"subscription_id": "ours"})
    assert (made.status, made.metadata.to_dict()) == ("active", {"subscription_id": "ours"})
    assert _shaped(made)
    bob.after(MONTH)
    bob.there.until(lambda: [one.status for one in bob.invoices()] == ["paid", "paid"])
    first, second = bob.invoices()
    assert (first.billing_reason, second.billing_reason) == ("subscription_create", "subscription_cycle")
    assert (first.amount_paid, second.amount_paid) == (2900, 2900)
    assert second.lines.data[0].period.start == first.lines.data[0].period.end
    assert _shaped(second)
    assert second.parent is not None
    assert second.parent.subscription_details is not None
    assert second.parent.subscription_details.subscription == made.id
    assert second.hosted_invoice_url
    assert second.invoice_pdf


def test_the_payment_of_an_invoice_is_found_from_its_charge(bob: Buyer) -> None:
    made = bob.subscribe()
    charge = bob.charge()
    intent = {"type": "payment_intent", "payment_intent": charge.payment_intent}
    found = bob.there.v1.invoice_payments.list({"payment": intent}).data
    assert [one.invoice for one in found] == [made.latest_invoice]
    assert _shaped(found[0])


def test_a_charge_has_a_balance_transaction_with_its_fee(bob: Buyer) -> None:
    bob.subscribe()
    moved = bob.charge().balance_transaction
    assert isinstance(moved, stripe.BalanceTransaction)
    assert moved.fee > 0
    assert moved.net == moved.amount - moved.fee
    assert _shaped(moved)
    assert _shaped(bob.there.v1.balance.retrieve())


def test_a_refund_is_bounded_and_counted(bob: Buyer) -> None:
    v1 = bob.there.v1
    bob.subscribe()
    charge = bob.charge()
    refund = v1.refunds.create({"charge": charge.id, "amount": 900})
    assert _shaped(refund)
    with pytest.raises(stripe.InvalidRequestError):
        v1.refunds.create({"charge": charge.id, "amount": 2001})
    v1.refunds.create({"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_already_refunded"
    after = v1.charges.retrieve(charge.id)
    assert (after.amount_refunded, after.refunded) == (2900, True)
    assert _shaped(after)


def test_a_card_that_fails_makes_the_subscription_past_due_until_another_pays(bob: Buyer) -> None:
    v1, made = bob.there.v1, bob.subscribe()
    bad = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": bob.customer})
    v1.subscriptions.update(made.id, {"default_payment_method": bad.id})
    bob.after(MONTH)
    bob.there.until(lambda: v1.subscriptions.retrieve(made.id).status == "past_due")
    late = bob.invoices()[-1]
    assert (late.status, late.attempted) == ("open", True)
    good = v1.payment_methods.attach("pm_card_visa", {"customer": bob.customer})
    assert v1.invoices.pay(late.id, {"payment_method": good.id}).status == "paid"
    bob.there.until(lambda: v1.subscriptions.retrieve(made.id).status == "active")


def test_a_declined_first_payment_makes_nothing_when_that_is_asked(bob: Buyer) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        bob.subscribe("pm_card_chargeCustomerFail", payment_behavior="error_if_incomplete")
    assert refusal.value.code == "card_declined"
    assert bob.there.v1.subscriptions.list({"customer": bob.customer, "status": "all"}).data == []


def test_a_coupon_is_taken_off_once(bob: Buyer) -> None:
    coupon = bob.there.v1.coupons.create({"percent_off": 50, "duration": "once"})
    assert _shaped(coupon)
    bob.subscribe(discounts=[{"coupon": coupon.id}])
    bob.after(MONTH)
    bob.there.until(lambda: [one.amount_paid for one in bob.invoices()] == [1450, 2900])
    taken = bob.invoices()[0].total_discount_amounts
    assert taken is not None
    assert sum(one.amount for one in taken) == 1450
    bob.there.v1.coupons.delete(coupon.id)


def test_a_trial_without_a_card_is_paused_and_resumed(bob: Buyer) -> None:
    v1 = bob.there.v1
    end = {"end_behavior": {"missing_payment_method": "pause"}}
    made = bob.subscribe(None, trial_period_days=7, trial_settings=end)
    assert (made.status, bob.invoices()[0].amount_paid) == ("trialing", 0)
    assert _shaped(made)
    bob.after(8 * DAY)
    bob.there.until(lambda: v1.subscriptions.retrieve(made.id).status == "paused")
    card = v1.payment_methods.attach("pm_card_visa", {"customer": bob.customer})
    v1.subscriptions.update(made.id, {"default_payment_method": card.id})
    v1.subscriptions.resume(made.id, {"billing_cycle_anchor": "now"})
    bob.there.until(lambda: v1.subscriptions.retrieve(made.id).status == "active")


def test_a_subscription_ends_with_its_period_or_at_once(bob: Buyer) -> None:
    v1, made = bob.there.v1, bob.subscribe()
    later = v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert (later.status, later.cancel_at_period_end) == ("active", True)
    bob.after(MONTH)
    bob.there.until(lambda: v1.subscriptions.retrieve(made.id).status == "canceled")
    assert len(bob.invoices()) == 1
    other = bob.subscribe()
    assert v1.subscriptions.cancel(other.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        v1.subscriptions.cancel(other.id)


def test_the_next_charge_is_previewed(bob: Buyer) -> None:
    made = bob.subscribe()
    preview = bob.there.v1.invoices.create_preview({"subscription": made.id})
    assert preview.amount_due == 2900
    assert preview.lines.data[-1].period.start == made["items"].data[0].current_period_end


def test_another_price_holds_from_the_next_period_when_nothing_is_prorated(bob: Buyer) -> None:
    v1, made = bob.there.v1, bob.subscribe()
    product = v1.prices.retrieve(bob.price).product
    dear = v1.prices.create(
        {"product": product, "unit_amount": 5800, "currency": "usd", "recurring": {"interval": "month"}}
    )
    item = {"id": made["items"].data[0].id, "price": dear.id}
    v1.subscriptions.update(made.id, {"items": [item], "proration_behavior": "none"})
    bob.after(MONTH)
    bob.there.until(lambda: [one.amount_paid for one in bob.invoices()] == [2900, 5800])


def test_a_payment_page_is_opened_and_closed(bob: Buyer) -> None:
    v1 = bob.there.v1
    session = v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": bob.customer,
            "line_items": [{"price": bob.price, "quantity": 1}],
            "success_url": "https://copytrade.example/done?session={CHECKOUT_SESSION_ID}",
            "subscription_data": {"metadata": {"subscription_id": "ours"}, "trial_period_days": 7},
        }
    )
    assert (session.status, session.amount_total) == ("open", 0)
    assert session.url
    assert _shaped(session)
    assert v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        v1.checkout.sessions.expire(session.id)


def test_a_key_gives_one_answer_and_refuses_other_parameters(there: There) -> None:
    options = {"idempotency_key": f"check:{uuid4()}"}
    made = [there.v1.customers.create({"email": "a@copytrade.example"}, options).id for _ in range(2)]
    assert made[0] == made[1]
    with pytest.raises(stripe.IdempotencyError):
        there.v1.customers.create({"email": "b@copytrade.example"}, options)
    assert there.v1.customers.delete(made[0]).deleted is True
    assert there.v1.customers.retrieve(made[0]).deleted is True


def test_errors_say_what_was_wrong(there: There) -> None:
    v1 = there.v1
    with pytest.raises(stripe.InvalidRequestError) as missing:
        v1.subscriptions.retrieve("sub_none")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        v1.products.create({"name": "x", "colour": "red"})
    assert unknown.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError) as fraction:
        v1.prices.create({"product_data": {"name": "x"}, "currency": "usd", "unit_amount": "0.5"})
    assert fraction.value.code == "parameter_invalid_integer"
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        v1.products.create({})
    assert nothing.value.code == "parameter_missing"


def test_a_disputed_payment_is_won_with_evidence(bob: Buyer) -> None:
    v1 = bob.there.v1
    bob.subscribe("pm_card_createDispute")
    charge = bob.charge()
    bob.there.until(lambda: v1.disputes.list({"charge": charge.id}).data)
    dispute = v1.disputes.list({"charge": charge.id}).data[0]
    assert (dispute.amount, v1.charges.retrieve(charge.id).disputed) == (2900, True)
    assert _shaped(dispute)
    v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    bob.there.until(lambda: v1.disputes.retrieve(dispute.id).status == "won")


def test_a_trader_who_is_not_onboarded_is_not_paid(there: There) -> None:
    v1 = there.v1
    account = v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    assert (account.details_submitted, account.payouts_enabled) == (False, False)
    assert _shaped(account)
    urls = {"refresh_url": "https://copytrade.example/again", "return_url": "https://copytrade.example/back"}
    link = v1.account_links.create({"account": account.id, "type": "account_onboarding", **urls})
    assert link.url
    with pytest.raises(stripe.InvalidRequestError):
        v1.accounts.login_links.create(account.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        v1.transfers.create({"amount": 100, "currency": "usd", "destination": account.id})
    assert refusal.value.code in ("insufficient_capabilities_for_transfer", "balance_insufficient")
    assert v1.accounts.delete(account.id).deleted is True
