"""Events turned into notices and mails, once each; what a person read or switched off."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import Event
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.errors import InvalidInput, NotAllowed, NotFound
from copytrade.notifications import post
from copytrade.notifications.models import Channel, Mail, MailState, Notice, Preference
from copytrade.notifications.texts import TEXTS, text_of
from copytrade.users import queries as users

_BATCH = 200
MOST_FACTS = 20
LONGEST_FACT = 500


def deliver_due() -> None:
    """Read every new event into notices and mails, then send the mails that are due."""
    while _read_events():
        pass
    post.send_due()


def _read_events() -> int:
    with transaction() as session:
        events = session.exec(
            select(Event)
            .where(col(Event.handled_at).is_(None))
            .order_by(col(Event.id))
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for event in events:
            for user_id in _recipients(session, event):
                _tell(
                    session,
                    user_id=user_id,
                    kind=event.kind,
                    facts=event.facts,
                    dedupe_key=f"{event.kind}:{event.cause}" if event.cause else f"event:{event.id}",
                    at=event.happened_at,
                )
            event.handled_at = clock.real_now()
            session.add(event)
        return len(events)


def _recipients(session: Session, event: Event) -> list[UUID]:
    """Return whom an event concerns: its person, or every operator where it names none."""
    return [event.user_id] if event.user_id else [person.id for person in users.operators(session)]


def notify(session: Session, *, user_id: UUID, kind: str, facts: Mapping[str, str], dedupe_key: str = "") -> bool:
    """Tell a person something; False where the same dedupe key was told before. NotFound for nobody."""
    users.person(session, user_id)
    if kind not in TEXTS:
        raise InvalidInput(f"kind was {kind!r}", user="There is no notice of this kind.", field="kind")
    if len(facts) > MOST_FACTS or any(len(name) + len(str(value)) > LONGEST_FACT for name, value in facts.items()):
        raise InvalidInput("facts were too many or too long", user="The facts are too long.", field="facts")
    told = _tell(
        session,
        user_id=user_id,
        kind=kind,
        facts={name: str(value) for name, value in facts.items()},
        dedupe_key=dedupe_key or str(new_id()),
        at=clock.now(),
    )
    ring(session, "events")
    return told


def _tell(session: Session, *, user_id: UUID, kind: str, facts: dict[str, Any], dedupe_key: str, at: datetime) -> bool:
    wanted = _wanted(session, user_id=user_id, kind=kind)
    base = {"user_id": user_id, "kind": kind, "facts": facts, "dedupe_key": dedupe_key}
    told = False
    if Channel.APP in wanted:
        told = _insert(session, Notice, {**base, "id": new_id(), "created_at": at})
    if Channel.MAIL in wanted and text_of(kind).is_mailed:
        now = clock.real_now()
        mail = {**base, "id": new_id(), "state": MailState.PENDING, "attempts": 0, "error": ""}
        told = _insert(session, Mail, {**mail, "created_at": now, "try_at": now}) or told
    if told:
        ring(session, f"user:{user_id}")
    return told


def _insert(session: Session, table: type[Notice] | type[Mail], values: dict[str, Any]) -> bool:
    statement = insert(table).values(values).on_conflict_do_nothing(index_elements=["user_id", "dedupe_key"])
    return session.connection().execute(statement.returning(col(table.id))).first() is not None


def _wanted(session: Session, *, user_id: UUID, kind: str) -> set[Channel]:
    if text_of(kind).is_security:
        return set(Channel)
    rows = session.exec(select(Preference).where(Preference.user_id == user_id, Preference.kind == kind)).all()
    return set(Channel) - {Channel(row.channel) for row in rows if not row.is_on}


def mark_read(session: Session, *, owner: UUID, notice_id: UUID | None = None) -> None:
    """Mark one notice of the owner's as read, or all of them; anybody else's stays as it is."""
    unread = update(Notice).where(col(Notice.user_id) == owner, col(Notice.read_at).is_(None))
    if notice_id is not None:
        unread = unread.where(col(Notice.id) == notice_id)
    session.connection().execute(unread.values(read_at=clock.now()))
    ring(session, f"user:{owner}")


def set_preference(session: Session, *, owner: UUID, kind: str, channel: str, is_on: bool) -> None:
    """Switch a channel of a kind on or off; what concerns security stays on."""
    if kind not in TEXTS or channel not in set(Channel):
        raise InvalidInput(f"preference was {kind!r} by {channel!r}", user="There is no such notice.", field="kind")
    if text_of(kind).is_security and not is_on:
        raise InvalidInput(
            f"{kind} concerns security", user="Notices about the safety of your account stay on.", field="kind"
        )
    values = {"user_id": owner, "kind": kind, "channel": channel, "is_on": is_on}
    session.connection().execute(
        insert(Preference)
        .values(values)
        .on_conflict_do_update(index_elements=["user_id", "kind", "channel"], set_={"is_on": is_on})
    )
    ring(session, f"user:{owner}")


def send_again(session: Session, *, by: UUID, mail_id: UUID) -> None:
    """Let a mail that was given up be tried from the start; only operators may."""
    if not users.person(session, by).is_operator:
        raise NotAllowed(f"user {by} is no operator", user="Only operators may do this.")
    row = session.get(Mail, mail_id, with_for_update=True)
    if row is None or row.state != MailState.FAILED:
        raise NotFound(f"mail {mail_id} had not failed", user="There is no such failed message any more.")
    row.state, row.attempts, row.try_at = MailState.PENDING, 0, clock.real_now()
    session.add(row)
    ring(session, "events")
