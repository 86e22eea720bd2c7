"""One poll of one account: all that is new is read and stored, then its positions are held against P.

While the venue's mark of the account stands still nothing was traded, and one cheap call is all that a poll costs.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from sqlalchemy import text

from copytrade import clock
from copytrade.accounts import snapshots
from copytrade.capture import readings, spot_poll, storing, trouble
from copytrade.capture.accounts import CapturedAccount
from copytrade.capture.catching_up import Gap, read_symbol
from copytrade.capture.poll_start import SWEEP_BACK, Memory, Start, start_of
from copytrade.capture.service import lock_state
from copytrade.capture.taking import Place
from copytrade.capture.trouble import Trouble
from copytrade.db.model import TRADES
from copytrade.db.session import transaction
from copytrade.domain.fills import AccountState, EntryKind, LedgerEntry
from copytrade.domain.instruments import Market, Role
from copytrade.errors import Unavailable
from copytrade.exchanges.port import ExchangeClient
from copytrade.failpoints import Label, reach

log = structlog.get_logger()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(seconds=60)
"""Ledger entries and first pages of a symbol are read again this far back."""
LOOKS = {Market.PERPETUAL: 2, Market.SPOT: 1}
"""Polls that read after a change, since a venue may show it late; on spot the balances tell what is missing."""
LEDGER_EVERY = {Market.PERPETUAL: timedelta(minutes=5), Market.SPOT: timedelta(minutes=10)}
"""How often the ledger is asked, the dearest call, while a stream tells what is traded; without one at each change.

