"""The risk text: accepted in its present version and by residents of countries that may, before money is spent."""

from dataclasses import dataclass
from uuid import UUID

from babel import Locale
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.errors import Conflict, InvalidInput, NotAllowed
from copytrade.settings import settings
from copytrade.subscriptions.models import RiskConsent

RISK_VERSION = "2026-11"
"""Of the risk text that is shown now; whoever accepted an older one is asked again."""
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person says before he pays: the text he read, its language, and where he lives."""

    version: str
    locale: str
    country: str


def countries(locale: str) -> dict[str, str]:
    """Return the countries that a person may live in: their names by ISO code, in the order of the language."""
    names = Locale.parse(locale).territories
    found = {
        code: name for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    }
    return dict(sorted(found.items(), key=lambda one: one[1]))


def accept(session: Session, *, owner: UUID, consent: Consent) -> None:
    """Keep that a person accepted the risk text; the same one again is kept once."""
    country = consent.country.strip().upper()
    if consent.version != RISK_VERSION:
        raise Conflict(
            f"risk text {consent.version!r} is not {RISK_VERSION}",
            user="The risk notice has changed. Please read and accept it again.",
            field="consent",
        )
    check_country(country)
    known = _newest(session, owner)
    if known is not None and (known.version, known.country, known.locale) == (RISK_VERSION, country, consent.locale):
        return
    session.add(
        RiskConsent(
            user_id=owner, version=RISK_VERSION, locale=consent.locale[:5], country=country, accepted_at=clock.now()
        )
    )
    session.flush()


def check_country(country: str) -> None:
    """Refuse what is no country, and one in which copying for money is off: asked before anything is made."""
    if country not in countries("en"):
        raise InvalidInput(f"country was {country!r}", user="Please choose the country you live in.", field="country")
    _allowed(country)


def country_of(session: Session, *, owner: UUID) -> str:
    """Return the country in which a person last said that he lives, empty where he never did."""
    known = _newest(session, owner)
    return known.country if known else ""


def require(session: Session, *, owner: UUID) -> None:
    """Refuse whoever has not accepted the present risk text, or lives where copying for money is off."""
    known = _newest(session, owner)
    if known is None or known.version != RISK_VERSION:
        raise Conflict(
            f"user {owner} has not accepted risk text {RISK_VERSION}",
            user="Please read and accept the risk notice.",
            field="consent",
        )
    _allowed(known.country)


def is_given(session: Session, *, owner: UUID) -> bool:
    """Tell whether a person has accepted the present risk text."""
    known = _newest(session, owner)
    return known is not None and known.version == RISK_VERSION


def _allowed(country: str) -> None:
    if country in {code.upper() for code in settings().paid_copying_off}:
        raise NotAllowed(
            f"paid copying is off in {country}",
            user="Subscribing for money is not possible where you live. Copying on paper is free, and open to you.",
        )


def _newest(session: Session, owner: UUID) -> RiskConsent | None:
    return session.exec(
        select(RiskConsent).where(RiskConsent.user_id == owner).order_by(col(RiskConsent.accepted_at).desc()).limit(1)
    ).first()
