"""What shows copying: a subscriber's history and receipts, open legs, and what operators look at."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.copying import bulk, quality, settings_rows
from copytrade.copying.models import CopySetting, LegRow, LegState, Switch
from copytrade.copying.own_trades import own_trades
from copytrade.copying.rows import (
    Backlog,
    CopyPage,
    CopyRow,
    CopyState,
    CopySummary,
    OpenLegRow,
    OwnTradePage,
    Receipt,
    SwitchRow,
    UnknownOrderRow,
)
from copytrade.domain.sizing import CopySettings
from copytrade.domain.skips import FAILURES
from copytrade.errors import InvalidInput, NotFound
from copytrade.subscriptions import queries as subscriptions

__all__ = [
    "Backlog", "CopyPage", "CopyRow", "CopyState", "CopySummary", "OpenLegRow", "OwnTradePage", "Receipt", "SwitchRow",
    "UnknownOrderRow", "backlog", "copies", "copy_summary", "open_legs", "own_trades", "receipt", "settings_of",
    "switches", "unknown_orders",
]  # fmt: skip

SUMMARY_DAYS = 30
_BPS = Decimal(10_000)

# What is left below the venue's minimum goes with the next fill: what could be traded of the part was copied.
_STATE = """CASE
    WHEN p.kind = 'drift' THEN 'own'
    WHEN p.is_open AND (p.copied = 0 OR l.waits_for <> 'too_small') THEN 'pending'
    WHEN p.copied <> 0 THEN 'copied'
    WHEN p.skipped <> 0 AND p.reason = ANY(%(failures)s) THEN 'failed'
    WHEN p.netted <> 0 AND p.skipped = 0 THEN 'netted'
    ELSE 'skipped' END"""

_COPIES = f"""
SELECT p.id, p.planned_at, p.subscription_id, p.symbol, p.asked, p.copied, p.skipped, p.netted, p.reason, p.price,
       p.lead_quantity, p.venue_time, {_STATE} AS state, done.price, done.acknowledged_at, why.facts
FROM trades.copy_parts p JOIN trades.legs l ON l.id = p.leg_id
LEFT JOIN LATERAL (
    SELECT sum(c.quantity * coalesce(o.average_price, o.reference)) / nullif(sum(c.quantity), 0) AS price,
           min(o.acknowledged_at) AS acknowledged_at
    FROM trades.copy_order_parts c JOIN trades.copy_orders o ON o.id = c.order_id WHERE c.part_id = p.id
) done ON true
LEFT JOIN LATERAL (
    SELECT s.facts FROM trades.copy_skips s WHERE s.part_id = p.id ORDER BY s.id DESC LIMIT 1
) why ON true
"""  # noqa: S608 - text of ours


def copies(
    session: Session,
    *,
    owner: UUID,
    cursor: str | None = None,
    limit: int = 50,
    profile_id: UUID | None = None,
    state: str | None = None,
    reason: str | None = None,
) -> CopyPage:
    """Return a page of a subscriber's history, newest first; only his own."""
    known = {row.id: row for row in subscriptions.subscriptions_of(session, owner=owner)}
    wanted = [row.id for row in known.values() if profile_id is None or row.profile_id == profile_id]
    rows = bulk.fetch(
        session,
        f"SELECT * FROM ({_COPIES} WHERE p.subscriber_id = %(owner)s AND p.subscription_id = ANY(%(wanted)s)"  # noqa: S608 - text of ours
        " AND (%(cursor)s::uuid IS NULL OR p.id < %(cursor)s::uuid) AND (%(reason)s::text IS NULL"
        " OR p.reason = %(reason)s)) AS found WHERE (%(state)s::text IS NULL OR state = %(state)s)"
        " ORDER BY id DESC LIMIT %(limit)s",
        owner=owner,
        wanted=wanted,
        cursor=_cursor(cursor),
        reason=reason,
        state=state,
        limit=limit + 1,
        failures=_failures(),
    )
    found = [_copy(row, known[row[2]].trader_name, known[row[2]].slug) for row in rows[:limit]]
    return CopyPage(found, str(found[-1].id) if len(rows) > limit else None)


