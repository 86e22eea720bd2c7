"""The last step before paying: the terms, a coupon, the country; nothing is made here."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import reflex as rx
from sqlmodel import Session

from copytrade import clock
from copytrade.errors import InvalidInput, NotAllowed
from copytrade.i18n.voice import Voice
from copytrade.payments import bills, ledger
from copytrade.state.asking import Who, action
from copytrade.state.ids import id_of
from copytrade.state.terms_told import Offer, TermsTold, terms_told
from copytrade.state.work import read
from copytrade.subscriptions import consent, offering
from copytrade.subscriptions import queries as subscriptions
from copytrade.users.queries import Person

LONGEST_CODE = 30


class PayingForm(rx.State, mixin=True):
    """What is charged when, and what may keep somebody from paying."""

    if TYPE_CHECKING:
        profile_id: str
        problem: str

    terms: TermsTold = TermsTold()
    code: str = ""
    """The coupon that was checked and counts."""
    code_fault: str = ""
    countries: list[tuple[str, str]] = []
    country: str = ""
    refused: str = ""
    """Why nobody may pay from that country; nothing is made then."""
    risk_version: str = consent.RISK_VERSION

    @action(Who.SUBSCRIBER)
    async def use_code(self, asker: Person, voice: Voice, form: dict[str, Any]) -> None:
        """Check a coupon and show what it takes off."""
        self.code, self.code_fault = "", ""
        typed = str(form.get("code", "")).strip()[:LONGEST_CODE]
        try:
            await self._tell_terms(asker, voice, code=typed)
        except InvalidInput as error:
            self.code_fault = voice.error(error)
            await self._tell_terms(asker, voice, code="")

    @action(Who.SUBSCRIBER)
    async def drop_code(self, asker: Person, voice: Voice) -> None:
        """Pay without the coupon."""
        self.code_fault = ""
        await self._tell_terms(asker, voice, code="")

    @action(Who.SUBSCRIBER)
    async def state_country(self, asker: Person, voice: Voice, country: str) -> None:
        """Take the country and say at once where paid copying is off."""
        self.country, self.refused = str(country)[:2], ""
        if not self.country:
            return
        try:
            consent.check_country(self.country)
        except NotAllowed as error:
            self.refused = voice.error(error)

    async def _prepare_paying(self, asker: Person, voice: Voice) -> None:
        """Fill in what is known of the payer: his country; the countries by their names."""
        self.countries = list(consent.countries(voice.locale).items())
        if not self.country:
            self.country = await read(consent.country_of, owner=asker.id)
        await self._tell_terms(asker, voice, code=self.code)

    async def _tell_terms(self, asker: Person, voice: Voice, *, code: str) -> None:
        offer = await read(_offer, asker=asker.id, profile_id=id_of(self.profile_id), code=code)
        self.terms, self.code = terms_told(offer, voice, now=clock.now()), offer.coupon.code if offer.coupon else ""


def _offer(session: Session, *, asker: UUID, profile_id: UUID, code: str) -> Offer:
    """Return what this person would pay for a profile now."""
    profile = subscriptions.profile(session, profile_id)
    return Offer(
        trader=profile.name,
        price=profile.price,
        currency=profile.currency,
        trial_days=offering.trial_days(session, owner=asker, profile_id=profile_id),
        share=ledger.share_of(session, trader_id=profile.user_id),
        coupon=bills.offered_coupon(session, profile_id=profile_id, code=code) if code else None,
    )
