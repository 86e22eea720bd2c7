"""A trader's desk: his profiles with their price, who subscribes, what he earned."""

from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts.reasons import State as AccountState
from copytrade.domain.instruments import Role
from copytrade.i18n.names import place_name
from copytrade.i18n.voice import Moment, Voice
from copytrade.payments import connect
from copytrade.payments import queries as payments
from copytrade.payments.rows import Earnings
from copytrade.settings import settings
from copytrade.state import routes
from copytrade.state.account_names import AccountChoice, account_told
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.billing_told import STATES
from copytrade.state.ids import id_of
from copytrade.state.work import change, read
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions import service
from copytrade.subscriptions.rows import ProfileRow, SubscriberRow
from copytrade.subscriptions.states import State
from copytrade.users.queries import Person

SHOWN_PERIODS = 50


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """One of the trader's profiles."""

    id: str
    account_id: str
    name: str
    href: str
    about: str
    place: str
    price: str
    price_plain: str
    is_published: bool
    subscribers: str
    share: str


@dataclass(frozen=True, slots=True)
class SubscriberLine:
    """A subscriber, as much as a trader may see of him."""

    name: str
    profile: str
    state: str
    price: str
    since: Moment


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """A paid month and how it is divided."""

    paid: Moment
    amount: str
    platform: str
    mine: str
    available: str


@dataclass(frozen=True, slots=True)
class Money:
    """The trader's balance."""

    total: str = ""
    held: str = ""
    available: str = ""
    rows: list[PeriodLine] = field(default_factory=list)


def _profile(row: ProfileRow, voice: Voice) -> ProfileLine:
    currency = row.currency.upper()
    mine = row.price * (1 - settings().platform_share)
    return ProfileLine(
        id=str(row.id),
        account_id=str(row.lead_account_id),
        name=row.name,
        href=routes.trader(row.slug),
        about=row.about,
        place=place_name(voice, row.venue, row.market),
        price=voice.money(row.price, currency),
        price_plain=f"{row.price.normalize():f}",
        is_published=row.is_published,
        subscribers=voice.count(row.subscribers, "{n} subscriber", "{n} subscribers"),
        share=voice.money(mine, currency),
    )


def _subscriber(row: SubscriberRow, *, profile: str, currency: str, voice: Voice) -> SubscriberLine:
    return SubscriberLine(
        name=row.name or voice.say("without a name"),
        profile=profile,
        state=voice.say(STATES[State(row.state)]),
        price=voice.money(row.price, currency),
        since=voice.moment(row.started_at, now=clock.now()),
    )


def _money(earned: Earnings, voice: Voice) -> Money:
    currency, now = earned.currency.upper(), clock.now()
    return Money(
        total=voice.money(earned.total, currency),
        held=voice.money(earned.held, currency),
        available=voice.money(earned.available, currency),
        rows=[
            PeriodLine(
                paid=voice.moment(row.paid_at, now=now),
                amount=voice.money(row.amount, currency),
                platform=voice.money(row.platform_part, currency),
                mine=voice.money(row.trader_part, currency),
                available=voice.say("free since {day}", day=voice.day(row.available_at))
                if row.available_at <= now
                else voice.say("held until {day}", day=voice.day(row.available_at)),
            )
            for row in earned.rows[:SHOWN_PERIODS]
        ],
    )


class Desk(Page, rx.State):
    """Profiles, subscribers, earnings, and the form that is open."""

    profiles: list[ProfileLine] = []
    subscribers: list[SubscriberLine] = []
    money: Money = Money()
    free_accounts: list[AccountChoice] = []
    has_lead: bool = False
    editing: str = ""
    share_told: str = ""

    @live(Who.TRADER, "user:{asker}")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the desk."""
        rows = await read(subscriptions.profiles_of, owner=asker.id)
        self.profiles = [_profile(row, voice) for row in rows]
        self.subscribers = [
            _subscriber(one, profile=row.name, currency=row.currency.upper(), voice=voice)
            for row in rows
            for one in await read(subscriptions.subscribers_of, owner=asker.id, profile_id=row.id)
        ]
        self.money = _money(await read(payments.earnings_of, owner=asker.id), voice)
        leads = [row for row in await read(accounts.accounts, owner=asker.id) if row.role == Role.LEAD]
        self.has_lead = any(row.state == AccountState.ACTIVE for row in leads)
        taken = {row.lead_account_id for row in rows}
        self.free_accounts = [
            AccountChoice(str(row.id), account_told(row, voice), voice.money(row.equity))
            for row in leads
            if row.state == AccountState.ACTIVE and row.id not in taken
        ]
        self.share_told = voice.percent(1 - settings().platform_share, places=0)
        self.as_of = voice.clock(clock.now())

    @action(Who.TRADER)
    async def edit(self, asker: Person, voice: Voice, profile_id: str) -> None:
        """Open the form of a profile, of a new one (`new`), or close it."""
        if self.editing == profile_id:
            self.editing = ""
            return
        self.editing = "new" if profile_id == "new" else str(id_of(profile_id))

    @action(Who.TRADER)
    async def save(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Make or change a profile."""
        is_new = self.editing == "new"
        known = next((row for row in self.profiles if row.id == self.editing), None)
        account = form.get("lead_account_id") if is_new or known is None else known.account_id
        await change(
            service.save_profile,
            owner=asker.id,
            profile_id=None if is_new else id_of(self.editing),
            lead_account_id=id_of(account),
            name=str(form.get("name", "")),
            about=str(form.get("about", "")),
            price=str(form.get("price", "")),
        )
        self.editing = ""
        return Desk.watch

    @action(Who.TRADER)
    async def publish(self, asker: Person, voice: Voice, profile_id: str) -> Any:
        """Show a profile to everybody."""
        await change(connect.publish_profile, owner=asker.id, profile_id=id_of(profile_id))
        return [rx.toast.success(voice.say("Published. You stand in the list of traders now.")), Desk.watch]

    @action(Who.TRADER)
    async def unpublish(self, asker: Person, voice: Voice, profile_id: str) -> Any:
        """Take a profile from the list."""
        await change(service.unpublish, owner=asker.id, profile_id=id_of(profile_id))
        return Desk.watch
