"""The five scenarios as people live them: register, link, publish, subscribe and pay, watch the copy arrive."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from copytrade.sandbox.client import Control
from copytrade.settings import settings
from tests.conftest import Sandbox
from tests.e2e.walking import Look, Walker, walking
from tests.waiting import wait_until

PASSWORD = "a long enough secret"
SYMBOL = "BTCUSDT"
GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"


@dataclass(frozen=True, slots=True)
class Trading:
    """The two exchange accounts of a journey, on the exchange's side."""

    control: Control
    lead: dict[str, Any]
    copy: dict[str, Any]


@pytest.fixture
def trading(sandbox: Sandbox) -> Trading:
    control = sandbox.control
    control.set_price(SYMBOL, 60_000)
    lead = control.create_account("lead", deposit=50_000, reading=True)
    copy = control.create_account("copy", deposit=5_000, reading=True, futures=True)
    return Trading(control, lead, copy)


@pytest.mark.parametrize("look", [Look("en", "light", "desktop"), Look("ru", "dark", "phone")], ids=str)
@pytest.mark.timeout(240)
def test_the_five_scenarios(browser: Browser, web: str, trading: Trading, look: Look) -> None:
    with walking(browser, web, look, who="alice") as alice, walking(browser, web, look, who="bob") as bob:
        journey(alice, bob, trading, f"nordwind {look.device}")


def journey(alice: Walker, bob: Walker, trading: Trading, name: str) -> None:
    """Alice registers, links and publishes; Bob registers, links, subscribes, pays and watches the copy arrive."""
    register(alice, roles=("trader",))
    refused_key(alice, trading)
    link(alice, trading.lead)
    publish(alice, name)

    register(bob, roles=("subscriber",))
    link(bob, trading.copy)
    subscribe(bob, name)
    pay(bob, name)
    see_copy_arrive(bob, trading, name)
    see_wallet(bob)
    see_notices(bob)
    see_subscriber(alice)


def register(walker: Walker, *, roles: tuple[str, ...]) -> None:
    """Scenario 1: a wrong password is told, then the account is made and its cookie is out of the page's reach."""
    walker.go("/register")
    walker.picture("register")
    walker.type("email", email_of(walker))
    walker.type("password", "password1234")
    for role in ("trader", "subscriber"):
        walker.part(f"[name=roles][value={role}]").set_checked(role in roles)
    walker.part("[name=accepted_terms]").check()
    walker.press("Create the account")
    walker.sees("This password is too easy to guess. Please take another one.")
    assert walker.part("[name=email]").input_value() == email_of(walker)

    walker.type("password", PASSWORD)
    walker.part("[name=accepted_terms]").check()
    walker.press("Create the account")
    walker.at("/accounts")
    expect(walker.part("[data-testid=person]")).to_be_visible()
    assert "session" not in walker.page.evaluate("document.cookie")
    walker.fits()


def refused_key(walker: Walker, trading: Trading) -> None:
    """Scenario 2: a key that may withdraw is refused with its reason, and nothing of it stays."""
    key = trading.control.add_key(trading.lead["account_id"], withdrawals=True)
    type_key(walker, key)
    walker.sees(
        "This key may withdraw money, so it was refused and not stored. Make one without the right to withdraw."
    )
    walker.picture("refused")
    walker.press("Understood")
    expect(walker.part("[data-state=refused]")).to_have_count(0)


def link(walker: Walker, key: dict[str, Any]) -> None:
    """Scenario 2: a good key is checked against the exchange and linked; its secret is nowhere on the page."""
    type_key(walker, key)
    expect(walker.part("[data-state=active]")).to_be_visible()
    walker.picture("linked")
    assert key["api_secret"] not in walker.page.content()
    assert key["api_key"] not in walker.page.content()
    walker.fits()


def type_key(walker: Walker, key: dict[str, Any]) -> None:
    walker.type("label", "Main")
    walker.type("api_key", key["api_key"])
    walker.type("api_secret", key["api_secret"])
    walker.press("Link and check")


def publish(walker: Walker, name: str) -> None:
    """Scenario 3: bad prices are told, then the profile is public and in the list."""
    walker.go("/desk")
    walker.press("Write your profile")
    walker.type("name", name)
    walker.type("about", "Swing trader, few positions, small losses.")
    walker.type("price", "-1")
    walker.press("Save")
    walker.sees("The price for a month is a number from {least} to {most}, in whole cents.", least="1", most="10000")
    walker.type("price", "25")
    walker.press("Save")
    expect(walker.page.get_by_role("button", name=walker.say("Publish"), exact=True)).to_be_disabled()
    walker.picture("desk-no-payouts")
    onboard(walker)
    walker.go("/desk")
    walker.press("Publish")
    expect(walker.part("[data-published=yes]")).to_be_visible()
    walker.picture("desk")
    walker.go("/traders")
    expect(walker.page.get_by_text(name).first).to_be_visible()
    walker.picture("traders")
    walker.fits()


