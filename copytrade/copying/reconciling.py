"""Compares what legs hold with what the accounts hold: acts on two equal readings only, and never opens anything."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import acknowledged, bulk, notices, outcomes, records, saving
from copytrade.copying.outcomes import Told
from copytrade.copying.records import LegRecord
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.domain.fills import AccountState
from copytrade.domain.instruments import Market, PositionSide
from copytrade.domain.legs import adopt
from copytrade.domain.quantities import ZERO
from copytrade.domain.readings import AGAIN, Doubt, is_quiet, judge, missing
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool, ExchangeClient
from copytrade.failpoints import Label, reach

log = structlog.get_logger()

EVERY = timedelta(seconds=60)
AT_ONCE = 50
SEARCHED = timedelta(days=1)
"""How far back an order of ours may turn up."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an account held when it was read; `odd` are the symbols in which that is not what we expected."""

    account: AccountRef
    state: AccountState
    read_at: datetime


async def sweep(pool: ClientPool) -> None:
    """Read the accounts whose turn it is and compare."""
    refs = await asyncio.to_thread(_claim)
    await asyncio.gather(*(_compare(pool, ref) for ref in refs))


def _claim() -> list[AccountRef]:
    now = clock.now()
    with transaction() as session:
        bulk.fetch(
            session,
            "INSERT INTO trades.copy_readings (exchange_account_id, due_at) SELECT DISTINCT copy_account_id, %(now)s"
            " FROM trades.legs WHERE state = 'following' ON CONFLICT DO NOTHING",
            now=now,
        )
        rows = bulk.fetch(
            session,
            "UPDATE trades.copy_readings SET due_at = %(next)s WHERE exchange_account_id IN (SELECT exchange_account_id"
            " FROM trades.copy_readings WHERE due_at <= %(now)s ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"
            " RETURNING exchange_account_id",
            now=now,
            next=now + EVERY,
            limit=AT_ONCE,
        )
        found = {account for (account,) in rows}
        states = accounts.states(session, found)
        return [ref for ref in accounts.refs(session, found).values() if states.get(ref.id) == "active"]


async def _compare(pool: ClientPool, ref: AccountRef) -> None:
    try:
        client = await pool.get(ref)
        reading = Reading(ref, await client.state(), clock.now())
        reach(Label.RECONCILE_READ)
        odd = await asyncio.to_thread(_look, reading)
        for symbol in odd:
            await _book_unknown(client, ref, symbol)
    except ExchangeError as error:
        log.info("reconcile.unread", account=str(ref.id), code=error.venue_code)


def _look(reading: Reading) -> list[str]:
    with transaction() as session:
        odd = look(session, reading)
        reach(Label.RECONCILE_COMPARED)
    reach(Label.RECONCILE_COMMITTED)
    return odd


def look(session: Session, reading: Reading) -> list[str]:
    """Compare one reading with the legs of its account; return symbols in which orders of ours should be looked for."""
    legs = records.lock(
        session,
        "copy_account_id = %(id)s AND state = 'following' ORDER BY id FOR UPDATE",
        id=reading.account.id,
    )
    groups = defaultdict[tuple[str, PositionSide], list[LegRecord]](list)
    for leg in legs:
        groups[_place(leg)].append(leg)
    known_own = _own(session, reading.account.id)
    odd, touched = set[str](), list[LegRecord]()
    for (symbol, side), group in groups.items():
        if not all(_is_quiet(leg, reading.read_at) for leg in group):
            continue
        read = reading.state.positions.get((symbol, side), ZERO)
        held = sum((leg.leg.held for leg in group), ZERO)
        short = _missing(group, read)
        if side is PositionSide.NET:
            own = ZERO if short else read - held
            if symbol in known_own and own != known_own[symbol]:
                odd.add(symbol)
            _set_own(session, reading, symbol, own)
        if short:
            odd |= {leg.instrument.symbol for leg in group}
        touched += [leg for leg in group if _drift(session, leg, short.get(leg.id), reading)]
    saving.save(session, touched, now=clock.now())
    if any(leg.drift_reading is not None for leg in touched):
        _again(session, reading)
    ring(session, *{f"user:{leg.subscriber_id}" for leg in touched})
    return sorted(odd)


