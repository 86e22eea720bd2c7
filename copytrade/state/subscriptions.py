"""What a subscriber pays for: state, next charge, settings, pause, stop, and the stop of everything."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import reflex as rx
from sqlmodel import Session

from copytrade import clock
from copytrade.copying import queries as copying_queries
from copytrade.copying import service as copying
from copytrade.copying.service import SwitchMode, SwitchScope
from copytrade.domain.sizing import CopySettings, EndMode
from copytrade.errors import InvalidInput
from copytrade.i18n.voice import Voice
from copytrade.payments import service as payments
from copytrade.state.account_names import AccountChoice, other_accounts
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.billing_told import InvoiceLine
from copytrade.state.copy_draft import Draft, drafted
from copytrade.state.copy_form import CopyForm
from copytrade.state.ids import id_of
from copytrade.state.money_sheets import invoice_sheet
from copytrade.state.subscription_lines import SubscriptionLine, Ways, overview
from copytrade.state.work import change, read
from copytrade.subscriptions import queries as subscriptions
from copytrade.users.queries import Person


class Subscriptions(CopyForm, Page, rx.State):
    """The list, and which of its settings are open for change."""

    rows: list[SubscriptionLine] = []
    papers: list[SubscriptionLine] = []
    """On paper: apart, since nothing of them is money."""
    ways: Ways = Ways()
    """What stopping everything would do to what is open."""
    switch: str = SwitchMode.ON.value
    switch_told: str = ""
    editing: str = ""
    invoices: list[InvoiceLine] = []
    moving: str = ""
    """The subscription for which another copy account is being chosen."""
    others: list[AccountChoice] = []
    moving_ways: Ways = Ways()

    @live(Who.SUBSCRIBER, "user:{asker}", "listing")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the person's subscriptions."""
        found = await read(overview, owner=asker.id, voice=voice)
        self.rows, self.papers = list(found.real), list(found.paper)
        self.ways, self.switch, self.switch_told = found.ways, found.switch, found.switch_told
        self.invoices = list(found.invoices)
        if self.editing and not self.shown.is_known:
            await self._look_again(asker, voice)
        self.as_of = voice.clock(clock.now())

    @action(Who.SUBSCRIBER)
    async def edit(self, asker: Person, voice: Voice, subscription_id: str) -> None:
        """Open the settings of one subscription."""
        row = await read(subscriptions.subscription, owner=asker.id, subscription_id=id_of(subscription_id))
        settings = (await read(copying_queries.settings_of, owner=asker.id)).get(row.id, CopySettings())
        self._profile, self._account, self.trader = str(row.profile_id), str(row.copy_account_id), row.trader_name
        ground = await self._ground(asker)
        await self._fill(asker, voice, drafted(settings, listed=ground.listed), before=settings)
        self.editing = str(row.id)

    @action(Who.SUBSCRIBER)
    async def close(self, asker: Person, voice: Voice) -> None:
        """Go back to the list; nothing is changed."""
        self.editing, self.draft, self.faults = "", Draft(), {}

    @action(Who.SUBSCRIBER)
    async def save(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Keep changed settings; they hold for openings from now on."""
        subscription_id = id_of(self.editing)
        settings = await self._sent(asker, voice, form)
        await change(_save, owner=asker.id, subscription_id=subscription_id, settings=settings)
        self.editing = ""
        return [rx.toast.success(voice.say("Saved. It holds for new positions from now on.")), Subscriptions.watch]

    @action(Who.SUBSCRIBER)
    async def pay(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Go to the payment page of a subscription that is not paid."""
        started = await change(payments.start_payment, owner=asker.id, subscription_id=id_of(subscription_id))
        return rx.redirect(started.url)

    @action(Who.SUBSCRIBER)
    async def cancel(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Let a subscription run out with what is paid."""
        await change(payments.cancel, owner=asker.id, subscription_id=id_of(subscription_id))
        return [rx.toast.success(voice.say("It is not renewed. Copying goes on until then.")), Subscriptions.watch]

    @action(Who.SUBSCRIBER)
    async def take_back(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Let a subscription that was to run out be renewed after all."""
        await change(payments.go_on, owner=asker.id, subscription_id=id_of(subscription_id))
        return [rx.toast.success(voice.say("It goes on and is renewed.")), Subscriptions.watch]

    @action(Who.SUBSCRIBER)
    async def choose_account(self, asker: Person, voice: Voice, subscription_id: str) -> None:
        """Show the accounts that a subscription may move to; the same again closes them."""
        if not subscription_id or self.moving == subscription_id:
            self.moving, self.others = "", []
            return
        row = await read(subscriptions.subscription, owner=asker.id, subscription_id=id_of(subscription_id))
        self.others = await read(other_accounts, owner=asker.id, row=row, voice=voice)
        self.moving_ways = next((line.ways for line in self.rows if line.id == str(row.id)), Ways())
        self.moving = str(row.id)

    @action(Who.SUBSCRIBER)
    async def move(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Let a subscription copy onto another account; what is open on the old one ends as was chosen."""
        await change(
            copying.switch_account,
            owner=asker.id,
            subscription_id=id_of(self.moving),
            copy_account_id=id_of(form.get("account")),
            mode=_end_mode(str(form.get("mode", ""))),
        )
        self.moving, self.others = "", []
        return [rx.toast.success(voice.say("New positions go to the other account now.")), Subscriptions.watch]

    @action(Who.SUBSCRIBER)
    async def portal(self, asker: Person, voice: Voice) -> Any:
        """Go to the payment provider's pages: card, invoices."""
        return rx.redirect(await change(payments.portal_url, owner=asker.id))

    @action(Who.SUBSCRIBER)
    async def export(self, asker: Person, voice: Voice) -> Any:
        """Give all that was paid as a table for a spreadsheet."""
        text = await read(invoice_sheet, owner=asker.id)
        return rx.download(data=text, filename=f"payments-{clock.now():%Y-%m-%d}.csv")

    @action(Who.SUBSCRIBER)
    async def pause(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Open nothing new; exits are followed."""
        await change(copying.pause, owner=asker.id, subscription_id=id_of(subscription_id))
        return Subscriptions.watch

    @action(Who.SUBSCRIBER)
    async def resume(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Copy new positions again."""
        await change(copying.resume, owner=asker.id, subscription_id=id_of(subscription_id))
        return Subscriptions.watch

    @action(Who.SUBSCRIBER)
    async def go_on(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Let entries go on after the allowed fall was reached."""
        await change(copying.resume_after_stop, owner=asker.id, subscription_id=id_of(subscription_id))
        return Subscriptions.watch

    @action(Who.SUBSCRIBER)
    async def release(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Let entries go on that were held after a difference on the account."""
        await change(copying.release, owner=asker.id, subscription_id=id_of(subscription_id))
        return Subscriptions.watch

    @action(Who.SUBSCRIBER)
    async def stop(self, asker: Person, voice: Voice, subscription_id: str, mode: str) -> Any:
        """End a subscription, and with its positions do what was chosen."""
        await change(copying.stop, owner=asker.id, subscription_id=id_of(subscription_id), mode=_end_mode(mode))
        return Subscriptions.watch

    @action(Who.SUBSCRIBER)
    async def stop_everything(self, asker: Person, voice: Voice, mode: str) -> Any:
        """Hold back, freeze or close all that this person copies at once, or let it go on."""
        if mode not in list(SwitchMode):
            raise InvalidInput("switch mode was unknown", user="Please choose one of the list.")
        await change(
            copying.set_switch,
            by=asker.id,
            scope=SwitchScope.SUBSCRIBER,
            scope_id=str(asker.id),
            mode=SwitchMode(mode),
            reason="his own stop",
        )
        return Subscriptions.watch


def _end_mode(sent: str) -> EndMode:
    if sent not in list(EndMode):
        raise InvalidInput("end mode was unknown", user="Please choose one of the list.")
    return EndMode(sent)


def _save(session: Session, *, owner: UUID, subscription_id: UUID, settings: CopySettings) -> None:
    """Keep settings; a pause that was set while they were typed stays."""
    now = copying_queries.settings_of(session, owner=owner).get(subscription_id, settings)
    kept = replace(settings, is_paused=now.is_paused)
    copying.save_settings(session, owner=owner, subscription_id=subscription_id, settings=kept)
