"""A kind and its facts put into words, in one person's language."""

import re
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_datetime

from copytrade.i18n import known, translate, zone_of
from copytrade.notifications.texts import text_of

_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_NOTHING_KNOWN = "–"


@dataclass(frozen=True, slots=True)
class Words:
    """A notice as it is read."""

    title: str
    body: str
    path: str


def words(kind: str, facts: dict[str, str], *, locale: str, timezone: str) -> Words:
    """Return title, body and page of a notice; a fact that is missing is a dash, never a brace."""
    text = text_of(kind)
    said = {name: _shown(value, locale=locale, timezone=timezone) for name, value in facts.items()}
    said |= {"what": kind.partition(".")[2].replace("_", " "), "facts": _listed(said)}
    return Words(
        title=_filled(text.title, locale, said),
        body=_filled(text.body, locale, said),
        path=re.sub(r"\{(\w+)\}", lambda found: facts.get(found[1], ""), text.path),
    )


def _filled(text: str, locale: str, facts: dict[str, str]) -> str:
    language = known(locale)
    named = {name: facts.get(name) or _NOTHING_KNOWN for name in re.findall(r"\{(\w+)\}", text)}
    return translate(text, language, **named)


def _shown(value: str, *, locale: str, timezone: str) -> str:
    """Return a fact for a reader: moments in his zone, everything else as it is."""
    if not _MOMENT.match(value):
        return value
    moment = datetime.fromisoformat(value).astimezone(zone_of(timezone))
    return format_datetime(moment, "d MMM y, HH:mm", locale=known(locale))


def _listed(facts: dict[str, str]) -> str:
    return " · ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items()) or _NOTHING_KNOWN
