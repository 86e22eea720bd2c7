"""Sends orders, many at once, and writes down what became of them in batches."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from copytrade import metrics
from copytrade.copying import acknowledged, outcomes
from copytrade.copying.last_look import Board
from copytrade.copying.outcomes import Told
from copytrade.copying.terms import Terms
from copytrade.copying.work import Sending
from copytrade.db.session import transaction
from copytrade.domain.orders import Outcome, OutcomeKind
from copytrade.errors import ExchangeError
from copytrade.exchanges.leaving import last_look
from copytrade.exchanges.port import ClientPool
from copytrade.failpoints import Label, reach

log = structlog.get_logger()

IN_FLIGHT = 1000
"""Orders of one process that are on their way at the same time."""
GATHER_S = 0.5
"""How long results are gathered into one transaction while others are on their way: writing competes with sending."""
PAUSE_S = 0.5


@dataclass(slots=True)
class Sender:
    """The orders of one process that are on their way, and the outcomes that are not written yet."""

    pool: ClientPool
    terms: Terms
    board: Board = field(default_factory=Board)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _told: "asyncio.Queue[Told]" = field(default_factory=asyncio.Queue[Told])
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_busy(self) -> bool:
        """Tell whether orders are on their way: what can wait then waits."""
        return bool(self._tasks)

    async def room(self) -> None:
        """Wait until another batch may be sent."""
        while self.left <= 0:
            self._room.clear()
            await self._room.wait()

    @property
    def left(self) -> int:
        """Return how many more orders may be on their way."""
        return IN_FLIGHT - len(self._tasks)

    def send(self, sendings: Sequence[Sending]) -> None:
        """Send these orders now, each once, in their order."""
        for sending in sendings:
            task = asyncio.create_task(self._send(sending))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.set()
        if not self._tasks:
            self._idle.set()

    async def _send(self, sending: Sending) -> None:
        # The task is this order's own, and so is what it sets here.
        last_look.set(partial(self.board.may_leave, sending))
        try:
            client = await self.pool.get(sending.account)
        except ExchangeError as error:
            # Without a client nothing left; the venue's own refusals come as outcomes.
            outcome = Outcome(OutcomeKind.NOT_SENT, message=error.message[:200], venue_code=error.venue_code)
        else:
            reach(Label.SEND_READY)
            outcome = await client.place(sending.request, not_after=sending.not_after)
            reach(Label.SEND_ANSWERED)
            outcome = await acknowledged.settled(client, sending.request, outcome)
        metrics.orders.labels(sending.account.venue.value, outcome.kind.value).inc()
        self._told.put_nowait(Told(sending.order_id, outcome=outcome))

    async def write(self) -> None:
        """Write down the outcomes that came in, in one transaction."""
        told = [await self._told.get()]
        # The one who told ends in this moment: whoever is still there then is on his way.
        await asyncio.sleep(0)
        if self._tasks:
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), GATHER_S)
        while not self._told.empty():
            told.append(self._told.get_nowait())
        while True:
            try:
                await asyncio.to_thread(self._write, told)
            except (DBAPIError, psycopg.Error) as error:
                # They are kept: while the database is away the venue's answers are known nowhere else.
                log.warning("copying.outcomes_wait", count=len(told), reason=type(error).__name__)
                await asyncio.sleep(PAUSE_S)
            else:
                return

    def _write(self, told: Sequence[Told]) -> None:
        with transaction() as session:
            outcomes.write(session, told, steps=self.terms.steps())
            reach(Label.RECORD_WRITTEN)
        reach(Label.RECORD_COMMITTED)

    async def close(self) -> None:
        """Wait for the orders on their way and write down what became of them."""
        if self._tasks:
            await asyncio.wait(list(self._tasks))
        await self.board.close()
        while not self._told.empty():
            await self.write()


async def writes(sender: Sender, stop: asyncio.Event) -> None:
    """Write outcomes until the process ends."""
    while not stop.is_set():
        await sender.write()