def receipt(session: Session, *, owner: UUID, copy_order_id: UUID) -> Receipt:
    """Return one line of the owner's history in full, by its id or its order's; raise NotFound for anybody else's."""
    rows = bulk.fetch(
        session,
        f"SELECT p.id, p.symbol, p.asked, {_STATE}, p.venue_time, p.received_at, p.planned_at, p.price, p.copied,"  # noqa: S608 - text of ours
        " o.id, o.sent_at, o.acknowledged_at, o.ended_at, o.average_price, o.filled, o.fee, o.fee_asset, o.reference,"
        " o.venue_order_id, o.client_order_id FROM trades.copy_parts p JOIN trades.legs l ON l.id = p.leg_id"
        " LEFT JOIN trades.copy_order_parts c ON c.part_id = p.id LEFT JOIN trades.copy_orders o ON o.id = c.order_id"
        " WHERE p.subscriber_id = %(owner)s AND (p.id = %(id)s OR o.id = %(id)s)"
        " ORDER BY p.id, o.id LIMIT 1",
        owner=owner,
        id=copy_order_id,
        failures=_failures(),
    )
    if not rows:
        raise NotFound(f"copy {copy_order_id} of {owner} was not found", user="There is no such copy.")
    (
        part_id, symbol, asked, state, lead_at, captured_at, planned_at, lead_price, copied, order_id, sent_at,
        accepted_at, ended_at, average, filled, fee, fee_asset, reference, venue_order_id, client_order_id,
    ) = rows[0]  # fmt: skip
    side = "buy" if asked > 0 else "sell"
    return Receipt(
        id=part_id,
        symbol=symbol,
        side=side,
        state=state,
        lead_at=lead_at,
        captured_at=captured_at,
        planned_at=planned_at,
        # Signatures need the real time; people read the installation's.
        sent_at=sent_at + clock.offset() if sent_at else None,
        accepted_at=accepted_at,
        filled_at=ended_at,
        lead_price=reference if order_id else lead_price,
        average_price=average,
        quantity=filled if order_id else abs(copied),
        fee=fee,
        fee_asset=fee_asset or "",
        slippage_bps=_slippage(average, reference, side=side),
        fills=_covered(session, order_id),
        venue_order_id=venue_order_id or "",
        client_order_id=client_order_id or "",
        skips=_skips(session, part_id),
    )


def copy_summary(session: Session, *, owner: UUID) -> CopySummary:
    """Return how copying went for a subscriber in the last thirty days."""
    since = clock.now() - timedelta(days=SUMMARY_DAYS)
    counts = dict(
        bulk.fetch(
            session,
            f"SELECT {_STATE}, count(*) FROM trades.copy_parts p JOIN trades.legs l ON l.id = p.leg_id"  # noqa: S608 - text of ours
            " WHERE p.subscriber_id = %(owner)s AND p.planned_at >= %(since)s GROUP BY 1",
            owner=owner,
            since=since,
            failures=_failures(),
        )
    )
    mine = [row.id for row in subscriptions.subscriptions_of(session, owner=owner)]
    delays = quality.delays_of(session, subscription_ids=mine, since=since)
    return CopySummary(
        copied=counts.get(CopyState.COPIED, 0),
        skipped=counts.get(CopyState.SKIPPED, 0) + counts.get(CopyState.NETTED, 0),
        waiting=counts.get(CopyState.PENDING, 0),
        failed=counts.get(CopyState.FAILED, 0),
        delay_p50_ms=delays.delay_p50_ms,
        slippage_p50_bps=delays.slippage_p50_bps,
    )


def open_legs(session: Session, *, owner: UUID) -> list[OpenLegRow]:
    """Return the owner's copied positions that are open or on their way."""
    names = {row.id: row.trader_name for row in subscriptions.subscriptions_of(session, owner=owner)}
    rows = session.exec(
        select(LegRow)
        .where(
            col(LegRow.subscription_id).in_(names),
            LegRow.state == LegState.FOLLOWING,
            (col(LegRow.target) != 0) | (col(LegRow.held) != 0),
        )
        .order_by(col(LegRow.symbol), col(LegRow.id))
    )
    return [
        OpenLegRow(
            subscription_id=row.subscription_id,
            trader_name=names.get(row.subscription_id, ""),
            symbol=row.symbol,
            target=row.target,
            held=row.held,
            price=row.price,
            waits_for=row.waits_for,
            reason=row.last_reason,
        )
        for row in rows
    ]


