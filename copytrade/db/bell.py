"""The bell: NOTIFY in the writing transaction, one listening connection a process, fanned out to whoever waits.

It rings exactly at commit, so a listener never comes too early. It may ring too often or, while the database
is away, not at all: after every reconnect it rings all topics once, and listeners look at the rows, not at the ring.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import lru_cache

import psycopg
import structlog
from sqlalchemy import event as orm_event
from sqlalchemy.engine import make_url
from sqlmodel import Session

from copytrade.db.trips import Ask, Asking, answered
from copytrade.settings import settings

CHANNEL = "bell"
BETWEEN = "\n"
TOGETHER = 100
"""Topics in one notification; PostgreSQL takes up to 8,000 bytes."""
_NOTIFY = "SELECT pg_notify(%(channel)s, payload) FROM unnest(%(payloads)s::text[]) AS payload"
log = structlog.get_logger()


_RUNG = "rung"


def ring(session: Session, *topics: str) -> None:
    """Ring `topics` when the session's transaction commits: all that it rings in one statement, each topic once."""
    session.connection()  # a transaction has to be there that may be rolled back
    session.info.setdefault(_RUNG, {}).update(dict.fromkeys(topics))


@orm_event.listens_for(Session, "before_commit")
def _send(session: Session) -> None:
    if topics := session.info.pop(_RUNG, None):
        answered(session, asking_ring(*topics))


@orm_event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_RUNG, None)


def asking_ring(*topics: str) -> Asking[None]:
    """Ask for topics to be rung when the transaction commits."""
    if topics:
        yield [Ask(_NOTIFY, {"channel": CHANNEL, "payloads": list(_payloads(topics))})]


def _payloads(topics: Sequence[str]) -> Iterator[str]:
    """Many topics travel in one notification: a trader's fill rings a thousand subscribers in every process."""
    for start in range(0, len(topics), TOGETHER):
        yield BETWEEN.join(topics[start : start + TOGETHER])


def _dsn() -> str:
    url = make_url(settings().database_url).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


class Bell:
    """Listens once and wakes every waiter of a topic; belongs to one event loop."""

    def __init__(self) -> None:
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def rings(
        self,
        *topics: str,
        quiet: float = 0.0,
        every: float | Callable[[], float] | None = None,
        rest: float = 0.0,
        hurry: str = "",
    ) -> AsyncGenerator[None]:
        """Yield at once and after each ring of `topics`: at most once in `quiet` seconds, at least `every` seconds.

        `every` may be a function that is asked each time. After a ring `rest` seconds pass, for what is more urgent,
        unless `hurry` is rung.
        """
        self._start()
        event, hurried = asyncio.Event(), asyncio.Event()
        event.set()
        waiters = [*((topic, event) for topic in topics), *([(hurry, event), (hurry, hurried)] if hurry else [])]
        for topic, waiter in waiters:
            self._waiters[topic].add(waiter)
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), every() if callable(every) else every)
                    if rest:
                        await asyncio.wait_for(hurried.wait(), rest)
                event.clear()
                hurried.clear()
                yield
                if quiet:
                    await asyncio.sleep(quiet)
        finally:
            for topic, waiter in waiters:
                self._waiters[topic].discard(waiter)
                if not self._waiters[topic]:
                    del self._waiters[topic]

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._listen())

    def wake(self, topic: str) -> None:
        """Wake this process's waiters of `topic`, without the database."""
        for event in self._waiters.get(topic, ()):
            event.set()

    def wake_all(self) -> None:
        """Wake every waiter of this process, so that it looks whether it should stop."""
        for topic in list(self._waiters):
            self.wake(topic)

    async def _listen(self) -> None:
        pause = 0.1
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(_dsn(), autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    pause = 0.1
                    self.wake_all()
                    async for notice in connection.notifies():
                        for topic in notice.payload.split(BETWEEN):
                            self.wake(topic)
            except psycopg.OperationalError as error:
                log.warning("bell.lost", reason=type(error).__name__, again_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)


@lru_cache(maxsize=4)
def _bell_of(loop: asyncio.AbstractEventLoop) -> Bell:
    return Bell()


def bell() -> Bell:
    """Return the bell of the running event loop."""
    return _bell_of(asyncio.get_running_loop())
