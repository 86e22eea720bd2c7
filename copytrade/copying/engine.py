"""The engine of one process: plans, drives, resolves and recovers, woken by the bell and by its own sweep.

All work is claimed in the database, so any number of processes may run it; a killed one leaves rows that the next
sweep of another finds. Several batches are in flight: while requests of one are on their way the next is claimed.
"""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID, uuid4

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from copytrade import clock
from copytrade.copying import (
    claims,
    ending,
    fees,
    guarding,
    listing,
    reconciling,
    refreshing,
    resolver,
    sending,
    service_orders,
    silence,
    starting,
    volumes,
)
from copytrade.copying.asking import Asked
from copytrade.copying.planning_rounds import Planner
from copytrade.copying.preparing import Preparer
from copytrade.copying.resuming_rounds import Resumer
from copytrade.copying.sending import Sender
from copytrade.copying.terms import Terms
from copytrade.copying.work import Claimed, Sending, Taking
from copytrade.db.bell import bell
from copytrade.db.session import transaction
from copytrade.exchanges.port import ClientPool
from copytrade.failpoints import Label, reach
from copytrade.settings import settings

log = structlog.get_logger()

T = TypeVar("T")
DATABASE_AWAY = (DBAPIError, psycopg.Error)
AFTER_TROUBLE_S = 0.5
SHORTEST_PAUSE_S = 0.02
"""A leg that is due may be in the hands of another transaction."""
RESOLVE_EVERY_S = 0.25
SLOW_SWEEP_EVERY_S = 5.0
TURNOVER_EVERY_S = 30.0


