"""Money as people see it: declined, paid, renewed, paid out, failed, mended, cancelled, refunded, disputed, ended."""

import re
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Locator, expect

from copytrade.db.session import transaction
from copytrade.users import service as users
from copytrade.users.queries import person_by_email
from copytrade.users.service import cookie_name
from tests.conftest import Sandbox
from tests.e2e.billing_time import BillingTime, billing_time
from tests.e2e.test_journeys import (
    DECLINED_CARD,
    GOOD_CARD,
    Trading,
    email_of,
    link,
    onboard,
    register,
    type_card,
)
from tests.e2e.walking import Look, Walker, walking

KEPT_BUT_DECLINED = "4000000000000341"
OLGA = "olga-money@copytrade.example"
LOOKS = [Look("en", "light", "desktop"), Look("ru", "dark", "phone")]


@pytest.fixture
def time(web: str, sandbox: Sandbox) -> Generator[BillingTime]:
    assert web
    with billing_time(sandbox.url) as made:
        yield made


@pytest.fixture
def trading(sandbox: Sandbox) -> Trading:
    control = sandbox.control
    control.set_price("BTCUSDT", 60_000)
    lead = control.create_account("lead", deposit=50_000, reading=True)
    copy = control.create_account("copy", deposit=5_000, reading=True, futures=True)
    return Trading(control, lead, copy)


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.timeout(900)
def test_money_from_the_first_card_to_the_first_payout(
    browser: Browser, web: str, trading: Trading, time: BillingTime, look: Look
) -> None:
    with (
        walking(browser, web, look, who="alice-money") as alice,
        walking(browser, web, look, who="bob-money") as bob,
        walking(browser, web, look, who="olga-money") as olga,
    ):
        name = f"moneywind {look.device}"
        offer(alice, trading, name)
        subscribe_and_pay(bob, trading, name)
        trial_ends_and_it_renews(bob, time)
        first_payout(alice, time)
        fails_and_recovers(bob, time)
        is_cancelled_and_taken_back(bob)
        is_refunded(alice, bob, time)
        is_disputed(bob, olga, time)
        is_stopped_and_taken_up_again(bob, name)
        leaves(alice)


def offer(walker: Walker, trading: Trading, name: str) -> None:
    """Alice sets up payouts, then asks a price with free days and makes a coupon."""
    register(walker, roles=("trader",))
    link(walker, trading.lead)
    walker.go("/desk")
    walker.press("Write your profile")
    walker.type("name", name)
    walker.type("price", "30")
    walker.type("trial_days", "7")
    walker.press("Save")
    expect(walker.part("[data-testid=no-payouts]")).to_be_visible()
    expect(walker.page.get_by_role("button", name=walker.say("Publish"), exact=True)).to_be_disabled()
    walker.fits()
    walker.picture("money-desk-no-payouts")
    onboard(walker)
    walker.go("/desk")
    walker.press("Publish")
    expect(walker.part("[data-published=yes]")).to_be_visible()
    walker.press("Coupons")
    walker.part("details.folded > summary").click()
    walker.type("code", f"SPRING-{walker.look.device}")
    walker.type("off", "20")
    walker.part("[name=duration]").select_option("repeating")
    walker.type("months", "2")
    walker.fits()
    walker.picture("money-coupon-form")
    walker.press("Make the coupon")
    expect(walker.part("[data-testid=coupons]")).to_contain_text(f"SPRING-{walker.look.device}".upper())
    walker.fits()
    walker.picture("money-desk-coupons")


