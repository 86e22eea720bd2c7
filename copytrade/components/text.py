"""Texts on pages: both languages go into the bundle, the cookie picks one without a reload."""

from typing import Any

import reflex as rx

from copytrade.i18n.catalogue import plural_forms, translate
from copytrade.state.language import Language

Text = Any
"""A string or a var of one; Reflex's own annotations reject half of what its components take."""


def _is_russian() -> Text:
    return Language.locale == "ru"


def _filled(words: str, facts: dict[str, Text]) -> Text:
    for name, value in facts.items():
        words = words.replace("{" + name + "}", f"{value}")
    return rx.Var.create(words)


def t(text: str, **facts: Text) -> Text:
    """Return a text of the catalogue in the person's language, with vars in its braces."""
    english, russian = (_filled(translate(text, locale), facts) for locale in ("en", "ru"))
    return rx.cond(_is_russian(), russian, english)


def plural(one: str, many: str, number: Text, **facts: Text) -> Text:
    """Return a text with `{n}` in the plural form of the person's language; the browser knows the rules."""
    return rx.cond(_is_russian(), *(_by_form(one, many, number, facts, locale) for locale in ("ru", "en")))


def _by_form(one: str, many: str, number: Text, facts: dict[str, Text], locale: str) -> Text:
    forms = plural_forms(one, many, locale=locale)
    texts = {form: _filled(words, {"n": number, **facts}) for form, words in forms.items()}
    other = texts.pop("other")
    form = rx.Var(f"(new Intl.PluralRules('{locale}')).select({rx.Var.create(number)!s})", _var_type=str)
    return rx.match(form, *texts.items(), other)
