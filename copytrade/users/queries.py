"""What is shown of people."""

from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.errors import NotFound
from copytrade.settings import settings
from copytrade.users import browsers
from copytrade.users.models import User, UserSession
from copytrade.users.person import Person, SessionRow
from copytrade.users.tokens import hash_of

__all__ = ["Person", "SessionRow"]


def person_of_user(user: User) -> Person:
    """Return what the service shows of a row."""
    return Person(
        id=user.id,
        email=user.email,
        name=user.name,
        is_trader=user.is_trader,
        is_subscriber=user.is_subscriber,
        is_operator=user.is_operator,
        locale=user.locale,
        timezone=user.timezone,
        theme=user.theme,
    )


def person_of_token(session: Session, token: str) -> Person | None:
    """Return who is signed in with this token; None when it is unknown, revoked, idle for long or too old."""
    found = session.exec(
        select(User, UserSession)
        .join(UserSession, col(UserSession.user_id) == col(User.id))
        .where(UserSession.token_hash == hash_of(token), *browsers.alive())
    ).first()
    if found is None:
        return None
    user, row = found
    if clock.now() - row.last_seen_at > browsers.SEEN_EVERY:
        browsers.seen(row.id)
    return person_of_user(user)


def person(session: Session, user_id: UUID) -> Person:
    """Return a person; raise NotFound for nobody."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"user {user_id} was not found", user="There is no such person.")
    return person_of_user(user)


def people(session: Session, user_ids: set[UUID]) -> dict[UUID, Person]:
    """Return several people by id, in one query."""
    rows = session.exec(select(User).where(col(User.id).in_(user_ids)))
    return {user.id: person_of_user(user) for user in rows}


def person_by_email(session: Session, email: str) -> Person | None:
    """Return who registered with this normalised address."""
    user = session.exec(select(User).where(User.email == email)).first()
    return person_of_user(user) if user else None


def operators(session: Session) -> list[Person]:
    """Return everybody who runs the service."""
    return [person_of_user(user) for user in session.exec(select(User).where(col(User.is_operator)))]


def current_session(session: Session, token: str) -> UUID | None:
    """Return the id of the session that this token stands for."""
    return session.exec(select(UserSession.id).where(UserSession.token_hash == hash_of(token))).first()


def sessions(session: Session, *, user_id: UUID) -> list[SessionRow]:
    """Return a person's signed-in browsers, latest first."""
    rows = session.exec(
        select(UserSession)
        .where(UserSession.user_id == user_id, *browsers.alive())
        .order_by(col(UserSession.last_seen_at).desc())
    )
    return [SessionRow(row.id, row.user_agent, row.network, row.created_at, row.last_seen_at) for row in rows]


def longest_session() -> timedelta:
    """Return how long a session lives at most."""
    return timedelta(days=settings().session_absolute_days)