def subscribe_and_pay(walker: Walker, trading: Trading, name: str) -> None:
    """Bob reads the terms, tries a wrong code and the right one, is declined, then begins his free days."""
    register(walker, roles=("subscriber",))
    link(walker, trading.copy)
    walker.go("/traders")
    walker.page.get_by_text(name).first.click()
    walker.follow("Copy")
    walker.press("Next")
    walker.part("[name=mode][value=ratio]").check()
    walker.type("factor", "0.1")
    walker.press("Next")
    terms = walker.part("[data-testid=terms]")
    expect(terms).to_contain_text(walker.say("Nothing. You leave a card; it is not charged."))
    walker.fits()
    walker.picture("money-terms")
    walker.part("[data-testid=coupon] > summary").click()
    walker.type("code", "nothing")
    walker.press("Check")
    walker.sees("This code is not valid here.")
    walker.fits()
    walker.picture("money-code-wrong")
    walker.type("code", f"spring-{walker.look.device}")
    walker.press("Check")
    expect(terms).to_contain_text("24")
    walker.picture("money-code-good")
    walker.part("[name=country]").select_option("DE")
    walker.part("[name=consent]").check()
    walker.fits()
    walker.picture("money-consent")
    walker.press("Go to payment")
    type_card(walker, DECLINED_CARD)
    expect(walker.page.get_by_text("declined").first).to_be_visible()
    walker.page.go_back()
    walker.page.go_back()
    expect(terms).to_contain_text("24")
    walker.picture("money-back-button")
    walker.part("[name=country]").select_option("DE")
    walker.part("[name=consent]").check()
    walker.press("Go to payment")
    type_card(walker, GOOD_CARD)
    walker.sees("You copy {name} now", name=name, seconds=60)
    walker.fits()
    walker.picture("money-trial-begins")
    card = subscription(walker)
    expect(card).to_have_attribute("data-state", "trialing")
    expect(card).to_contain_text("24")
    walker.fits()
    walker.picture("money-trialing")


def trial_ends_and_it_renews(walker: Walker, time: BillingTime) -> None:
    """The free days pass, the first month is charged with the coupon; a month later it is renewed."""
    time.later(8)
    come_back(walker)
    expect(subscription(walker)).to_have_attribute("data-state", "active", timeout=60_000)
    expect(walker.part("[data-testid=invoices] tbody tr")).to_have_count(2, timeout=60_000)
    time.later(31)
    come_back(walker)
    subscription(walker)
    expect(walker.part("[data-testid=invoices] tbody tr")).to_have_count(3, timeout=60_000)
    expect(walker.part("[data-testid=invoices] a").first).to_have_text("PDF")
    walker.fits()
    walker.picture("money-renewed")


def first_payout(walker: Walker, time: BillingTime) -> None:
    """Alice's share was held a week and goes out on its date; its lines say what it is made of."""
    come_back(walker)
    walker.go("/earnings")
    expect(walker.part("[data-testid=paid] tbody tr")).to_have_count(2)
    walker.fits()
    walker.picture("money-earnings-held")
    time.later(15)
    time.pay_out()
    come_back(walker)
    walker.go("/earnings")
    payout = walker.part("[data-testid=payouts] .copy").first
    expect(payout).to_contain_text(walker.say("paid"), timeout=90_000)
    payout.get_by_role("button").click()
    expect(walker.part("[data-testid=parts] tbody tr")).to_have_count(2)
    walker.fits()
    walker.picture("money-payout")
    walker.go("/notices")
    walker.sees("Payout sent")


def fails_and_recovers(walker: Walker, time: BillingTime) -> None:
    """Bob's card fails at the renewal: copying goes on for now, he is told, pays on Stripe's page, and all is well."""
    time.card(email_of(walker), KEPT_BUT_DECLINED)
    time.later(15)
    come_back(walker)
    card = subscription(walker)
    expect(card).to_have_attribute("data-state", "past_due", timeout=60_000)
    walker.fits()
    walker.picture("money-late")
    walker.press("Pay now")
    walker.page.get_by_role("row").filter(has_text="open").get_by_role("link").click()
    type_card(walker, GOOD_CARD)
    expect(walker.page.get_by_text("paid").first).to_be_visible()
    time.knock()
    card = subscription(walker)
    expect(card).to_have_attribute("data-state", "active", timeout=60_000)
    expect(walker.part("[data-testid=invoices] tbody tr")).to_have_count(4)
    walker.go("/notices")
    walker.sees("A payment failed")
    walker.picture("money-notices")


