"""Private streams of the lead accounts: the fast way of a fill into the database.

Readers only put messages into one queue; one writer stores whatever has gathered in one transaction. Every message
of an account also rings its poll, which is the truth.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from copytrade import clock, metrics
from copytrade.capture import leases, order_sizes, readings, storing, trouble
from copytrade.capture.accounts import CapturedAccount, captured
from copytrade.capture.arrays import among_ids
from copytrade.capture.models import CaptureState
from copytrade.capture.polling import wait
from copytrade.capture.storing import Captured, Source
from copytrade.db.bell import asking_ring
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.db.trips import Trip
from copytrade.domain.fills import Position
from copytrade.domain.instruments import Role
from copytrade.errors import BadCredentials, Unavailable
from copytrade.exchanges.limits import lane_of, reading_in
from copytrade.exchanges.port import AccountRef, ClientPool, StreamMessage
from copytrade.failpoints import Label, reach
from copytrade.settings import settings

log = structlog.get_logger()
KIND = "stream"
BATCH = 500
_AGAIN_S = 30.0
_TOGETHER_S = 0.002
"""How long the other messages of an execution are waited for."""
REBUILD_AT_MOST_EVERY = timedelta(seconds=10)
"""A stream that says nothing though something was traded is built anew, this often at most."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of an account and when it came."""

    account_id: UUID
    message: StreamMessage
    at: datetime
    tells_size: bool = False
    """Whether it is the order of fills that were told before it, without its quantity."""


async def run(pool: ClientPool, stop: asyncio.Event) -> None:
    """Stream this process's share of the lead accounts until `stop` is set."""
    streams = Streams(pool, stop)
    writer = asyncio.create_task(streams.write())
    validity = timedelta(seconds=settings().stream_lease_s)
    try:
        while not stop.is_set() and not writer.done():
            try:
                accounts, deaf = await asyncio.to_thread(_share, streams.owner, validity, streams.take_heard())
                streams.follow(accounts, deaf=deaf)
            except OperationalError as error:
                log.warning("stream.database_away", reason=type(error.orig).__name__)
            await wait(stop, validity.total_seconds() / 4)
    finally:
        await streams.end()
        writer.cancel()
        await asyncio.to_thread(_give_back, streams.owner)
        with contextlib.suppress(asyncio.CancelledError):
            await writer  # raises what broke it, if anything did


