"""Registering, signing in and out, and what a person changes of himself."""

import secrets
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.session import reading
from copytrade.errors import InvalidInput, NotFound
from copytrade.users import browsers, emails, passwords, throttle
from copytrade.users.models import User, UserSession
from copytrade.users.person import Person
from copytrade.users.queries import person_of_user
from copytrade.users.refusals import EmailInvalid, EmailTaken, RoleMissing, TermsNotAccepted, WrongLogin, WrongPassword
from copytrade.users.tokens import cookie_name, hash_of, token_in

__all__ = ["cookie_name", "token_in"]

LOCALES = ("en", "ru")
THEMES = ("light", "dark", "system")
LONGEST_NAME = 60


def register(
    session: Session,
    *,
    email: str,
    password: str,
    is_trader: bool,
    is_subscriber: bool,
    locale: str = "en",
    accepted_terms: bool,
) -> Person:
    """Make a person's account; raise a refusal (users.refusals) that names the field when something is wrong."""
    address = emails.normalised(email)
    passwords.check_strength(password, email=address)
    if not (is_trader or is_subscriber):
        raise RoleMissing
    if not accepted_terms:
        raise TermsNotAccepted
    with reading() as look:
        if look.exec(select(User.id).where(User.email == address)).first() is not None:
            raise EmailTaken
    user = _insert(
        session,
        email=address,
        password=password,
        is_trader=is_trader,
        is_subscriber=is_subscriber,
        locale=locale if locale in LOCALES else "en",
    )
    record(session, "user.registered", user_id=user.id, email=address)
    return person_of_user(user)


def log_in(session: Session, *, email: str, password: str, address: str, user_agent: str) -> tuple[Person, str]:
    """Open a session and return who it is for and its token; raise WrongLogin or TooManyAttempts."""
    try:
        known_as = emails.normalised(email)
    except EmailInvalid:
        raise WrongLogin from None
    throttle.before_login(email=known_as, address=address)
    # Hashing is slow on purpose: no connection is held meanwhile.
    with reading() as look:
        stored = look.exec(select(User.password_hash).where(User.email == known_as)).first()
    fits, renewed = passwords.verified(password, against=stored)
    user = session.exec(select(User).where(User.email == known_as)).first() if fits else None
    if user is None:
        throttle.after_wrong_login(address=address)
        raise WrongLogin
    throttle.after_right_login(email=known_as, address=address)
    if renewed:
        user.password_hash = renewed
    _tell_of_new_place(session, user, address=address, user_agent=user_agent)
    token = browsers.open_session(session, user_id=user.id, address=address, user_agent=user_agent)
    return person_of_user(user), token


def start_session(session: Session, *, user_id: UUID, address: str, user_agent: str) -> str:
    """Sign in somebody who has just registered and return the token."""
    return browsers.open_session(session, user_id=user_id, address=address, user_agent=user_agent)


def log_out(session: Session, *, token: str) -> None:
    """End the session of this token; one that ended already stays so."""
    browsers.revoke(session, col(UserSession.token_hash) == hash_of(token))


def revoke_session(session: Session, *, user_id: UUID, session_id: UUID) -> None:
    """End one of a person's own sessions; raise NotFound for anybody else's."""
    if not browsers.revoke(session, col(UserSession.id) == session_id, col(UserSession.user_id) == user_id):
        raise NotFound(f"session {session_id} was not found", user="There is no such session.")
    ring(session, f"user:{user_id}")


def change_password(session: Session, *, user_id: UUID, old: str, new: str, keep_token: str) -> None:
    """Set a new password and end every other session; raise WrongPassword unless the old one fits."""
    user = _user(session, user_id)
    throttle.before_login(email=user.email, address="")
    fits, _ = passwords.verified(old, against=user.password_hash)
    if not fits:
        raise WrongPassword
    throttle.after_right_login(email=user.email, address="")
    passwords.check_strength(new, email=user.email)
    user.password_hash = passwords.hashed(new)
    browsers.revoke(session, col(UserSession.user_id) == user_id, col(UserSession.token_hash) != hash_of(keep_token))
    ring(session, f"user:{user_id}")


def set_name(session: Session, *, user_id: UUID, name: str) -> None:
    """Set what a person is called; empty is allowed."""
    shown = " ".join(browsers.printable(name).split())
    if len(shown) > LONGEST_NAME:
        raise InvalidInput("name was too long", user="The name is too long: at most 60 characters.", field="name")
    _user(session, user_id).name = shown
    ring(session, f"user:{user_id}")


def set_locale(session: Session, *, user_id: UUID, locale: str) -> None:
    """Set the language in which a person is written to."""
    _user(session, user_id).locale = _one_of(locale, LOCALES, field="locale")
    ring(session, f"user:{user_id}")


def set_theme(session: Session, *, user_id: UUID, theme: str) -> None:
    """Set light, dark or the system's choice."""
    _user(session, user_id).theme = _one_of(theme, THEMES, field="theme")
    ring(session, f"user:{user_id}")


def set_timezone(session: Session, *, user_id: UUID, timezone: str) -> None:
    """Set the time zone in which a person reads times; empty is UTC."""
    try:
        if timezone:
            ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput("time zone was unknown", user="This time zone is not known.", field="timezone") from None
    _user(session, user_id).timezone = timezone
    ring(session, f"user:{user_id}")


def make_operator(session: Session, *, email: str) -> tuple[Person, str | None]:
    """Make somebody an operator; where nobody has the address yet, return the password made for him too."""
    address = emails.normalised(email)
    user = session.exec(select(User).where(User.email == address)).first()
    password = None
    if user is None:
        password = secrets.token_urlsafe(15)
        user = _insert(session, email=address, password=password, is_trader=False, is_subscriber=False, locale="en")
    user.is_operator = True
    return person_of_user(user), password


def _insert(session: Session, *, email: str, password: str, is_trader: bool, is_subscriber: bool, locale: str) -> User:
    now = clock.now()
    user = User(
        email=email,
        password_hash=passwords.hashed(password),
        is_trader=is_trader,
        is_subscriber=is_subscriber,
        locale=locale,
        accepted_terms_at=now,
        created_at=now,
    )
    # The constraint decides between two who register the same address at once, not the look before.
    made = session.exec(
        insert(User).values(user.model_dump()).on_conflict_do_nothing(index_elements=["email"]).returning(col(User.id))
    ).first()
    if made is None:
        raise EmailTaken
    return _user(session, user.id)


def _tell_of_new_place(session: Session, user: User, *, address: str, user_agent: str) -> None:
    before = session.exec(select(UserSession.network).where(UserSession.user_id == user.id).limit(200)).all()
    network = throttle.network_of(address)
    if before and network not in before:
        shown = browsers.printable(user_agent)[:200]
        record(session, "user.signed_in_elsewhere", user_id=user.id, network=network, user_agent=shown)


def _user(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"user {user_id} was not found", user="There is no such person.")
    return user


def _one_of(value: str, allowed: tuple[str, ...], *, field: str) -> str:
    if value not in allowed:
        raise InvalidInput(f"{field} was not one of {allowed}", user="Please choose one of the list.", field=field)
    return value
