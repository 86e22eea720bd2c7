"""Rounds of sizing: reads the orders and equities that openings wait for, and has them sized (`resuming`)."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts.snapshots import put_snapshot
from copytrade.capture import order_sizes
from copytrade.capture.order_sizes import LeadOrder
from copytrade.copying import bulk, resuming
from copytrade.copying.asking import Asked
from copytrade.copying.planning_rounds import venues_of
from copytrade.copying.terms import Terms
from copytrade.db.session import reading, transaction
from copytrade.domain.sizing import SizingMode
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.failpoints import Label, reach
from copytrade.settings import settings

log = structlog.get_logger()

PATIENCE_S = 2.0
"""How long an equity or an order may take to be read; then the opening goes on without the equity."""
AGAIN_S = 0.5
"""While openings still wait for an order, it is asked for again after this."""


@dataclass(frozen=True, slots=True)
class _Lack:
    """What waiting openings lack, by the leads that they are of."""

    leads: Sequence[AccountRef] = ()
    orders: Sequence[LeadOrder] = ()
    accounts: frozenset[UUID] = frozenset()
    refs: dict[UUID, AccountRef] = field(default_factory=dict[UUID, AccountRef])


@dataclass(slots=True)
class Resumer:
    """Sizes what waits, lead by lead."""

    pool: ClientPool
    terms: Terms
    asked: Asked

    async def round(self) -> float | None:
        """Read what is lacking and size what can be sized; return in how many seconds to look again, if at all."""
        lack = await asyncio.to_thread(_lacking)
        if not lack.leads:
            return None
        stale = lack.accounts - self.asked.lately()
        reads: list[Coroutine[Any, Any, None]] = [self._order(lack.refs[one.account_id], one) for one in lack.orders]
        reads += [self._equity(lack.refs[one]) for one in stale if one in lack.refs]
        if reads:
            # Each is stored as soon as it is there: a slow one holds up only who lacks it.
            done, late = await asyncio.wait([asyncio.create_task(read) for read in reads], timeout=PATIENCE_S)
            for task in late:
                task.cancel()
            for task in done:
                task.result()
        self.asked.note(stale)
        left = 0
        for lead in lack.leads:
            rules = await self.terms.rules(lead)
            if rules is not None:
                left += await asyncio.to_thread(_resume, lead, self.terms, self.asked.lately())
        return AGAIN_S if left else None

    async def _order(self, lead: AccountRef, wanted: LeadOrder) -> None:
        try:
            order = await (await self.pool.get(lead)).order(wanted.symbol, wanted.order_id)
        except ExchangeError as error:
            log.info("resume.order_unread", account=str(lead.id), code=error.venue_code)
            return
        if order is not None:
            await asyncio.to_thread(_note, wanted, order_sizes.size_of(order))

    async def _equity(self, ref: AccountRef) -> None:
        try:
            client = await self.pool.get(ref)
            equity, positions = await client.equity(), await client.positions()
        except ExchangeError as error:
            log.info("resume.equity_unread", account=str(ref.id), code=error.venue_code)
            return

        def store() -> None:
            with transaction() as session:
                put_snapshot(session, account_id=ref.id, equity=equity, positions=positions)

        await asyncio.to_thread(store)


def _note(wanted: LeadOrder, size: order_sizes.OrderSize) -> None:
    with transaction() as session:
        order_sizes.note(session, {(wanted.account_id, wanted.order_id): size})


def _resume(lead: AccountRef, terms: Terms, asked: frozenset[UUID]) -> int:
    with transaction() as session:
        left = resuming.resume_lead(session, lead.id, venues=venues_of(terms, lead), asked=asked)
        reach(Label.PLAN_WRITTEN)
    return left


def _lacking() -> _Lack:
    with reading() as session:
        rows = bulk.fetch(
            session,
            "SELECT part.lead_account_id, part.fill_id, leg.copy_account_id, settings.mode FROM trades.copy_parts part"
            " JOIN trades.legs leg ON leg.id = part.leg_id"
            " JOIN trades.copy_settings settings ON settings.subscription_id = part.subscription_id"
            " WHERE part.unsized IS NOT NULL",
        )
        if not rows:
            return _Lack()
        leads, copies = {row[0] for row in rows}, {row[2] for row in rows}
        fills = [row[1] for row in rows if row[1] is not None and SizingMode(row[3]) is not SizingMode.EQUITY]
        orders = {one.order_id: one for one in order_sizes.orders_of(session, fills).values() if one.share is None}
        by_equity = {row[0] for row in rows if row[3] == SizingMode.EQUITY}
        refs = accounts.refs(session, leads | copies)
        return _Lack(
            leads=[refs[one] for one in leads if one in refs],
            orders=list(orders.values()),
            # A lead's equity may be young and yet not explain what he bought: it is read again.
            accounts=_old(session, copies) | by_equity,
            refs=refs,
        )


def _old(session: Session, account_ids: set[UUID]) -> frozenset[UUID]:
    oldest = clock.now() - timedelta(seconds=settings().copy_equity_max_age_s)
    known = accounts.equities(session, list(account_ids))
    return frozenset(one for one in account_ids if one not in known or known[one].read_at < oldest)