class Streams:
    """The streams of one process and the queue between them and the writer."""

    def __init__(self, pool: ClientPool, stop: asyncio.Event) -> None:
        self.owner = new_id()
        self._pool = pool
        self._stop = stop
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()
        self._fill = asyncio.Event()
        """Set by a fill that is heard."""
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._refs: dict[UUID, AccountRef] = {}
        self._built_at: dict[UUID, float] = {}
        self._heard_at: dict[UUID, datetime] = {}

    def take_heard(self) -> dict[UUID, datetime]:
        """Return when accounts were last heard, of those that were since this was last asked."""
        heard, self._heard_at = self._heard_at, {}
        return heard

    def follow(self, accounts: dict[UUID, CapturedAccount], *, deaf: set[UUID]) -> None:
        """Have exactly these accounts streamed; one whose reader crashed or went deaf, or whose key changed, anew."""
        refs = {account_id: account.ref for account_id, account in accounts.items()}
        # one that is connecting still looks deaf: it is given time
        built_before = time.monotonic() - REBUILD_AT_MOST_EVERY.total_seconds()
        deaf = {one for one in deaf if self._built_at.get(one, 0.0) < built_before}
        for account_id in [one for one in self._tasks if refs.get(one) != self._refs.get(one) or one in deaf]:
            self._tasks.pop(account_id).cancel()
        self._refs = refs
        for account_id, account in accounts.items():
            task = self._tasks.get(account_id)
            if task is not None and task.done() and not task.cancelled() and (error := task.exception()):
                log.error("stream.crashed", account=str(account_id), exc_info=error)
            if task is None or task.done():
                self._built_at[account_id] = time.monotonic()
                self._tasks[account_id] = asyncio.create_task(self._read(account))

    async def end(self) -> None:
        """Close all streams."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def write(self) -> None:
        """Store what is heard, all that has gathered at a time; a batch is tried until it is stored."""
        while True:
            batch = [await self._heard.get()]
            self._take_all(batch)
            if all(one.message.fill is None for one in batch):
                # An order and the position after it are told a moment before or after the fill, which must not wait.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._fill.wait(), _TOGETHER_S)
                self._take_all(batch)
            self._fill.clear()
            while not await asyncio.to_thread(_store_or_tell, batch):
                await wait(self._stop, 0.2)

    def _take_all(self, batch: list[Heard]) -> None:
        while len(batch) < BATCH and not self._heard.empty():
            batch.append(self._heard.get_nowait())

    async def _read(self, account: CapturedAccount) -> None:
        with reading_in(lane_of(account.role)):
            await self._listen(account)

    async def _listen(self, account: CapturedAccount) -> None:
        try:
            client = await self._pool.get(account.ref)
        except (Unavailable, BadCredentials) as error:
            log.info("stream.not_opened", account=str(account.ref.id), reason=error.message)
            await wait(self._stop, _AGAIN_S)
            return
        except OperationalError as error:
            log.warning("stream.database_away", account=str(account.ref.id), reason=type(error.orig).__name__)
            await wait(self._stop, _AGAIN_S)
            return
        told = order_sizes.Told()
        async with client.stream() as messages:
            async for message in messages:
                self._heard_at[account.ref.id] = clock.now()
                if message.alive:
                    continue
                if message.connected:
                    metrics.stream_connections.labels(venue=account.ref.venue.value).inc()
                self._heard.put_nowait(_sized(Heard(account.ref.id, message, clock.now()), told))
                if message.fill is not None:
                    self._fill.set()


def _sized(heard: Heard, told: order_sizes.Told) -> Heard:
    message = heard.message
    if message.fill is not None:
        return replace(heard, message=replace(message, fill=told.fill(message.fill)))
    return replace(heard, tells_size=message.order is not None and told.order(message.order))


def _store_or_tell(batch: Sequence[Heard]) -> bool:
    try:
        reach(Label.STREAM_HEARD)
        with transaction() as session:
            store(session, batch)
            reach(Label.STREAM_STORED)
        reach(Label.STREAM_COMMITTED)
    except OperationalError as error:
        # the database is away, or two writers met in the same rows: nothing was stored, all is tried again
        log.warning("stream.not_stored", messages=len(batch), reason=type(error.orig).__name__)
        return False
    return True


def store(session: Session, batch: Sequence[Heard]) -> None:
    """Store a batch of messages of any accounts and ring the polls of those that say more than an order's state."""
    fills = [Captured(one.account_id, one.message.fill, one.at) for one in batch if one.message.fill is not None]
    positions = _positions(batch)
    trip = Trip(session)
    stored = trip.ask(storing.asking(storing.fit(session, fills, source=Source.STREAM), source=Source.STREAM))
    trip.ask(readings.asking_seen(positions))
    trip.ask(order_sizes.asking_note(sizes := _sizes(batch)))
    # Rung before it is known whether a fill was new: that hardly ever differs, and saves a trip.
    rung = {f"poll:{one.account_id}" for one in batch if one.message.order is None}
    rung |= ({"plan"} if fills or positions else set()) | ({"resume"} if sizes else set())
    trip.ask(asking_ring(*sorted(rung)))
    trip.ask(storing.asking_ring_owners({one.account_id for one in fills}))
    trip.go()
    storing.tell(session, stored.value, source=Source.STREAM)
    for one in batch:
        if one.message.spoiled:
            storing.keep_spoiled(
                session, [one.message.spoiled], account_id=one.account_id, source=Source.STREAM, now=one.at
            )
    _note(session, stream_connected_at={one.account_id: one.at for one in batch if one.message.connected})
    _note(session, transfer_heard_at={one.account_id: one.at for one in batch if one.message.transfer is not None})


def _sizes(batch: Sequence[Heard]) -> dict[tuple[UUID, str], order_sizes.OrderSize]:
    return {
        (one.account_id, one.message.order.venue_order_id): order_sizes.size_of(one.message.order)
        for one in batch
        if one.tells_size and one.message.order is not None
    }


def _note(session: Session, **times: dict[UUID, datetime]) -> None:
    for column, by_account in times.items():
        for account_id, at in sorted(by_account.items()):
            state = update(CaptureState).where(col(CaptureState.exchange_account_id) == account_id)
            session.exec(state.values({column: at}))


def _positions(batch: Sequence[Heard]) -> dict[tuple[UUID, str, str], tuple[Position, datetime]]:
    newest: dict[tuple[UUID, str, str], tuple[Position, datetime]] = {}
    for one in batch:
        position, at = one.message.position, one.message.venue_time
        if position is not None and at is not None and trouble.is_fit(position):
            newest[one.account_id, position.symbol, position.position_side.value] = position, at
    return newest


def _share(
    owner: UUID, validity: timedelta, heard: dict[UUID, datetime]
) -> tuple[dict[UUID, CapturedAccount], set[UUID]]:
    with transaction() as session:
        found = captured(session, roles=(Role.LEAD,))
        held = leases.share(session, found, kind=KIND, owner=owner, validity=validity)
        leases.note_heard(session, heard, kind=KIND, owner=owner)
        deaf = select(CaptureState.exchange_account_id).where(
            among_ids(col(CaptureState.exchange_account_id), held),
            col(CaptureState.stream_deaf_at) > col(CaptureState.stream_connected_at),
            col(CaptureState.stream_connected_at) < clock.now() - REBUILD_AT_MOST_EVERY,
        )
        return {account_id: found[account_id] for account_id in held}, set(session.exec(deaf))


def _give_back(owner: UUID) -> None:
    with transaction() as session:
        leases.give_back(session, kind=KIND, owner=owner)
