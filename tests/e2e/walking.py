"""A person at a browser: one language, one theme, one device, real pages."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, ViewportSize, expect

from copytrade.i18n import translate
from copytrade.settings import ROOT

PICTURES = ROOT / "var" / "pictures"
DESKTOP: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
HARMLESS = ("favicon", "net::ERR_ABORTED")


@dataclass(frozen=True, slots=True)
class Look:
    """How a person sees the pages."""

    locale: str = "en"
    theme: str = "light"
    device: str = "desktop"

    def __str__(self) -> str:
        return f"{self.locale}-{self.theme}-{self.device}"


@dataclass(slots=True)
class Walker:
    """One person's browser; `problems` collects what the browser's console complained of."""

    web: str
    page: Page
    look: Look
    who: str
    problems: list[str] = field(default_factory=list)

    def say(self, text: str, **facts: object) -> str:
        """Return what a text of the catalogue is in this person's language."""
        return translate(text, self.look.locale, **facts)

    def go(self, path: str) -> None:
        """Open a page by its address."""
        self.page.goto(f"{self.web}{path}")

    def press(self, text: str) -> None:
        """Press the button with this text."""
        self.page.get_by_role("button", name=self.say(text), exact=True).first.click()

    def follow(self, text: str) -> None:
        """Follow the link with this text."""
        self.page.get_by_role("link", name=self.say(text), exact=True).first.click()

    def type(self, name: str, value: str) -> None:
        """Type into the field of this name."""
        self.page.locator(f"[name='{name}']").fill(value)

    def sees(self, text: str, *, seconds: float = 30, **facts: object) -> None:
        """Wait until a text of the catalogue is on the page."""
        expect(self.page.get_by_text(self.say(text, **facts)).first).to_be_visible(timeout=seconds * 1000)

    def at(self, path: str, *, seconds: float = 30) -> None:
        """Wait until the address is that of a page."""
        expect(self.page).to_have_url(
            re.compile(re.escape(f"{self.web}{path}") + r"/?(\?.*)?$"), timeout=seconds * 1000
        )

    def part(self, selector: str) -> Locator:
        """Return a part of the page."""
        return self.page.locator(selector)

    def picture(self, name: str) -> None:
        """Keep what is seen now."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}-{self.look}.png", full_page=True)

    def fits(self) -> None:
        """Hold that nothing is wider than the screen."""
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.page.viewport_size["width"], f"{self.page.url} is {wide} px wide"  # pyright: ignore[reportOptionalSubscript]


@contextmanager
def walking(browser: Browser, web: str, look: Look, *, who: str) -> Generator[Walker]:
    """Give a person a fresh browser; at the end it must have had nothing to complain of."""
    context = browser.new_context(
        viewport=DESKTOP if look.device == "desktop" else PHONE,
        locale="ru-RU" if look.locale == "ru" else "en-US",
        color_scheme="dark" if look.theme == "dark" else "light",
        timezone_id="Europe/Moscow",
        has_touch=look.device == "phone",
    )
    try:
        walker = Walker(web, context.new_page(), look, who)
        _listen(walker, context)
        yield walker
        assert walker.problems == []
    finally:
        context.close()


def _listen(walker: Walker, context: BrowserContext) -> None:
    def hear(message: ConsoleMessage) -> None:
        at = message.location.get("url", "")
        if message.type == "error" and at.startswith(walker.web) and not any(h in message.text for h in HARMLESS):
            walker.problems.append(message.text)

    context.on("console", hear)
    context.on("weberror", lambda error: walker.problems.append(str(error.error)))
