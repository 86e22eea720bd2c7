"""What a poll of a spot account asks beyond one of perpetuals: fills are told symbol by symbol, and so looked for."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import structlog

from copytrade.capture import reckoning, spot
from copytrade.capture.poll_start import Memory, Start
from copytrade.capture.reckoning import Rest, Search
from copytrade.db.session import reading, transaction
from copytrade.domain.fills import AccountState
from copytrade.exchanges.port import ExchangeClient

log = structlog.get_logger()
_BLUR = timedelta(seconds=1)


async def symbols(client: ExchangeClient, start: Start, memory: Memory, *, moved: set[str]) -> set[str]:
    """Return what may have been traded: the markets of coins that moved, and the pairs of theirs that are known."""
    coins = {spot.coins_of(symbol)[0] for symbol in moved}
    known = {symbol for symbol in start.cursors if memory.is_first or coins & set(spot.coins_of(symbol))}
    return known | (moved & (await client.rules()).keys())


async def reckon(
    client: ExchangeClient, account_id: UUID, memory: Memory, state: AccountState, *, start: Start
) -> None:
    """At a moment of rest, hold what is captured against what is held, and go on with the search for what is not."""
    if memory.looks_left or memory.reckoned == state.mark or (memory.search is not None and memory.search.left):
        return
    balances = await client.balances()
    again = await client.state()
    if again.mark != state.mark:
        return
    now = Rest(again.asked_at, {one.asset: one.total for one in balances})
    left = await asyncio.to_thread(_left, account_id, start.rest, now)
    search = memory.search
    if left and search is None and start.rest is not None:
        memory.search, memory.wants_ledger = Search(start.rest.at - _BLUR), True
        return
    if left and search is not None and not search.is_filled:
        log.info("capture.balance_unexplained", account=str(account_id), assets=sorted(left))
        named = await client.traded_symbols(since=search.since)
        rules = await client.rules()
        search.left = reckoning.candidates(left, known=start.cursors, named=named & rules.keys(), rules=rules)
        search.is_filled = True
        return
    memory.search, memory.reckoned = None, state.mark
    await asyncio.to_thread(_settle, account_id, now, left)


def _left(account_id: UUID, rest: Rest | None, now: Rest) -> dict[str, Decimal]:
    if rest is None:
        return {}
    with reading() as session:
        return reckoning.unexplained(session, account_id, rest, now)


def _settle(account_id: UUID, now: Rest, left: dict[str, Decimal]) -> None:
    with transaction() as session:
        reckoning.settle(session, account_id, now, left_over=left)
