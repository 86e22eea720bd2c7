"""One poll of one account: all that is new is read and stored, then its positions are held against P.

While the venue's mark of the account stands still nothing was traded, and one cheap call is all that a poll costs.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from sqlmodel import col, select

from copytrade import clock
from copytrade.accounts import snapshots
from copytrade.capture import readings, storing
from copytrade.capture.accounts import CapturedAccount
from copytrade.capture.models import CaptureState, StoredFill
from copytrade.capture.service import Place, lock_state
from copytrade.capture.storing import Captured, Source
from copytrade.db.session import reading, transaction
from copytrade.domain.fills import AccountState, EntryKind, LedgerEntry
from copytrade.exchanges.port import ExchangeClient, FillPage

log = structlog.get_logger()
OVERLAP = timedelta(seconds=60)
"""Ledger entries and first pages of a symbol are read again this far back."""
ENTRIES_EVERY = timedelta(seconds=15)
RECENT = timedelta(minutes=10)
"""A symbol traded this recently is asked whenever anything was traded."""


@dataclass(slots=True)
class Memory:
    """What one account's poller remembers between polls; the database holds what must not be lost."""

    mark: str = ""
    positions: dict[Place, Decimal] = field(default_factory=dict[Place, Decimal])
    changed_at: datetime | None = None
    entries_at: datetime | None = None
    is_settled: bool = False
    """Whether the ledger was asked since the last change and nothing new came: what the venue shows late is found."""


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a poll begins, from the database."""

    cursors: dict[str, str]
    polled_until: datetime | None
    entries_until: datetime
    recent: set[str]
    is_waiting: bool


async def poll(client: ExchangeClient, account: CapturedAccount, memory: Memory) -> bool:
    """Bring an account up to date; return whether anything was new. Unavailable or BadCredentials otherwise."""
    start = await asyncio.to_thread(_start, account.ref.id)
    state = await client.state()
    began, is_new = state.asked_at, False
    if state.mark != memory.mark:
        memory.mark, memory.changed_at, memory.is_settled = state.mark, began, False
    if not memory.is_settled or start.is_waiting:
        symbols = _moved(memory, state) | start.recent
        entries = await _entries(client, start, memory, until=began, is_unexplained=not symbols)
        since = _since(entries)
        for symbol in sorted(symbols | since.keys()):
            is_new |= await _read_symbol(client, account, symbol, start, since=since.get(symbol))
        kinds = await asyncio.to_thread(_store_entries, account.ref.id, entries, began)
        if EntryKind.TRANSFER in kinds:
            await _note_equity(client, account.ref.id)
        is_new |= bool(kinds)
        state = await client.state()
        is_asked = memory.entries_at is not None and memory.entries_at > (memory.changed_at or began)
        memory.is_settled = state.mark == memory.mark and not is_new and is_asked
    await _settle(client, account, state, began=began)
    memory.positions = _held(state)
    return is_new


def _start(account_id: UUID) -> _Start:
    with reading() as session:
        state = session.get(CaptureState, account_id)
        if state is None:
            raise LookupError(f"account {account_id} has no capture state")
        since = clock.now() - RECENT
        fills = select(StoredFill.symbol).where(StoredFill.exchange_account_id == account_id)
        waiting = fills.where(col(StoredFill.planned_at).is_(None), ~col(StoredFill.is_history))
        recent = session.exec(fills.where(col(StoredFill.venue_time) > since).distinct())
        return _Start(
            cursors=dict(state.cursors),
            polled_until=state.polled_until,
            entries_until=state.entries_until or state.created_at,
            recent=set(recent) | set(session.exec(waiting.distinct())),
            is_waiting=state.role == "lead" and session.exec(waiting.limit(1)).first() is not None,
        )


def _held(state: AccountState) -> dict[Place, Decimal]:
    return {(symbol, side.value): quantity for (symbol, side), quantity in state.positions.items()}


def _moved(memory: Memory, state: AccountState) -> set[str]:
    now = _held(state)
    return {place[0] for place in now.keys() | memory.positions.keys() if now.get(place) != memory.positions.get(place)}


async def _entries(
    client: ExchangeClient, start: _Start, memory: Memory, *, until: datetime, is_unexplained: bool
) -> list[LedgerEntry]:
    """Return what was booked; asked at once only when nothing else tells what was traded: it is the dearest call."""
    is_recent = memory.entries_at is not None and until - memory.entries_at < ENTRIES_EVERY
    if is_recent and not is_unexplained:
        return []
    memory.entries_at = until
    return await client.entries(since=start.entries_until - OVERLAP, until=until + OVERLAP)


def _since(entries: list[LedgerEntry]) -> dict[str, datetime]:
    """Return, for each symbol in the ledger, from when its fills may be missing."""
    since: dict[str, datetime] = {}
    for entry in entries:
        if entry.symbol:
            since[entry.symbol] = min(since.get(entry.symbol, entry.venue_time), entry.venue_time)
    return since


async def _read_symbol(
    client: ExchangeClient, account: CapturedAccount, symbol: str, start: _Start, *, since: datetime | None
) -> bool:
    """Read one symbol's fills from its cursor until a page brings nothing newer; return whether any was new."""
    cursor, is_new = start.cursors.get(symbol, ""), False
    known_until = (start.polled_until or start.entries_until) - OVERLAP
    since = min(since or known_until, known_until)
    while True:
        page = await client.fills(symbol, cursor=cursor, since=since)
        is_new |= await asyncio.to_thread(_store_page, account.ref.id, symbol, page)
        if page.is_last:
            return is_new
        cursor = page.cursor


