"""The receipt of one copy: every order that was sent for it, how doubts were resolved, and what was left out."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.copying import bulk, listing
from copytrade.copying.history import STATE, failures, slippage
from copytrade.copying.models import OrderState
from copytrade.copying.rows import Receipt, ReceiptOrder, SkipLine, Tries
from copytrade.errors import NotFound
from copytrade.subscriptions import queries as subscriptions

MOST_ORDERS = 100
"""Of one receipt; older ones that brought nothing are left out first."""

_PART = f"""
SELECT p.id, p.kind, p.symbol, p.subscription_id, p.asked, {STATE}, p.venue_time, p.received_at, p.planned_at, p.price,
       p.lead_quantity, p.copied, p.skipped, p.netted, p.rank, p.served, p.leg_id
FROM trades.copy_parts p JOIN trades.legs l ON l.id = p.leg_id
WHERE p.subscriber_id = %(owner)s AND (p.id = %(id)s OR p.id IN (
    SELECT c.part_id FROM trades.copy_order_parts c WHERE c.order_id = %(id)s))
ORDER BY p.id LIMIT 1
"""  # noqa: S608 - text of ours

# An order that brought nothing is tied to no part: it was sent for those of its side that were open then.
_ORDERS = """
SELECT o.id, o.state, o.kind, o.quantity, o.filled, coalesce(c.quantity, 0), o.price, o.average_price, o.reference,
       o.side, o.fee, o.fee_asset, (SELECT count(*) FROM trades.copy_order_parts x WHERE x.order_id = o.id), o.sent_at,
       o.acknowledged_at, o.ended_at, o.unknown_at, o.resolved_at, o.resolution, o.checks, o.refusal, o.message,
       o.venue_order_id, o.client_order_id, o.created_at
FROM trades.copy_orders o
JOIN trades.copy_parts p ON p.id = %(part)s
LEFT JOIN trades.copy_order_parts c ON c.order_id = o.id AND c.part_id = p.id
WHERE o.leg_id = p.leg_id AND (c.part_id IS NOT NULL OR (
    (o.filled = 0 OR o.unknown_at IS NOT NULL) AND o.claimed_at IS NOT NULL AND o.side = %(side)s
    AND o.created_at >= p.planned_at AND (p.is_open OR o.created_at <= p.changed_at)))
ORDER BY (c.part_id IS NOT NULL OR o.unknown_at IS NOT NULL) DESC, o.id DESC LIMIT %(limit)s
"""

_ENDED = (OrderState.ENDED, OrderState.REFUSED, OrderState.DROPPED)


def receipt(session: Session, *, owner: UUID, copy_order_id: UUID) -> Receipt:
    """Return one line of the owner's history in full, by its id or its order's; raise NotFound for anybody else's."""
    rows = bulk.fetch(session, _PART, owner=owner, id=copy_order_id, failures=failures())
    if not rows:
        raise NotFound(f"copy {copy_order_id} of {owner} was not found", user="There is no such copy.")
    (
        part_id, kind, symbol, subscription_id, asked, state, lead_at, captured_at, planned_at, lead_price,
        lead_quantity, copied, skipped, netted, rank, served, _,
    ) = rows[0]  # fmt: skip
    side = "buy" if asked > 0 else "sell"
    orders, tries = _orders(session, part_id, side=side)
    subscription = subscriptions.subscription(session, owner=owner, subscription_id=subscription_id)
    terms = listing.terms_at(session, {(subscription.copy_account_id, symbol)})
    return Receipt(
        id=part_id,
        kind=kind,
        symbol=symbol,
        trader_name=subscription.trader_name,
        side=side,
        state=state,
        lead_at=lead_at,
        captured_at=captured_at,
        planned_at=planned_at,
        lead_price=lead_price,
        lead_quantity=lead_quantity,
        asked=abs(asked),
        copied=abs(copied),
        skipped=abs(skipped),
        netted=abs(netted),
        pending=abs(asked - copied - skipped - netted),
        rank=rank,
        served=served,
        orders=orders,
        tries=tries,
        skips=_skips(session, part_id),
        step=next((one.quantity_step for one in terms.values()), None),
        is_paper=subscription.is_paper,
    )


def _orders(session: Session, part_id: UUID, *, side: str) -> tuple[list[ReceiptOrder], list[Tries]]:
    """Return the orders that matter one by one, and those that brought nothing without a doubt by their kind."""
    shown = list[tuple[datetime, ReceiptOrder]]()
    vain = defaultdict[tuple[str, str], list[tuple[datetime, Decimal | None]]](list)
    for row in bulk.fetch(session, _ORDERS, part=part_id, side=side, limit=MOST_ORDERS):
        order, created_at = _order(row[:-1]), row[-1]
        if order.carried or order.unknown_at is not None or order.state not in _ENDED:
            shown.append((created_at, order))
        else:
            vain[order.state, order.refusal].append((created_at, order.price))
    shown.sort(key=lambda pair: pair[0])
    tries = [
        Tries(state, refusal, len(found), min(found)[0], max(found)[0], max(found)[1])
        for (state, refusal), found in vain.items()
    ]
    return [order for _, order in shown], sorted(tries, key=lambda one: one.first_at)


def _order(row: bulk.Row) -> ReceiptOrder:
    (
        order_id, state, kind, quantity, filled, carried, price, average, reference, side, fee, fee_asset, fills,
        sent_at, accepted_at, ended_at, unknown_at, resolved_at, resolution, checks, refusal, message, venue_order_id,
        client_order_id,
    ) = row  # fmt: skip
    return ReceiptOrder(
        id=order_id,
        state=state,
        kind=kind,
        quantity=quantity,
        filled=filled,
        carried=carried,
        price=price,
        average_price=average,
        reference=reference,
        slippage_bps=slippage(average, reference, side=side),
        fee=fee,
        fee_asset=fee_asset,
        fills=fills,
        # Signatures need the real time; people read the installation's.
        sent_at=sent_at + clock.offset() if sent_at else None,
        accepted_at=accepted_at,
        ended_at=ended_at,
        unknown_at=unknown_at,
        resolved_at=resolved_at,
        resolution=resolution,
        checks=checks,
        refusal=refusal,
        message=message,
        venue_order_id=venue_order_id,
        client_order_id=client_order_id,
    )


def _skips(session: Session, part_id: UUID) -> list[SkipLine]:
    rows = bulk.fetch(
        session,
        "SELECT reason, quantity, facts, skipped_at, pnl, priced_at IS NULL AND quantity > 0 FROM trades.copy_skips"
        " WHERE part_id = %(id)s ORDER BY id",
        id=part_id,
    )
    return [SkipLine(*row) for row in rows]
