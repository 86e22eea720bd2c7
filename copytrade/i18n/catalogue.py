"""The catalogue of texts: English sentences are the keys; the `.po` files of this folder say them in Russian."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from babel.messages.pofile import read_po

Locale = Literal["en", "ru"]
LOCALES: tuple[Locale, ...] = ("en", "ru")
FOLDER = Path(__file__).parent

RUSSIAN_FORMS = ("one", "few", "many")
"""The order in which `msgstr[n]` stands, in the words of Unicode's plural rules."""


@lru_cache(maxsize=1)
def catalogue() -> dict[str, tuple[str, ...]]:
    """Return the Russian texts by their English sentence: one text, or three plural forms; read once."""
    texts: dict[str, tuple[str, ...]] = {}
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="ru"):
                key = message.id if isinstance(message.id, str) else message.id[0]
                forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
                if key and forms and all(forms):
                    texts[key] = forms
    return texts


def known(value: str) -> Locale:
    """Return the locale that a cookie or a profile names; English for anything unknown."""
    return "ru" if value == "ru" else "en"


def translate(text: str, locale: str, **facts: object) -> str:
    """Return the text in the locale with its facts filled in; the English sentence where the catalogue has none."""
    words = catalogue().get(text, (text,))[0] if locale == "ru" else text
    for name, value in facts.items():
        words = words.replace("{" + name + "}", str(value))
    return words


def plural_forms(one: str, many: str, *, locale: str) -> dict[str, str]:
    """Return the text by plural category (`one`, `few`, `many`, `other`) of the locale."""
    forms = catalogue().get(one, ()) if locale == "ru" else ()
    if len(forms) != len(RUSSIAN_FORMS):
        return {"one": one, "other": many}
    named = dict(zip(RUSSIAN_FORMS, forms, strict=True))
    return {**named, "other": named["few"]}
