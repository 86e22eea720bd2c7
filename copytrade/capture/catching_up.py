"""Reads one symbol's fills from where they were left until a page brings nothing newer, and stores each page."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlmodel import col, select

from copytrade import clock
from copytrade.capture import storing
from copytrade.capture.arrays import among_texts
from copytrade.capture.models import CaptureState, StoredFill
from copytrade.capture.order_sizes import size_of, with_size
from copytrade.capture.service import lock_state
from copytrade.capture.storing import Captured, Source
from copytrade.db.session import reading, transaction
from copytrade.domain.fills import Fill
from copytrade.errors import Unavailable
from copytrade.exchanges.port import ExchangeClient, FillPage
from copytrade.failpoints import Label, reach

log = structlog.get_logger()
DEAF_AFTER = timedelta(seconds=2)
"""A fill that a poll finds and that is older than this should have been heard on a living stream."""
ORDERS_BACK = timedelta(hours=1)
"""Orders are listed from this long before their oldest fill: one may have rested."""
ORDERS_AGAIN = timedelta(seconds=60)
"""A stored fill whose order was not found is asked about so long."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What to read: one symbol from a cursor, without one from a time. `is_lead`: its orders' quantities matter."""

    account_id: UUID
    symbol: str
    cursor: str
    since: datetime
    is_lead: bool
    streamed_since: datetime | None
    """Since when a stream should have told of every fill; None where there is none."""


async def read_symbol(client: ExchangeClient, gap: Gap) -> bool:
    """Close the gap; return whether any fill was new. Unavailable or BadCredentials otherwise."""
    cursor, is_new = gap.cursor, False
    while True:
        page = await client.fills(gap.symbol, cursor=cursor, since=gap.since)
        if gap.is_lead and page.fills:
            page = await _with_orders(client, gap, page)
        reach(Label.POLL_READ)
        is_new |= await asyncio.to_thread(_store_page, gap, page)
        reach(Label.POLL_COMMITTED)
        if page.is_last:
            return is_new
        cursor = page.cursor


async def _with_orders(client: ExchangeClient, gap: Gap, page: FillPage) -> FillPage:
    """Give fills whose orders are not known what only those tell: client's id, quantity, whether the venue did it."""
    fresh = await asyncio.to_thread(_unknown, gap, page.fills)
    if not fresh:
        return page
    since = min(fill.venue_time for fill in fresh) - ORDERS_BACK
    try:
        orders = {order.venue_order_id: order for order in await client.recent_orders(gap.symbol, since=since)}
    except Unavailable as error:
        # The fills themselves must not wait for what only sizing by order wants; young ones are asked for again.
        log.warning("capture.orders_unread", account=str(gap.account_id), reason=error.message)
        return page
    fills = [
        replace(
            with_size(fill, size_of(order)),
            client_order_id=order.client_order_id,
            is_liquidation=fill.is_liquidation or order.is_liquidation,
        )
        if (order := orders.get(fill.order_id)) is not None
        else fill
        for fill in page.fills
    ]
    return replace(page, fills=fills)


def _unknown(gap: Gap, fills: Sequence[Fill]) -> list[Fill]:
    query = select(StoredFill.trade_id).where(
        StoredFill.exchange_account_id == gap.account_id,
        StoredFill.symbol == gap.symbol,
        among_texts(col(StoredFill.trade_id), [fill.trade_id for fill in fills]),
        col(StoredFill.order_quantity).is_not(None) | (col(StoredFill.venue_time) < clock.now() - ORDERS_AGAIN),
    )
    with reading() as session:
        known = set(session.exec(query))
        state = session.get(CaptureState, gap.account_id)
        plans_from = state.baseline_at if state is not None else None
    return [
        fill for fill in fills if fill.trade_id not in known and (plans_from is None or fill.venue_time > plans_from)
    ]


def _store_page(gap: Gap, page: FillPage) -> bool:
    """Store a page and, in the same transaction, where the next one starts."""
    now = clock.now()
    with transaction() as session:
        state = lock_state(session, gap.account_id)  # first: whoever plans holds it when he locks fills
        captured = [Captured(gap.account_id, fill, now) for fill in page.fills]
        stored = storing.store(session, captured, source=Source.POLL)
        storing.keep_spoiled(session, page.spoiled, account_id=gap.account_id, source=Source.POLL, now=now)
        if state is not None:
            if stored and _was_unheard(gap, page.fills, now=now):
                state.stream_deaf_at = now
            if state.cursors.get(gap.symbol) != page.cursor:
                state.cursors = {**state.cursors, gap.symbol: page.cursor}
            session.add(state)
        session.flush()
        reach(Label.POLL_STORED)
        return bool(stored)


def _was_unheard(gap: Gap, fills: Sequence[Fill], *, now: datetime) -> bool:
    since = gap.streamed_since
    return since is not None and any(since + DEAF_AFTER < fill.venue_time < now - DEAF_AFTER for fill in fills)
