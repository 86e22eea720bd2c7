"""Makes copy accounts ready for a symbol before an entry, and says in the tables what came of it."""

import asyncio
from collections import defaultdict
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
from copytrade.copying import bulk, readying
from copytrade.copying.models import SymbolReady
from copytrade.copying.readying import LeadModes, Made, Wish
from copytrade.copying.work import Preparing
from copytrade.db.bell import ring
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import MarginMode, PositionSide
from copytrade.domain.skips import SkipReason
from copytrade.errors import BadCredentials, ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.failpoints import Label, reach

log = structlog.get_logger()

AT_ONCE = 100
RETRY = timedelta(seconds=30)


@dataclass(slots=True)
class Preparer:
    """Prepares accounts, each (account, symbol) once at a time; leads' modes are asked once for all of theirs."""

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
            leads = await self._lead_modes({(one.lead_account_id, one.symbol) for one in fresh.values()})
            wishes = await asyncio.to_thread(_wishes, list(fresh.values()), leads)
            made = await asyncio.gather(*(self._make(wish) for wish in wishes))
            reach(Label.PREPARE_SET)
            await asyncio.to_thread(_write, [one for one in made if one is not None])
        finally:
            self._busy.difference_update(fresh)

    async def _lead_modes(self, places: set[tuple[UUID, str]]) -> dict[tuple[UUID, str], LeadModes]:
        refs = await asyncio.to_thread(_refs, {lead for lead, _ in places})
        found: dict[tuple[UUID, str], LeadModes] = {}
        for lead, symbol in sorted(places):
            try:
                client = await self.pool.get(refs[lead])
                found[lead, symbol] = LeadModes(await client.leverage(symbol), await client.margin_mode(symbol))
            except ExchangeError as error:
                log.info("modes.unread", account=str(lead), symbol=symbol, code=error.venue_code)
        return found

    async def _make(self, wish: Wish) -> Made | None:
        async with self._slots:
            try:
                return await readying.make(await self.pool.get(wish.account), wish)
            except BadCredentials as error:
                log.warning("prepare.bad_key", account=str(wish.account.id), code=error.venue_code)
                return readying.of(wish, hold=SkipReason.CREDENTIALS, is_bad_key=True)
            except ExchangeError as error:
                log.info("prepare.unavailable", account=str(wish.account.id), code=error.venue_code)
                return None


def _refs(account_ids: set[UUID]) -> dict[UUID, AccountRef]:
    with reading() as session:
        return accounts.refs(session, account_ids)


def _wishes(wanted: Sequence[Preparing], leads: dict[tuple[UUID, str], LeadModes]) -> list[Wish]:
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
            (account, symbol): LeadModes(leverage, MarginMode(margin)) if margin else None
            for account, symbol, leverage, margin in bulk.fetch(
                session,
                "SELECT exchange_account_id, symbol, leverage, margin_mode FROM trades.symbols_ready"
                " WHERE exchange_account_id = ANY(%(ids)s) AND symbol = ANY(%(symbols)s) AND hold = ''",
                ids=ids,
                symbols=symbols,
            )
        }
    return [
        Wish(
            account=one.account,
            symbol=one.symbol,
            cap=caps.get(one.account.id, 1),
            lead=leads.get((one.lead_account_id, one.symbol)),
            ours=held.get((one.account.id, one.symbol), {}),
            was=known.get((one.account.id, one.symbol)),
            is_hedged=one.is_hedged,
        )
        for one in wanted
    ]


def held_by_us(session: Session, account_ids: Sequence[UUID]) -> dict[tuple[UUID, str], dict[PositionSide, Decimal]]:
    """Return what our legs hold on accounts, by account and symbol, and by position side."""
    rows = bulk.fetch(
        session,
        "SELECT copy_account_id, symbol, position_side, sum(held) FROM trades.legs"
        " WHERE copy_account_id = ANY(%(ids)s) AND state <> 'kept' AND held <> 0 GROUP BY 1, 2, 3",
        ids=list(account_ids),
    )
    found = defaultdict[tuple[UUID, str], dict[PositionSide, Decimal]](dict)
    for account, symbol, side, held in rows:
        found[account, symbol][PositionSide(side)] = held
    return found


_COLUMNS = (
    "exchange_account_id", "symbol", "leverage", "lead_leverage", "margin_mode", "lead_margin_mode", "own", "read_at",
    "hold", "retry_at",
)  # fmt: skip


def _write(made: Sequence[Made]) -> None:
    now = clock.now()
    with transaction() as session:
        bulk.insert(
            session,
            SymbolReady,
            _COLUMNS,
            [_row(one, now) for one in made],
            conflict="ON CONFLICT (exchange_account_id, symbol) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:]),
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


def _row(made: Made, now: datetime) -> bulk.Row:
    hold = made.hold
    return (
        made.account_id, made.symbol, made.leverage, made.lead_leverage, made.margin_mode, made.lead_margin_mode,
        made.own, now,
        hold.value if hold else "", now + RETRY if hold else None,
    )  # fmt: skip
