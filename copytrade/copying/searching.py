"""Looks for what orders of ours did that we do not know of: a lost one that was executed after all."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from copytrade import clock
from copytrade.copying import acknowledged, bulk, outcomes
from copytrade.copying.outcomes import Told
from copytrade.db.session import transaction
from copytrade.exchanges.port import AccountRef, ExchangeClient

SEARCHED = timedelta(days=1)
"""How far back an order of ours may turn up."""


async def book_unknown(client: ExchangeClient, ref: AccountRef, symbol: str) -> None:
    """Book what orders of ours in a symbol did that we do not know of."""
    since = clock.now() - SEARCHED
    listed = {one.client_order_id: one for one in await client.recent_orders(symbol, since=since)}
    unbooked = await asyncio.to_thread(_unbooked, ref.id, symbol, {key: one.filled for key, one in listed.items()})
    if unbooked:
        orders = [
            (order_id, await acknowledged.with_fee(client, listed[client_id])) for order_id, client_id in unbooked
        ]
        await asyncio.to_thread(
            _write, [Told(order_id, found=order) for order_id, order in orders if order is not None]
        )


def _unbooked(account_id: UUID, symbol: str, filled: dict[str, Decimal]) -> list[tuple[UUID, str]]:
    with transaction() as session:
        rows = bulk.fetch(
            session,
            "SELECT id, client_order_id, filled FROM trades.copy_orders WHERE exchange_account_id = %(id)s"
            " AND symbol = %(symbol)s AND client_order_id = ANY(%(ids)s)",
            id=account_id,
            symbol=symbol,
            ids=list(filled),
        )
    return [(order_id, client_id) for order_id, client_id, known in rows if filled[client_id] > known]


def _write(told: list[Told]) -> None:
    with transaction() as session:
        outcomes.write(session, told)
