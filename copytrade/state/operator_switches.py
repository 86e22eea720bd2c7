"""The switches of the operators' page: which are set, and what one would reach before it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.copying import operating, service, switching
from copytrade.copying.service import SwitchMode, SwitchScope
from copytrade.copying.switches import PLATFORM
from copytrade.domain.instruments import Venue
from copytrade.errors import InvalidInput
from copytrade.i18n.names import venue_name
from copytrade.i18n.voice import NOTHING, Moment, Voice
from copytrade.state.ids import id_of
from copytrade.subscriptions import queries as subscriptions
from copytrade.users import queries as users
from copytrade.users.queries import Person

MODES = {
    SwitchMode.ENTRIES_OFF: "no new entries",
    SwitchMode.HANDS_OFF: "freeze",
    SwitchMode.FLATTEN: "close everything",
}
SCOPES = {
    SwitchScope.PLATFORM: "the whole platform",
    SwitchScope.VENUE: "an exchange",
    SwitchScope.TRADER: "a trader",
    SwitchScope.SUBSCRIBER: "a subscriber",
}
TEXTS = {SwitchMode.ON: "let go on", **MODES}
NAMED = (SwitchScope.TRADER, SwitchScope.SUBSCRIBER)
"""What has a name of its own in the tables."""
SHORTEST_REASON = 3
MOST_CHANGES = 30


@dataclass(frozen=True, slots=True)
class SwitchLine:
    """A switch that holds something back."""

    scope: str
    scope_id: str
    name: str
    mode: str
    reason: str
    by: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Asked:
    """A switch that was asked for, with what it reaches, until it is confirmed."""

    scope: str = ""
    scope_id: str = ""
    mode: str = ""
    reason: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A switch that was turned: when, by whom, to what, and why."""

    name: str
    mode: str
    reason: str
    by: str
    at: Moment


@dataclass(frozen=True, slots=True)
class _Names:
    """What switches are for and who turned them, each kind read at once."""

    profiles: dict[UUID, str]
    people: dict[UUID, Person]

    def of(self, scope: str, scope_id: str, voice: Voice) -> str:
        match SwitchScope(scope):
            case SwitchScope.PLATFORM:
                return voice.say(SCOPES[SwitchScope.PLATFORM])
            case SwitchScope.VENUE:
                return venue_name(scope_id)
            case SwitchScope.TRADER:
                return self.profiles.get(id_of(scope_id), NOTHING)
            case SwitchScope.SUBSCRIBER:
                return self.by(id_of(scope_id))

    def by(self, person_id: UUID) -> str:
        found = self.people.get(person_id)
        return found.email if found else NOTHING


def _names(session: Session, targets: Iterable[tuple[str, str]], *, by: Iterable[UUID] = ()) -> _Names:
    ids = {scope: {id_of(found) for one, found in targets if one == scope} for scope in NAMED}
    return _Names(
        subscriptions.profile_names(session, ids[SwitchScope.TRADER]),
        users.people(session, ids[SwitchScope.SUBSCRIBER] | set(by)),
    )


def set_switches(session: Session, voice: Voice) -> list[SwitchLine]:
    """Return the switches that hold something back."""
    now, rows = clock.now(), operating.set_switches(session)
    names = _names(session, [(row.scope, row.scope_id) for row in rows], by=[row.set_by for row in rows])
    return [
        SwitchLine(
            scope=row.scope,
            scope_id=row.scope_id,
            name=names.of(row.scope, row.scope_id, voice),
            mode=voice.say(MODES[SwitchMode(row.mode)]),
            reason=voice.say(row.reason),
            by=names.by(row.set_by),
            at=voice.moment(row.set_at, now=now),
        )
        for row in rows
    ]


def switched(session: Session, voice: Voice) -> list[ChangeLine]:
    """Return the newest turns of switches, by operators and by subscribers for themselves."""
    now, rows = clock.now(), switching.history(session, limit=MOST_CHANGES)
    names = _names(session, [(row.scope, row.scope_id) for row in rows], by=[row.set_by for row in rows])
    return [
        ChangeLine(
            name=names.of(row.scope, row.scope_id, voice),
            mode=voice.say(TEXTS[SwitchMode(row.mode)]),
            reason=voice.say(row.reason),
            by=names.by(row.set_by),
            at=voice.moment(row.at, now=now),
        )
        for row in rows
    ]


def reason_of(form: dict[str, Any]) -> str:
    """Return why a switch is turned; raise InvalidInput where nobody could make sense of it."""
    reason = str(form.get("reason", "")).strip()[:200]
    if len(reason) < SHORTEST_REASON:
        raise InvalidInput("switch had no reason", user="Say why: others will read it.", field="reason")
    return reason


def _target(session: Session, scope: SwitchScope, typed: str) -> str:
    """Return the `scope_id` that an operator means by an exchange's name, a trader's page or a person's address."""
    match scope:
        case SwitchScope.PLATFORM:
            return PLATFORM
        case SwitchScope.VENUE if typed in set(Venue):
            return typed
        case SwitchScope.TRADER:
            return str(subscriptions.profile_by_slug(session, typed.rstrip("/").rsplit("/", 1)[-1]).id)
        case SwitchScope.SUBSCRIBER if person := users.person_by_email(session, typed):
            return str(person.id)
        case _:
            raise InvalidInput(
                f"{scope} {typed!r} was not found", user="Nobody of that name was found.", field="target"
            )


def asked_for(session: Session, form: dict[str, Any], voice: Voice) -> Asked:
    """Return the switch that a form asks for with what it reaches; raise InvalidInput where it is wrong."""
    scope, mode = str(form.get("scope", "")), str(form.get("mode", ""))
    if scope not in set(SwitchScope) or mode not in MODES:
        raise InvalidInput("switch was unknown", user="Please choose one of the list.")
    reason = reason_of(form)
    target = _target(session, SwitchScope(scope), str(form.get("target", "")).strip().lower())
    reach = service.reach(session, scope=SwitchScope(scope), scope_id=target)
    told = voice.say(
        "{mode} for {name}: {positions}, about {worth}, of {people}.",
        mode=voice.say(MODES[SwitchMode(mode)]).capitalize(),
        name=_names(session, [(scope, target)]).of(scope, target, voice),
        positions=voice.count(reach.legs, "{n} copied position", "{n} copied positions"),
        worth=voice.money(reach.notional),
        people=voice.count(reach.subscribers, "{n} subscriber", "{n} subscribers"),
    )
    if reach.on_paper:
        told += " " + voice.count(reach.on_paper, "{n} more on paper.", "{n} more on paper.")
    return Asked(scope, target, mode, reason, told)
