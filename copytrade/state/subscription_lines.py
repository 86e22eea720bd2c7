"""A subscription as its owner sees it: what it does, what holds it back, and what each way to end it would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import queries as copying
from copytrade.copying import standing, switches
from copytrade.copying.service import SwitchMode, SwitchScope
from copytrade.copying.standing import StandRow
from copytrade.domain.instruments import Market
from copytrade.domain.sizing import CopySettings
from copytrade.i18n.voice import Voice
from copytrade.payments import bills
from copytrade.payments.bill_rows import ChargeRow
from copytrade.state import routes
from copytrade.state.account_names import account_told
from copytrade.state.billing_told import (
    STATES,
    TONES,
    InvoiceLine,
    cancelling_told,
    invoice_told,
    late_told,
    next_told,
    price_told,
    stopping_told,
)
from copytrade.state.settings_told import card_told, silence_told
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow
from copytrade.subscriptions.states import LIVE, State

SHOWN_INVOICES = 60
TEXTS = {
    SwitchMode.ENTRIES_OFF: "You have stopped all copying: nothing new is opened; exits are followed.",
    SwitchMode.FLATTEN: "You have stopped all copying and closed every copy.",
    SwitchMode.HANDS_OFF: "You have frozen all copying: nothing is sent to your accounts, not even exits.",
}
"""What a person's own switch says."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What each way to leave open copies would do, in numbers."""

    close: str = ""
    follow: str = ""
    keep: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """A subscription as its owner sees it."""

    id: str
    name: str
    href: str
    again: str
    """Where one subscribes to him."""
    state: str
    state_text: str
    tone: str
    price: str
    account: str
    next: str
    """When what is charged."""
    late: str
    """What a payment that is missing or held means; empty: none is."""
    new_price: str
    may_cancel: bool
    """It is renewed, and may be let run out."""
    may_go_on: bool
    """It runs out, which may be taken back."""
    cancelling: str
    stopping: str
    """What ending it, with the paid time or at once, means for the money."""
    settings: tuple[str, ...]
    is_paper: bool
    is_paused: bool
    open_told: str
    ways: Ways
    stopped: str
    """A loss limit that was reached, or a trader who cannot be heard; empty: neither."""
    may_resume: bool
    """Entries go on when the owner says so."""
    halted: str
    """The symbols whose entries wait for the owner after a drift."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All subscriptions of a person, and what stopping everything would do."""

    real: tuple[SubscriptionLine, ...]
    paper: tuple[SubscriptionLine, ...]
    invoices: tuple[InvoiceLine, ...]
    """The newest ones."""
    ways: Ways
    switch: str
    """The mode of his own switch."""
    switch_told: str


def overview(session: Session, *, owner: UUID, voice: Voice) -> Overview:
    """Return everything that the page of subscriptions shows of a person."""
    rows = subscriptions.subscriptions_of(session, owner=owner)
    named = {row.id: row for row in accounts.accounts(session, owner=owner)}
    settings, charges = copying.settings_of(session, owner=owner), bills.charges_of(session, owner=owner)
    legs = copying.open_legs(session, owner=owner)
    halted = {row.subscription_id: row.symbols for row in copying.halted(session, owner=owner)}
    stands = {row.subscription_id: row for row in standing.of(session, owner=owner)}
    lines = list[SubscriptionLine]()
    for row in rows:
        account = named.get(row.copy_account_id)
        is_spot = account is not None and account.market == Market.SPOT
        lines.append(
            _line(
                row,
                settings.get(row.id, CopySettings()),
                charge=charges.get(row.id),
                is_spot=is_spot,
                account=account_told(account, voice) if account else voice.say("an account that is unlinked"),
                legs=[leg for leg in legs if leg.subscription_id == row.id],
                stand=stands.get(row.id) if row.state in LIVE else None,
                halted=halted.get(row.id, []),
                voice=voice,
            )
        )
    invoices = bills.invoices_of(session, owner=owner, limit=SHOWN_INVOICES)
    mode = switches.load(session).modes.get((SwitchScope.SUBSCRIBER, str(owner)), SwitchMode.ON)
    return Overview(
        real=tuple(line for line in lines if not line.is_paper),
        paper=tuple(line for line in lines if line.is_paper),
        invoices=tuple(invoice_told(row, voice) for row in invoices),
        ways=_everything(legs, voice),
        switch=mode.value,
        switch_told=voice.say(TEXTS[mode]) if mode in TEXTS else "",
    )


