"""A subscription's states through Stripe: trial, late, unpaid, on hold, disputed, ended; told once, books balanced."""

import random
from itertools import permutations

import pytest
from sqlmodel import select

from copytrade.payments import facts, service, sync
from copytrade.payments.gateway import ask
from copytrade.payments.models import StripeSubscription
from copytrade.subscriptions import service as subscriptions
from tests.integration.payments.buying import DAY, Buyer, until
from tests.integration.payments.paying import DECLINED, Caught
from tests.integration.subscriptions.market import subscribed

DECLINED_LATER, AT_ONCE = "4000 0000 0000 0341", "4000 0000 0000 0077"
FIRST = ("checkout.session.completed", "customer.subscription.created", "invoice.paid", "customer.subscription.updated")


def _type(one: Caught) -> str:
    return one.body.decode().partition('"type":"')[2].partition('"')[0]


def _pay(bob: Buyer) -> None:
    page = service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    bob.stripe.pay(page.url)
    bob.stripe.wait_for("checkout.session.completed")
    bob.settled()


def _one_by_one(bob: Buyer, caught: list[Caught]) -> None:
    for one in caught:
        bob.stripe.caught = [one]
        bob.stripe.hand_over(bob.session)


def _offer_trial(bob: Buyer, days: int) -> None:
    subscriptions.save_profile(
        bob.session,
        owner=bob.market.alice.id,
        lead_account_id=bob.market.lead,
        profile_id=bob.market.profile_id,
        name="Nordwind",
        about="",
        price="29",
        trial_days=days,
    )
    bob.session.commit()
    bob.id = subscribed(bob.session, bob.market)


@pytest.mark.parametrize("order", list(permutations(FIRST)), ids="-".join)
def test_all_orders_of_the_first_webhooks_have_one_effect(bob: Buyer, order: tuple[str, ...]) -> None:
    _pay(bob)
    ranked = {type: number for number, type in enumerate(order)}
    _one_by_one(bob, sorted(bob.stripe.caught, key=lambda one: ranked.get(_type(one), 9)))
    assert (bob.state, len(bob.periods), bob.is_balanced()) == ("active", 1, True)
    assert len(bob.told("payment.taken")) == len(bob.told("subscription.activated")) == 1


def test_an_end_told_before_the_beginning_ends_it(bob: Buyer) -> None:
    _pay(bob)
    first, bob.stripe.caught = bob.stripe.caught, []
    [page] = [one for one in first if _type(one) == "checkout.session.completed"]
    _one_by_one(bob, [page])
    id = bob.remote.id
    ask(lambda client: client.v1.subscriptions.cancel(id))
    bob.settled()
    _one_by_one(bob, [*bob.stripe.caught, *first])
    assert (bob.state, bob.row.is_ending, len(bob.periods)) == ("active", True, 1)
    bob.later(32)
    assert (bob.state, bob.row.end_reason, bob.is_balanced()) == ("canceled", "period_over", True)
    assert len(bob.told("subscription.ended")) == 1


def test_a_month_of_troubles_told_in_any_order_stands_where_stripe_does(bob: Buyer) -> None:
    bob.buy()
    bob.card(DECLINED)
    bob.later(32, tell=False)
    bob.card(AT_ONCE)
    bob.later(4, tell=False)
    bob.settled()
    caught = bob.stripe.caught * 3
    random.Random(5).shuffle(caught)
    _one_by_one(bob, caught)
    assert (bob.state, len(bob.periods), bob.is_balanced()) == ("active", 2, True)


def test_a_trial_copies_at_once_tells_before_it_ends_and_is_paid_then(bob: Buyer) -> None:
    _offer_trial(bob, 14)
    assert bob.row.trial_days == 14
    bob.buy()
    row = bob.row
    assert (row.state, bob.may_enter, row.trial_ends_at == row.next_charge_at, row.next_amount) == (
        "trialing", True, True, 29,
    )  # fmt: skip
    assert bob.told("payment.taken") == []
    [told] = bob.told("subscription.trial_started")
    assert (told["trader"], told["price"]) == ("Nordwind", "29.00 USD")
    bob.later(12)
    bob.tick()
    assert len(bob.told("subscription.trial_ending")) == 1
    bob.later(3)
    assert (bob.state, bob.may_enter) == ("active", True)
    assert [one["amount"] for one in bob.told("payment.taken")] == ["29.00 USD"]
    assert bob.row.started_at == row.started_at
    assert bob.is_balanced()


def test_a_trial_whose_card_fails_at_its_end_is_late_and_then_opens_nothing(bob: Buyer) -> None:
    _offer_trial(bob, 7)
    bob.buy(DECLINED_LATER)
    assert bob.state == "trialing"
    bob.later(8)
    assert (bob.state, bob.may_enter) == ("past_due", True)
    assert len(bob.told("payment.failed")) == 1
    bob.later(3)
    assert (bob.state, bob.may_enter) == ("unpaid", False)