def settings_of(session: Session, *, owner: UUID) -> dict[UUID, CopySettings]:
    """Return how each of the owner's subscriptions copies."""
    rows = session.exec(select(CopySetting.subscription_id).where(CopySetting.subscriber_id == owner)).all()
    return settings_rows.of(session, rows)


def backlog(session: Session) -> Backlog:
    """Return what copying has to do now."""
    [row] = bulk.fetch(
        session,
        "SELECT (SELECT count(*) FROM trades.legs WHERE due_at <= %(now)s),"
        " (SELECT min(due_at) FROM trades.legs WHERE due_at <= %(now)s),"
        " (SELECT count(*) FROM trades.copy_orders WHERE next_check_at IS NOT NULL AND state IN ('sending', 'placed')),"
        " (SELECT count(*) FROM trades.copy_orders WHERE state = 'unknown'),"
        " (SELECT min(created_at) FROM trades.copy_orders WHERE state = 'unknown'),"
        " (SELECT count(*) FROM trades.copy_parts WHERE is_open)",
        now=clock.now(),
    )
    return Backlog(*row)


def unknown_orders(session: Session) -> list[UnknownOrderRow]:
    """Return the orders whose outcome nobody knows, oldest first."""
    rows = bulk.fetch(
        session,
        "SELECT id, subscriber_id, symbol, side, quantity, client_order_id, created_at FROM trades.copy_orders"
        " WHERE state = 'unknown' ORDER BY created_at",
    )
    return [UnknownOrderRow(*row) for row in rows]


def switches(session: Session) -> list[SwitchRow]:
    """Return every switch that was ever set."""
    rows = session.exec(select(Switch).order_by(col(Switch.scope), col(Switch.scope_id)))
    return [SwitchRow(row.scope, row.scope_id, row.mode, row.reason, row.set_at) for row in rows]


def _copy(row: bulk.Row, trader: str, slug: str) -> CopyRow:
    (
        part_id, at, subscription_id, symbol, asked, copied, skipped, netted, reason, lead_price, lead_quantity,
        venue_time, state, price, acknowledged_at, facts,
    ) = row  # fmt: skip
    side = "buy" if asked > 0 else "sell"
    delay = int((acknowledged_at - venue_time).total_seconds() * 1000) if acknowledged_at else None
    return CopyRow(
        id=part_id,
        at=at,
        subscription_id=subscription_id,
        trader_name=trader,
        profile_slug=slug,
        symbol=symbol,
        side=side,
        quantity=abs(copied) or abs(asked),
        price=price,
        state=CopyState(state),
        reason=reason,
        facts=facts or {},
        slippage_bps=_slippage(price, lead_price, side=side),
        delay_ms=delay,
        asked=abs(asked),
        copied=abs(copied),
        skipped=abs(skipped),
        netted=abs(netted),
        pending=abs(asked - copied - skipped - netted),
        lead_quantity=lead_quantity,
        lead_price=lead_price,
    )


def _slippage(price: Decimal | None, reference: Decimal | None, *, side: str) -> Decimal | None:
    if price is None or not reference:
        return None
    worse = price - reference if side == "buy" else reference - price
    return (worse * _BPS / reference).quantize(Decimal("0.01"))


def _covered(session: Session, order_id: UUID | None) -> int:
    rows = bulk.fetch(session, "SELECT count(*) FROM trades.copy_order_parts WHERE order_id = %(id)s", id=order_id)
    return rows[0][0]


def _skips(session: Session, part_id: UUID) -> list[tuple[str, Decimal, dict[str, str]]]:
    rows = bulk.fetch(
        session, "SELECT reason, quantity, facts FROM trades.copy_skips WHERE part_id = %(id)s ORDER BY id", id=part_id
    )
    return [(reason, quantity, facts) for reason, quantity, facts in rows]


def _cursor(cursor: str | None) -> UUID | None:
    if not cursor:
        return None
    try:
        return UUID(cursor)
    except ValueError:
        raise InvalidInput("cursor was no id", user="This page does not exist.", field="cursor") from None


def _failures() -> list[str]:
    return [reason.value for reason in FAILURES]
