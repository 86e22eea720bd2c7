"""Rounds of planning: which leads have something to plan, and what is known of their markets."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from secrets import token_bytes
from uuid import UUID

from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.capture import service as capture
from copytrade.copying import planner, rests
from copytrade.copying.asking import Asked
from copytrade.copying.desks import Venues
from copytrade.copying.planner import Looked, Planned
from copytrade.copying.terms import Terms
from copytrade.copying.work import Claimed, Taking
from copytrade.db.session import reading, transaction
from copytrade.db.trips import Trip
from copytrade.exchanges.modes import PAPER
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.failpoints import Label, reach

SHORTEST_AGAIN_S, LONGEST_AGAIN_S = 0.005, 0.05
"""When a lead in somebody else's hands is looked at again: sooner at first, since most hold him for a moment."""
AFTER_YOU_S = 0.008
"""Who came too late last time lets the others go first: the bell wakes all, and a plan for a few takes one."""
AT_ONCE = 4
"""Leads whose plans wait for the database at the same time."""


@dataclass(slots=True)
class Planner:
    """Plans all leads that have something to plan, one transaction a lead."""

    pool: ClientPool
    terms: Terms
    taking: Callable[[], Taking]
    """Says how much of a plan this process may send itself."""
    took: Callable[[Claimed], None]
    """Acts on what it took over, as soon as that is committed."""
    due: asyncio.Event
    """Set when a leg is left to the driver."""
    asked: Asked = field(default_factory=Asked)
    _again_s: float = SHORTEST_AGAIN_S
    _was_mine: bool = True
    """Whether this process was the one that planned when it last looked."""
    _newest: UUID | None = None
    """The lead that was planned last alone."""
    _seen: dict[UUID, AccountRef] = field(default_factory=dict[UUID, AccountRef])
    """Leads that were planned here before: where they trade never changes."""
    _order: bytes = field(default_factory=lambda: token_bytes(16))
    """Each process goes through many leads in an order of its own."""

    async def round(self) -> float | None:
        """Plan what may be planned now; return in how many seconds to look again where somebody else held a lead."""
        if not self._was_mine:
            await asyncio.sleep(AFTER_YOU_S)
        leads, planned = await asyncio.to_thread(self._begin, self.asked.lately(), self.taking())
        if planned is not None:
            self._took(planned)
            await self.terms.rules(leads[0])
            is_held = planned.is_held
        else:
            is_held = await self._plan_all(leads)
        self._again_s = min(self._again_s * 2, LONGEST_AGAIN_S) if is_held else SHORTEST_AGAIN_S
        return self._again_s if is_held else None

    def _took(self, planned: Planned) -> None:
        self._was_mine = planned.changes > 0
        if planned.claimed is not None:
            self.took(planned.claimed)
        if planned.is_due:
            self.due.set()

    async def _plan_all(self, leads: list[AccountRef]) -> bool:
        """Plan many leads, a few at once, while another process plans them from the other end."""
        is_held, tried = False, set[UUID]()
        while leads:
            some = sorted(leads, key=self._place)[:AT_ONCE]
            is_held |= any(await asyncio.gather(*(self._plan(lead) for lead in some)))
            tried |= {lead.id for lead in some}
            # Those that somebody else has planned meanwhile need no transaction of ours.
            leads = [lead for lead in await asyncio.to_thread(self._look) if lead.id not in tried]
        return is_held

    def _place(self, lead: AccountRef) -> bytes:
        return blake2b(lead.id.bytes, key=self._order).digest()

    def _look(self) -> list[AccountRef]:
        with reading() as session:
            return self._waiting(session)

    def _waiting(self, session: Session, *, also: Trip | None = None) -> list[AccountRef]:
        trip = also or Trip(session)
        new_fills, rest = trip.ask(capture.asking_waiting_leads()), trip.ask(rests.asking_leads())
        trip.go()
        waiting = list(dict.fromkeys([*rest.value, *new_fills.value]))
        if new := [lead for lead in waiting if lead not in self._seen]:
            self._seen |= accounts.refs(session, new)
        return [self._seen[lead] for lead in waiting if lead in self._seen]

    def _begin(self, asked: frozenset[UUID], taking: Taking) -> tuple[list[AccountRef], Planned | None]:
        """Look for leads with something to plan; a single one that is known is planned in the same transaction."""
        with transaction() as session:
            trip = Trip(session)
            # Who traded last often trades next: he is looked at on the way.
            looked = planner.look(trip, self._newest) if self._newest else None
            leads = self._waiting(session, also=trip)
            if len(leads) != 1 or self.terms.rules_at(leads[0]) is None:
                return leads, None
            lead = leads[0].id
            looked = looked if lead == self._newest else None
            self._newest = lead
            planned = _planned(session, lead, venues_of(self.terms, leads[0]), asked, taking, looked)
        return leads, _committed(planned)

    async def _plan(self, lead: AccountRef) -> bool:
        if await self.terms.rules(lead) is None:
            return False
        venues, asked = venues_of(self.terms, lead), self.asked.lately()
        planned = await asyncio.to_thread(_plan_lead, lead.id, venues, asked, self.taking())
        self._took(planned)
        return planned.is_held


def venues_of(terms: Terms, lead: AccountRef) -> Venues:
    """Return what is known of where a lead trades and of where he is copied on paper."""
    place = (lead.venue.value, lead.market.value, lead.mode)
    return Venues(terms.rules_at(lead) or {}, terms.rules_at(lead, mode=PAPER), terms.turnover.get(place))


def _plan_lead(lead_id: UUID, venues: Venues, asked: frozenset[UUID], taking: Taking) -> Planned:
    with transaction() as session:
        planned = _planned(session, lead_id, venues, asked, taking)
    return _committed(planned)


def _planned(
    session: Session,
    lead_id: UUID,
    venues: Venues,
    asked: frozenset[UUID],
    taking: Taking,
    looked: Looked | None = None,
) -> Planned:
    planned = planner.plan_lead(session, lead_id, venues=venues, asked=asked, taking=taking, looked=looked)
    if planned.changes:
        reach(Label.PLAN_WRITTEN)
    return planned


def _committed(planned: Planned) -> Planned:
    if planned.changes:
        reach(Label.PLAN_COMMITTED)
    return planned
