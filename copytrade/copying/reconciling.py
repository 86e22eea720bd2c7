"""Compares what legs hold with what the accounts hold: acts on two equal readings only, and never opens anything."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import bulk, drifting, mode_drifts, records, saving, searching, settings_rows
from copytrade.copying.models import DriftKind
from copytrade.copying.records import LegRecord
from copytrade.db.bell import ring
from copytrade.db.session import reading as reading_of
from copytrade.db.session import transaction
from copytrade.domain.fills import AccountState
from copytrade.domain.instruments import Market, PositionSide, Side
from copytrade.domain.quantities import ZERO, sign
from copytrade.domain.readings import AGAIN, UNSEEN, Doubt, is_quiet, judge, may_be_ours, missing
from copytrade.domain.sizing import CopySettings
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool, ExchangeClient
from copytrade.failpoints import Label, reach

log = structlog.get_logger()

EVERY = timedelta(seconds=60)
AT_ONCE = 50
LIQUIDATED_WITHIN = timedelta(minutes=10)
"""A liquidation is looked for from so long before the first reading that missed something."""
SPOT_OWN = Decimal(5)
"""On spot a coin of his own beside the copies is noted from so many USDT on."""


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
        liquidated = await _liquidated(client, await asyncio.to_thread(_doubted, ref.id))
        reach(Label.RECONCILE_READ)
        odd = await asyncio.to_thread(_look, reading, liquidated)
        for symbol in odd:
            await searching.book_unknown(client, ref, symbol)
        if mode_drifts.is_due(ref.id, at=reading.read_at):
            await mode_drifts.check(client, ref)
    except ExchangeError as error:
        log.info("reconcile.unread", account=str(ref.id), code=error.venue_code)


async def _liquidated(client: ExchangeClient, doubted: Mapping[str, datetime]) -> set[str]:
    """Return the symbols, of those in doubt since then, in which the venue itself closed something lately."""
    found = set[str]()
    for symbol, since in doubted.items():
        earlier = since - LIQUIDATED_WITHIN
        orders = await client.recent_orders(symbol, since=earlier)
        page = await client.fills(symbol, cursor="", since=earlier)
        if any(one.is_liquidation and one.filled for one in orders) or any(one.is_liquidation for one in page.fills):
            found.add(symbol)
    return found


def _doubted(account_id: UUID) -> dict[str, datetime]:
    """Return the symbols in which the first of two readings said less than we hold, on perpetuals."""
    with reading_of() as session:
        rows = bulk.fetch(
            session,
            "SELECT symbol, min(drift_read_at) FROM trades.legs WHERE copy_account_id = %(id)s AND state = 'following'"
            " AND market = 'perpetual' AND abs(drift_reading) < abs(held) GROUP BY symbol",
            id=account_id,
        )
    return dict(rows)


def _look(reading: Reading, liquidated: Collection[str]) -> list[str]:
    with transaction() as session:
        odd = look(session, reading, liquidated=liquidated)
        reach(Label.RECONCILE_COMPARED)
    reach(Label.RECONCILE_COMMITTED)
    return odd


def look(session: Session, reading: Reading, *, liquidated: Collection[str] = ()) -> list[str]:
    """Compare one reading with the legs of its account; return symbols in which orders of ours should be looked for.

    In the `liquidated` symbols the venue itself closed something lately.
    """
    if liquidated:
        # A plan locks settings before legs, and a liquidation may pause a subscription.
        bulk.fetch(
            session,
            "SELECT 1 FROM trades.copy_settings WHERE copy_account_id = %(id)s ORDER BY subscription_id FOR UPDATE",
            id=reading.account.id,
        )
    legs = records.lock(
        session,
        "copy_account_id = %(id)s AND state = 'following' ORDER BY id FOR UPDATE",
        id=reading.account.id,
    )
    groups = defaultdict[tuple[str, PositionSide], list[LegRecord]](list)
    for leg in legs:
        groups[_place(leg)].append(leg)
    known_own, chosen = _own(session, reading.account.id), _settings(session, legs)
    known_more = drifting.known_own(session, [leg.id for leg in legs])
    odd, touched = set[str](), list[LegRecord]()
    for (symbol, side), group in groups.items():
        if not all(_is_quiet(leg, reading.read_at) for leg in group):
            continue
        read = reading.state.positions.get((symbol, side), ZERO)
        really = _missing(group, read)
        # What is missing is gone: the rest of the reading is his, against us too, from the first reading on.
        own = read - sum((really.get(leg.id, leg.leg.held) for leg in group), ZERO)
        if side is PositionSide.NET:
            if symbol in known_own and own != known_own[symbol]:
                odd.add(symbol)
            _set_own(session, reading, symbol, own)
        really |= _beyond(session, group, own, known=known_more, at=reading.read_at)
        if really:
            odd |= {leg.instrument.symbol for leg in group}
        for leg in group:
            is_closed = leg.instrument.symbol in liquidated
            if _drift(
                session, leg, really.get(leg.id), reading, settings=chosen[leg.subscription_id], is_closed=is_closed
            ):
                touched.append(leg)
    saving.save(session, touched, now=clock.now())
    if any(leg.drift_reading is not None for leg in touched):
        _again(session, reading)
    ring(session, *{f"user:{leg.subscriber_id}" for leg in touched})
    return sorted(odd)


def _settings(session: Session, legs: Sequence[LegRecord]) -> dict[UUID, CopySettings]:
    return settings_rows.of(session, sorted({leg.subscription_id for leg in legs}))


def _beyond(
    session: Session, group: Sequence[LegRecord], own: Decimal, *, known: Mapping[UUID, Decimal], at: datetime
) -> dict[UUID, Decimal]:
    """Return what the account holds for the leg that holds most, where that is more and not known yet."""
    leg = max(group, key=lambda leg: (abs(leg.leg.held), abs(leg.leg.target)))
    is_spot = leg.instrument.market is Market.SPOT
    is_dust = is_spot and abs(own) * leg.price < SPOT_OWN
    if not own or is_dust or not leg.leg.held or sign(own) != sign(leg.leg.held):
        if leg.id in known:
            drifting.resolve(session, leg_ids=[leg.id], kind=DriftKind.MORE, at=at)
        return {}
    return {} if known.get(leg.id) == own else {leg.id: leg.leg.held + own}


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


def _drift(
    session: Session,
    leg: LegRecord,
    really: Decimal | None,
    reading: Reading,
    *,
    settings: CopySettings,
    is_closed: bool,
) -> bool:
    was = Doubt(leg.drift_reading, leg.drift_read_at) if leg.drift_reading is not None and leg.drift_read_at else None
    doubt, is_confirmed = judge(was, really, at=reading.read_at, ended_at=leg.last_order_ended_at)
    leg.drift_reading, leg.drift_read_at = (doubt.reading, doubt.since) if doubt else (None, None)
    if really is None or not is_confirmed:
        return doubt != was
    at, held = reading.read_at, leg.leg.held
    if abs(really) < abs(held) and may_be_ours(really - held, _lost(session, leg, at=at), at=at):
        # The doubt stays until the order turns up, or cannot any more.
        leg.drift_reading, leg.drift_read_at = (was.reading, was.since) if was else (really, at)
        return True
    if abs(really) > abs(held):
        drifting.more(session, leg, really - held, settings=settings, at=at)
    elif is_closed:
        drifting.liquidated(session, leg, really, settings=settings, at=at)
    else:
        drifting.less(session, leg, really, settings=settings, at=at)
    return True


def _lost(session: Session, leg: LegRecord, *, at: datetime) -> list[tuple[Decimal, datetime]]:
    rows = bulk.fetch(
        session,
        "SELECT side, quantity - filled, ended_at FROM trades.copy_orders"
        " WHERE leg_id = %(leg)s AND state = 'lost' AND ended_at > %(since)s",
        leg=leg.id,
        since=at - UNSEEN,
    )
    return [(left * Side(side).sign, ended_at) for side, left, ended_at in rows]


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