def is_cancelled_and_taken_back(walker: Walker) -> None:
    """Bob lets it run out, and changes his mind."""
    subscription(walker)
    walker.press("Stop")
    expect(walker.part("[data-testid=cancel]")).to_be_visible()
    walker.fits()
    walker.picture("money-stop")
    walker.part("[data-testid=cancel]").click()
    expect(walker.page.get_by_role("button", name=walker.say("Renew after all"))).to_be_visible(timeout=60_000)
    walker.fits()
    walker.picture("money-ending")
    walker.press("Renew after all")
    expect(walker.page.get_by_role("button", name=walker.say("Renew after all"))).to_have_count(0, timeout=60_000)


def is_refunded(alice: Walker, bob: Walker, time: BillingTime) -> None:
    """A part goes back at Stripe: Bob sees it with his payment, Alice with her share, which she owes by now."""
    time.refund(email_of(bob), 1000)
    subscription(bob)
    expect(bob.part("[data-testid=invoices] tbody tr").first).to_contain_text("10", timeout=60_000)
    bob.picture("money-refunded")
    come_back(alice)
    alice.go("/earnings")
    expect(alice.part("[data-testid=paid] tbody tr").first).to_contain_text("10", timeout=60_000)
    alice.fits()
    alice.picture("money-earnings-refunded")


def is_disputed(bob: Walker, olga: Walker, time: BillingTime) -> None:
    """Bob's bank takes a payment back: nothing is opened for him, operators see the deadline; then it is won."""
    dispute = time.dispute(email_of(bob))
    card = subscription(bob)
    expect(card).to_have_attribute("data-state", "disputed", timeout=60_000)
    bob.fits()
    bob.picture("money-disputed")
    with transaction() as session:
        users.make_operator(session, email=OLGA)
    come_back(olga, OLGA, to="/operator/money")
    expect(olga.page.get_by_text(dispute)).to_be_visible(timeout=60_000)
    olga.fits()
    olga.picture("money-operator")
    time.decide(dispute, "won")
    expect(subscription(bob)).to_have_attribute("data-state", "active", timeout=60_000)


def is_stopped_and_taken_up_again(walker: Walker, name: str) -> None:
    """Bob stops at once, and finds the way back to subscribing."""
    subscription(walker)
    walker.press("Stop")
    walker.page.get_by_role("button", name=re.compile(f"^{walker.say('Keep the positions')}")).click()
    expect(walker.part("section[data-paper=no]").first).to_have_attribute("data-state", "canceled", timeout=60_000)
    walker.fits()
    walker.picture("money-ended")
    walker.follow("Subscribe again")
    expect(walker.page.get_by_role("heading", name=walker.say("Copy {name}", name=name))).to_be_visible()


def leaves(walker: Walker) -> None:
    """Alice takes her profile from the list, and is told before what becomes of whoever subscribes."""
    walker.go("/desk")
    walker.press("Take from the list")
    walker.sees("Nobody new can subscribe. Nobody copies you now.")
    walker.picture("money-unpublish")
    walker.page.get_by_role("alertdialog").get_by_role("button", name=walker.say("Take from the list")).click()
    expect(walker.part("[data-published=no]")).to_be_visible()


def subscription(walker: Walker) -> Locator:
    """Open the subscriptions and return the newest paid one."""
    walker.go("/subscriptions")
    found = walker.part("section[data-paper=no]").first
    expect(found).to_be_visible()
    return found


def come_back(walker: Walker, email: str = "", *, to: str = "/settings") -> None:
    """Come back signed in: days have passed, and nobody stays signed in for so long."""
    with transaction() as session:
        person = person_by_email(session, email or email_of(walker))
        assert person is not None
        token = users.start_session(session, user_id=person.id, address="127.0.0.1", user_agent="test")
    walker.page.context.add_cookies([{"name": cookie_name(), "value": token, "url": walker.web}])
    walker.go(to)
