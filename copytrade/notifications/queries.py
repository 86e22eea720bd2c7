"""What shows notices and preferences."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from copytrade.i18n import known, translate
from copytrade.notifications.models import Channel, Mail, MailState, Notice, Preference
from copytrade.notifications.texts import TEXTS
from copytrade.notifications.wording import words
from copytrade.users import queries as users


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A line of the inbox, in words."""

    id: UUID
    kind: str
    title: str
    body: str
    path: str
    created_at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """One kind of notice and by which ways it comes; `is_fixed`: it concerns security and stays on."""

    kind: str
    title: str
    app: bool
    mail: bool
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class MailNumbers:
    """How the mails stand, for operators."""

    pending: int
    failed: int


def inbox(session: Session, *, owner: UUID, limit: int = 50, locale: str | None = None) -> list[NoticeRow]:
    """Return a person's newest notices in the given language, else in his own."""
    person = users.person(session, owner)
    rows = session.exec(
        select(Notice)
        .where(Notice.user_id == owner)
        .order_by(col(Notice.created_at).desc(), col(Notice.id).desc())
        .limit(limit)
    )
    return [_row(row, locale=locale or person.locale, timezone=person.timezone) for row in rows]


def _row(row: Notice, *, locale: str, timezone: str) -> NoticeRow:
    said = words(row.kind, row.facts, locale=locale, timezone=timezone)
    return NoticeRow(
        id=row.id,
        kind=row.kind,
        title=said.title,
        body=said.body,
        path=said.path,
        created_at=row.created_at,
        is_read=row.read_at is not None,
    )


def unread(session: Session, *, owner: UUID) -> int:
    """Return how many notices a person has not read."""
    return session.exec(
        select(func.count()).select_from(Notice).where(Notice.user_id == owner, col(Notice.read_at).is_(None))
    ).one()


def preferences(session: Session, *, owner: UUID, locale: str | None = None) -> list[PreferenceRow]:
    """Return every kind of notice with what the person chose for it."""
    language = known(locale or users.person(session, owner).locale)
    off = {
        (row.kind, row.channel)
        for row in session.exec(select(Preference).where(Preference.user_id == owner))
        if not row.is_on
    }
    return [
        PreferenceRow(
            kind=kind,
            title=translate(text.title, language),
            app=text.is_security or (kind, Channel.APP) not in off,
            mail=text.is_mailed and (text.is_security or (kind, Channel.MAIL) not in off),
            is_fixed=text.is_security,
        )
        for kind, text in TEXTS.items()
    ]


def mail_numbers(session: Session) -> MailNumbers:
    """Return how many mails wait or failed, for operators."""
    counts = dict(session.exec(select(Mail.state, func.count()).group_by(col(Mail.state))).all())
    return MailNumbers(pending=counts.get(MailState.PENDING, 0), failed=counts.get(MailState.FAILED, 0))


@dataclass(frozen=True, slots=True)
class FailedMail:
    """A mail that no server took; to whom is not told: an operator needs the reason, not the address."""

    id: UUID
    kind: str
    attempts: int
    error: str
    created_at: datetime


def failed_mails(session: Session, *, limit: int = 50) -> list[FailedMail]:
    """Return the mails that were given up, newest first, for operators."""
    rows = session.exec(
        select(Mail).where(Mail.state == MailState.FAILED).order_by(col(Mail.created_at).desc()).limit(limit)
    )
    return [FailedMail(row.id, row.kind, row.attempts, row.error, row.created_at) for row in rows]