def _place(leg: LegRecord) -> tuple[str, PositionSide]:
    """Return under what a reading holds a leg's position: on spot all pairs of a coin share its balance."""
    at = leg.instrument
    if at.market is Market.SPOT:
        return f"{at.symbol.partition('/')[0]}/USDT", PositionSide.NET
    return at.symbol, at.position_side


def _is_quiet(leg: LegRecord, at: datetime) -> bool:
    return is_quiet(is_live=bool(leg.leg.live), ended_at=leg.last_order_ended_at, at=at)


def _missing(group: Sequence[LegRecord], read: Decimal) -> dict[UUID, Decimal]:
    """Return what legs really hold where the account has less than they think."""
    really = missing([leg.leg.held for leg in group], read, market=group[0].instrument.market)
    return {leg.id: held for leg, held in zip(group, really, strict=True) if held is not None}


def _drift(session: Session, leg: LegRecord, really: Decimal | None, reading: Reading) -> bool:
    was = Doubt(leg.drift_reading, leg.drift_read_at) if leg.drift_reading is not None and leg.drift_read_at else None
    doubt, is_confirmed = judge(was, really, at=reading.read_at)
    leg.drift_reading, leg.drift_read_at = (doubt.reading, doubt.since) if doubt else (None, None)
    if really is None or not is_confirmed:
        return doubt != was
    before = leg.leg.held
    leg.leg, skips = adopt(leg.leg, really, drift_id=new_id(), price=leg.price, at=reading.read_at)
    leg.skip(skips)
    leg.due_at = reading.read_at
    record(
        session,
        "leg.drift",
        user_id=leg.subscriber_id,
        cause=f"{leg.id}:{reading.read_at:%Y%m%d%H%M}",
        trader=notices.trader(session, leg.profile_id),
        symbol=leg.instrument.symbol,
        expected=f"{before.normalize():f}",
        found=f"{really.normalize():f}",
    )
    return True


def _again(session: Session, reading: Reading) -> None:
    bulk.fetch(
        session,
        "UPDATE trades.copy_readings SET due_at = %(at)s WHERE exchange_account_id = %(id)s",
        at=reading.read_at + AGAIN,
        id=reading.account.id,
    )


def _own(session: Session, account_id: UUID) -> dict[str, Decimal]:
    rows = bulk.fetch(
        session, "SELECT symbol, own FROM trades.symbols_ready WHERE exchange_account_id = %(id)s", id=account_id
    )
    return dict(rows)


def _set_own(session: Session, reading: Reading, symbol: str, own: Decimal) -> None:
    bulk.fetch(
        session,
        "UPDATE trades.symbols_ready SET own = %(own)s, read_at = %(at)s"
        " WHERE exchange_account_id = %(id)s AND symbol = %(symbol)s AND read_at < %(at)s",
        own=own,
        at=reading.read_at,
        id=reading.account.id,
        symbol=symbol,
    )


async def _book_unknown(client: ExchangeClient, ref: AccountRef, symbol: str) -> None:
    """Book what orders of ours did that we do not know of: a lost one that was executed after all."""
    since = clock.now() - SEARCHED
    listed = {one.client_order_id: one for one in await client.recent_orders(symbol, since=since)}
    unbooked = await asyncio.to_thread(_unbooked, ref.id, symbol, {key: one.filled for key, one in listed.items()})
    if unbooked:
        orders = [
            (order_id, await acknowledged.with_fee(client, listed[client_id])) for order_id, client_id in unbooked
        ]
        await asyncio.to_thread(
            _write, [Told(order_id, found=order) for order_id, order in orders if order is not None]
        )


def _unbooked(account_id: UUID, symbol: str, filled: dict[str, Decimal]) -> list[tuple[UUID, str]]:
    with transaction() as session:
        rows = bulk.fetch(
            session,
            "SELECT id, client_order_id, filled FROM trades.copy_orders WHERE exchange_account_id = %(id)s"
            " AND symbol = %(symbol)s AND client_order_id = ANY(%(ids)s)",
            id=account_id,
            symbol=symbol,
            ids=list(filled),
        )
    return [(order_id, client_id) for order_id, client_id, known in rows if filled[client_id] > known]


def _write(told: list[Told]) -> None:
    with transaction() as session:
        outcomes.write(session, told)
