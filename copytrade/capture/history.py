"""The past of an account, as far as its venue keeps it: ledger, fills, daily closes. Shown, never planned.

Each step is stored with where it goes on, so that a killed process goes on there.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.capture import storing, trouble
from copytrade.capture.accounts import CapturedAccount
from copytrade.capture.models import AccountEntry, CaptureState, StoredFill
from copytrade.capture.service import lock_state
from copytrade.capture.storing import Captured, Source
from copytrade.capture.trouble import Trouble
from copytrade.db.bell import ring
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import Market
from copytrade.errors import Unavailable
from copytrade.exchanges.port import ExchangeClient, FillPage
from copytrade.exchanges.venues import facts

log = structlog.get_logger()
LEDGER_SPAN = timedelta(days=31)
"""So much of the ledger is read before progress is stored; a call costs the same however long its span is."""
DAY = timedelta(days=1)
_DONE = "done"


async def read(client: ExchangeClient, account: CapturedAccount) -> None:
    """Read an account's past once; Unavailable or BadCredentials where the venue does not answer."""
    account_id = account.ref.id
    progress = await asyncio.to_thread(_progress, account_id)
    if progress is None:
        return
    now, kept = clock.now(), facts(account.ref.venue)
    await _read_ledger(client, account_id, progress, oldest=now - kept.entries_kept, now=now)
    if account.ref.market is Market.SPOT:
        await _read_spot(client, account, progress, oldest=now - kept.fills_kept, now=now)
        return
    spans = await asyncio.to_thread(_spans, account_id)
    horizon = now - kept.entries_kept + DAY
    for symbol, first in spans.items():
        # What began before the ledger does is looked for as far back as fills are kept.
        since = first - timedelta(minutes=1) if first > horizon else now - kept.fills_kept
        await _read_symbol(client, account, symbol, progress, since=since, candles=(min(since, first) - DAY, now))
    await asyncio.to_thread(_finish, account_id)


async def _read_spot(
    client: ExchangeClient, account: CapturedAccount, progress: dict[str, Any], *, oldest: datetime, now: datetime
) -> None:
    """Read the past of every symbol that the account can be known to have traded: the ledger names none on spot."""
    account_id = account.ref.id
    known = await asyncio.to_thread(_symbols, account_id)
    for symbol in sorted(known | await client.traded_symbols(since=oldest)):
        await _read_symbol(client, account, symbol, progress, since=oldest, candles=(oldest - DAY, now))
    await asyncio.to_thread(_finish, account_id)


async def _read_symbol(
    client: ExchangeClient,
    account: CapturedAccount,
    symbol: str,
    progress: dict[str, Any],
    *,
    since: datetime,
    candles: tuple[datetime, datetime],
) -> None:
    """Read a symbol's fills and closes; one that the venue does not know any more is said and left."""
    try:
        await _read_fills(client, account.ref.id, symbol, progress, since=since)
        closes = await client.candles(symbol, interval="1d", since=candles[0], until=candles[1])
    except Unavailable as error:
        if not trouble.is_gone(error):
            raise
        await asyncio.to_thread(_say_gone, account.ref.id, symbol)
        return
    await asyncio.to_thread(_store_closes, account, symbol, closes)


def _symbols(account_id: UUID) -> set[str]:
    query = select(StoredFill.symbol).where(StoredFill.exchange_account_id == account_id).distinct()
    with reading() as session:
        return set(session.exec(query))


def _say_gone(account_id: UUID, symbol: str) -> None:
    with transaction() as session:
        trouble.mark(session, Trouble.UNKNOWN_SYMBOL, account_id=account_id, symbol=symbol)


async def _read_ledger(
    client: ExchangeClient, account_id: UUID, progress: dict[str, Any], *, oldest: datetime, now: datetime
) -> None:
    begins = max(datetime.fromisoformat(progress["ledger"]), oldest) if "ledger" in progress else oldest
    while begins < now:
        ends = min(begins + LEDGER_SPAN, now)
        entries = await client.entries(since=begins, until=ends)

        def store(session: Session, entries: Any = entries) -> None:
            storing.store_entries(session, entries, account_id=account_id)

        await _step(account_id, progress, {"ledger": ends.isoformat()}, store)
        begins = ends


async def _read_fills(
    client: ExchangeClient, account_id: UUID, symbol: str, progress: dict[str, Any], *, since: datetime
) -> None:
    cursor = progress.get(symbol, "")
    while cursor != _DONE:
        page = await client.fills(symbol, cursor=cursor, since=since)
        cursor = _DONE if page.is_last else page.cursor
        await _step(account_id, progress, {symbol: cursor}, _storing(account_id, page))


def _storing(account_id: UUID, page: FillPage) -> Callable[[Session], None]:
    now = clock.now()

    def store(session: Session) -> None:
        captured = [Captured(account_id, fill, now) for fill in page.fills]
        storing.store(session, captured, source=Source.HISTORY)
        storing.keep_spoiled(session, page.spoiled, account_id=account_id, source=Source.HISTORY, now=now)

    return store


async def _step(
    account_id: UUID, progress: dict[str, Any], reached: dict[str, Any], store: Callable[[Session], None]
) -> None:
    """Store what was read and how far, in one transaction."""
    progress |= reached

    def write() -> None:
        with transaction() as session:
            state = lock_state(session, account_id)
            store(session)
            if state is not None:
                state.history = dict(progress)
                session.add(state)

    await asyncio.to_thread(write)


def _progress(account_id: UUID) -> dict[str, Any] | None:
    with reading() as session:
        state = session.get(CaptureState, account_id)
        return None if state is None or state.history_done_at is not None else dict(state.history)


def _spans(account_id: UUID) -> dict[str, datetime]:
    """Return the traded symbols and when each first stood in the ledger."""
    query = (
        select(AccountEntry.symbol, func.min(AccountEntry.venue_time))
        .where(AccountEntry.exchange_account_id == account_id, AccountEntry.symbol != "")
        .group_by(col(AccountEntry.symbol))
    )
    with reading() as session:
        return dict(session.exec(query.order_by(col(AccountEntry.symbol))).all())


def _store_closes(account: CapturedAccount, symbol: str, candles: Any) -> None:
    with transaction() as session:
        storing.store_closes(session, candles, venue=account.ref.venue.value, symbol=symbol)


def _finish(account_id: UUID) -> None:
    with transaction() as session:
        state = lock_state(session, account_id)
        if state is None:
            return
        state.history_done_at = clock.now()
        session.add(state)
        ring(session, f"user:{state.user_id}", "history")
    log.info("history.read", account=str(account_id))
