"""Finds out what became of orders: looked up by their client order id, never repeated, `lost` only when proven."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import acknowledged, bulk, outcomes, records
from copytrade.copying.models import LIVE, OrderState, Resolution
from copytrade.copying.outcomes import Told
from copytrade.copying.records import OrderRecord
from copytrade.db.events import record
from copytrade.db.session import transaction
from copytrade.domain import proofs
from copytrade.domain.instruments import Market, Side
from copytrade.domain.orders import OrderKind, VenueOrder
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool, ExchangeClient
from copytrade.exchanges.venues import lost_after
from copytrade.failpoints import Label, reach
from copytrade.settings import settings

log = structlog.get_logger()

AT_ONCE = 100
ALARM_AFTER = timedelta(seconds=60)
CLAIM = timedelta(seconds=15)
"""How long a look-up may take before another process may try."""
BEFORE = timedelta(minutes=1)
"""How far before its birth an order is searched, since clocks differ."""


@dataclass(frozen=True, slots=True)
class Search:
    """An order to look up, and where."""

    order: OrderRecord
    account: AccountRef
    until: datetime | None
    """Real time after which an order that is nowhere never arrives; None for one that has ended."""


async def resolve(pool: ClientPool) -> int:
    """Look up the orders that are due, once; return how many."""
    searches = await asyncio.to_thread(_claim)
    if searches:
        reach(Label.RESOLVE_CLAIMED)
        told = await asyncio.gather(*(_search(pool, search) for search in searches))
        reach(Label.RESOLVE_FOUND)
        await asyncio.to_thread(_write, [one for one in told if one is not None])
    return len(searches)


def _claim() -> list[Search]:
    with transaction() as session:
        return claim(session, real_now=clock.real_now())


def _write(told: list[Told]) -> None:
    if told:
        with transaction() as session:
            outcomes.write(session, told)


def claim(session: Session, *, real_now: datetime) -> list[Search]:
    """Take the orders whose look-up is due, nobody else's; raise the alarm for those unknown for a minute."""
    rows = bulk.fetch(
        session,
        f"SELECT {records.ORDER} FROM trades.copy_orders WHERE next_check_at <= %(now)s"  # noqa: S608 - text of ours
        " ORDER BY next_check_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED",
        now=real_now,
        limit=AT_ONCE,
    )
    found = [records.order_record(row) for row in rows]
    refs = accounts.refs(session, {order.account_id for order in found})
    searches = [Search(order, refs[order.account_id], _proof_at(order, refs[order.account_id])) for order in found]
    for search in searches:
        _schedule(session, search.order, until=search.until, real_now=real_now)
        _alarm(session, search.order, search.account, real_now=real_now)
    return searches


def _schedule(session: Session, order: OrderRecord, *, until: datetime | None, real_now: datetime) -> None:
    order.checks += 1
    is_live = order.state in LIVE
    is_lost = order.state is OrderState.LOST
    next_at = proofs.next_look_up(checks=order.checks, is_lost=is_lost, until=until, real_now=real_now)
    bulk.fetch(
        session,
        "UPDATE trades.copy_orders SET next_check_at = %(next)s, checks = %(checks)s,"
        " state = CASE WHEN state = 'sending' AND %(is_slow)s THEN 'unknown' ELSE state END,"
        " unknown_at = CASE WHEN state = 'sending' AND %(is_slow)s THEN %(now)s ELSE unknown_at END"
        " WHERE id = %(id)s",
        now=real_now + clock.offset(),
        next=next_at,
        checks=order.checks,
        is_slow=is_live and order.lease_until is not None and order.lease_until < real_now,
        id=order.id,
    )


def _alarm(session: Session, order: OrderRecord, account: AccountRef, *, real_now: datetime) -> None:
    since = order.sent_at or order.claimed_at
    if order.state not in (OrderState.SENDING, OrderState.UNKNOWN) or since is None or real_now - since < ALARM_AFTER:
        return
    fresh = bulk.fetch(
        session,
        "SELECT 1 FROM people.events WHERE kind = 'alarm.unknown_order' AND cause = %(cause)s",
        cause=str(order.id),
    )
    if not fresh:
        record(
            session,
            "alarm.unknown_order",
            cause=str(order.id),
            order_id=order.id,
            venue=account.venue.value,
            symbol=order.symbol,
            side=order.side.value,
            quantity=f"{order.quantity.normalize():f}",
        )


def _proof_at(order: OrderRecord, account: AccountRef) -> datetime | None:
    if order.state not in (OrderState.SENDING, OrderState.UNKNOWN):
        return None
    return proofs.proof_at(
        sent_at=order.sent_at,
        lease_until=order.lease_until,
        window=timedelta(milliseconds=settings().order_receive_window_ms),
        lost_after=lost_after(account.venue),
    )


async def _search(pool: ClientPool, search: Search) -> Told | None:
    order, by = search.order, Resolution.LOOK_UP
    try:
        client = await pool.get(search.account)
        found = await client.look_up(order.symbol, order.client_order_id)
        if found is None and proofs.is_proof(until=search.until, real_now=clock.real_now()):
            found, by = await _anywhere(client, order), Resolution.ORDER_LIST
            if found is None and not await _has_foreign_trades(client, order):
                return Told(order.id, is_lost=True)
        if found is None or not _agrees(found, order, market=search.account.market):
            return None
        found = await acknowledged.with_fee(client, found)
    except ExchangeError as error:
        log.info("order.look_up_failed", order=str(order.id), code=error.venue_code, reason=error.message)
        return None
    return Told(order.id, found=found, by=by) if found is not None else None


async def _anywhere(client: ExchangeClient, order: OrderRecord) -> VenueOrder | None:
    listed = await client.recent_orders(order.symbol, since=order.created_at - BEFORE)
    return next((one for one in listed if one.client_order_id == order.client_order_id), None)


async def _has_foreign_trades(client: ExchangeClient, order: OrderRecord) -> bool:
    """Tell whether a trade is there whose order the venue's list does not show: then the list cannot be a proof."""
    since = order.created_at - BEFORE
    listed = {one.venue_order_id for one in await client.recent_orders(order.symbol, since=since)}
    page = await client.fills(order.symbol, cursor="", since=since)
    return any(fill.order_id not in listed and fill.side is order.side for fill in page.fills)


def _agrees(found: VenueOrder, order: OrderRecord, *, market: Market) -> bool:
    # A market order to buy on spot may be known by its quote amount.
    is_in_quote = market is Market.SPOT and order.kind == OrderKind.MARKET and order.side is Side.BUY
    if found.side is order.side and (found.quantity == order.quantity or is_in_quote):
        return True
    log.error("order.id_taken", order=str(order.id), found=found.venue_order_id)
    return False
