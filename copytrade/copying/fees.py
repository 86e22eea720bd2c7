"""Fees of copy orders: the venue tells them with the fills, which capture reads a little later."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.capture import fees as capture
from copytrade.capture.fees import OrderAsked, Paid
from copytrade.copying import bulk, outcomes, records
from copytrade.copying.models import CopyOrder, OrderState
from copytrade.copying.outcomes import Told
from copytrade.copying.records import OrderRecord
from copytrade.db.bell import ring
from copytrade.db.session import transaction
from copytrade.domain.instruments import Side
from copytrade.domain.orders import VenueOrder, VenueOrderStatus
from copytrade.domain.quantities import ZERO

AT_ONCE = 500
LOOKED_FOR = timedelta(hours=2)
"""How long after its end an order's fees are looked for; capture catches up much sooner."""
AROUND = timedelta(minutes=1)
"""How far an order's fills may lie outside of its life, by the venue's clock."""
_BEFORE_ALL = UUID(int=0)


async def sweep() -> None:
    """Write the fees of orders whose fills are all there by now."""
    await asyncio.to_thread(_sweep)


def _sweep() -> None:
    after = (clock.now() - LOOKED_FOR, _BEFORE_ALL)
    while True:
        with transaction() as session:
            lacking = _lacking(session, after=after)
            if lacking:
                _write(session, lacking)
        if len(lacking) < AT_ONCE:
            return
        after = lacking[-1][2], lacking[-1][0].id


def _lacking(session: Session, *, after: tuple[datetime, UUID]) -> list[tuple[OrderRecord, UUID, datetime]]:
    """Return orders whose fee is not known, whose they are and when they ended: the next page, oldest first."""
    rows = bulk.fetch(
        session,
        f"SELECT {records.ORDER}, subscriber_id, ended_at FROM trades.copy_orders"  # noqa: S608 - text of ours
        " WHERE fee IS NULL AND filled > 0 AND venue_order_id <> '' AND (ended_at, id) > (%(at)s, %(id)s)"
        " ORDER BY ended_at, id LIMIT %(limit)s",
        at=after[0],
        id=after[1],
        limit=AT_ONCE,
    )
    return [(records.order_record(row[:-2]), row[-2], row[-1]) for row in rows]


def _write(session: Session, lacking: Sequence[tuple[OrderRecord, UUID, datetime]]) -> None:
    paid = _paid(session, [(order, ended_at) for order, _, ended_at in lacking])
    known = [(order, person) for order, person, _ in lacking if order.id in paid]
    in_base = [order for order, _ in known if _is_in_base(order, paid[order.id][1])]
    outcomes.write(session, [Told(order.id, found=_found(order, *paid[order.id])) for order in in_base])
    bulk.update(session, CopyOrder, ("id", "fee", "fee_asset"), [(order.id, *paid[order.id]) for order, _ in known])
    ring(session, *{f"user:{person}" for _, person in known})


def _paid(session: Session, orders: Sequence[tuple[OrderRecord, datetime]]) -> dict[UUID, tuple[Decimal, str]]:
    """Return what orders paid, those whose fills are all there."""
    asked = [
        OrderAsked(
            *(order.account_id, order.symbol, order.venue_order_id),
            *(order.created_at - AROUND, ended_at + AROUND),
        )
        for order, ended_at in orders
    ]
    told = defaultdict[tuple[UUID, str], list[Paid]](list)
    for paid in capture.paid_of(session, asked):
        told[paid.account_id, paid.order_id].append(paid)
    found: dict[UUID, tuple[Decimal, str]] = {}
    for order, _ in orders:
        rows = told[order.account_id, order.venue_order_id]
        if rows and sum((row.quantity for row in rows), ZERO) == order.filled:
            base = order.symbol.partition("/")[0]
            # an order that paid in two assets tells of one: the base, which changes what is held, or the larger part
            told_of = max(rows, key=lambda row: (row.asset == base, row.quantity))
            found[order.id] = (told_of.fee, told_of.asset)
    return found


def _is_in_base(order: OrderRecord, asset: str) -> bool:
    return order.leg_id is not None and order.side is Side.BUY and asset == order.symbol.partition("/")[0]


def _found(order: OrderRecord, fee: Decimal, asset: str) -> VenueOrder:
    """Return an order whose fee came in base and was not booked: its leg holds less."""
    return VenueOrder(
        venue_order_id=order.venue_order_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        filled=order.filled,
        average_price=order.average_price,
        status=VenueOrderStatus.FILLED if order.state is OrderState.FILLED else VenueOrderStatus.CANCELLED,
        venue_time=None,
        fee=fee,
        fee_asset=asset,
    )
