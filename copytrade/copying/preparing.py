"""Makes a copy account ready for a symbol before an entry: cross margin, the lead's leverage, his own position."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts import service as account_service
from copytrade.accounts.reasons import Reason
from copytrade.copying import bulk
from copytrade.copying.models import SymbolReady
from copytrade.copying.work import Preparing
from copytrade.db.bell import ring
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import PositionSide
from copytrade.domain.quantities import ZERO
from copytrade.domain.skips import SkipReason
from copytrade.errors import BadCredentials, ExchangeError, OrderRefused
from copytrade.exchanges.port import AccountRef, ClientPool, ExchangeClient
from copytrade.failpoints import Label, reach

log = structlog.get_logger()

AT_ONCE = 100
RETRY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What an account should be made like, and what is known of it."""

    account: AccountRef
    symbol: str
    cap: int
    lead_leverage: int | None
    ours: Decimal
    was_set: int | None
    """The leverage that we set before, None: never."""
    is_hedged: bool = False


@dataclass(frozen=True, slots=True)
class _Made:
    account_id: UUID
    symbol: str
    leverage: int
    lead_leverage: int
    own: Decimal
    hold: SkipReason | None = None
    is_bad_key: bool = False


@dataclass(slots=True)
class Preparer:
    """Prepares accounts, each (account, symbol) once at a time; leads' leverage is asked once for all of theirs."""

    pool: ClientPool
    _busy: set[tuple[UUID, str]] = field(default_factory=set[tuple[UUID, str]])
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def prepare(self, wanted: Sequence[Preparing]) -> None:
        """Make these accounts ready and let their legs be looked at."""
        fresh = {(one.account.id, one.symbol): one for one in wanted}
        fresh = {place: one for place, one in fresh.items() if place not in self._busy}
        if not fresh:
            return
        self._busy.update(fresh)
        try:
            leverages = await self._lead_leverages({(one.lead_account_id, one.symbol) for one in fresh.values()})
            wishes = await asyncio.to_thread(_wishes, list(fresh.values()), leverages)
            made = await asyncio.gather(*(self._make(wish) for wish in wishes))
            reach(Label.PREPARE_SET)
            await asyncio.to_thread(_write, [one for one in made if one is not None])
        finally:
            self._busy.difference_update(fresh)

    async def _lead_leverages(self, places: set[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
        refs = await asyncio.to_thread(_refs, {lead for lead, _ in places})
        found: dict[tuple[UUID, str], int] = {}
        for lead, symbol in sorted(places):
            try:
                client = await self.pool.get(refs[lead])
                found[lead, symbol] = await client.leverage(symbol)
            except ExchangeError as error:
                log.info("leverage.unread", account=str(lead), symbol=symbol, code=error.venue_code)
        return found

    async def _make(self, wish: _Wish) -> _Made | None:
        async with self._slots:
            try:
                return await _made(await self.pool.get(wish.account), wish)
            except OrderRefused as error:
                log.warning("prepare.refused", account=str(wish.account.id), code=error.venue_code)
                return _of(wish, hold=SkipReason.LEVERAGE)
            except BadCredentials as error:
                log.warning("prepare.bad_key", account=str(wish.account.id), code=error.venue_code)
                return _of(wish, hold=SkipReason.CREDENTIALS, is_bad_key=True)
            except ExchangeError as error:
                log.info("prepare.unavailable", account=str(wish.account.id), code=error.venue_code)
                return None


async def _made(client: ExchangeClient, wish: _Wish) -> _Made:
    state = await client.state()
    own = state.positions.get((wish.symbol, PositionSide.NET), ZERO) - wish.ours
    if wish.lead_leverage is None:
        return _of(wish, own=own, hold=SkipReason.LEVERAGE)
    leverage = _leverage(wish)
    if wish.was_set == leverage:
        return _of(wish, own=own)
    if not await _has_mode(client, wish, is_flat=not state.positions):
        return _of(wish, own=own, hold=SkipReason.POSITION_MODE)
    if any(symbol == wish.symbol for symbol, _ in state.positions):
        # Margin and leverage of what is there are not ours to change.
        is_equal = await client.leverage(wish.symbol) == leverage
        return _of(wish, own=own, hold=None if is_equal or not own else SkipReason.LEVERAGE)
    await client.set_cross_margin(wish.symbol)
    await client.set_leverage(wish.symbol, leverage)
    return _of(wish, own=own)


async def _has_mode(client: ExchangeClient, wish: _Wish, *, is_flat: bool) -> bool:
    """Make the position mode the lead's while nothing is held; tell whether it is."""
    if await client.is_hedged() is wish.is_hedged:
        return True
    if not is_flat:
        return False
    try:
        await (client.set_hedged() if wish.is_hedged else client.set_one_way())
    except OrderRefused as error:
        log.warning("prepare.mode_refused", account=str(wish.account.id), code=error.venue_code)
        return False
    return True


def _leverage(wish: _Wish) -> int:
    return max(1, min(wish.lead_leverage or 1, wish.cap))


def _of(wish: _Wish, *, own: Decimal = ZERO, hold: SkipReason | None = None, is_bad_key: bool = False) -> _Made:
    return _Made(wish.account.id, wish.symbol, _leverage(wish), wish.lead_leverage or 0, own, hold, is_bad_key)


def _refs(account_ids: set[UUID]) -> dict[UUID, AccountRef]:
    with reading() as session:
        return accounts.refs(session, account_ids)


def _wishes(wanted: Sequence[Preparing], leverages: dict[tuple[UUID, str], int]) -> list[_Wish]:
    ids, symbols = [one.account.id for one in wanted], sorted({one.symbol for one in wanted})
    with reading() as session:
        caps = dict(
            bulk.fetch(
                session,
                "SELECT copy_account_id, floor(min(max_leverage))::int FROM trades.copy_settings"
                " WHERE copy_account_id = ANY(%(ids)s) GROUP BY 1",
                ids=ids,
            )
        )
        held = held_by_us(session, ids)
        known = {
            (account, symbol): leverage
            for account, symbol, leverage in bulk.fetch(
                session,
                "SELECT exchange_account_id, symbol, leverage FROM trades.symbols_ready"
                " WHERE exchange_account_id = ANY(%(ids)s) AND symbol = ANY(%(symbols)s) AND hold = ''",
                ids=ids,
                symbols=symbols,
            )
        }
    return [
        _Wish(
            account=one.account,
            symbol=one.symbol,
            cap=caps.get(one.account.id, 1),
            lead_leverage=leverages.get((one.lead_account_id, one.symbol)),
            ours=held.get((one.account.id, one.symbol), ZERO),
            was_set=known.get((one.account.id, one.symbol)),
            is_hedged=one.is_hedged,
        )
        for one in wanted
    ]


def held_by_us(session: Session, account_ids: Sequence[UUID]) -> dict[tuple[UUID, str], Decimal]:
    """Return what our one-way legs hold on accounts, by account and symbol."""
    rows = bulk.fetch(
        session,
        "SELECT copy_account_id, symbol, sum(held) FROM trades.legs WHERE copy_account_id = ANY(%(ids)s)"
        " AND state <> 'kept' AND held <> 0 AND position_side = 'net' GROUP BY 1, 2",
        ids=list(account_ids),
    )
    return {(account, symbol): held for account, symbol, held in rows}


def _write(made: Sequence[_Made]) -> None:
    now = clock.now()
    with transaction() as session:
        bulk.insert(
            session,
            SymbolReady,
            ("exchange_account_id", "symbol", "leverage", "lead_leverage", "own", "read_at", "hold", "retry_at"),
            [_row(one, now) for one in made],
            conflict="ON CONFLICT (exchange_account_id, symbol) DO UPDATE SET leverage = excluded.leverage,"
            " lead_leverage = excluded.lead_leverage, own = excluded.own, read_at = excluded.read_at,"
            " hold = excluded.hold, retry_at = excluded.retry_at",
        )
        bulk.fetch(
            session,
            "UPDATE trades.legs SET due_at = %(now)s FROM unnest(%(ids)s::uuid[], %(symbols)s::text[]) AS u (id, sym)"
            " WHERE copy_account_id = u.id AND symbol = u.sym AND target <> held",
            now=now,
            ids=[one.account_id for one in made],
            symbols=[one.symbol for one in made],
        )
        for one in made:
            if one.is_bad_key:
                account_service.pause(session, account_id=one.account_id, reason=Reason.WRONG_KEY)
        ring(session, "drive")


def _row(made: _Made, now: datetime) -> bulk.Row:
    hold = made.hold
    return (
        made.account_id, made.symbol, made.leverage, made.lead_leverage, made.own, now,
        hold.value if hold else "", now + RETRY if hold else None,
    )  # fmt: skip
