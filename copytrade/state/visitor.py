"""The person in the top bar and his unread notices."""

import reflex as rx

from copytrade.i18n.voice import Voice
from copytrade.notifications import queries as notices
from copytrade.state.asking import Who, live
from copytrade.state.work import read
from copytrade.users.queries import Person


class Visitor(rx.State):
    """Who is looking; what it says decides what is shown, never what is allowed."""

    known: bool = False
    signed_in: bool = False
    name: str = ""
    email: str = ""
    is_trader: bool = False
    is_subscriber: bool = False
    is_operator: bool = False
    unread: int = 0

    @live(Who.PUBLIC, "user:{asker}")
    async def watch(self, asker: Person | None, voice: Voice) -> None:
        """Load who is signed in and how many notices wait."""
        self.known = True
        self.signed_in = asker is not None
        if asker is None:
            return
        self.name, self.email = asker.name or asker.email.split("@")[0], asker.email
        self.is_trader, self.is_subscriber, self.is_operator = asker.is_trader, asker.is_subscriber, asker.is_operator
        self.unread = await read(notices.unread, owner=asker.id)
