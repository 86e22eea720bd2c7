"""The inbox and which notices come by which way."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.i18n.voice import Moment, Voice
from copytrade.notifications import queries as notices
from copytrade.notifications import service
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.work import change, read
from copytrade.users.queries import Person

SHOWN = 100


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice in words."""

    id: str
    title: str
    body: str
    path: str
    at: Moment
    is_read: bool


@dataclass(frozen=True, slots=True)
class PreferenceLine:
    """A kind of notice that may be switched off, and whether it comes by app and mail."""

    kind: str
    title: str
    app: bool
    mail: bool


class Notices(Page, rx.State):
    """A person's notices."""

    rows: list[NoticeLine] = []
    preferences: list[PreferenceLine] = []
    has_unread: bool = False

    @live(Who.USER, "user:{asker}")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the inbox and the preferences."""
        rows = await read(notices.inbox, owner=asker.id, limit=SHOWN, locale=voice.locale)
        now = clock.now()
        self.rows = [
            NoticeLine(str(row.id), row.title, row.body, row.path, voice.moment(row.created_at, now=now), row.is_read)
            for row in rows
        ]
        self.has_unread = any(not row.is_read for row in rows)
        found = await read(notices.preferences, owner=asker.id, locale=voice.locale)
        self.preferences = [PreferenceLine(p.kind, p.title, p.app, p.mail) for p in found if not p.is_fixed]
        self.as_of = voice.clock(now)

    @action(Who.USER)
    async def read_one(self, asker: Person, voice: Voice, notice_id: str) -> None:
        """Mark one notice as read."""
        await change(service.mark_read, owner=asker.id, notice_id=id_of(notice_id))

    @action(Who.USER)
    async def read_all(self, asker: Person, voice: Voice) -> None:
        """Mark all notices as read."""
        await change(service.mark_read, owner=asker.id)

    @action(Who.USER)
    async def prefer(self, asker: Person, voice: Voice, kind: str, channel: str, is_on: bool) -> Any:
        """Switch one way of one kind on or off."""
        await change(service.set_preference, owner=asker.id, kind=kind, channel=channel, is_on=bool(is_on))
        return Notices.watch
