"""What a subscriber pays for: state, next charge, settings, pause, stop."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import reflex as rx
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import queries as copying_queries
from copytrade.copying import service as copying
from copytrade.domain.sizing import CopySettings, EndMode
from copytrade.errors import InvalidInput
from copytrade.i18n.voice import Voice
from copytrade.payments import service as payments
from copytrade.state import routes
from copytrade.state.account_names import account_told
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.subscribe import settings_told
from copytrade.state.typed import sizing_of
from copytrade.state.work import change, read
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow
from copytrade.subscriptions.states import State
from copytrade.users.queries import Person

STATES = {
    State.INCOMPLETE: "not paid yet",
    State.ACTIVE: "active",
    State.PAST_DUE: "payment is late",
    State.ENDED: "ended",
}
TONES = {State.INCOMPLETE: "amber", State.ACTIVE: "jade", State.PAST_DUE: "tomato", State.ENDED: "gray"}


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """A subscription as its owner sees it."""

    id: str
    name: str
    href: str
    state: str
    state_text: str
    tone: str
    price: str
    account: str
    next: str
    settings: str
    mode: str
    factor: str
    max_order: str
    is_paused: bool
    open_told: str


def _line(
    row: SubscriptionRow, settings: CopySettings, *, account: str, open_told: str, voice: Voice
) -> SubscriptionLine:
    largest = settings.max_order_notional
    return SubscriptionLine(
        id=str(row.id),
        name=row.trader_name,
        href=routes.trader(row.slug),
        state=row.state,
        state_text=voice.say(STATES[State(row.state)]),
        tone=TONES[State(row.state)],
        price=voice.money(row.price, row.currency.upper()),
        account=account,
        next=_next(row, voice),
        settings=settings_told(settings, row.trader_name, voice),
        mode=str(settings.mode),
        factor=f"{settings.factor.normalize():f}",
        max_order=f"{largest.normalize():f}" if largest is not None else "",
        is_paused=settings.is_paused,
        open_told=open_told,
    )


def _next(row: SubscriptionRow, voice: Voice) -> str:
    if row.state == State.ENDED:
        return voice.say("ended {when}", when=voice.day(row.ended_at)) if row.ended_at else ""
    if row.entitled_until is None:
        return voice.say("Nothing was charged yet.")
    until = voice.day(row.entitled_until)
    if row.is_ending:
        return voice.say("runs until {day}, is not renewed", day=until)
    if row.state == State.PAST_DUE:
        return voice.say("paid until {day}; the last payment failed", day=until)
    return voice.say("next charge {day}", day=until)


def _open_told(legs: list[copying_queries.OpenLegRow], voice: Voice) -> str:
    held = [leg for leg in legs if leg.held]
    worth = sum((abs(leg.held * leg.price) for leg in held), Decimal(0))
    if not held:
        return voice.say("no open positions")
    return voice.count(len(held), "{n} open position worth about {worth}", "{n} open positions worth about {worth}",
                       worth=voice.money(worth))  # fmt: skip


def _lines(session: Session, *, owner: UUID, voice: Voice) -> list[SubscriptionLine]:
    rows = subscriptions.subscriptions_of(session, owner=owner)
    names = {row.id: account_told(row, voice) for row in accounts.accounts(session, owner=owner)}
    settings = copying_queries.settings_of(session, owner=owner)
    legs = copying_queries.open_legs(session, owner=owner)
    return [
        _line(
            row,
            settings.get(row.id, CopySettings()),
            account=names.get(row.copy_account_id, voice.say("an account that is unlinked")),
            open_told=_open_told([leg for leg in legs if leg.subscription_id == row.id], voice),
            voice=voice,
        )
        for row in rows
    ]


class Subscriptions(Page, rx.State):
    """The list, and which of its settings are open for change."""

    rows: list[SubscriptionLine] = []
    editing: str = ""

    @live(Who.SUBSCRIBER, "user:{asker}")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the person's subscriptions."""
        self.rows = await read(_lines, owner=asker.id, voice=voice)
        self.as_of = voice.clock(clock.now())

    @action(Who.SUBSCRIBER)
    async def edit(self, asker: Person, voice: Voice, subscription_id: str) -> None:
        """Open the settings of one subscription, or close them again."""
        self.editing = "" if self.editing == subscription_id else str(id_of(subscription_id))

    @action(Who.SUBSCRIBER)
    async def save(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Keep changed settings; they hold for openings from now on."""
        subscription_id = id_of(self.editing)
        await change(_save, owner=asker.id, subscription_id=subscription_id, form=form)
        self.editing = ""
        return [rx.toast.success(voice.say("Saved. It holds for new positions from now on.")), Subscriptions.watch]

    @action(Who.SUBSCRIBER)
    async def pay(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Go to the payment page of a subscription that is not paid."""
        started = await change(payments.start_payment, owner=asker.id, subscription_id=id_of(subscription_id))
        return rx.redirect(started.url)

    @action(Who.SUBSCRIBER)
    async def portal(self, asker: Person, voice: Voice) -> Any:
        """Go to the payment provider's pages: card, invoices."""
        return rx.redirect(await change(payments.portal_url, owner=asker.id))

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
    async def stop(self, asker: Person, voice: Voice, subscription_id: str, mode: str) -> Any:
        """End a subscription, and with its positions do what was chosen."""
        if mode not in list(EndMode):
            raise InvalidInput("end mode was unknown", user="Please choose one of the list.")
        await change(copying.stop, owner=asker.id, subscription_id=id_of(subscription_id), mode=EndMode(mode))
        return Subscriptions.watch


def _save(session: Session, *, owner: UUID, subscription_id: UUID, form: dict[str, Any]) -> None:
    before = copying_queries.settings_of(session, owner=owner).get(subscription_id)
    settings = sizing_of(form, before=before)
    copying.save_settings(session, owner=owner, subscription_id=subscription_id, settings=settings)