@dataclass(slots=True)
class Engine:
    """What the parts of one process share."""

    pool: ClientPool
    stop: asyncio.Event
    owner: str = field(default_factory=lambda: f"{socket.gethostname()[:16]}:{os.getpid()}:{uuid4().hex[:8]}")
    terms: Terms = field(init=False)
    preparer: Preparer = field(init=False)
    planner: Planner = field(init=False)
    resumer: Resumer = field(init=False)
    sender: Sender = field(init=False)
    driving: asyncio.Event = field(default_factory=asyncio.Event)
    _background: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def __post_init__(self) -> None:
        self.terms = Terms(self.pool)
        self.preparer = Preparer(self.pool)
        asked = Asked()
        self.planner = Planner(
            self.pool, self.terms, taking=self._taking, took=self._took, due=self.driving, asked=asked
        )
        self.resumer = Resumer(self.pool, self.terms, asked)
        self.sender = Sender(self.pool, self.terms)

    async def drive(self) -> float | None:
        """Claim due legs batch after batch while there are any; return in how many seconds the next is due."""
        if settings().api_orders_enabled:
            self.sender.send(await asyncio.to_thread(self._claim_of_services))
        while not self.stop.is_set():
            await self.sender.room()
            claimed, due_at = await asyncio.to_thread(self._claim)
            self._took(claimed)
            if claimed.legs < settings().drive_batch:
                return (due_at - clock.now()).total_seconds() if due_at else None
        return None

    async def reconcile(self) -> None:
        """Compare accounts with legs, unless orders are on their way: reads wait behind them."""
        if not self.sender.is_busy:
            await reconciling.sweep(self.pool)

    def _taking(self) -> Taking:
        return Taking(self.terms.known(), self.owner, min(self.sender.left, settings().plan_sends))

    def _took(self, claimed: Claimed) -> None:
        self._lacking(claimed)
        self.sender.board.learn(claimed.switches)
        self.sender.send(claimed.sendings)

    def _claim(self) -> tuple[Claimed, datetime | None]:
        with transaction() as session:
            claimed = claims.claim(session, known=self.terms.known(), owner=self.owner)
            due_at = claims.next_due(session)
            if claimed.sendings:
                reach(Label.CLAIM_WRITTEN)
        if claimed.sendings:
            reach(Label.CLAIM_COMMITTED)
        return claimed, due_at

    def _claim_of_services(self) -> list[Sending]:
        with transaction() as session:
            return service_orders.claim(session, owner=self.owner)

    def _lacking(self, claimed: Claimed) -> None:
        for account in {one.venue: one for one in claimed.rules}.values():
            self._later(self._learn(self.terms.rules(account), []))
        if claimed.quotes:
            self._later(self._learn(self.terms.quote(claimed.quotes), claimed.waiting))
        if claimed.balances:
            self._later(self._learn(self.terms.balances(claimed.balances), claimed.selling))
        if claimed.preparing:
            self._later(self.preparer.prepare(claimed.preparing))

    async def _learn(self, asking: Awaitable[object], waiting: list[UUID]) -> None:
        await asking
        if waiting:
            await asyncio.to_thread(_wake, waiting)
        self.driving.set()

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_guarded(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        """Wait for what is in flight, so that its outcome is written down."""
        await self.sender.close()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


def _wake(leg_ids: list[UUID]) -> None:
    with transaction() as session:
        claims.wake(session, leg_ids)


async def run(pool: ClientPool, stop: asyncio.Event) -> None:
    """Plan, drive, resolve and reconcile until `stop` is set."""
    engine = Engine(pool, stop)
    # A thousand warm clients are millions of objects: walking them all for garbage stops every order for 100 ms.
    gc.set_threshold(20_000, 50, 1_000)
    # A thread that plans or writes must not keep orders from leaving for 5 ms each time.
    sys.setswitchinterval(0.001)
    parts = (
        _hears(engine, "plan", work=engine.planner.round, shortest_s=0.0),
        _hears(engine, "drive", work=engine.drive, also=engine.driving),
        _hears(engine, "resume", work=engine.resumer.round),
        _repeats(engine, RESOLVE_EVERY_S, work=lambda: resolver.resolve(pool)),
        _repeats(engine, settings().sweep_interval_s, work=ending.sweep),
        _repeats(engine, SLOW_SWEEP_EVERY_S, work=engine.reconcile),
        _repeats(engine, settings().sweep_interval_s, work=lambda: starting.sweep(pool, engine.terms)),
        _repeats(engine, SLOW_SWEEP_EVERY_S, work=fees.sweep),
        _repeats(engine, SLOW_SWEEP_EVERY_S, work=lambda: refreshing.sweep(engine.preparer)),
        _repeats(engine, SLOW_SWEEP_EVERY_S, work=lambda: refreshing.warm(engine.terms)),
        _repeats(engine, TURNOVER_EVERY_S, work=lambda: volumes.sweep(pool, engine.terms)),
        _repeats(engine, SLOW_SWEEP_EVERY_S, work=lambda: listing.sweep(pool, engine.terms)),
        _repeats(engine, guarding.EVERY_S, work=guarding.Guard(pool).sweep),
        _repeats(engine, silence.EVERY_S, work=silence.Watch(pool).sweep),
        sending.writes(engine.sender, stop),
    )
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await _first_failure(tasks, stop)
    finally:
        await engine.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _first_failure(tasks: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for task in done - {stopping}:
        task.result()


async def _hears(
    engine: Engine,
    topic: str,
    *,
    work: Callable[[], Awaitable[float | None]],
    also: asyncio.Event | None = None,
    shortest_s: float = SHORTEST_PAUSE_S,
) -> None:
    """Work at each ring of the topic, at the engine's own call, when the work says so, and at every sweep."""
    also = also or asyncio.Event()
    listening = asyncio.create_task(_forward(topic, also))
    try:
        while not engine.stop.is_set():
            also.clear()
            due_in = await _guarded(work())
            sweep = settings().sweep_interval_s
            await _either(also, engine.stop, sweep if due_in is None else min(max(due_in, shortest_s), sweep))
    finally:
        listening.cancel()


async def _forward(topic: str, event: asyncio.Event) -> None:
    async for _ in bell().rings(topic):
        event.set()


async def _repeats(engine: Engine, every_s: float, *, work: Callable[[], Awaitable[object]]) -> None:
    while not engine.stop.is_set():
        await _guarded(work())
        await _either(engine.stop, engine.stop, every_s)


async def _either(one: asyncio.Event, other: asyncio.Event, timeout: float) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in {one, other}]
    try:
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def _guarded(work: Awaitable[T]) -> T | None:
    """Do a round; while the database is away there is nothing to do but to try again."""
    try:
        return await work
    except DATABASE_AWAY as error:
        log.warning("copying.database_away", reason=type(error).__name__)
        await asyncio.sleep(AFTER_TROUBLE_S)
        return None
