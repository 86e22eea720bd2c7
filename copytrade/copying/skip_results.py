"""What skipped quantities would have made: written once the trader has left what he opened, far from the hot way."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.copying import bulk
from copytrade.copying.models import SkipRow
from copytrade.db.bell import ring
from copytrade.db.session import transaction
from copytrade.domain.missed import Later, Missed, Opening, missed_pnl

LATELY = timedelta(minutes=15)
"""How far back exits are looked at in the usual round; a round over all of them comes once a day."""
PARTS_AT_ONCE = 2000

# The end of a copy would have ended what was not copied too.
_EXITS = """
SELECT leg_id, max(coalesce(lead_after, 0)) AS highest, min(coalesce(lead_after, 0)) AS lowest
FROM trades.copy_parts WHERE id >= %(since)s AND kind IN ('reducing', 'stop') GROUP BY leg_id
"""

_LEFT = f"""
SELECT DISTINCT p.id, p.leg_id, p.subscriber_id, p.lead_before, p.lead_after, abs(p.asked), p.price, p.planned_at
FROM ({_EXITS}) AS exits
JOIN trades.copy_parts p ON p.leg_id = exits.leg_id
JOIN trades.copy_skips s ON s.part_id = p.id AND s.priced_at IS NULL AND s.quantity > 0
WHERE p.opens AND p.id > %(after)s AND ((p.lead_after > 0 AND exits.lowest <= p.lead_before)
   OR (p.lead_after < 0 AND exits.highest >= p.lead_before))
ORDER BY p.id LIMIT %(limit)s
"""  # noqa: S608 - text of ours

_NEVER = """
UPDATE trades.copy_skips s SET priced_at = %(now)s FROM trades.copy_parts p
WHERE p.id = s.part_id AND s.priced_at IS NULL AND s.quantity > 0 AND (NOT p.opens OR p.lead_after IS NULL)
"""


def price_lately() -> int:
    """Price the skips of openings that traders left in the last minutes; return how many skips."""
    return _price(since=_first_id(clock.real_now() - LATELY))


def price_all() -> int:
    """Price every skip of an opening that its trader has left; return how many skips."""
    return _price(since=UUID(int=0))


def _price(*, since: UUID) -> int:
    with transaction() as session:
        # An exit that was skipped opened nothing that could have made something.
        bulk.fetch(session, _NEVER, now=clock.now())
    priced, after = 0, UUID(int=0)
    while True:
        with transaction() as session:
            left = bulk.fetch(session, _LEFT, since=since, after=after, limit=PARTS_AT_ONCE)
            priced += price(session, left, now=clock.now())
        if len(left) < PARTS_AT_ONCE:
            return priced
        after = left[-1][0]


def price(session: Session, left: Sequence[bulk.Row], *, now: datetime) -> int:
    """Write what the skips of these openings would have made, where that is known; return how many skips."""
    if not left:
        return 0
    skips, later = _skips(session, [row[0] for row in left]), _exits(session, left)
    known = list[bulk.Row]()
    people = set[UUID]()
    for part_id, leg_id, subscriber, before, after, asked, entry, at in left:
        mine = skips[part_id]
        exits = [change for exit_id, change in later[leg_id] if exit_id > part_id]
        opening = Opening(before, after, asked, entry, at)
        made = missed_pnl(opening, [Missed(quantity, skipped_at) for _, quantity, skipped_at in mine], exits)
        for (skip_id, _, _), pnl in zip(mine, made, strict=True):
            if pnl is not None:
                known.append((skip_id, pnl, now))
                people.add(subscriber)
    bulk.update(session, SkipRow, ("id", "pnl", "priced_at"), known)
    ring(session, *{f"user:{person}" for person in people})
    return len(known)


def _skips(session: Session, part_ids: list[UUID]) -> dict[UUID, list[bulk.Row]]:
    """Return all skips of parts, the priced ones too: they lie on top of those that came later."""
    rows = bulk.fetch(
        session,
        "SELECT part_id, id, quantity, skipped_at FROM trades.copy_skips WHERE part_id = ANY(%(ids)s) AND quantity > 0"
        " ORDER BY id",
        ids=part_ids,
    )
    found = defaultdict[UUID, list[bulk.Row]](list)
    for part_id, *skip in rows:
        found[part_id].append(tuple(skip))
    return found


def _exits(session: Session, left: Sequence[bulk.Row]) -> dict[UUID, list[tuple[UUID, Later]]]:
    """Return the exits of legs since the oldest of these openings, in their order."""
    rows = bulk.fetch(
        session,
        "SELECT leg_id, id, coalesce(lead_after, 0), price, planned_at FROM trades.copy_parts"
        " WHERE leg_id = ANY(%(legs)s) AND id > %(oldest)s AND kind IN ('reducing', 'stop') ORDER BY id",
        legs=list({row[1] for row in left}),
        oldest=min(row[0] for row in left),
    )
    found = defaultdict[UUID, list[tuple[UUID, Later]]](list)
    for leg_id, part_id, *change in rows:
        found[leg_id].append((part_id, Later(*change)))
    return found


def _first_id(at: datetime) -> UUID:
    """Return the smallest id that a row made at this real time can have."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
