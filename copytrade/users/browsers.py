"""Signed-in browsers: opened, seen, revoked."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, update

from copytrade import clock
from copytrade.db.session import transaction
from copytrade.settings import settings
from copytrade.users.models import UserSession
from copytrade.users.throttle import network_of
from copytrade.users.tokens import hash_of, new_token

SEEN_EVERY = timedelta(minutes=5)
"""A session is marked as seen at most this often, so that reading a page rarely writes."""


def alive() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which a session still counts."""
    now = clock.now()
    return (
        col(UserSession.revoked_at).is_(None),
        col(UserSession.created_at) > now - timedelta(days=settings().session_absolute_days),
        col(UserSession.last_seen_at) > now - timedelta(hours=settings().session_idle_hours),
    )


def open_session(session: Session, *, user_id: UUID, address: str, user_agent: str) -> str:
    """Open a session and return its token, which nobody can read again."""
    token, now = new_token(), clock.now()
    session.add(
        UserSession(
            user_id=user_id,
            token_hash=hash_of(token),
            user_agent=printable(user_agent)[:200],
            network=network_of(address),
            created_at=now,
            last_seen_at=now,
        )
    )
    return token


def seen(session_id: UUID) -> None:
    """Keep a session from going idle, in a transaction of its own: whoever looks it up is only reading."""
    with transaction() as session:
        session.exec(update(UserSession).where(col(UserSession.id) == session_id).values(last_seen_at=clock.now()))


def revoke(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Revoke the live sessions that meet the conditions and return how many these were."""
    done = session.exec(
        update(UserSession).where(col(UserSession.revoked_at).is_(None), *conditions).values(revoked_at=clock.now())
    )
    return done.rowcount


def printable(text: str) -> str:
    """Return the text without control characters, which PostgreSQL or a terminal would stumble over."""
    return "".join(letter for letter in text if letter.isprintable())
