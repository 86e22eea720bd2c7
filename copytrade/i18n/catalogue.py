"""The catalogue of texts: English sentences are the keys, `ru.po` holds what they are in Russian."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

Locale = Literal["en", "ru"]
LOCALES: tuple[Locale, ...] = ("en", "ru")
PO = Path(__file__).with_name("ru.po")

# The order in which `msgstr[n]` of ru.po stands, in the words of Unicode's plural rules.
RUSSIAN_FORMS = ("one", "few", "many")


@lru_cache(maxsize=1)
def catalogue() -> Catalog:
    """Return the Russian catalogue, read once."""
    with PO.open("rb") as file:
        return read_po(file, locale="ru")


def known(value: str) -> Locale:
    """Return the locale that a cookie or a profile names; English for anything unknown."""
    return "ru" if value == "ru" else "en"


def translate(text: str, locale: str) -> str:
    """Return the text in the locale; the English sentence itself where the catalogue has none."""
    if locale != "ru":
        return text
    message = catalogue().get(text)
    if message is None or not isinstance(message.string, str):
        return text
    return message.string or text


def plural_forms(one: str, many: str, *, locale: str) -> dict[str, str]:
    """Return the text by plural category (`one`, `few`, `many`, `other`) of the locale."""
    if locale == "ru":
        message = catalogue().get(one)
        if message is not None and isinstance(message.string, tuple) and all(message.string):
            forms = dict(zip(RUSSIAN_FORMS, message.string, strict=True))
            return {**forms, "other": forms["few"]}
    return {"one": one, "other": many}
