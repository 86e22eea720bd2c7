"""A new subscriber tries a trader on paper: no key, no card; what arrives is marked wherever it stands, and ends."""

from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.test_journeys import SYMBOL, Trading, link, publish, register, trading
from tests.e2e.walking import Look, Walker, walking

__all__ = ["trading"]

NAME = "paper nordwind"
FUNDS = "2000"


@pytest.mark.timeout(240)
def test_a_trader_is_tried_on_paper_and_left_again(browser: Browser, web: str, trading: Trading) -> None:
    look = Look("en", "light", "phone")
    with walking(browser, web, look, who="alice-paper") as alice, walking(browser, web, look, who="bob-paper") as bob:
        register(alice, roles=("trader",))
        link(alice, trading.lead)
        publish(alice, NAME)
        register(bob, roles=("subscriber",))
        start_on_paper(bob)
        see_the_copy_marked(bob, trading)
        see_it_in_the_wallet(bob)
        stop(bob)
        see_no_subscriber(alice)
        assert Decimal(trading.control.position(trading.copy["account_id"], SYMBOL)) == 0


def start_on_paper(walker: Walker) -> None:
    """Play money is opened with one number; nothing is consented to, and nothing is paid."""
    walker.go("/traders")
    walker.page.get_by_role("link", name=NAME).first.click()
    walker.follow("Try it on paper, free")
    walker.sees("With which play money?")
    walker.type("funds", "99")
    walker.press("Open a paper account")
    walker.sees("Choose between {least} and {most} USDT, in whole cents.", least="100", most="1000000")
    walker.type("funds", FUNDS)
    walker.press("Open a paper account")
    expect(walker.part("label.pick")).to_contain_text("2,000.00")
    walker.fits()
    walker.picture("paper-account")
    walker.press("Next")
    walker.part("[name=mode][value=ratio]").check()
    walker.type("factor", "0.1")
    walker.press("Next")
    walker.sees("Free: it is play money, until you stop it.")
    assert walker.part("[name=consent]").count() == 0
    walker.fits()
    walker.picture("paper-summary")
    walker.press("Start on paper")
    walker.sees("You copy {name} now", name=NAME)
    walker.follow("Watch the copies")
    walker.sees("No copies yet")


def see_the_copy_marked(walker: Walker, trading: Trading) -> None:
    """The copy arrives without a reload and says PAPER on its line and on its receipt."""
    trading.control.place(trading.lead["account_id"], SYMBOL, "BUY", "0.2")
    row = copied(walker).first
    expect(row).to_contain_text("0.02 BTC")
    expect(paper_in(row)).to_have_count(1)
    row.get_by_role("button").click()
    receipt = walker.part("[role=region]")
    expect(receipt).to_contain_text("0.02 BTC asked = 0.02 copied")
    expect(paper_in(receipt)).to_have_count(1)
    walker.fits()
    walker.picture("paper-receipt")


def see_it_in_the_wallet(walker: Walker) -> None:
    """The wallet is the paper one, says so, and holds the copy; there is no other to choose."""
    walker.go("/wallet")
    expect(paper_in(walker.part("h1"))).to_have_count(1)
    expect(walker.part(".hero .value")).to_contain_text("USDT")
    leg = walker.part("[data-testid=legs] tbody tr").filter(has_text="BTC/USDT")
    expect(leg).to_have_count(1)
    expect(paper_in(leg)).to_have_count(1)
    walker.fits()
    walker.picture("paper-wallet")


def stop(walker: Walker) -> None:
    """Stopping says what it closes, closes it, and leaves the history marked."""
    walker.go("/subscriptions")
    card = walker.part("[data-paper=yes]")
    expect(card).to_have_attribute("data-state", "active")
    expect(paper_in(card)).to_have_count(1)
    expect(card).to_contain_text("free, until you stop it")
    walker.press("Stop")
    dialog = walker.page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Closes 1 position worth about")
    walker.picture("paper-stop")
    dialog.get_by_text("Close all now").click()
    expect(card).to_have_attribute("data-state", "canceled")
    walker.go("/copies")
    expect(copied(walker)).to_have_count(2)
    expect(copied(walker).first).to_contain_text("SELL")
    expect(paper_in(copied(walker).locator(".line"))).to_have_count(2)
    walker.fits()
    walker.picture("paper-copies")


def see_no_subscriber(walker: Walker) -> None:
    """A copy on paper is in none of the trader's numbers."""
    walker.go("/desk")
    walker.sees("Nobody copies you yet. They find you in the list of traders.")
    walker.fits()


def copied(walker: Walker) -> Locator:
    return walker.part("[data-testid=copies] [data-state=copied]")


def paper_in(part: Locator) -> Locator:
    return part.get_by_text("PAPER", exact=True)
