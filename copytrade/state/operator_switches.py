"""The switches of the operators' page: which are set, and what one would reach before it is."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from copytrade import clock
from copytrade.copying import operating, service
from copytrade.copying.service import SwitchMode, SwitchScope
from copytrade.copying.switches import PLATFORM
from copytrade.domain.instruments import Venue
from copytrade.errors import InvalidInput
from copytrade.i18n.names import venue_name
from copytrade.i18n.voice import Moment, Voice
from copytrade.state.ids import id_of
from copytrade.subscriptions import queries as subscriptions
from copytrade.users import queries as users

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
SHORTEST_REASON = 3


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


def set_switches(session: Session, voice: Voice) -> list[SwitchLine]:
    """Return the switches that hold something back."""
    now = clock.now()
    return [
        SwitchLine(
            scope=row.scope,
            scope_id=row.scope_id,
            name=_name_of(session, SwitchScope(row.scope), row.scope_id, voice),
            mode=voice.say(MODES[SwitchMode(row.mode)]),
            reason=row.reason,
            by=users.person(session, row.set_by).email,
            at=voice.moment(row.set_at, now=now),
        )
        for row in operating.set_switches(session)
    ]


def _name_of(session: Session, scope: SwitchScope, scope_id: str, voice: Voice) -> str:
    match scope:
        case SwitchScope.PLATFORM:
            return voice.say(SCOPES[scope])
        case SwitchScope.VENUE:
            return venue_name(scope_id)
        case SwitchScope.TRADER:
            return subscriptions.profile(session, id_of(scope_id)).name
        case SwitchScope.SUBSCRIBER:
            return users.person(session, id_of(scope_id)).email


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
    reason = str(form.get("reason", "")).strip()[:200]
    if len(reason) < SHORTEST_REASON:
        raise InvalidInput("switch had no reason", user="Say why: others will read it.", field="reason")
    target = _target(session, SwitchScope(scope), str(form.get("target", "")).strip().lower())
    reach = service.reach(session, scope=SwitchScope(scope), scope_id=target)
    told = voice.say(
        "{mode} for {name}: {positions}, about {worth}, of {people}.",
        mode=voice.say(MODES[SwitchMode(mode)]).capitalize(),
        name=_name_of(session, SwitchScope(scope), target, voice),
        positions=voice.count(reach.legs, "{n} copied position", "{n} copied positions"),
        worth=voice.money(reach.notional),
        people=voice.count(reach.subscribers, "{n} subscriber", "{n} subscribers"),
    )
    return Asked(scope, target, mode, reason, told)
