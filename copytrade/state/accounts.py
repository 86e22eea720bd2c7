"""A person's exchange accounts: linked by a key typed once, checked by a worker, never shown again."""

from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts import reasons, service
from copytrade.accounts.reasons import State
from copytrade.accounts.rows import AccountRow
from copytrade.domain.instruments import Role
from copytrade.i18n.names import place_name
from copytrade.i18n.voice import Moment, Voice
from copytrade.settings import settings
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.work import change, read
from copytrade.users.queries import Person

STATES = {
    State.CHECKING: "being checked",
    State.ACTIVE: "linked",
    State.REFUSED: "refused",
    State.PAUSED: "paused",
    State.UNLINKED: "unlinked",
}
TONES = {State.ACTIVE: "jade", State.REFUSED: "tomato", State.PAUSED: "amber", State.CHECKING: "iris"}
ROLES = {Role.LEAD: "lead account: your trades are copied", Role.COPY: "copy account: trades are copied to it"}
RIGHTS = {"may_read": "read", "may_trade": "trade", "may_withdraw": "withdraw", "may_transfer": "transfer"}


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A linked account; of its key only the last characters are known."""

    id: str
    title: str
    role: str
    is_lead: bool
    key: str
    state: str
    state_text: str
    tone: str
    reason: str
    equity: str
    equity_at: Moment = field(default_factory=Moment)
    checked_at: Moment = field(default_factory=Moment)
    rights: str = ""
    network: str = ""
    expires: str = ""


def account_line(row: AccountRow, voice: Voice) -> AccountLine:
    """Return an account as it is shown."""
    now = clock.now()
    state = State(row.state)
    return AccountLine(
        id=str(row.id),
        title=account_name(row, voice),
        role=f"{place_name(voice, row.venue, row.market)} · {voice.say(ROLES[Role(row.role)])}",
        is_lead=row.role == Role.LEAD,
        key=f"…{row.key_hint}",
        state=row.state,
        state_text=voice.say(STATES[state]),
        tone=TONES.get(state, "gray"),
        reason=voice.say(reasons.sentence(row.reason)) if row.reason else "",
        equity=voice.money(row.equity),
        equity_at=voice.moment(row.equity_at, now=now),
        checked_at=voice.moment(row.checked_at, now=now),
        rights=_rights(row, voice),
        network=_network(row, voice),
        expires=voice.say("expires {when}", when=voice.ago(row.key_expires_at, now=now)) if row.key_expires_at else "",
    )


def account_name(row: AccountRow, voice: Voice) -> str:
    """Return how a person knows his account."""
    return row.label or place_name(voice, row.venue, row.market)


def _rights(row: AccountRow, voice: Voice) -> str:
    held = [voice.say(name) for right, name in RIGHTS.items() if row.permissions.get(right)]
    return voice.say("the key may: {rights}", rights=", ".join(held)) if held else ""


def _network(row: AccountRow, voice: Voice) -> str:
    if row.ip_restricted is None:
        return ""
    return voice.say("limited to our addresses") if row.ip_restricted else voice.say("not limited to addresses")


class Accounts(Page, rx.State):
    """The list and the form that links another one."""

    rows: list[AccountLine] = []
    role: str = Role.COPY.value
    addresses: list[str] = []
    may_lead: bool = False
    may_copy: bool = False
    form_round: int = 0

    @live(Who.USER, "user:{asker}", every=30.0)
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the person's accounts."""
        rows = await read(accounts.accounts, owner=asker.id)
        self.rows = [account_line(row, voice) for row in rows]
        self.as_of = voice.clock(clock.now())
        self.addresses = list(settings().egress_addresses)
        if not self.loaded:
            asked = self.router.url.query_parameters.get("role", "")
            wanted = Role.LEAD if asked == Role.LEAD or not asker.is_subscriber else Role.COPY
            self.role = wanted.value
        self.may_lead, self.may_copy = asker.is_trader, asker.is_subscriber

    @action(Who.USER)
    async def choose_role(self, asker: Person, voice: Voice, role: str) -> None:
        """Say what the account is for."""
        self.role = (Role.LEAD if role == Role.LEAD else Role.COPY).value

    @action(Who.USER)
    async def link(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Seal what was typed and have a worker check it; nothing of it stays here."""
        await change(
            service.link,
            owner=asker.id,
            venue="binance",
            market="perpetual",
            role=self.role,
            label=str(form.get("label", "")),
            api_key=str(form.get("api_key", "")),
            api_secret=str(form.get("api_secret", "")),
            mode=settings().exchange_modes[0],
        )
        self.form_round += 1
        return Accounts.watch

    @action(Who.USER)
    async def recheck(self, asker: Person, voice: Voice, account_id: str) -> Any:
        """Have a worker check the key again."""
        await change(service.recheck, owner=asker.id, account_id=id_of(account_id))
        return [rx.toast.info(voice.say("Asking the exchange again.")), Accounts.watch]

    @action(Who.USER)
    async def unlink(self, asker: Person, voice: Voice, account_id: str) -> Any:
        """Forget the account and destroy its key."""
        await change(service.unlink, owner=asker.id, account_id=id_of(account_id))
        told = voice.say("Unlinked. The key was destroyed; delete it on the exchange too.")
        return [rx.toast.success(told), Accounts.watch]

    @action(Who.USER)
    async def put_aside(self, asker: Person, voice: Voice, account_id: str) -> Any:
        """Take a refused account from the list, now that its reason was read."""
        await change(service.result, owner=asker.id, account_id=id_of(account_id))
        return Accounts.watch
