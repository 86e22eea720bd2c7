"""The doors: what a refused form brought back in the address, and where the person was going."""

import reflex as rx

from copytrade.errors import Said
from copytrade.i18n.voice import Voice
from copytrade.state import routes
from copytrade.state.asking import Who, action
from copytrade.users.queries import Person
from copytrade.users.refusals import SENTENCES

LONGEST_EMAIL = 254


class Gate(rx.State):
    """What the pages of signing in and up show."""

    problem: str = ""
    email: str = ""
    next: str = ""
    roles: str = ""
    trader: bool = False
    subscriber: bool = True

    @action(Who.PUBLIC)
    async def open(self, asker: Person | None, voice: Voice) -> object:
        """Read the address; whoever is signed in already goes on."""
        asked = self.router.url.query_parameters
        then = asked.get("next", "")
        first = routes.ACCOUNTS if self.router.url.path.startswith(routes.REGISTER) else routes.WALLET
        self.next = then if routes.local(then) else first
        if asker is not None:
            return rx.redirect(self.next)
        code = asked.get("error", "")
        text = SENTENCES.get(code, "That did not work. Please check what you typed.") if code else ""
        self.problem = voice.said(Said(text)) if text else ""
        self.email = asked.get("email", "")[:LONGEST_EMAIL]
        self.roles = asked.get("roles", "")[:40]
        self.trader = "trader" in self.roles
        self.subscriber = not self.roles or "subscriber" in self.roles
        return None
