"""Rounds of planning: which leads have something to plan, and what is known of their markets."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture import service as capture
from copytrade.copying import planner
from copytrade.copying.asking import Asked
from copytrade.copying.desks import Venues
from copytrade.copying.planner import Planned
from copytrade.copying.terms import Terms
from copytrade.copying.work import Claimed, Taking
from copytrade.db.session import reading, transaction
from copytrade.exchanges.modes import PAPER
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.failpoints import Label, reach


@dataclass(slots=True)
class Planner:
    """Plans all leads that have something to plan, one transaction a lead."""

    pool: ClientPool
    terms: Terms
    taking: Callable[[], Taking]
    """Says how much of a plan this process may send itself."""
    took: Callable[[Claimed], None]
    """Acts on what it took over, as soon as that is committed."""
    asked: Asked = field(default_factory=Asked)

    async def round(self) -> bool:
        """Plan what may be planned now; tell whether any leg was touched."""
        refs = await asyncio.to_thread(_waiting)
        done = await asyncio.gather(*(self._plan(ref) for ref in refs))
        return any(done)

    async def _plan(self, lead: AccountRef) -> bool:
        if await self.terms.rules(lead) is None:
            return False
        touched = False
        while True:
            venues, asked = venues_of(self.terms, lead), self.asked.lately()
            planned = await asyncio.to_thread(_plan_lead, lead.id, venues, asked, self.taking())
            if planned.claimed is not None:
                self.took(planned.claimed)
            if not planned.changes:
                return touched
            touched = touched or planned.legs > 0


def venues_of(terms: Terms, lead: AccountRef) -> Venues:
    """Return what is known of where a lead trades and of where he is copied on paper."""
    place = (lead.venue.value, lead.market.value, lead.mode)
    return Venues(terms.rules_at(lead) or {}, terms.rules_at(lead, mode=PAPER), terms.turnover.get(place))


def _waiting() -> list[AccountRef]:
    with reading() as session:
        leads = capture.waiting_leads(session, now=clock.now())
        return list(accounts.refs(session, leads).values()) if leads else []


def _plan_lead(lead_id: UUID, venues: Venues, asked: frozenset[UUID], taking: Taking) -> Planned:
    with transaction() as session:
        planned = planner.plan_lead(session, lead_id, venues=venues, asked=asked, taking=taking)
        if planned.changes:
            reach(Label.PLAN_WRITTEN)
    if planned.changes:
        reach(Label.PLAN_COMMITTED)
    return planned
