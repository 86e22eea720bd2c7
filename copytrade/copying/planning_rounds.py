"""Rounds of planning: which leads have something to plan, their markets' rules, and equities that are too old."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts.snapshots import put_snapshot
from copytrade.capture import service as capture
from copytrade.copying import planner
from copytrade.copying.planner import Planned
from copytrade.copying.terms import Terms
from copytrade.db.session import reading, transaction
from copytrade.domain.fills import Equity, Position
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.failpoints import Label, reach

log = structlog.get_logger()

EQUITY_WAIT_S = 2.0
"""How long the plan waits for an equity that is missing; then exits go on and the opening is skipped."""
TRY_AGAIN = timedelta(seconds=30)
"""An account that did not answer does not hold up the next plan."""


@dataclass(slots=True)
class Planner:
    """Plans all leads that have something to plan, one transaction a lead."""

    pool: ClientPool
    terms: Terms
    _asked: dict[UUID, datetime] = field(default_factory=dict[UUID, datetime])

    async def round(self) -> bool:
        """Plan what may be planned now; tell whether any leg was touched."""
        refs = await asyncio.to_thread(_waiting)
        done = await asyncio.gather(*(self._plan(ref) for ref in refs))
        return any(done)

    async def _plan(self, lead: AccountRef) -> bool:
        rules = await self.terms.rules(lead)
        if rules is None:
            return False
        touched = False
        settled = self._asked_lately()
        while True:
            planned = await asyncio.to_thread(_plan_lead, lead.id, rules, settled)
            if planned.stale:
                await self._refresh(planned.stale)
                settled |= planned.stale
                continue
            if not planned.changes:
                return touched
            touched = touched or planned.legs > 0

    def _asked_lately(self) -> frozenset[UUID]:
        now = clock.real_now()
        self._asked = {account: at for account, at in self._asked.items() if now - at < TRY_AGAIN}
        return frozenset(self._asked)

    async def _refresh(self, stale: frozenset[UUID]) -> None:
        refs = await asyncio.to_thread(_refs, stale)
        self._asked |= dict.fromkeys(stale, clock.real_now())
        reads = [asyncio.create_task(self._equity(ref)) for ref in refs.values()]
        done, late = await asyncio.wait(reads, timeout=EQUITY_WAIT_S)
        for task in late:
            task.cancel()
        found = [one for task in done if (one := task.result()) is not None]
        await asyncio.to_thread(_store, found)

    async def _equity(self, ref: AccountRef) -> tuple[UUID, Equity, list[Position]] | None:
        try:
            client = await self.pool.get(ref)
            return ref.id, await client.equity(), await client.positions()
        except ExchangeError as error:
            log.info("plan.equity_unread", account=str(ref.id), code=error.venue_code)
            return None


def _waiting() -> list[AccountRef]:
    with reading() as session:
        leads = capture.waiting_leads(session, now=clock.now())
        return list(accounts.refs(session, leads).values()) if leads else []


def _plan_lead(lead_id: UUID, rules: planner.Rules, settled: frozenset[UUID]) -> Planned:
    with transaction() as session:
        planned = planner.plan_lead(session, lead_id, rules=rules, settled=settled)
        if planned.stale:
            session.rollback()
        if planned.changes:
            reach(Label.PLAN_WRITTEN)
    if planned.changes:
        reach(Label.PLAN_COMMITTED)
    return planned


def _refs(ids: frozenset[UUID]) -> dict[UUID, AccountRef]:
    with reading() as session:
        return accounts.refs(session, ids)


def _store(read: list[tuple[UUID, Equity, list[Position]]]) -> None:
    with transaction() as session:
        for account_id, equity, positions in read:
            put_snapshot(session, account_id=account_id, equity=equity, positions=positions)
