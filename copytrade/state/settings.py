"""The person: name, password, signed-in browsers, time zone."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.i18n.voice import Moment, Voice
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.work import change, read
from copytrade.users import queries as users
from copytrade.users import service
from copytrade.users.queries import Person


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A signed-in browser."""

    id: str
    name: str
    network: str
    seen: Moment
    is_this: bool


class Settings(Page, rx.State):
    """What a person may change about himself."""

    name: str = ""
    email: str = ""
    zone: str = ""
    sessions: list[SessionLine] = []

    @live(Who.USER, "user:{asker}")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the person and his sessions."""
        self.name, self.email, self.zone = asker.name, asker.email, str(voice.zone)
        token = service.token_in(self.router.headers.cookie) or ""
        here = await read(users.current_session, token)
        now = clock.now()
        self.sessions = [
            SessionLine(
                str(row.id), row.user_agent, row.network, voice.moment(row.last_seen_at, now=now), row.id == here
            )
            for row in await read(users.sessions, user_id=asker.id)
        ]

    @action(Who.USER)
    async def rename(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Change what the person is called."""
        await change(service.set_name, user_id=asker.id, name=str(form.get("name", "")))
        return rx.toast.success(voice.say("Saved"))

    @action(Who.USER)
    async def change_password(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Set a new password and sign out everywhere else."""
        await change(
            service.change_password,
            user_id=asker.id,
            old=str(form.get("old", "")),
            new=str(form.get("new", "")),
            keep_token=service.token_in(self.router.headers.cookie) or "",
        )
        return rx.toast.success(voice.say("Your password was changed; every other browser was signed out."))

    @action(Who.USER)
    async def revoke(self, asker: Person, voice: Voice, session_id: str) -> None:
        """Sign out one browser."""
        await change(service.revoke_session, user_id=asker.id, session_id=id_of(session_id))