On spot it tells nothing of trades, and is asked besides when a transfer was heard or a balance is not explained.
"""
SEARCH = timedelta(minutes=2)
"""How long fills are looked for that a reading of the positions speaks of and nobody told."""
SWEEP_EVERY = timedelta(minutes=10)
"""What was traded is read over again this often, by time, whatever the cursors say."""
SETTLE_EVERY = timedelta(seconds=15)
"""A reading that agreed with P and whose mark stands still is held against it anew this often, or when a fill waits."""


async def poll(client: ExchangeClient, account: CapturedAccount, memory: Memory) -> bool:
    """Bring an account up to date; return whether anything was new. Unavailable or BadCredentials otherwise."""
    start, began_here = await asyncio.to_thread(start_of, account.ref.id), clock.now()
    memory.is_streamed = start.is_streamed
    state = await client.state()
    began, is_new = state.asked_at, False
    if state.mark != memory.mark:
        memory.mark, memory.looks_left, memory.owes_ledger = state.mark, LOOKS[account.ref.market], True
    has_transfer = _has_transfer(memory, start)
    asks_ledger = has_transfer or memory.wants_ledger or _is_ledger_due(account, memory, start, now=began)
    if memory.looks_left or asks_ledger or start.is_waiting or memory.missing or memory.search:
        entries = await _ledger(client, start, until=began) if asks_ledger else []
        since = _since(entries, unless=memory.ledger_ids)
        again = _again(memory, start, now=began, ahead=SWEEP_EVERY * (account.ref.id.int % 1000 / 1000))
        moved = _moved(memory, state)
        if account.ref.market is Market.SPOT:
            moved = await spot_poll.symbols(client, start, memory, moved=moved)
        symbols = sorted(moved | start.symbols | since.keys() | again.keys())
        gaps = [_gap(account, one, start, since=since.get(one), again=again.get(one)) for one in symbols]
        is_new |= await _read_all(client, gaps, memory, now=began)
        if asks_ledger:
            is_new |= await _keep_ledger(client, account, entries, until=began, has_transfer=has_transfer)
            memory.ledger_at, memory.owes_ledger, memory.wants_ledger = began, False, False
            memory.ledger_ids = {entry.entry_id for entry in entries}
        memory.looks_left = max(memory.looks_left - 1, 0)
        state = await client.state()
    odd = await _settle(client, account, state, memory, began=began, began_here=began_here)
    memory.missing |= {symbol: began for symbol in odd if symbol not in memory.missing}
    memory.positions, memory.is_first = _held(state), False
    if account.ref.market is Market.SPOT:
        await spot_poll.reckon(client, account.ref.id, memory, state, start=start)
    return is_new


async def _read_all(client: ExchangeClient, gaps: list[Gap], memory: Memory, *, now: datetime) -> bool:
    """Read every symbol, whatever befalls another; return whether anything was new. Unavailable where one failed."""
    is_new, failed = False, None
    for gap in gaps:
        if now - memory.gone.get(gap.symbol, EPOCH) < SWEEP_EVERY:
            continue
        try:
            is_new |= await read_symbol(client, gap)
        except Unavailable as error:
            if not trouble.is_gone(error):
                failed = failed or error
                continue
            if gap.symbol not in memory.gone:
                await asyncio.to_thread(_say_gone, gap)
            memory.gone[gap.symbol] = now
    if failed is not None:
        raise failed
    return is_new


def _say_gone(gap: Gap) -> None:
    with transaction() as session:
        trouble.mark(session, Trouble.UNKNOWN_SYMBOL, account_id=gap.account_id, symbol=gap.symbol)


def _has_transfer(memory: Memory, start: Start) -> bool:
    heard, asked = start.transfer_heard_at, memory.ledger_at
    return heard is not None and (asked is None or heard > asked)


def _is_ledger_due(account: CapturedAccount, memory: Memory, start: Start, *, now: datetime) -> bool:
    if memory.ledger_at is None:
        return True
    is_due = now - memory.ledger_at >= LEDGER_EVERY[account.ref.market]
    if account.ref.market is Market.SPOT:
        return memory.owes_ledger and is_due
    return memory.owes_ledger and (start.streamed_since is None or is_due)


def _again(memory: Memory, start: Start, *, now: datetime, ahead: timedelta) -> dict[str, datetime]:
    """Return the symbols that are read by time instead of from their cursors, and since when.

    The second sweep comes so far `ahead` of its time: a thousand accounts are begun with at once, not swept at once.
    """
    memory.missing = {symbol: since for symbol, since in memory.missing.items() if now - since < SEARCH}
    again = {symbol: since - OVERLAP for symbol, since in memory.missing.items()}
    if memory.swept_at is None or now - memory.swept_at >= SWEEP_EVERY:
        memory.swept_at = now - ahead if memory.swept_at is None else now
        again |= dict.fromkeys(start.of_the_hour, now - SWEEP_BACK)
    if memory.search is not None:
        again |= dict.fromkeys(memory.search.take(), memory.search.since)
    return again


def _held(state: AccountState) -> dict[Place, Decimal]:
    return {(symbol, side.value): quantity for (symbol, side), quantity in state.positions.items()}


def _moved(memory: Memory, state: AccountState) -> set[str]:
    now = _held(state)
    return {place[0] for place in now.keys() | memory.positions.keys() if now.get(place) != memory.positions.get(place)}


async def _ledger(client: ExchangeClient, start: Start, *, until: datetime) -> list[LedgerEntry]:
    return await client.entries(since=start.entries_until - OVERLAP, until=until + OVERLAP)


def _since(entries: list[LedgerEntry], *, unless: set[str]) -> dict[str, datetime]:
    """Return, for each symbol with a new line in the ledger, from when its fills may be missing."""
    since: dict[str, datetime] = {}
    for entry in entries:
        if entry.symbol and entry.entry_id not in unless:
            since[entry.symbol] = min(since.get(entry.symbol, entry.venue_time), entry.venue_time)
    return since


async def _keep_ledger(
    client: ExchangeClient,
    account: CapturedAccount,
    entries: list[LedgerEntry],
    *,
    until: datetime,
    has_transfer: bool,
) -> bool:
    """Store ledger entries, after the fills they led to; at a transfer the equity is read anew."""
    kinds = await asyncio.to_thread(_store_entries, account.ref.id, entries, until)
    if has_transfer or EntryKind.TRANSFER in kinds:
        await _note_equity(client, account.ref.id)
    return bool(kinds)


def _gap(account: CapturedAccount, symbol: str, start: Start, *, since: datetime | None, again: datetime | None) -> Gap:
    known_until = (start.polled_until or start.entries_until) - OVERLAP
    return Gap(
        account_id=account.ref.id,
        symbol=symbol,
        cursor="" if again else start.cursors.get(symbol, ""),
        since=min(since or known_until, again or known_until, known_until),
        is_lead=account.role is Role.LEAD,
        streamed_since=start.streamed_since,
    )


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


async def _settle(
    client: ExchangeClient,
    account: CapturedAccount,
    state: AccountState,
    memory: Memory,
    *,
    began: datetime,
    began_here: datetime,
) -> set[str]:
    """Hold the reading against P; return the symbols that it does not explain."""
    settled = await asyncio.to_thread(_hold_against, account.ref.id, state, memory, began, began_here)
    odd = {symbol for symbol, _ in settled.odd}
    if not settled.confirmed:
        return odd
    quotes = await client.quotes(sorted({symbol for symbol, _ in settled.confirmed}))
    prices = {place: quotes[place[0]].mark for place in settled.confirmed if place[0] in quotes}
    log.warning("capture.rebased", account=str(account.ref.id), instruments=len(prices))

    def set_to() -> None:
        with transaction() as session:
            readings.rebase(session, prices, account_id=account.ref.id)

    await asyncio.to_thread(set_to)
    return odd


_QUIET = text(f"""
UPDATE {TRADES}.capture_states SET last_polled_at = :now, polled_until = GREATEST(polled_until, :began),
    poll_began_at = GREATEST(poll_began_at, :began_here)
WHERE exchange_account_id = :account AND NOT EXISTS (
    SELECT 1 FROM {TRADES}.fills WHERE exchange_account_id = :account AND planned_at IS NULL AND NOT is_history)
""")  # noqa: S608 - only the schema's name goes in


def _hold_against(
    account_id: UUID, state: AccountState, memory: Memory, began: datetime, began_here: datetime
) -> readings.Settled:
    with transaction() as session:
        if memory.settled and memory.settled[0] == state.mark and began - memory.settled[1] < SETTLE_EVERY:
            times = {"now": clock.now(), "began": began, "began_here": began_here}
            if session.connection().execute(_QUIET, {"account": account_id, **times}).rowcount:
                return readings.Settled()
        row = lock_state(session, account_id)
        if row is None:
            return readings.Settled()
        row.polled_until, row.last_polled_at = max(row.polled_until or began, began), clock.now()
        row.poll_began_at = max(row.poll_began_at or began_here, began_here)
        session.add(row)
        settled = readings.settle(session, state, account_id=account_id)
        session.flush()
        reach(Label.READING_HELD)
    is_settled = not (settled.odd or settled.confirmed or settled.wants_baseline)
    memory.settled = (state.mark, began) if is_settled else None
    memory.wants_baseline = settled.wants_baseline
    return settled
