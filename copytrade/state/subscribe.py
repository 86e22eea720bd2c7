"""Subscribing in three steps: account, settings, summary and payment; going back keeps what was typed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import reflex as rx

from copytrade import clock
from copytrade.accounts import paper, reasons
from copytrade.accounts import queries as accounts
from copytrade.accounts.reasons import State as AccountState
from copytrade.accounts.rows import AccountRow
from copytrade.copying import service as copying
from copytrade.domain.instruments import Market, Role
from copytrade.domain.sizing import CopySettings
from copytrade.errors import Conflict, InvalidInput, NotFound
from copytrade.i18n.names import place_name
from copytrade.i18n.voice import Voice
from copytrade.payments import service as payments
from copytrade.state import routes
from copytrade.state.account_names import AccountChoice, account_name
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.copy_draft import Draft
from copytrade.state.copy_form import CopyForm
from copytrade.state.ids import id_of
from copytrade.state.paying_form import PayingForm
from copytrade.state.settings_told import settings_told, start_told
from copytrade.state.typed import amount_of
from copytrade.state.work import change, read
from copytrade.subscriptions import offering
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.consent import RISK_VERSION, Consent
from copytrade.subscriptions.rows import ProfileRow
from copytrade.subscriptions.states import LIVE
from copytrade.subscriptions.states import State as SubscriptionState
from copytrade.users.queries import Person

ACCOUNT, SETTINGS, SUMMARY, AFTER = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """A copy account that cannot copy this trader, and why."""

    title: str
    why: str


class Subscribe(CopyForm, PayingForm, Page, rx.State):
    """What was chosen so far."""

    if TYPE_CHECKING:
        slug: str

    step: int = ACCOUNT
    profile_id: str = ""
    name: str = ""
    place: str = ""
    price: str = ""
    free: str = ""
    """The free days that he would begin with."""
    is_missing: bool = False
    is_closed: bool = False
    """He takes no subscribers any more."""
    choices: list[AccountChoice] = []
    others: list[OtherAccount] = []
    link: str = ""
    is_spot: bool = False
    account_id: str = ""
    account_title: str = ""
    summary: list[str] = []
    starts: str = ""
    paid: str = ""
    """After the payment page: the subscription's state, `processing`, or `open` when nothing was paid."""
    until: str = ""
    """End of the free days, once they run."""
    is_running: bool = False
    """He copies this trader for money already, perhaps paid in another tab."""
    subscription_id: str = ""
    is_paper: bool = False
    """Copying with play money: free, no payment step."""
    offers_paper: bool = False
    opening: bool = False
    """A paper account is being opened."""
    funds: str = f"{paper.USUAL_FUNDS}"

    @live(Who.SUBSCRIBER, "user:{asker}", "leaderboard", "listing")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the trader and the accounts that could copy him."""
        try:
            profile = await read(subscriptions.profile_by_slug, self.slug)
        except NotFound:
            self.is_missing = True
            return
        self.offers_paper = paper.is_offered()
        if self.profile_id != str(profile.id):
            self.step, self.account_id, self.profile_id = ACCOUNT, "", str(profile.id)
            self.draft, self.code, self.code_fault = Draft(), "", ""
            self.is_paper = self.offers_paper and self.router.url.query_parameters.get("paper") == "1"
        self.is_missing, self.is_closed = False, not profile.is_published or profile.closed_at is not None
        self.name, self.place = profile.name, place_name(voice, profile.venue, profile.market)
        self.price = voice.cash(profile.price, profile.currency)
        days = await read(offering.trial_days, owner=asker.id, profile_id=profile.id)
        self.free = voice.count(days, "{n} day free", "{n} days free") if days else ""
        self.link = routes.link_account(venue=profile.venue, market=profile.market)
        self.is_spot = profile.market == Market.SPOT
        await self._list_accounts(asker, profile, voice)
        if self.step == SETTINGS and not self.shown.is_known:
            await self._look_again(asker, voice)
        if self.step == SUMMARY and not self.is_paper:
            await self._prepare_paying(asker, voice)
        await self._after_payment(asker, voice)
        self.as_of = voice.clock(clock.now())

    @action(Who.SUBSCRIBER)
    async def choose_paper(self, asker: Person, voice: Voice, on: bool) -> None:
        """Try him with play money, or copy with real money after all."""
        self.is_paper, self.account_id, self.step = on and paper.is_offered(), "", ACCOUNT
        await self._list_accounts(asker, await read(subscriptions.profile_by_slug, self.slug), voice)

    @action(Who.SUBSCRIBER)
    async def open_paper(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Open a paper account where the trader trades; a worker makes it ready within a second or two."""
        self.funds = str(form.get("funds", ""))[:20]
        profile = await read(subscriptions.profile_by_slug, self.slug)
        made = await change(
            paper.open_account,
            owner=asker.id,
            venue=profile.venue,
            market=profile.market,
            funds=amount_of(form, "funds") or "",
        )
        self.account_id, self.opening = str(made), True
        return Subscribe.watch

    @action(Who.SUBSCRIBER)
    async def take_account(self, asker: Person, voice: Voice, form: dict[str, Any]) -> None:
        """Take an account; whose it is, is looked at here and again when the subscription is made."""
        if not form.get("account"):
            raise InvalidInput("no account was chosen", user="Choose the account that the copies go to.")
        account = await read(accounts.account, owner=asker.id, account_id=id_of(form["account"]))
        profile = await read(subscriptions.profile_by_slug, self.slug)
        if why := _obstacle(account, profile, voice):
            raise Conflict("the account did not fit", user="This account cannot copy him: {why}.", why=why)
        self.account_id, self.account_title = str(account.id), account_name(account, voice)
        self.is_paper = account.is_paper
        self._profile, self._account, self.trader = self.profile_id, self.account_id, self.name
        await self._fill(asker, voice, self.draft, before=CopySettings())
        self.step = SETTINGS

    @action(Who.SUBSCRIBER)
    async def back(self, asker: Person, voice: Voice, step: int) -> None:
        """Go back to an earlier step; what was typed stays."""
        self.step = SETTINGS if step == SETTINGS and self.account_id else ACCOUNT

    @action(Who.SUBSCRIBER)
    async def settle(self, asker: Person, voice: Voice, form: dict[str, Any]) -> None:
        """Keep the settings and show the summary."""
        settings = await self._sent(asker, voice, form)
        self.summary = settings_told(settings, self.name, voice, is_spot=self.is_spot)
        self.starts = start_told(settings, voice)
        if not self.is_paper:
            await self._prepare_paying(asker, voice)
        self.step = SUMMARY

    @action(Who.SUBSCRIBER)
    async def pay(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Make the subscription and go to the payment page; one on paper copies at once."""
        if form.get("consent") != "yes" and not self.is_paper:
            raise InvalidInput("no consent was given", user="Please read and accept the risk notice.")
        self.country = str(form.get("country", ""))[:2]
        account = await read(accounts.account, owner=asker.id, account_id=id_of(self.account_id))
        if account.is_paper is not self.is_paper:
            raise Conflict("real money was not consented to", user="Please choose the account once more.")
        subscription_id = await change(
            copying.subscribe,
            owner=asker.id,
            profile_id=id_of(self.profile_id),
            copy_account_id=account.id,
            settings=await self._checked(asker, voice),
            consent=None if self.is_paper else Consent(RISK_VERSION, voice.locale, self.country),
        )
        if self.is_paper:
            self.subscription_id, self.step, self.paid = str(subscription_id), AFTER, SubscriptionState.ACTIVE.value
            return None
        self.subscription_id = str(subscription_id)
        return await self._to_payment(asker, code=self.code)

    @action(Who.SUBSCRIBER)
    async def pay_again(self, asker: Person, voice: Voice) -> Any:
        """Go to the payment page once more."""
        return await self._to_payment(asker, code="")

    async def _to_payment(self, asker: Person, *, code: str) -> Any:
        """Lead to the payment page; what was typed stays here, for whoever comes back or finds nobody there."""
        started = await change(
            payments.start_payment, owner=asker.id, subscription_id=id_of(self.subscription_id), code=code
        )
        return rx.redirect(started.url)

    async def _list_accounts(self, asker: Person, profile: ProfileRow, voice: Voice) -> None:
        """Offer the accounts that fit, of real money or of paper; tell of one that is being opened."""
        rows = [row for row in await read(accounts.accounts, owner=asker.id) if row.role == Role.COPY]
        rows = [row for row in rows if row.is_paper is self.is_paper]
        fitting = [row for row in rows if _obstacle(row, profile, voice) == ""]
        self.choices = [AccountChoice(str(r.id), account_name(r, voice), voice.money(r.equity)) for r in fitting]
        self.others = [
            OtherAccount(account_name(row, voice), why) for row in rows if (why := _obstacle(row, profile, voice))
        ]
        opened = next((row for row in rows if str(row.id) == self.account_id), None)
        self.opening = self.is_paper and opened is not None and opened.state == AccountState.CHECKING
        if opened is not None and opened.state == AccountState.REFUSED:
            self.problem, self.account_id = voice.say(reasons.sentence(opened.reason)), ""
        if not self.account_id and len(self.choices) == 1:
            self.account_id = self.choices[0].id

    async def _after_payment(self, asker: Person, voice: Voice) -> None:
        """Tell how the payment came out when the person comes back from its page, or paid in another tab."""
        asked = self.router.url.query_parameters
        rows = await read(subscriptions.subscriptions_of, owner=asker.id)
        mine = [row for row in rows if str(row.profile_id) == self.profile_id and not row.is_paper]
        self.is_running = any(row.state in LIVE for row in mine)
        if not asked.get("subscription"):
            self.step = self.step if self.is_paper else min(self.step, SUMMARY)
            return
        row = await read(subscriptions.subscription, owner=asker.id, subscription_id=id_of(asked.get("subscription")))
        self.subscription_id, self.step = str(row.id), AFTER
        self.until = voice.day(row.trial_ends_at) if row.trial_ends_at else ""
        if row.state != SubscriptionState.INCOMPLETE:
            self.paid = row.state
        else:
            self.paid = "processing" if asked.get("payment") == "paid" else "open"


def _obstacle(row: AccountRow, profile: ProfileRow, voice: Voice) -> str:
    """Return why an account cannot copy a trader, empty where it can."""
    if (row.venue, row.market) != (profile.venue, profile.market):
        return voice.say("it is at {place}", place=place_name(voice, row.venue, row.market))
    if row.state == AccountState.CHECKING:
        return voice.say("it is being checked")
    return "" if row.state == AccountState.ACTIVE else voice.say("it is paused")
