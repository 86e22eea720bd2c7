"""A trader's desk: his profiles with their price, trial and coupons, and who subscribes."""

from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts.reasons import State as AccountState
from copytrade.domain.instruments import Role
from copytrade.i18n.voice import Voice
from copytrade.payments import connect, coupons, ledger, trader_queries
from copytrade.settings import settings
from copytrade.state.account_names import AccountChoice, account_told
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.desk_lines import (
    CouponLine,
    ProfileLine,
    SubscriberLine,
    coupon_line,
    offer_of,
    profile_line,
    subscriber_line,
    whole_of,
)
from copytrade.state.earning_lines import Upcoming, chosen, upcoming_told
from copytrade.state.ids import id_of
from copytrade.state.sheets import sheet_of
from copytrade.state.work import change, read
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions import service
from copytrade.users.queries import Person

SHOWN_SUBSCRIBERS = 100


class Desk(Page, rx.State):
    """Profiles, coupons, subscribers, and the form that is open."""

    profiles: list[ProfileLine] = []
    subscribers: list[SubscriberLine] = []
    has_more: bool = False
    """Not all subscribers are shown."""
    upcoming: Upcoming = Upcoming()
    may_be_paid: bool = False
    free_accounts: list[AccountChoice] = []
    has_lead: bool = False
    editing: str = ""
    couponing: str = ""
    """The profile whose coupons are shown."""
    coupons: list[CouponLine] = []
    currencies: list[str] = []
    bounds: str = ""
    most_trial: int = 0
    notice_days: str = ""
    share_told: str = ""

    @live(Who.TRADER, "user:{asker}")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the desk."""
        rows = await read(subscriptions.profiles_of, owner=asker.id)
        share = await read(ledger.share_of, trader_id=asker.id)
        self.profiles = [profile_line(row, share=share, voice=voice) for row in rows]
        people = [
            subscriber_line(one, profile=row, voice=voice)
            for row in rows
            for one in await read(
                subscriptions.subscribers_of, owner=asker.id, profile_id=row.id, limit=SHOWN_SUBSCRIBERS + 1
            )
        ]
        self.subscribers, self.has_more = people[:SHOWN_SUBSCRIBERS], len(people) > SHOWN_SUBSCRIBERS
        self.may_be_paid = await read(connect.may_be_paid, user_id=asker.id)
        owed = await read(trader_queries.upcoming, owner=asker.id)
        currency = chosen("", owed)
        owing = next(row for row in owed if row.currency == currency)
        self.upcoming = upcoming_told(owing, voice, may_be_paid=self.may_be_paid)
        await self._list_accounts(asker, voice, taken={str(row.lead_account_id) for row in rows if not row.closed_at})
        self._tell_rules(voice)
        self.share_told = voice.percent(share, places=0)
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
            currency=str(form.get("currency", "")),
            trial_days=whole_of(form, "trial_days"),
            also_for_running=form.get("also") == "yes",
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

    @action(Who.TRADER)
    async def show_coupons(self, asker: Person, voice: Voice, profile_id: str) -> None:
        """Show the coupons of a profile; the same again closes them."""
        if self.couponing == profile_id:
            self.couponing, self.coupons = "", []
            return
        await self._read_coupons(asker, voice, str(id_of(profile_id)))

    @action(Who.TRADER)
    async def make_coupon(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Make a coupon for the profile whose coupons are shown."""
        await change(coupons.create, owner=asker.id, profile_id=id_of(self.couponing), offer=offer_of(form))
        await self._read_coupons(asker, voice, self.couponing)
        return rx.toast.success(voice.say("The coupon is made; whoever has its code may use it."))

    @action(Who.TRADER)
    async def end_coupon(self, asker: Person, voice: Voice, coupon_id: str) -> None:
        """Let nobody else use a coupon."""
        await change(coupons.end, owner=asker.id, coupon_id=id_of(coupon_id))
        if self.couponing:
            await self._read_coupons(asker, voice, self.couponing)

    @action(Who.TRADER)
    async def export(self, asker: Person, voice: Voice) -> Any:
        """Give the subscribers as a table for a spreadsheet."""
        rows = await read(subscriptions.profiles_of, owner=asker.id)
        people = [
            (one.name, row.name, one.state, one.price, row.currency.upper(), one.started_at, one.ended_at)
            for row in rows
            for one in await read(subscriptions.subscribers_of, owner=asker.id, profile_id=row.id)
        ]
        columns = ("name", "profile", "state", "price", "currency", "since_utc", "ended_utc")
        return rx.download(data=sheet_of(columns, people), filename=f"subscribers-{clock.now():%Y-%m-%d}.csv")

    async def _read_coupons(self, asker: Person, voice: Voice, profile_id: str) -> None:
        found = await read(coupons.coupons_of, owner=asker.id, profile_id=id_of(profile_id))
        now = clock.now()
        self.coupons, self.couponing = [coupon_line(row, voice, now=now) for row in found], profile_id

    async def _list_accounts(self, asker: Person, voice: Voice, *, taken: set[str]) -> None:
        leads = [row for row in await read(accounts.accounts, owner=asker.id) if row.role == Role.LEAD]
        leads = [row for row in leads if row.state == AccountState.ACTIVE]
        self.has_lead = bool(leads)
        self.free_accounts = [
            AccountChoice(str(row.id), account_told(row, voice), voice.money(row.equity))
            for row in leads
            if str(row.id) not in taken
        ]

    def _tell_rules(self, voice: Voice) -> None:
        rules = settings()
        self.currencies = list(rules.price_bounds)
        self.bounds = " · ".join(
            voice.say(
                "{least} to {most}",
                least=voice.cash(low, currency),
                most=voice.cash(high, currency),
            )
            for currency, (low, high) in rules.price_bounds.items()
        )
        self.most_trial = rules.trial_most_days
        self.notice_days = voice.count(rules.price_notice_days, "{n} day", "{n} days")
