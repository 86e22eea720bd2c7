"""Alice trades, Bob subscribes, Mallory owns nothing and is tried everywhere."""

from sqlmodel import Session

from copytrade.subscriptions.consent import RISK_VERSION, Consent, accept
from copytrade.users import service
from copytrade.users.queries import Person

PASSWORD = "a long enough secret"


def alice(session: Session) -> Person:
    return _registered(session, "alice@copytrade.example", is_trader=True)


def bob(session: Session) -> Person:
    return _registered(session, "bob@copytrade.example", is_subscriber=True)


def mallory(session: Session) -> Person:
    return _registered(session, "mallory@copytrade.example", is_trader=True, is_subscriber=True)


def _registered(session: Session, email: str, *, is_trader: bool = False, is_subscriber: bool = False) -> Person:
    person = service.register(
        session,
        email=email,
        password=PASSWORD,
        is_trader=is_trader,
        is_subscriber=is_subscriber,
        accepted_terms=True,
    )
    if is_subscriber:
        accept(session, owner=person.id, consent=Consent(RISK_VERSION, "en", "DE"))
    session.commit()
    return person
