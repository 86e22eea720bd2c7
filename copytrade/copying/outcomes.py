"""Writes down what became of orders: under the leg's lock, in batches, the same however often it is told."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.copying import bulk, notices, records, refusals, saving
from copytrade.copying.models import CopyOrder
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.copying.telling import Change, Told, tell
from copytrade.db.bell import ring

__all__ = ["Told", "write"]

NO_STEPS: Mapping[str, Decimal] = {}


def write(session: Session, told: Sequence[Told], *, steps: Mapping[str, Decimal] = NO_STEPS) -> None:
    """Write what is told of orders, book new fills to their legs and let these be looked at; the caller commits.

    `steps` are quantity steps by symbol, where known: a rest below one is not worth another look.
    """
    now, real_now = clock.now(), clock.real_now()
    legs, orders = _locked(session, [one.order_id for one in told])
    changes = list[Change]()
    for one in told:
        order = orders.get(one.order_id)
        if order is None:
            continue
        leg = legs.get(order.leg_id) if order.leg_id else None
        changes.append(tell(order, leg, one, steps=steps, now=now, real_now=real_now, offset=clock.offset()))
    touched = list(legs.values())
    for change in changes:
        leg = legs.get(change.order.leg_id) if change.order.leg_id else None
        if leg is not None:
            refusals.act(session, leg, change.order, change.conclusion, now=now)
    with bulk.pipelined(session):
        _save_orders(session, changes)
        saving.save(session, touched, now=now)
    notices.tell(session, touched, now=now)
    people = {f"user:{leg.subscriber_id}" for leg in touched}
    ring(session, *people, *(("drive",) if any(leg.due_at is not None for leg in touched) else ()))


def _locked(session: Session, order_ids: list[UUID]) -> tuple[dict[UUID, LegRecord], dict[UUID, OrderRecord]]:
    # A leg's row is locked before its orders are read; an order of a service is its own lock.
    legs = records.lock(
        session,
        "id IN (SELECT leg_id FROM trades.copy_orders WHERE id = ANY(%(ids)s)) ORDER BY id FOR UPDATE",
        ids=order_ids,
    )
    found = {order.id: order for leg in legs for order in leg.orders}
    rows = bulk.fetch(
        session,
        f"SELECT {records.ORDER} FROM trades.copy_orders WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE",  # noqa: S608 - text of ours
        ids=[order_id for order_id in order_ids if order_id not in found],
    )
    for row in rows:
        order = records.order_record(row)
        found[order.id] = order
    return {leg.id: leg for leg in legs}, found


def _save_orders(session: Session, changes: Sequence[Change]) -> None:
    rows = [
        (
            change.order.id, change.order.state.value, change.order.filled, change.order.average_price,
            change.order.venue_order_id, change.order.sent_at, change.order.checks, change.next_check_at,
            change.acknowledged_at, change.ended_at, change.fee, change.fee_asset, change.refusal, change.venue_code,
            change.message, change.unknown_at, change.resolved_at, change.resolution,
        )
        for change in changes
    ]  # fmt: skip
    bulk.update(session, CopyOrder, _WRITTEN, rows, keeping=_KEPT)


_WRITTEN = (
    "id", "state", "filled", "average_price", "venue_order_id", "sent_at", "checks", "next_check_at",
    "acknowledged_at", "ended_at", "fee", "fee_asset", "refusal", "venue_code", "message", "unknown_at",
    "resolved_at", "resolution",
)  # fmt: skip
_KEPT = frozenset(
    {
        "acknowledged_at", "ended_at", "fee", "fee_asset", "refusal", "venue_code", "message", "unknown_at",
        "resolved_at", "resolution",
    }
)  # fmt: skip
"""What an order knew before stays, where nothing new was told."""
