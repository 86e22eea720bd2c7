"""Bob sets limits, sees what they do, copies, changes them while it runs, and stops everything; then he tries paper."""

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.test_journeys import GOOD_CARD, SYMBOL, Trading, link, publish, register, trading, type_card
from tests.e2e.walking import Look, Walker, walking
from tests.waiting import wait_until

__all__ = ["trading"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("look", [Look("en", "dark", "desktop"), Look("ru", "light", "phone")], ids=str)
def test_settings_are_understood_changed_and_everything_is_stopped(
    browser: Browser, web: str, trading: Trading, look: Look
) -> None:
    name = f"settings {look.device}"
    with walking(browser, web, look, who="alice-set") as alice, walking(browser, web, look, who="bob-set") as bob:
        register(alice, roles=("trader",))
        link(alice, trading.lead)
        publish(alice, name)
        register(bob, roles=("subscriber",))
        link(bob, trading.copy)
        subscribe(bob, name)
        change(bob, trading, name)
        stop_everything(bob, trading)


def subscribe(walker: Walker, name: str) -> None:
    """The example follows what is typed, faults are told at their fields, and nothing typed is lost."""
    open_page_of(walker, name)
    walker.follow("Copy")
    walker.press("Next")
    example = walker.part("[data-testid=example]")
    expect(example.locator("strong").first).to_be_visible(timeout=60_000)
    walker.part("[name=mode][value=ratio]").check()
    walker.type("factor", "0.02")
    walker.type("example_quantity", "1")
    expect(example).to_contain_text(mine(walker, "0.02"))
    walker.type("max_order_notional", "960")
    expect(example).to_contain_text(mine(walker, "0.016"))
    expect(example).to_contain_text(walker.say("beyond your largest order"))
    walker.picture("settings-example")
    walker.part("[name=mode][value=fixed_quote]").check()
    expect(walker.part("[name=max_position_notional]")).to_have_value("500")
    walker.part("[name=mode][value=ratio]").check()
    walker.type("factor", "0.1")
    walker.type("max_order_notional", "")
    more = walker.part("details.folded").nth(1)
    more.locator("summary").click()
    walker.type("max_slippage", "9")
    walker.part("button.chip").first.click()
    expect(walker.part("[name=symbols]")).to_have_value("BTC")
    walker.picture("settings-more")
    walker.press("Next")
    walker.sees("Please look at the fields that are marked.")
    expect(walker.part(".fault").first).to_be_visible()
    assert walker.part("[name=symbols]").input_value() == "BTC"
    walker.type("max_slippage", "1")
    walker.fits()
    walker.press("Next")
    expect(walker.part("[name=consent]")).to_be_visible()
    walker.fits()
    walker.picture("settings-summary")
    walker.part("[name=country]").select_option("DE")
    walker.part("[name=consent]").check()
    walker.press("Go to payment")
    type_card(walker, GOOD_CARD)
    walker.sees("You copy {name} now", name=name)


def change(walker: Walker, trading: Trading, name: str) -> None:
    """What is changed while it runs holds for the next trade."""
    trading.control.place(trading.lead["account_id"], SYMBOL, "BUY", "0.2")
    wait_until(lambda: str(position(trading)) == "0.020", timeout=30, what="the first copy")
    walker.go("/subscriptions")
    walker.press("Settings")
    walker.sees("How you copy {name}", name=name)
    expect(walker.part("[name=factor]")).to_have_value("0.1")
    walker.type("factor", "0.2")
    walker.press("Save")
    expect(walker.part("[data-state=active]")).to_be_visible()
    walker.fits()
    trading.control.place(trading.lead["account_id"], SYMBOL, "BUY", "0.1")
    wait_until(lambda: str(position(trading)) == "0.040", timeout=30, what="the copy after the change")


def stop_everything(walker: Walker, trading: Trading) -> None:
    """The consequence stands in numbers before it happens; then the position is closed and the page says so."""
    walker.go("/subscriptions")
    expect(walker.part("[data-state=active]")).to_be_visible()
    walker.press("Stop everything")
    dialog = walker.page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("USDT")
    walker.picture("stop-everything")
    dialog.get_by_role("button").nth(1).click()
    walker.sees("You have stopped all copying and closed every copy.")
    wait_until(lambda: not position(trading), timeout=30, what="the closed copy")
    walker.picture("stopped")
    walker.fits()
    walker.press("Let copying go on")
    expect(walker.part("[data-testid=switched]")).to_have_count(0)


def open_page_of(walker: Walker, name: str) -> None:
    walker.go("/traders")
    walker.page.get_by_text(name).first.click()
    expect(walker.page.get_by_role("heading", name=name)).to_be_visible()


def position(trading: Trading) -> object:
    return trading.control.position(trading.copy["account_id"], SYMBOL)


def mine(walker: Walker, quantity: str) -> str:
    shown = quantity.replace(".", ",") if walker.look.locale == "ru" else quantity
    return f"{shown}\N{NO-BREAK SPACE}BTC ("
