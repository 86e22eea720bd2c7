"""Fees of copy orders: the venue tells them with the fills, which capture reads a little later."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.capture import queries as capture
from copytrade.capture.queries import FillRow
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
BEFORE = timedelta(minutes=1)


async def sweep() -> None:
    """Write the fees of orders whose fills are all there by now."""
    await asyncio.to_thread(_sweep)


def _sweep() -> None:
    now = clock.now()
    with transaction() as session:
        lacking = bulk.fetch(
            session,
            f"SELECT {records.ORDER}, subscriber_id FROM trades.copy_orders"  # noqa: S608 - text of ours
            " WHERE fee IS NULL AND filled > 0 AND venue_order_id <> '' AND ended_at > %(since)s"
            " ORDER BY ended_at LIMIT %(limit)s",
            since=now - LOOKED_FOR,
            limit=AT_ONCE,
        )
        if not lacking:
            return
        orders = [(records.order_record(row[:-1]), row[-1]) for row in lacking]
        paid = _paid(session, [order for order, _ in orders])
        known = [(order, person) for order, person in orders if order.id in paid]
        in_base = [order for order, _ in known if _is_in_base(order, paid[order.id][1])]
        outcomes.write(session, [Told(order.id, found=_found(order, *paid[order.id])) for order in in_base])
        rows = [(order.id, *paid[order.id]) for order, _ in known]
        bulk.update(session, CopyOrder, ("id", "fee", "fee_asset"), rows)
        ring(session, *{f"user:{person}" for _, person in known})


def _paid(session: Session, orders: Sequence[OrderRecord]) -> dict[UUID, tuple[Decimal, str]]:
    """Return what orders paid, those whose fills are all there."""
    told = defaultdict[tuple[UUID, str], list[FillRow]](list)
    since = min(order.created_at for order in orders) - BEFORE
    accounts = {order.account_id for order in orders}
    for fill in capture.fills_between(session, account_ids=accounts, since=since, until=clock.now() + BEFORE):
        told[fill.exchange_account_id, fill.order_id].append(fill)
    found: dict[UUID, tuple[Decimal, str]] = {}
    for order in orders:
        parts = told[order.account_id, order.venue_order_id]
        if parts and sum((part.quantity for part in parts), ZERO) == order.filled:
            base = order.symbol.partition("/")[0]
            asset = base if any(part.fee_asset == base for part in parts) else parts[0].fee_asset
            found[order.id] = (sum((part.fee for part in parts if part.fee_asset == asset), ZERO), asset)
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
