"""A subscriber's history of copies: its lines, how it went in all, and what was not copied in sum."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.copying import bulk, listing, quality
from copytrade.copying.models import SymbolTerms
from copytrade.copying.rows import CopyPage, CopyRow, CopyState, CopySummary, SkipSum
from copytrade.domain.skips import FAILURES
from copytrade.errors import InvalidInput
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow

SUMMARY_DAYS = 30
_BPS = Decimal(10_000)

# What is left below the venue's minimum goes with the next fill: what could be traded of the part was copied.
STATE = """CASE
    WHEN p.kind = 'drift' THEN 'own'
    WHEN p.is_open AND (p.copied = 0 OR l.waits_for <> 'too_small') THEN 'pending'
    WHEN p.copied <> 0 THEN 'copied'
    WHEN p.skipped <> 0 AND p.reason = ANY(%(failures)s) THEN 'failed'
    WHEN p.netted <> 0 AND p.skipped = 0 THEN 'netted'
    ELSE 'skipped' END"""

_COPIES = f"""
SELECT p.id, p.planned_at, p.subscription_id, p.symbol, p.asked, p.copied, p.skipped, p.netted, p.reason, p.price,
       p.lead_quantity, p.venue_time, {STATE} AS state, done.price, done.acknowledged_at, why.facts, p.kind, missed.pnl
FROM trades.copy_parts p JOIN trades.legs l ON l.id = p.leg_id
LEFT JOIN LATERAL (
    SELECT sum(c.quantity * coalesce(o.average_price, o.reference)) / nullif(sum(c.quantity), 0) AS price,
           min(o.acknowledged_at) AS acknowledged_at
    FROM trades.copy_order_parts c JOIN trades.copy_orders o ON o.id = c.order_id WHERE c.part_id = p.id
) done ON true
LEFT JOIN LATERAL (
    SELECT s.facts FROM trades.copy_skips s WHERE s.part_id = p.id ORDER BY s.id DESC LIMIT 1
) why ON true
LEFT JOIN LATERAL (
    SELECT sum(s.pnl) AS pnl FROM trades.copy_skips s WHERE s.part_id = p.id
) missed ON true
"""  # noqa: S608 - text of ours

_WITH_REASON = (
    "(%(reason)s::text IS NULL OR EXISTS (SELECT 1 FROM trades.copy_skips s"
    " WHERE s.part_id = p.id AND s.reason = %(reason)s))"
)


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
        f" AND (%(cursor)s::uuid IS NULL OR p.id < %(cursor)s::uuid) AND {_WITH_REASON}) AS found"
        " WHERE (%(state)s::text IS NULL OR state = %(state)s) ORDER BY id DESC LIMIT %(limit)s",
        owner=owner,
        wanted=wanted,
        cursor=_cursor(cursor),
        reason=reason,
        state=state,
        limit=limit + 1,
        failures=failures(),
    )
    accounts = {row[0]: known[row[2]].copy_account_id for row in rows}
    terms = listing.terms_at(session, {(accounts[row[0]], row[3]) for row in rows})
    found = [_copy(row, known[row[2]], terms=terms.get((accounts[row[0]], row[3]))) for row in rows[:limit]]
    return CopyPage(found, str(found[-1].id) if len(rows) > limit else None)


def copy_summary(session: Session, *, owner: UUID) -> CopySummary:
    """Return how copying went for a subscriber in the last thirty days."""
    since = clock.now() - timedelta(days=SUMMARY_DAYS)
    counts = dict(
        bulk.fetch(
            session,
            f"SELECT {STATE}, count(*) FROM trades.copy_parts p JOIN trades.legs l ON l.id = p.leg_id"  # noqa: S608 - text of ours
            " WHERE p.subscriber_id = %(owner)s AND p.planned_at >= %(since)s GROUP BY 1",
            owner=owner,
            since=since,
            failures=failures(),
        )
    )
    mine = [row.id for row in subscriptions.subscriptions_of(session, owner=owner)]
    delays = quality.delays_of(session, subscription_ids=mine, since=since)
    return CopySummary(
        copied=counts.get(CopyState.COPIED, 0),
        skipped=counts.get(CopyState.SKIPPED, 0),
        waiting=counts.get(CopyState.PENDING, 0),
        failed=counts.get(CopyState.FAILED, 0),
        netted=counts.get(CopyState.NETTED, 0),
        delay_p50_ms=delays.delay_p50_ms,
        slippage_p50_bps=delays.slippage_p50_bps,
    )


def skip_sums(session: Session, *, owner: UUID, profile_id: UUID | None = None) -> list[SkipSum]:
    """Return what a subscriber's copies left out in the last thirty days by reason, the most often first."""
    rows = subscriptions.subscriptions_of(session, owner=owner)
    found = bulk.fetch(
        session,
        "SELECT s.reason, count(*), sum(s.quantity * p.price), coalesce(sum(s.pnl), 0),"
        " count(*) FILTER (WHERE s.priced_at IS NULL AND s.quantity > 0)"
        " FROM trades.copy_parts p JOIN trades.copy_skips s ON s.part_id = p.id"
        " WHERE p.subscriber_id = %(owner)s AND p.subscription_id = ANY(%(wanted)s) AND p.planned_at >= %(since)s"
        " GROUP BY s.reason ORDER BY count(*) DESC, s.reason",
        owner=owner,
        wanted=[row.id for row in rows if profile_id is None or row.profile_id == profile_id],
        since=clock.now() - timedelta(days=SUMMARY_DAYS),
    )
    return [SkipSum(*row) for row in found]


def slippage(price: Decimal | None, reference: Decimal | None, *, side: str) -> Decimal | None:
    """Return how much worse a price was than another in basis points."""
    if price is None or not reference:
        return None
    worse = price - reference if side == "buy" else reference - price
    return (worse * _BPS / reference).quantize(Decimal("0.01"))


def failures() -> list[str]:
    """Return the reasons that are a failure of the copy, as `STATE` asks for them."""
    return [reason.value for reason in FAILURES]


def _copy(row: bulk.Row, subscription: SubscriptionRow, *, terms: SymbolTerms | None) -> CopyRow:
    (
        part_id, at, subscription_id, symbol, asked, copied, skipped, netted, reason, lead_price, lead_quantity,
        venue_time, state, price, acknowledged_at, facts, kind, missed,
    ) = row  # fmt: skip
    side = "buy" if asked > 0 else "sell"
    delay = int((acknowledged_at - venue_time).total_seconds() * 1000) if acknowledged_at else None
    return CopyRow(
        id=part_id,
        at=at,
        subscription_id=subscription_id,
        trader_name=subscription.trader_name,
        profile_slug=subscription.slug,
        is_paper=subscription.is_paper,
        symbol=symbol,
        side=side,
        quantity=abs(copied) or abs(asked),
        price=price,
        state=CopyState(state),
        reason=reason,
        facts=facts or {},
        slippage_bps=slippage(price, lead_price, side=side),
        delay_ms=delay,
        asked=abs(asked),
        copied=abs(copied),
        skipped=abs(skipped),
        netted=abs(netted),
        pending=abs(asked - copied - skipped - netted),
        lead_quantity=lead_quantity,
        lead_price=lead_price,
        kind=kind,
        missed=missed,
        step=terms.quantity_step if terms is not None else None,
    )


def _cursor(cursor: str | None) -> UUID | None:
    if not cursor:
        return None
    try:
        return UUID(cursor)
    except ValueError:
        raise InvalidInput("cursor was no id", user="This page does not exist.", field="cursor") from None
