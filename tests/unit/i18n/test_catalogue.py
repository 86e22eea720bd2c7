"""Every text is there in Russian, with the same braces; nothing in the catalogues is left over or empty."""

import re

import pytest
from babel.messages.pofile import read_po

from copytrade.i18n import plural_forms, translate
from copytrade.i18n.catalogue import FOLDER, catalogue
from tests.unit.i18n.texts import shown

SHOWN = shown()


def _braces(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("text", sorted(SHOWN))
def test_every_shown_text_has_a_russian_one_with_the_same_facts(text: str) -> None:
    forms = catalogue().get(text)
    assert forms, "no Russian text"
    assert len(forms) == (3 if SHOWN[text] else 1)
    for form in forms:
        assert _braces(form) == _braces(text)


def test_no_catalogue_says_a_text_twice_or_leaves_it_empty() -> None:
    seen: set[str] = set()
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="ru"):
                key = message.id if isinstance(message.id, str) else message.id[0]
                if not key:
                    continue
                assert key not in seen, f"{key!r} is in two catalogues"
                seen.add(key)
                forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
                assert forms, key
                assert all(forms), key


def test_a_text_that_the_catalogue_does_not_have_stays_english() -> None:
    assert translate("never {what}", "ru", what="said") == "never said"


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1 день"), (2, "2 дня"), (5, "5 дней"), (11, "11 дней"), (21, "21 день"), (22, "22 дня")]
)
def test_russian_counts_in_three_forms(number: int, said: str) -> None:
    from copytrade.i18n import Voice

    assert Voice("ru").count(number, "{n} day", "{n} days") == said


def test_english_counts_in_two() -> None:
    assert plural_forms("{n} day", "{n} days", locale="en") == {"one": "{n} day", "other": "{n} days"}
