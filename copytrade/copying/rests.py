"""What is left of a plan: a trader's many subscribers are planned some at a time, so that the first need not wait.

The changes are marked planned and P is moved with the first of them; from then on the row says, to whoever takes the
lead's lock next, who is still to be planned. Nothing newer of the lead is planned before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session

from copytrade.copying import bulk
from copytrade.copying.models import PlanRest
from copytrade.copying.serving import Serving
from copytrade.db.trips import Ask, Asking, answered, fetch
from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.instruments import Instrument, Market, PositionSide, Venue


@dataclass(frozen=True, slots=True)
class Rest:
    """Changes that were taken, whom they concern, and who still waits for them, the first one first."""

    changes: Sequence[LeadChange]
    serving: Serving
    rooms: Sequence[Decimal | None]
    """What the platform's cap still leaves of each change over all subscribers, in quote."""
    waiting: Sequence[UUID]


_COLUMNS = ("lead_account_id", "changes", "concerned", "rooms", "waiting", "created_at")
_REST = """
SELECT changes::text, concerned::text, rooms::text, waiting::text FROM trades.plan_rests
WHERE lead_account_id = %(lead)s
"""


def asking(lead_account_id: UUID) -> Asking[Rest | None]:
    """Ask for what is left of a lead's plan; the caller holds the lead's lock."""
    [rows] = yield [Ask(_REST, {"lead": lead_account_id})]
    if not rows:
        return None
    changes, concerned, rooms, waiting = (orjson.loads(text) for text in rows[0])
    groups = {(symbol, side): (_ids(money), _ids(paper)) for symbol, side, money, paper in concerned}
    return Rest(
        [_change(one) for one in changes],
        Serving(lead_account_id, groups),
        [None if room is None else Decimal(room) for room in rooms],
        _ids(waiting),
    )


def is_left(session: Session, lead_account_id: UUID) -> bool:
    """Tell whether something of a lead's plan is left; the caller holds the lead's lock."""
    return answered(session, asking(lead_account_id)) is not None


def asking_leads() -> Asking[list[UUID]]:
    """Ask for the leads of whose plans something is left."""
    [rows] = yield [Ask("SELECT lead_account_id FROM trades.plan_rests", {})]
    return [lead for (lead,) in rows]


def keep(session: Session, rest: Rest, *, was_left: bool, now: datetime) -> None:
    """Write what is left of a plan now, or that nothing is."""
    lead, waiting = rest.serving.lead_account_id, bulk.jsonb([str(one) for one in rest.waiting])
    rooms = bulk.jsonb([None if room is None else str(room) for room in rest.rooms])
    if not rest.waiting:
        if was_left:
            fetch(session, "DELETE FROM trades.plan_rests WHERE lead_account_id = %(lead)s", lead=lead)
    elif was_left:
        bulk.update(session, PlanRest, ("lead_account_id", "rooms", "waiting"), [(lead, rooms, waiting)])
    else:
        groups = [
            [*at, [str(one) for one in money], [str(one) for one in paper]]
            for at, (money, paper) in rest.serving.concerned.items()
        ]
        changes = bulk.jsonb([_written(one) for one in rest.changes])
        bulk.insert(session, PlanRest, _COLUMNS, [(lead, changes, bulk.jsonb(groups), rooms, waiting, now)])


def _ids(texts: Sequence[str]) -> list[UUID]:
    return [UUID(text) for text in texts]


def _written(change: LeadChange) -> dict[str, Any]:
    at = change.instrument
    return {
        "fill_id": str(change.fill_id) if change.fill_id else None,
        "instrument": [at.venue.value, at.market.value, at.symbol, at.position_side.value],
        "before": str(change.before),
        "after": str(change.after),
        "price": str(change.price),
        "venue_time": change.venue_time.isoformat(),
        "received_at": change.received_at.isoformat(),
        "kind": change.kind.value,
        "order_id": change.order_id,
        "order_share": str(change.order_share) if change.order_share is not None else None,
        "is_late": change.is_late,
        "lead_fill_quantity": str(change.lead_fill_quantity),
        "turn": change.turn,
    }


def _change(written: dict[str, Any]) -> LeadChange:
    venue, market, symbol, side = written["instrument"]
    share = written["order_share"]
    return LeadChange(
        fill_id=UUID(written["fill_id"]) if written["fill_id"] else None,
        instrument=Instrument(Venue(venue), Market(market), symbol, PositionSide(side)),
        before=Decimal(written["before"]),
        after=Decimal(written["after"]),
        price=Decimal(written["price"]),
        venue_time=datetime.fromisoformat(written["venue_time"]),
        received_at=datetime.fromisoformat(written["received_at"]),
        kind=ChangeKind(written["kind"]),
        order_id=written["order_id"],
        order_share=Decimal(share) if share is not None else None,
        is_late=written["is_late"],
        lead_fill_quantity=Decimal(written["lead_fill_quantity"]),
        turn=written["turn"],
    )
