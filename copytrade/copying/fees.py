"""Fees of copy orders: the venue tells them with the fills, which capture reads a little later."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from copytrade import clock
from copytrade.capture import queries as capture
from copytrade.copying import bulk
from copytrade.copying.models import CopyOrder
from copytrade.db.bell import ring
from copytrade.db.session import transaction
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
            "SELECT id, exchange_account_id, venue_order_id, filled, created_at, subscriber_id FROM trades.copy_orders"
            " WHERE fee IS NULL AND filled > 0 AND venue_order_id <> '' AND ended_at > %(since)s"
            " ORDER BY ended_at LIMIT %(limit)s",
            since=now - LOOKED_FOR,
            limit=AT_ONCE,
        )
        if not lacking:
            return
        told = defaultdict[tuple[UUID, str], list[tuple[Decimal, Decimal, str]]](list)
        since = min(row[4] for row in lacking) - BEFORE
        fills = capture.fills_between(session, account_ids={row[1] for row in lacking}, since=since, until=now + BEFORE)
        for fill in fills:
            told[fill.exchange_account_id, fill.order_id].append((fill.quantity, fill.fee, fill.fee_asset))
        rows, people = list[bulk.Row](), set[UUID]()
        for order_id, account_id, venue_order_id, filled, _, person in lacking:
            parts = told[account_id, venue_order_id]
            if sum((quantity for quantity, _, _ in parts), ZERO) == filled:
                rows.append((order_id, sum((fee for _, fee, _ in parts), ZERO), parts[0][2]))
                people.add(person)
        bulk.update(session, CopyOrder, ("id", "fee", "fee_asset"), rows)
        ring(session, *(f"user:{person}" for person in people))
