"""A person's exchange accounts: what each is good for now, its key, its examination, and how it is left."""

from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.accounts import service
from copytrade.copying import account_cards
from copytrade.i18n.voice import Voice
from copytrade.state.account_lines import AccountLine, account_line, effects_told
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.work import change, read
from copytrade.users.queries import Person

PARTS = ("name", "key", "findings", "unlink")


class Accounts(Page, rx.State):
    """The list, and what of one account is open."""

    rows: list[AccountLine] = []
    opened: str = ""
    """The account of which a part is open."""
    part: str = ""
    """`name`, `key`, `findings` or `unlink`."""
    title: str = ""
    effects: list[str] = []
    """What unlinking the opened account does."""

    @live(Who.USER, "user:{asker}", every=30.0)
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the person's accounts."""
        cards = await read(account_cards.cards, owner=asker.id)
        self.rows = [account_line(card, voice) for card in cards]
        self.as_of = voice.clock(clock.now())

    @action(Who.USER)
    async def open(self, asker: Person, voice: Voice, account_id: str, part: str) -> None:
        """Open a part of an account, or close it again; what unlinking does is looked up now."""
        if part not in PARTS or (self.opened, self.part) == (account_id, part):
            self.opened, self.part = "", ""
            return
        if part == "unlink":
            effects = await read(account_cards.unlink_effects, owner=asker.id, account_id=id_of(account_id))
            self.effects = effects_told(effects, voice)
            self.title = next((row.title for row in self.rows if row.id == account_id), "")
        self.opened, self.part = str(id_of(account_id)), part

    @action(Who.USER)
    async def rename(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Give the opened account another name."""
        await change(service.rename, owner=asker.id, account_id=id_of(self.opened), label=str(form.get("label", "")))
        self.opened, self.part = "", ""
        return Accounts.watch

    @action(Who.USER)
    async def replace_key(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Have a new key checked for the opened account; nothing of it stays here."""
        await change(
            service.replace_key,
            owner=asker.id,
            account_id=id_of(self.opened),
            api_key=str(form.get("api_key", "")),
            api_secret=str(form.get("api_secret", "")),
            passphrase=str(form.get("passphrase", "")),
        )
        self.opened, self.part = "", ""
        return Accounts.watch

    @action(Who.USER)
    async def drop_replacement(self, asker: Person, voice: Voice, account_id: str) -> Any:
        """Forget a new key that was refused, now that its reason was read."""
        await change(service.drop_replacement, owner=asker.id, account_id=id_of(account_id))
        return Accounts.watch

    @action(Who.USER)
    async def recheck(self, asker: Person, voice: Voice, account_id: str) -> Any:
        """Have a worker check the key again."""
        await change(service.recheck, owner=asker.id, account_id=id_of(account_id))
        return [rx.toast.info(voice.say("Asking the exchange again.")), Accounts.watch]

    @action(Who.USER)
    async def examine(self, asker: Person, voice: Voice, account_id: str) -> Any:
        """Have a worker examine the account from clock to stream, without an order."""
        await change(service.request_examination, owner=asker.id, account_id=id_of(account_id))
        self.opened, self.part = str(id_of(account_id)), "findings"
        return Accounts.watch

    @action(Who.USER)
    async def unlink(self, asker: Person, voice: Voice, account_id: str) -> Any:
        """Forget the account, destroy its key, and end what was copied with it."""
        await change(account_cards.unlink, owner=asker.id, account_id=id_of(account_id))
        self.opened, self.part = "", ""
        told = voice.say("Unlinked. The key was destroyed; delete it on the exchange too.")
        return [rx.toast.success(told), Accounts.watch]

    @action(Who.USER)
    async def put_aside(self, asker: Person, voice: Voice, account_id: str) -> Any:
        """Take a refused account from the list, now that its reason was read."""
        await change(service.result, owner=asker.id, account_id=id_of(account_id))
        return Accounts.watch
