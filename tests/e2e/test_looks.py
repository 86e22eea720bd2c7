"""Every page in both languages, both themes and on both devices: nothing overflows, nothing complains."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from copytrade.users.service import cookie_name
from tests.e2e.walking import Look, Walker, walking

PASSWORD = "a long enough secret"
LOOKS = [
    Look("en", "light", "phone"),
    Look("en", "dark", "desktop"),
    Look("ru", "light", "desktop"),
    Look("ru", "dark", "phone"),
]
"""Every pair of language, theme and device; the journeys walk the other combinations."""
STRANGERS = ("/", "/traders", "/traders/nobody", "/login", "/register")
PEOPLES = (
    "/wallet",
    "/copies",
    "/subscriptions",
    "/accounts",
    "/accounts?role=copy&venue=bitget&market=spot",
    "/accounts?role=lead&venue=bybit&market=perpetual",
    "/desk",
    "/earnings",
    "/notices",
    "/settings",
)
TITLES = {"en": "Exchange accounts · CopyTrade", "ru": "Счета на биржах · CopyTrade"}


@pytest.fixture(scope="module")
def cookie(web: str) -> str:
    """The session of somebody who has registered as both and done nothing yet."""
    answer = httpx.post(
        f"{web}/api/v1/register",
        json={
            "email": "looks@copytrade.example",
            "password": PASSWORD,
            "roles": ["trader", "subscriber"],
            "accepted_terms": True,
        },
        headers={"origin": web},
        trust_env=False,
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    return answer.cookies[cookie_name()]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_page_fits_and_is_quiet(browser: Browser, web: str, cookie: str, look: Look) -> None:
    with walking(browser, web, look, who="looks") as walker:
        for path in STRANGERS:
            _seen(walker, path)
        walker.page.context.add_cookies([{"name": cookie_name(), "value": cookie, "url": web}])
        for path in PEOPLES:
            _seen(walker, path)
            assert "/login" not in walker.page.url
        walker.go("/accounts")
        expect(walker.page).to_have_title(TITLES[look.locale])


def test_a_stranger_is_led_to_the_door_and_back(browser: Browser, web: str, cookie: str) -> None:
    with walking(browser, web, Look(), who="looks") as walker:
        walker.go("/copies")
        walker.at("/login")
        walker.type("email", "looks@copytrade.example")
        walker.type("password", "not the right one")
        walker.press("Sign in")
        walker.sees("E-mail or password is wrong.")
        walker.type("password", PASSWORD)
        walker.press("Sign in")
        walker.at("/copies")


@pytest.mark.parametrize("look", LOOKS[2:], ids=str)
def test_an_address_that_leads_nowhere_says_so_and_leads_on(browser: Browser, web: str, look: Look) -> None:
    with walking(browser, web, look, who="looks") as walker:
        answer = walker.page.goto(f"{web}/nowhere/at/all")
        assert answer is not None
        assert answer.status == 404
        walker.sees("There is no such page")
        expect(walker.page).to_have_title("Нет такой страницы · CopyTrade")
        walker.picture("look-nowhere")
        walker.fits()
        # the browser itself complains of the answer that we want
        assert all("404" in problem for problem in walker.problems)
        walker.problems.clear()
        walker.follow("See the traders")
        walker.at("/traders")


def test_language_theme_and_colours_change_at_once_and_stay(browser: Browser, web: str, cookie: str) -> None:
    with walking(browser, web, Look(), who="looks") as walker:
        walker.page.context.add_cookies([{"name": cookie_name(), "value": cookie, "url": web}])
        walker.go("/settings")
        walker.part("[data-testid=language]").click()
        expect(walker.page.get_by_role("heading", name="Настройки")).to_be_visible()
        expect(walker.page).to_have_title("Настройки · CopyTrade")
        walker.part("[data-testid=theme]").click()
        expect(walker.part("html.dark")).to_have_count(1)
        walker.page.get_by_role("radio", name="синий, оранжевый", exact=True).click()
        expect(walker.part("html[data-gains=blue]")).to_have_count(1)
        walker.page.reload()
        expect(walker.page.get_by_role("heading", name="Настройки")).to_be_visible()
        expect(walker.part("html.dark[data-gains=blue][lang=ru]")).to_have_count(1)


def _seen(walker: Walker, path: str) -> None:
    walker.go(path)
    expect(walker.part("h1, .empty").first).to_be_visible()
    expect(walker.part("[aria-busy=true]")).to_have_count(0)
    assert walker.part("main").inner_text().strip()
    walker.picture("look" + re.sub(r"\W+", "-", path))
    walker.fits()