def _store_page(account_id: UUID, symbol: str, page: FillPage) -> bool:
    """Store a page and, in the same transaction, where the next one starts."""
    now = clock.now()
    with transaction() as session:
        state = lock_state(session, account_id)  # first: whoever plans holds it when he locks fills
        stored = storing.store(session, [Captured(account_id, fill, now) for fill in page.fills], source=Source.POLL)
        if page.spoiled:
            kept = storing.keep_spoiled(session, page.spoiled, account_id=account_id, source=Source.POLL, now=now)
            if kept:
                log.error("capture.unreadable", account=str(account_id), rows=kept)
        if state is not None and state.cursors.get(symbol) != page.cursor:
            state.cursors = {**state.cursors, symbol: page.cursor}
            session.add(state)
        return bool(stored)


def _store_entries(account_id: UUID, entries: list[LedgerEntry], until: datetime) -> set[str]:
    if not entries:
        return set()
    with transaction() as session:
        state = lock_state(session, account_id)
        kinds = storing.store_entries(session, entries, account_id=account_id)
        if state is not None:
            state.entries_until = until
            session.add(state)
        return set(kinds)


async def _note_equity(client: ExchangeClient, account_id: UUID) -> None:
    equity, positions = await client.equity(), await client.positions()

    def put() -> None:
        with transaction() as session:
            snapshots.put_snapshot(session, account_id=account_id, equity=equity, positions=positions)

    await asyncio.to_thread(put)


async def _settle(client: ExchangeClient, account: CapturedAccount, state: AccountState, *, began: datetime) -> None:
    confirmed = await asyncio.to_thread(_hold_against, account.ref.id, state, began)
    if not confirmed:
        return
    quotes = await client.quotes(sorted({symbol for symbol, _ in confirmed}))
    prices = {place: quotes[place[0]].mark for place in confirmed if place[0] in quotes}
    log.warning("capture.rebased", account=str(account.ref.id), instruments=len(prices))

    def set_to() -> None:
        with transaction() as session:
            readings.rebase(session, prices, account_id=account.ref.id)

    await asyncio.to_thread(set_to)


def _hold_against(account_id: UUID, state: AccountState, began: datetime) -> list[Place]:
    with transaction() as session:
        row = lock_state(session, account_id)
        if row is None:
            return []
        row.polled_until, row.last_polled_at = max(row.polled_until or began, began), clock.now()
        session.add(row)
        return readings.settle(session, state, account_id=account_id)


def wants_baseline(account_id: UUID) -> bool:
    """Return whether a lead has no baseline yet: it is then polled again as soon as a second reading counts."""
    with reading() as session:
        state = session.get(CaptureState, account_id)
        return state is not None and state.role == "lead" and state.baseline_at is None
