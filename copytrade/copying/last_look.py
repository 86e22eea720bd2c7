"""Whether an order may still leave: the switches as they stood at most 200 ms ago, read once for all that leave."""

import asyncio
import time

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from copytrade.copying import switches
from copytrade.copying.models import SwitchMode
from copytrade.copying.switches import Switches
from copytrade.copying.work import Sending
from copytrade.db.session import reading

log = structlog.get_logger()

OLDEST_S = 0.2
AHEAD_S = 0.1
"""Older than this they are read again meanwhile, so that hardly any order waits for it."""


class Board:
    """The switches that one process knows."""

    def __init__(self) -> None:
        self._known: Switches | None = None
        self._reading: asyncio.Task[Switches | None] | None = None

    def learn(self, known: Switches | None) -> None:
        """Take over what a claim has just read."""
        if known is not None and (self._known is None or known.read_at > self._known.read_at):
            self._known = known

    async def may_leave(self, sending: Sending) -> bool:
        """Tell whether an order may leave now; where the switches cannot be read it may not."""
        known = await self._fresh()
        if known is None:
            return False
        account = sending.account
        mode = known.strictest(account.venue.value, profile_id=sending.profile_id, person_id=sending.person_id)
        return mode is SwitchMode.ON or (mode is not SwitchMode.HANDS_OFF and sending.is_exit)

    async def _fresh(self) -> Switches | None:
        known = self._known
        age = time.monotonic() - known.read_at if known is not None else OLDEST_S + 1
        if age <= AHEAD_S:
            return known
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        # Shielded: an order that is cancelled does not take the others' reading along.
        return known if age <= OLDEST_S else await asyncio.shield(self._reading)

    async def _read(self) -> Switches | None:
        try:
            known = await asyncio.to_thread(_load)
        except (DBAPIError, psycopg.Error) as error:
            log.warning("switches.unread", reason=type(error).__name__)
            return None
        self.learn(known)
        return known

    async def close(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None:
            await self._reading


def _load() -> Switches:
    with reading() as session:
        return switches.load(session)
