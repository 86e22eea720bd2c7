"""Bitget spot as people live it: a passphrase, the same place on both ends, coins bought, sold, and one's own."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.conftest import Sandbox
from tests.e2e.test_journeys import Trading, pay, publish, register
from tests.e2e.walking import Look, Walker, walking
from tests.waiting import wait_until

SYMBOL, PRICE = "BTCUSDT", 60_000
NAME = "spot nordwind"


@pytest.fixture
def trading(sandbox: Sandbox) -> Trading:
    control = sandbox.control
    control.set_price(SYMBOL, PRICE)
    lead = control.create_account("lead", venue="bitget", coins={"USDT": "50000"}, reading=True, read_only=True)
    copy = control.create_account("copy", venue="bitget", coins={"USDT": "5000"}, reading=True, spot=True)
    return Trading(control, lead, copy)


@pytest.mark.timeout(240)
def test_bitget_spot_from_the_passphrase_to_ones_own_trade(browser: Browser, web: str, trading: Trading) -> None:
    look = Look("ru", "light", "desktop")
    with walking(browser, web, look, who="alice") as alice, walking(browser, web, look, who="bob") as bob:
        register(alice, roles=("trader",))
        choose_place(alice)
        link_with_a_wrong_passphrase_first(alice, trading.lead)
        publish(alice, NAME)

        register(bob, roles=("subscriber",))
        follow_the_way_to_the_fitting_account(bob, trading.copy)
        subscribe(bob)
        pay(bob, NAME)
        see_a_purchase_and_a_sale_copied(bob, trading)
        see_what_was_traded_by_hand(bob, trading)
        see_the_card(bob)


def choose_place(walker: Walker) -> None:
    for name, value in (("venue", "bitget"), ("market", "spot")):
        walker.part(f"[name=choose_{name}][value={value}]").click()
        expect(walker.part(f"[name=choose_{name}][value={value}]")).to_be_checked()
    expect(walker.part("[data-testid=instructions]")).to_contain_text("Spot trading")


def type_key(walker: Walker, key: dict[str, str], *, passphrase: str) -> None:
    walker.type("label", "Bitget")
    walker.type("api_key", key["api_key"])
    walker.type("api_secret", key["api_secret"])
    walker.type("passphrase", passphrase)
    walker.press("Link and check")


def link_with_a_wrong_passphrase_first(walker: Walker, key: dict[str, str]) -> None:
    """The refusal names the passphrase and keeps what was typed, so that only that is typed anew."""
    type_key(walker, key, passphrase="notthisone1")
    expect(walker.part("[data-outcome=refused]")).to_be_visible()
    walker.sees("Check the passphrase too: Bitget refuses the key when it is another one.")
    walker.picture("refused-passphrase")
    assert walker.part("#link [name=api_secret]").input_value() == key["api_secret"]
    walker.part("#link [name=passphrase]").fill(key["passphrase"])
    walker.press("Link and check")
    expect(walker.part("[data-outcome=linked]")).to_be_visible()
    assert walker.part("#link [name=api_secret]").input_value() == ""
    assert key["api_secret"] not in walker.page.content()
    expect(walker.part("[data-testid=accounts] > [data-state=active]")).to_have_count(1)
    expect(walker.part("[data-testid=accounts] > [data-state=refused]")).to_have_count(0)
    walker.picture("linked-bitget")
    walker.fits()


def follow_the_way_to_the_fitting_account(walker: Walker, key: dict[str, str]) -> None:
    """The list is narrowed to Bitget spot; his page says what account it takes and leads to linking just that."""
    walker.go("/traders")
    walker.page.get_by_role("combobox", name=walker.say("Exchange")).select_option("bitget")
    expect(walker.page).to_have_url(re.compile("venue=bitget"))
    walker.page.get_by_role("combobox", name=walker.say("Market")).select_option("spot")
    expect(walker.page).to_have_url(re.compile("venue=bitget&market=spot"))
    walker.page.get_by_role("link", name=NAME).click()
    expect(walker.page).to_have_title(f"{NAME} · CopyTrade")
    expect(walker.part("[data-testid=same-place]")).to_contain_text(walker.say("You need a copy account there."))
    walker.picture("trader-spot")
    walker.fits()
    walker.follow("Link one")
    walker.at("/accounts")
    for name, value in (("venue", "bitget"), ("market", "spot")):
        expect(walker.part(f"[name=choose_{name}][value={value}]")).to_be_checked()
    type_key(walker, key, passphrase=key["passphrase"])
    expect(walker.part("[data-outcome=linked]")).to_be_visible()


def subscribe(walker: Walker) -> None:
    walker.part("[data-outcome=linked] a").click()
    walker.page.get_by_role("link", name=NAME).click()
    expect(walker.part("[data-testid=same-place]")).to_contain_text(walker.say("You have such an account."))
    walker.follow("Copy")
    walker.press("Next")
    walker.part("[name=mode][value=ratio]").check()
    walker.type("factor", "0.1")
    walker.press("Next")
    walker.sees("With the next coin he buys.")
    walker.part("[name=country]").select_option("DE")
    walker.part("[name=consent]").check()
    walker.press("Go to payment")


def copied(walker: Walker) -> Locator:
    return walker.part("[data-testid=copies] [data-state=copied]")


def held(trading: Trading) -> Decimal:
    return Decimal(trading.control.coins(trading.copy["account_id"]).get("BTC", "0"))


def see_a_purchase_and_a_sale_copied(walker: Walker, trading: Trading) -> None:
    """0.2 BTC bought is 0.02 copied, less its fee in BTC; half of it sold is half of the copy sold."""
    trading.control.place(trading.lead["account_id"], SYMBOL, "BUY", "0.2", market="spot")
    expect(copied(walker)).to_have_count(1)
    expect(copied(walker).first).to_contain_text(walker.say("BUY"))
    assert Decimal("0.0199") < held(trading) <= Decimal("0.02")
    trading.control.place(trading.lead["account_id"], SYMBOL, "SELL", "0.1", market="spot")
    expect(copied(walker)).to_have_count(2)
    expect(copied(walker).first).to_contain_text(walker.say("SELL"))
    assert Decimal("0.0098") < held(trading) <= Decimal("0.0101")
    walker.picture("copies-spot")
    walker.fits()


def see_what_was_traded_by_hand(walker: Walker, trading: Trading) -> None:
    """Bob buys ether himself; it stands beside the copies as his own and under its own filter alone."""
    trading.control.place(trading.copy["account_id"], "ETHUSDT", "BUY", "0.1", market="spot")
    mine = walker.part("[data-testid=copies] [data-state=mine]")
    expect(mine.first).to_be_visible(timeout=60_000)
    expect(mine.first).to_contain_text("ETH/USDT")
    walker.page.get_by_role("radio", name=walker.say("My own trades")).click()
    expect(copied(walker)).to_have_count(0)
    expect(mine.first).to_contain_text(walker.say("your own trade"))
    walker.picture("own-trades")
    walker.fits()


def see_the_card(walker: Walker) -> None:
    """The account's card says that it can copy, and an examination finds nothing wrong without an order."""
    walker.go("/accounts")
    card = walker.part("[data-testid=accounts] > [data-works=yes]")
    expect(card).to_contain_text(walker.say("It can copy now."))
    walker.press("Examine")
    expect(card.locator("[data-verdict=ok]").nth(3)).to_be_visible()
    wait_until(
        lambda: card.locator("[data-verdict=problem]").count() == 0, timeout=5, what="findings without a problem"
    )
    walker.picture("examined")
    walker.press("Unlink")
    expect(walker.page.get_by_role("alertdialog")).to_contain_text(NAME)
    walker.picture("unlink")
    walker.page.keyboard.press("Escape")
    expect(walker.page.get_by_role("alertdialog")).to_have_count(0)
    walker.fits()
