"""Polls every captured account again and again, each by one process, and reads the past of new ones."""

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError

from copytrade import metrics
from copytrade.accounts import service as accounts
from copytrade.accounts.queries import owner_of
from copytrade.capture import history, leases
from copytrade.capture.accounts import CapturedAccount, captured, copy_poll_interval, lead_poll_interval
from copytrade.capture.poll import poll
from copytrade.capture.poll_start import Memory
from copytrade.capture.taking import unproven
from copytrade.db.bell import bell
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.domain.instruments import Role
from copytrade.errors import BadCredentials, Unavailable
from copytrade.exchanges.limits import Lane, lane_of, reading_in
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.settings import settings

log = structlog.get_logger()
KIND = "poll"
LOOK_EVERY_S = 1.0
LEASE = timedelta(seconds=6)
AT_ONCE = 24
HISTORIES_AT_ONCE = 2
REST_S = 0.5
"""After what a stream told, unless a fill waits to be proven: the copies of the others go first."""
_LONGEST_WAIT_S = 120.0
_HISTORY_AGAIN_S = 5.0


async def run(pool: ClientPool, stop: asyncio.Event) -> None:
    """Poll this process's share of the accounts until `stop` is set."""
    pollers = Pollers(pool, stop)
    try:
        while not stop.is_set():
            try:
                pollers.follow(await asyncio.to_thread(_share, pollers.owner))
            except OperationalError as error:
                log.warning("poll.database_away", reason=type(error.orig).__name__)
            await wait(stop, LOOK_EVERY_S)
    finally:
        await pollers.end()
        await asyncio.to_thread(_give_back, pollers.owner)


class Pollers:
    """The tasks of one process: one poller an account it holds a lease of."""

    def __init__(self, pool: ClientPool, stop: asyncio.Event) -> None:
        self.owner = new_id()
        self._pool = pool
        self._stop = stop
        # Of their own for leads: what is copied never waits behind thousands of copy accounts linked at once.
        self._slots = {role: asyncio.Semaphore(AT_ONCE) for role in Role}
        self._histories = {role: asyncio.Semaphore(HISTORIES_AT_ONCE) for role in Role}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._refs: dict[UUID, AccountRef] = {}
        self._copies = 0

    def follow(self, accounts: dict[UUID, CapturedAccount]) -> None:
        """Have exactly these accounts polled; one whose poller crashed or whose key changed gets a new one."""
        self._copies = sum(account.role is Role.COPY for account in accounts.values())
        refs = {account_id: account.ref for account_id, account in accounts.items()}
        for account_id in [one for one in self._tasks if refs.get(one) != self._refs.get(one)]:
            self._tasks.pop(account_id).cancel()
        self._refs = refs
        for account_id, account in accounts.items():
            task = self._tasks.get(account_id)
            if task is not None and task.done() and not task.cancelled() and (error := task.exception()):
                log.error("poll.crashed", account=str(account_id), exc_info=error)
            if task is None or task.done():
                self._tasks[account_id] = asyncio.create_task(self._keep(account))

    async def end(self) -> None:
        """Stop all pollers."""
        await _cancel(self._tasks.values())

    async def _keep(self, account: CapturedAccount) -> None:
        past = asyncio.create_task(self._read_past(account))
        memory = Memory()
        try:
            async for _ in bell().rings(
                f"poll:{account.ref.id}",
                quiet=1.0,
                every=partial(self._interval, account, memory),
                rest=REST_S,
                hurry=unproven(account.ref.id),
            ):
                while not self._stop.is_set() and not await self._once(account, memory):
                    await wait(self._stop, settings().capture_spare_s + 0.1)
                if self._stop.is_set():
                    return
        finally:
            await _cancel([past])

    def _interval(self, account: CapturedAccount, memory: Memory) -> float:
        """Return the seconds between two polls, a little different for each account so that they spread."""
        is_lead = account.role is Role.LEAD
        is_streamed = memory.is_streamed and not memory.has_work()
        seconds = lead_poll_interval(is_streamed=is_streamed) if is_lead else copy_poll_interval(self._copies)
        return seconds * (0.9 + account.ref.id.int % 1000 / 5000)

    async def _once(self, account: CapturedAccount, memory: Memory) -> bool:
        """Poll once; return False where a second reading is wanted soon."""
        try:
            async with self._slots[account.role]:
                with reading_in(lane_of(account.role)):
                    await poll(await self._pool.get(account.ref), account, memory)
            metrics.polls.labels(outcome="done").inc()
            return not memory.wants_baseline
        except BadCredentials as error:
            metrics.polls.labels(outcome="key_refused").inc()
            log.warning("poll.key_refused", account=str(account.ref.id), code=error.venue_code)
            await asyncio.to_thread(_have_checked, account.ref.id)
            await wait(self._stop, _LONGEST_WAIT_S)
        except OperationalError as error:
            metrics.polls.labels(outcome="not_stored").inc()
            log.warning("poll.not_stored", account=str(account.ref.id), reason=type(error.orig).__name__)
        except Unavailable as error:
            metrics.polls.labels(outcome="missed").inc()
            log.info("poll.missed", account=str(account.ref.id), reason=error.message)
            await wait(self._stop, min(error.retry_after or 0.0, _LONGEST_WAIT_S))
        return True

    async def _read_past(self, account: CapturedAccount) -> None:
        while not self._stop.is_set():
            try:
                async with self._histories[account.role]:
                    with reading_in(Lane.PAST):
                        await history.read(await self._pool.get(account.ref), account)
                return
            except BadCredentials:
                return
            except OperationalError as error:
                log.warning("history.not_stored", account=str(account.ref.id), reason=type(error.orig).__name__)
                await wait(self._stop, _HISTORY_AGAIN_S)
            except Unavailable as error:
                log.info("history.paused", account=str(account.ref.id), reason=error.message)
                await wait(self._stop, min(max(error.retry_after or 0.0, _HISTORY_AGAIN_S), _LONGEST_WAIT_S))


async def wait(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    running = list(tasks)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _share(owner: UUID) -> dict[UUID, CapturedAccount]:
    with transaction() as session:
        found = captured(session, roles=(Role.LEAD, Role.COPY))
        held = leases.share(session, found, kind=KIND, owner=owner, validity=LEASE)
        return {account_id: found[account_id] for account_id in held}


def _give_back(owner: UUID) -> None:
    with transaction() as session:
        leases.give_back(session, kind=KIND, owner=owner)


def _have_checked(account_id: UUID) -> None:
    with transaction() as session:
        accounts.recheck(session, owner=owner_of(session, account_id), account_id=account_id)