def _everything(legs: Sequence[copying.OpenLegRow], voice: Voice) -> Ways:
    """Return what stopping everything would do: money first, then what is only on paper."""
    real, paper = [leg for leg in legs if not leg.is_paper], [leg for leg in legs if leg.is_paper and leg.held]
    ways = ways_told(real, voice)
    if not paper:
        return ways
    more = voice.count(
        len(paper),
        "On paper: {n} position worth about {worth}.",
        "On paper: {n} positions worth about {worth}.",
        worth=voice.money(_worth(paper)),
    )
    return Ways(close=f"{ways.close} {more}", follow=f"{ways.follow} {more}", keep=f"{ways.keep} {more}")


def _worth(legs: Sequence[copying.OpenLegRow]) -> Decimal:
    return sum((abs(leg.held * leg.price) for leg in legs), Decimal(0))


def ways_told(legs: Sequence[copying.OpenLegRow], voice: Voice) -> Ways:
    """Return what each way to leave these copies would do."""
    held = [leg for leg in legs if leg.held]
    worth = voice.money(_worth(held))
    if not held:
        return Ways(
            close=voice.say("Nothing is open, so nothing is closed."),
            follow=voice.say("Nothing is open; nothing new is opened."),
            keep=voice.say("Nothing is open, so nothing stays."),
        )
    count = len(held)
    return Ways(
        close=voice.count(
            count,
            "Closes {n} position worth about {worth} at the market's price at once.",
            "Closes {n} positions worth about {worth} at the market's price at once.",
            worth=worth,
        ),
        follow=voice.count(
            count,
            "{n} position worth about {worth} stays open until he closes it; nothing new is opened.",
            "{n} positions worth about {worth} stay open until he closes them; nothing new is opened.",
            worth=worth,
        ),
        keep=voice.count(
            count,
            "{n} position worth about {worth} becomes your own; nobody closes it but you.",
            "{n} positions worth about {worth} become your own; nobody closes them but you.",
            worth=worth,
        ),
    )


def _line(
    row: SubscriptionRow,
    settings: CopySettings,
    *,
    charge: ChargeRow | None,
    is_spot: bool,
    account: str,
    legs: list[copying.OpenLegRow],
    stand: StandRow | None,
    halted: Sequence[str],
    voice: Voice,
) -> SubscriptionLine:
    return SubscriptionLine(
        id=str(row.id),
        name=row.trader_name,
        href=routes.trader(row.slug),
        again=routes.subscribe(row.slug),
        state=row.state,
        state_text=voice.say(STATES[State(row.state)]),
        tone=TONES[State(row.state)],
        price=voice.cash(row.price, row.currency),
        account=account,
        next=next_told(row, charge, voice),
        late=late_told(row, voice),
        new_price=price_told(row, voice),
        may_cancel=charge is not None and charge.is_billed and not row.is_ending,
        may_go_on=charge is not None and charge.is_billed and row.is_ending,
        cancelling=cancelling_told(row, voice),
        stopping=stopping_told(row, charge, voice),
        settings=tuple(card_told(settings, row.trader_name, voice, is_spot=is_spot)),
        is_paper=row.is_paper,
        is_paused=settings.is_paused,
        open_told=_open_told(legs, voice),
        ways=ways_told(legs, voice),
        stopped=_stopped(stand, settings, voice) if stand else "",
        may_resume=stand is not None and stand.drawdown_stopped_at is not None,
        halted=", ".join(symbol.partition(":")[0] for symbol in halted),
    )


def _open_told(legs: list[copying.OpenLegRow], voice: Voice) -> str:
    held = [leg for leg in legs if leg.held]
    if not held:
        return voice.say("no open positions")
    return voice.count(len(held), "{n} open position worth about {worth}", "{n} open positions worth about {worth}",
                       worth=voice.money(_worth(held)))  # fmt: skip


def _stopped(stand: StandRow, settings: CopySettings, voice: Voice) -> str:
    if stand.drawdown_stopped_at is not None:
        return voice.say(
            "The fall from the peak that you allow was reached ({loss}). Nothing new is opened until you say so.",
            loss=voice.money(stand.drawdown),
        )
    if stand.daily_stopped_until is not None:
        return voice.say(
            "The loss that you allow for a day was reached ({loss}). Entries go on {when}.",
            loss=voice.money(stand.loss_today),
            when=voice.ago(stand.daily_stopped_until, now=clock.now()),
        )
    if stand.silent_since is not None:
        silent = voice.say("The trader's account cannot be heard since {time}.", time=voice.clock(stand.silent_since))
        then = silence_told(settings, voice)
        return f"{silent} {then[:1].upper()}{then[1:]}."
    return ""
