"""Setting the switches that hold copying back: who may, what it reaches, and who did it when and why."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.copying import bulk
from copytrade.copying.models import Switch, SwitchMode, SwitchScope
from copytrade.copying.switches import PLATFORM
from copytrade.db.bell import ring
from copytrade.db.events import Event, record
from copytrade.domain.instruments import Venue
from copytrade.errors import InvalidInput, NotAllowed, NotFound
from copytrade.subscriptions import queries as subscriptions
from copytrade.users import queries as users

_LEGS_OF = {
    SwitchScope.PLATFORM: "%(id)s <> ''",
    SwitchScope.VENUE: "venue = %(id)s",
    SwitchScope.TRADER: "profile_id = %(id)s::uuid",
    SwitchScope.SUBSCRIBER: "subscriber_id = %(id)s::uuid",
}
_SET_BY_OPERATORS, _SET_BY_HIMSELF, _TOLD_HIM = "switch.", "halt.", "support."


@dataclass(frozen=True, slots=True)
class Reach:
    """What a switch would hold back: copied positions, their worth in quote, and whose they are; paper apart."""

    legs: int
    notional: Decimal
    subscribers: int
    on_paper: int = 0


@dataclass(frozen=True, slots=True)
class SwitchChange:
    """A switch that was set: by whom, when and why."""

    scope: str
    scope_id: str
    mode: str
    reason: str
    set_by: UUID
    at: datetime


def set_switch(
    session: Session, *, by: UUID, scope: SwitchScope, scope_id: str, mode: SwitchMode, reason: str = ""
) -> None:
    """Hold copying back, or let it go on: an operator anywhere, saying why; anybody else only what he himself copies.

    What an operator has set for a person only an operator lifts.
    """
    is_his = scope is SwitchScope.SUBSCRIBER and scope_id == str(by)
    is_operator = users.person(session, by).is_operator
    if not is_his and not is_operator:
        raise NotAllowed(f"user {by} is no operator", user="Only operators may do this.")
    reason = reason.strip()[:200]
    if not is_his and not reason:
        raise InvalidInput("switch had no reason", user="Say why: others will read it.", field="reason")
    name = _name_of(session, scope, scope_id)
    row = session.get(Switch, (scope.value, scope_id), with_for_update=True)
    if row is not None and not is_operator and row.set_by != by and row.mode != SwitchMode.ON:
        raise NotAllowed(
            f"switch of user {by} was set by {row.set_by}", user="Support has switched this off: ask them."
        )
    row = row or Switch(scope=scope.value, scope_id=scope_id, mode=mode.value, set_by=by, set_at=clock.now())
    row.mode, row.reason, row.set_by, row.set_at = mode.value, reason, by, clock.now()
    session.add(row)
    session.flush()
    _tell(session, row, name=name, is_his=is_his)
    # What waited, and what is to be closed, is looked at now: exits go at once when hands are on again.
    bulk.fetch(
        session,
        "UPDATE trades.legs SET due_at = %(now)s WHERE state = 'following' AND (target <> 0 OR target <> held)"  # noqa: S608 - text of ours
        f" AND {_LEGS_OF[scope]}",
        now=clock.now(),
        id=scope_id,
    )
    ring(session, "drive")


def _name_of(session: Session, scope: SwitchScope, scope_id: str) -> str:
    """Return the name of what a switch is for; raise NotFound where there is no such thing."""
    match scope:
        case SwitchScope.PLATFORM if scope_id == PLATFORM:
            return "CopyTrade"
        case SwitchScope.VENUE if scope_id in set(Venue):
            return scope_id.capitalize()
        case SwitchScope.TRADER if (profile_id := _id_of(scope_id)) is not None:
            return subscriptions.profile(session, profile_id).name
        case SwitchScope.SUBSCRIBER if (person_id := _id_of(scope_id)) is not None:
            return users.person(session, person_id).email
        case _:
            raise NotFound(f"{scope} {scope_id!r} was not found", user="There is nobody and nothing of that name.")


def _id_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _tell(session: Session, row: Switch, *, name: str, is_his: bool) -> None:
    facts = {"scope": row.scope, "scope_id": row.scope_id, "mode": row.mode, "reason": row.reason}
    if row.scope == SwitchScope.SUBSCRIBER:
        person = UUID(row.scope_id)
        kind = _SET_BY_HIMSELF if is_his else _TOLD_HIM
        record(session, f"{kind}{row.mode}", user_id=person, cause="", by=row.set_by, **facts)
        ring(session, f"user:{person}")
    if not is_his:
        by = users.person(session, row.set_by)
        record(
            session,
            f"{_SET_BY_OPERATORS}{row.mode}",
            user_id=None,
            cause="",
            name=name,
            who=by.email,
            by=row.set_by,
            **facts,
        )


def history(session: Session, *, limit: int = 50) -> list[SwitchChange]:
    """Return the switches that were set, by operators and by subscribers for themselves, newest first."""
    kinds = [f"{before}{mode}" for before in (_SET_BY_OPERATORS, _SET_BY_HIMSELF) for mode in SwitchMode]
    rows = session.exec(select(Event).where(col(Event.kind).in_(kinds)).order_by(col(Event.id).desc()).limit(limit))
    return [
        SwitchChange(
            row.facts["scope"], row.facts["scope_id"], row.facts["mode"], row.facts["reason"], UUID(row.facts["by"]),
            row.happened_at,
        )
        for row in rows
    ]  # fmt: skip


def reach(session: Session, *, scope: SwitchScope, scope_id: str) -> Reach:
    """Return what a switch would hold back now; its positions are reckoned at their last known prices."""
    _name_of(session, scope, scope_id)
    [row] = bulk.fetch(
        session,
        "WITH reached AS (SELECT l.*, s.is_paper FROM trades.legs l"  # noqa: S608 - text of ours
        " JOIN trades.copy_settings s ON s.subscription_id = l.subscription_id"
        " WHERE l.state = 'following' AND (l.target <> 0 OR l.held <> 0))"
        " SELECT count(*) FILTER (WHERE NOT is_paper),"
        " coalesce(sum(abs(held) * price) FILTER (WHERE NOT is_paper), 0),"
        " count(DISTINCT subscriber_id) FILTER (WHERE NOT is_paper), count(*) FILTER (WHERE is_paper)"
        f" FROM reached WHERE {_LEGS_OF[scope]}",
        id=scope_id,
    )
    return Reach(*row)