def onboard(walker: Walker) -> None:
    """The trader tells Stripe on its own pages who he is and where his share goes, and comes back."""
    walker.follow("Set up payouts")
    walker.at("/earnings")
    walker.picture("earnings-none")
    walker.press("Set up payouts")
    walker.type("first", "Alice")
    walker.type("last", "Trader")
    walker.type("iban", "DE89370400440532013000")
    walker.page.get_by_role("button", name="Finish", exact=True).click()
    walker.at("/earnings")
    expect(walker.part("[data-testid=payouts-ready]")).to_be_visible()
    walker.picture("earnings-ready")
    walker.fits()


def subscribe(walker: Walker, name: str) -> None:
    """Scenario 4: account, settings and summary; going back keeps what was typed."""
    walker.go("/traders")
    walker.page.get_by_text(name).first.click()
    expect(walker.page.get_by_role("heading", name=name)).to_be_visible()
    walker.picture("trader")
    walker.fits()
    walker.follow("Copy")
    walker.sees("To which account shall the copies go?")
    walker.picture("subscribe-account")
    walker.press("Next")
    walker.part("[name=mode][value=ratio]").check()
    walker.type("factor", "0")
    walker.press("Next")
    walker.sees("Please look at the fields that are marked.")
    walker.type("factor", "0.1")
    walker.type("max_order_notional", "2000")
    walker.picture("subscribe-settings")
    walker.press("Next")
    expect(walker.part("[name=consent]")).to_be_visible()
    walker.press("Back")
    assert walker.part("[name=factor]").input_value() == "0.1"
    walker.press("Next")
    walker.part("[name=country]").select_option("DE")
    walker.part("[name=consent]").check()
    walker.picture("subscribe-summary")
    walker.fits()
    walker.press("Go to payment")


def pay(walker: Walker, name: str) -> None:
    """Scenario 4: closed, declined, then paid; only the payment makes it active."""
    walker.page.get_by_role("button", name="Close").click()
    walker.sees("The payment was not completed")
    walker.picture("payment-closed")
    walker.press("Go to payment")
    type_card(walker, DECLINED_CARD)
    expect(walker.page.get_by_text("declined").first).to_be_visible()
    type_card(walker, GOOD_CARD)
    walker.sees("You copy {name} now", name=name, seconds=30)
    walker.picture("paid")
    walker.follow("Watch the copies")
    walker.at("/copies")
    walker.sees("No copies yet")
    walker.picture("copies-empty")


def type_card(walker: Walker, number: str) -> None:
    walker.type("number", number)
    walker.type("expiry", "12 / 34")
    walker.type("cvc", "123")
    walker.part("button[value=pay]").click()


def see_copy_arrive(walker: Walker, trading: Trading, name: str) -> None:
    """Scenario 5: the trader buys at the exchange; the receipt shows within seconds, without a reload."""
    walker.page.evaluate("window.notReloaded = true")
    trading.control.place(trading.lead["account_id"], SYMBOL, "BUY", "0.2")
    row = walker.part("[data-testid=copies] [data-state=copied]").first
    expect(row).to_be_visible()
    assert walker.page.evaluate("window.notReloaded") is True
    assert trading.control.position(trading.copy["account_id"], SYMBOL) > 0
    expect(row.get_by_text(name)).to_be_visible()
    row.get_by_role("button").click()
    expect(walker.part("[role=region] .step").nth(3)).to_be_visible()
    walker.picture("copies")
    walker.fits()
    assert str(trading.control.position(trading.copy["account_id"], SYMBOL)) == "0.020"


def see_wallet(walker: Walker) -> None:
    """Scenario 5: equity, positions and results."""
    walker.go("/wallet")
    walker.sees("Open positions")
    expect(walker.page.get_by_text("BTC/USDT").first).to_be_visible(timeout=70_000)
    expect(walker.part(".hero .value")).to_contain_text("USDT")
    walker.picture("wallet")
    walker.fits()


def see_notices(walker: Walker) -> None:
    """Scenario 5: registration and activation are told in the app and by mail."""
    walker.go("/notices")
    walker.sees("Your subscription is active")
    walker.sees("Welcome to CopyTrade")
    walker.picture("notices")
    walker.fits()
    wait_until(lambda: len(mails_to(email_of(walker))) >= 2, timeout=20, what="the mails")


def see_subscriber(walker: Walker) -> None:
    """The trader sees his subscriber and the larger part of what was paid."""
    walker.go("/desk")
    expect(walker.page.get_by_text("20").first).to_be_visible()
    walker.sees("Next payout")
    walker.picture("desk-earning")
    walker.fits()
    walker.follow("All earnings")
    walker.at("/earnings")
    expect(walker.part("[data-testid=paid] tbody tr")).to_have_count(1)
    walker.picture("earnings")
    walker.fits()


def email_of(walker: Walker) -> str:
    return f"{walker.who}-{walker.look}@copytrade.example"


def mails_to(email: str) -> list[dict[str, Any]]:
    found = httpx.get(f"{settings().sandbox_url}/mail/messages", trust_env=False).json()
    return [mail for mail in found if email in mail["to"]]