def test_a_person_has_one_trial_of_a_trader(bob: Buyer) -> None:
    _offer_trial(bob, 7)
    bob.buy()
    subscriptions.end(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.tick()
    bob.hand_over()
    bob.id = subscribed(bob.session, bob.market)
    assert bob.row.trial_days == 0
    bob.buy()
    assert (bob.state, [one.minor for one in bob.periods if one.minor]) == ("active", [2900])


def test_a_card_that_fails_only_at_renewal_is_late_then_unpaid_then_the_end(bob: Buyer) -> None:
    bob.buy()
    bob.stripe.control("PUT", "dunning", days=[20], ends="unpaid")
    bob.card(DECLINED)
    bob.later(31.5)
    assert (bob.state, bob.may_enter) == ("past_due", True)
    assert len(bob.told("payment.failed")) == len(bob.told("subscription.past_due")) == 1
    bob.later(3)
    assert (bob.state, bob.may_enter) == ("unpaid", False)
    assert len(bob.told("subscription.unpaid")) == 1
    started = service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    assert started.state == "past_due"
    bob.later(7)
    assert (bob.state, bob.row.end_reason) == ("canceled", "given_up")
    bob.hand_over()
    assert bob.remote.status == "canceled"
    assert (len(bob.periods), bob.is_balanced()) == (1, True)


def test_one_that_is_paid_late_opens_positions_again(bob: Buyer) -> None:
    bob.buy()
    bob.card(DECLINED)
    bob.later(31.5)
    bob.later(3)
    assert bob.state == "unpaid"
    bob.card(AT_ONCE)
    bob.later(4)
    assert (bob.state, bob.may_enter, len(bob.periods)) == ("active", True, 2)
    assert len(bob.told("subscription.resumed")) == 1


def test_stripe_giving_up_ends_it_once_the_grace_is_over(bob: Buyer) -> None:
    bob.buy()
    bob.card(DECLINED)
    bob.later(60)
    assert (bob.state, len(bob.periods)) == ("canceled", 1)


def test_a_collection_on_hold_opens_nothing_until_it_goes_on(bob: Buyer) -> None:
    bob.buy()
    id = bob.remote.id
    ask(lambda client: client.v1.subscriptions.update(id, {"pause_collection": {"behavior": "void"}}))
    bob.hand_over()
    assert (bob.state, bob.may_enter) == ("paused", False)
    assert len(bob.told("subscription.paused")) == 1
    ask(lambda client: client.v1.subscriptions.update(id, {"pause_collection": ""}))
    bob.hand_over()
    assert (bob.state, bob.may_enter) == ("active", True)


def _disputed(bob: Buyer) -> str:
    bob.buy(AT_ONCE)
    return str(bob.stripe.control("POST", "dispute", charge=bob.charge)["id"])


def test_a_dispute_opens_nothing_and_one_that_is_won_lets_it_go_on(bob: Buyer) -> None:
    dispute = _disputed(bob)
    bob.hand_over()
    assert (bob.state, bob.may_enter, bob.alarms()) == ("disputed", False, {"alarm.dispute"})
    assert len(bob.told("subscription.disputed")) == 1
    bob.stripe.control("POST", "dispute/decide", dispute=dispute, status="won")
    bob.hand_over()
    assert (bob.state, bob.may_enter, bob.is_balanced()) == ("active", True, True)


def test_a_lost_dispute_ends_it_here_and_at_stripe(bob: Buyer) -> None:
    dispute = _disputed(bob)
    bob.stripe.control("POST", "dispute/decide", dispute=dispute, status="lost")
    bob.hand_over()
    assert (bob.state, bob.row.end_reason, bob.is_balanced()) == ("canceled", "dispute_lost", True)
    bob.hand_over()
    assert bob.remote.status == "canceled"


def test_a_dispute_told_before_the_payment_is_heard_of_all_the_same(bob: Buyer) -> None:
    _pay(bob)
    [charge] = ask(lambda client: client.v1.charges.list({})).data
    bob.stripe.control("POST", "dispute", charge=charge.id)
    bob.settled()
    _one_by_one(bob, [one for one in bob.stripe.caught if _type(one) == "charge.dispute.created"])
    assert (bob.state, len(bob.periods), bob.is_balanced()) == ("disputed", 1, True)
    assert bob.row.started_at is not None


def test_a_refund_told_before_the_payment_is_booked_all_the_same(bob: Buyer) -> None:
    _pay(bob)
    [charge] = ask(lambda client: client.v1.charges.list({})).data
    ask(lambda client: client.v1.refunds.create({"charge": charge.id, "amount": 900}))
    bob.settled()
    _one_by_one(bob, [one for one in bob.stripe.caught if _type(one) == "charge.refunded"])
    assert (bob.state, [one.refunded_minor for one in bob.periods], bob.is_balanced()) == ("active", [900], True)
    assert [one["amount"] for one in bob.told("payment.refunded")] == ["9.00 USD"]


def test_a_card_that_expires_before_the_next_charge_is_told_once(bob: Buyer) -> None:
    bob.buy()
    method = str(bob.remote.default_payment_method)
    last = until(bob.row) - 20 * DAY
    bob.stripe.control("POST", "card/renewed", payment_method=method, exp_year=last.year, exp_month=last.month)
    if last.month == until(bob.row).month:
        last = until(bob.row) - 35 * DAY
        bob.stripe.control("POST", "card/renewed", payment_method=method, exp_year=last.year, exp_month=last.month)
    for _ in range(2):
        service.reconcile()
    [told] = bob.told("payment.card_expires")
    assert (told["month"], told["last4"]) == (f"{last:%m/%Y}", "4242")


def test_an_older_answer_of_stripes_never_overwrites_a_newer_one(bob: Buyer) -> None:
    bob.buy()
    [old] = sync.asked(bob.session, [bob.remote.id])
    before = facts.subscription(old.stripe_subscription_id, known=old.known)
    ask(lambda client: client.v1.subscriptions.update(before.id, {"cancel_at_period_end": True}))
    bob.hand_over()
    assert sync.take_in(bob.session, old, before)
    bob.session.commit()
    assert bob.row.is_ending
    assert bob.session.exec(select(StripeSubscription.cancel_at_period_end)).one()
