"""A warm event loop in a thread of its own: clients, sessions and markets stay alive between jobs."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

import structlog
import uvloop
from sqlalchemy.exc import OperationalError

from copytrade.accounts import bans, forgetting
from copytrade.accounts.vault import opener
from copytrade.db.bell import bell
from copytrade.db.clock import follow
from copytrade.db.session import reading
from copytrade.exchanges.gate import Ban
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import ClientPool

log = structlog.get_logger()

Part = Callable[[ClientPool, asyncio.Event], Awaitable[None]]
"""What runs in the loop until the event is set; it hears the bell and sweeps by itself."""

CLOCK_EVERY_S = 5.0
DRAIN_S = 12.0
"""What is in flight ends within a request's time-out; whoever is not done then is cancelled."""
PAUSE_AFTER_CRASH = timedelta(seconds=1)


async def follow_clock(pool: ClientPool, stop: asyncio.Event) -> None:
    """Keep this process's clock where the installation's is."""
    async for _ in bell().rings("clock", every=CLOCK_EVERY_S):
        if stop.is_set():
            return
        await asyncio.to_thread(_follow_once)


def _follow_once() -> None:
    with reading() as session:
        follow(session)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end on the loop that sends fastest."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


class WarmLoop:
    """Runs the parts of one process over one pool of warm clients, in a thread or in the caller's loop."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = (follow_clock, forgetting.run, *parts)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, name="warm-loop", daemon=True)

    def start(self) -> None:
        """Start the thread and return once the parts run."""
        self._thread.start()
        self._ready.wait()

    def ring(self, topic: str) -> None:
        """Wake the parts that listen to `topic`, from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ring_here, topic)

    def stop(self, *, timeout: float = 30.0) -> None:
        """Let the parts end what is in flight, then close the clients."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout)

    def is_alive(self) -> bool:
        """Tell whether the loop still runs."""
        return self._thread.is_alive()

    def _ring_here(self, topic: str) -> None:
        bell().wake(topic)

    def _main(self) -> None:
        run(self.run())

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Run the parts until `stop` is set; a part that crashes is logged and started again."""
        self._loop = asyncio.get_running_loop()
        self._stop = stop or self._stop
        pool = Pool(opener(), alarm=_alarm)
        tasks = [asyncio.create_task(self._keep(part, pool), name=part.__module__) for part in self._parts]
        self._ready.set()
        try:
            await self._stop.wait()
            bell().wake_all()
            _, late = await asyncio.wait(tasks, timeout=DRAIN_S)
            for task in late:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        finally:
            await pool.close()
            await bell().close()

    async def _keep(self, part: Part, pool: ClientPool) -> None:
        while not self._stop.is_set():
            try:
                await part(pool, self._stop)
            except Exception as error:  # a bug in one part must not silence the others; told by its metric, too
                if away := _database_away(error):
                    log.warning("part.database_away", part=part.__module__, reason=type(away.orig).__name__)
                else:
                    log.exception("part.crashed", part=part.__module__)
                await asyncio.sleep(PAUSE_AFTER_CRASH.total_seconds())


def _database_away(error: Exception) -> OperationalError | None:
    """Return the error of a database that is away, also where nothing else ended several tasks of a part at once."""
    if isinstance(error, ExceptionGroup):
        whys = [_database_away(one) for one in error.exceptions]
        return whys[0] if all(whys) else None
    return error if isinstance(error, OperationalError) else None


def _alarm(ban: Ban) -> None:
    asyncio.get_running_loop().run_in_executor(None, bans.tell, ban)


_current: WarmLoop | None = None


def set_current(loop: WarmLoop | None) -> None:
    """Name the loop of this process, so that RQ jobs can ring it."""
    global _current  # noqa: PLW0603 - one loop a process
    _current = loop


def current() -> WarmLoop:
    """Return the loop of this process."""
    if _current is None:
        raise RuntimeError("this process has no warm loop")
    return _current
