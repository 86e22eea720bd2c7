"""Writes legs in batches: rows, parts, skips and what orders covered, one statement each."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from copytrade.copying import bulk
from copytrade.copying.models import CopyOrder, LegRow, OrderPart, OrderState, PartRow, SkipRow
from copytrade.copying.records import Birth, LegRecord, OrderRecord
from copytrade.domain.legs import Part

_CHANGED = (
    "state", "target", "held", "price", "last_reason", "waits_for", "entry_attempts",
    "exit_attempts", "refusals", "enter_after", "exit_after", "due_at", "is_halted", "is_ending", "last_order_ended_at",
    "drift_reading", "drift_read_at", "changed_at",
)  # fmt: skip
_LOTS = ("lots", "lead_orders")
_NEW_LEG = (
    "id", "subscription_id", "subscriber_id", "profile_id", "lead_account_id", "copy_account_id", "venue", "market",
    "symbol", "position_side", *_CHANGED, *_LOTS,
)  # fmt: skip


def save(session: Session, legs: Sequence[LegRecord], *, now: datetime) -> None:
    """Write what changed in these legs: rows, parts, skips and what orders covered, one statement each."""
    fresh = [leg for leg in legs if leg.is_new]
    bulk.insert(
        session, LegRow, _NEW_LEG, [(*_identity(leg), *_changes(leg, now), *_lots_and_orders(leg)) for leg in fresh]
    )
    known = [leg for leg in legs if not leg.is_new]
    heavy = [leg for leg in known if leg.has_new_lots]
    light = [leg for leg in known if not leg.has_new_lots]
    rows = [(leg.id, *_changes(leg, now), *_lots_and_orders(leg)) for leg in heavy]
    bulk.update(session, LegRow, ("id", *_CHANGED, *_LOTS), rows)
    bulk.update(session, LegRow, ("id", *_CHANGED), [(leg.id, *_changes(leg, now)) for leg in light])
    _save_parts(session, legs, now)
    skips = [
        (one.part, leg.subscriber_id, one.skip.reason.value, one.skip.quantity, bulk.jsonb(one.skip.facts), now)
        for leg in legs
        for one in leg.skips
    ]
    bulk.insert(session, SkipRow, ("part_id", "subscriber_id", "reason", "quantity", "facts", "skipped_at"), skips)
    covered = [(order, one.part, one.quantity) for leg in legs for order, one in leg.covered]
    bulk.insert(
        session,
        OrderPart,
        ("order_id", "part_id", "quantity"),
        covered,
        conflict="ON CONFLICT (order_id, part_id) DO UPDATE"
        " SET quantity = trades.copy_order_parts.quantity + excluded.quantity",
    )


def reschedule(session: Session, legs: Sequence[LegRecord]) -> None:
    """Write only when these legs have to be looked at next, and what they wait for."""
    bulk.update(session, LegRow, ("id", "waits_for", "due_at"), [(leg.id, leg.waits_for, leg.due_at) for leg in legs])


def drop(session: Session, orders: Sequence[OrderRecord], *, now: datetime) -> None:
    """End intentions that were never sent."""
    rows = [(order.id, OrderState.DROPPED.value, now, None) for order in orders]
    bulk.update(session, CopyOrder, ("id", "state", "ended_at", "next_check_at"), rows)


def _identity(leg: LegRecord) -> bulk.Row:
    at = leg.instrument
    return (
        leg.id, leg.subscription_id, leg.subscriber_id, leg.profile_id, leg.lead_account_id, leg.copy_account_id,
        at.venue.value, at.market.value, at.symbol, at.position_side.value,
    )  # fmt: skip


def _changes(record: LegRecord, now: datetime) -> bulk.Row:
    leg = record.leg
    return (
        record.state.value, leg.target, leg.held, record.price, leg.last_reason.value if leg.last_reason else "",
        record.waits_for, leg.entry_attempts, leg.exit_attempts, record.refusals, leg.enter_after, leg.exit_after,
        record.due_at, record.is_halted, record.is_ending, record.last_order_ended_at, record.drift_reading,
        record.drift_read_at, now,
    )  # fmt: skip


def _lots_and_orders(record: LegRecord) -> bulk.Row:
    lots = [[str(lot.lead), str(lot.target), str(lot.part) if lot.part else None] for lot in record.leg.lots]
    orders = {name: [str(so_far.notional), str(so_far.share)] for name, so_far in record.lead_orders.items()}
    return bulk.jsonb(lots), bulk.jsonb(orders)


def _save_parts(session: Session, legs: Sequence[LegRecord], now: datetime) -> None:
    fresh, changed, sized = list[bulk.Row](), list[bulk.Row](), list[bulk.Row]()
    for record in legs:
        reasons = {one.part: one.skip.reason.value for one in record.skips}
        for part in record.leg.parts:
            if part.id not in record.loaded:
                fresh.append(_new_part(record, part, reason=reasons.get(part.id, ""), now=now))
            elif part is not record.loaded[part.id]:
                changed.append(
                    (part.id, part.copied, part.skipped, part.netted, part.is_open, reasons.get(part.id, ""), now)
                )
                if part.unsized != record.loaded[part.id].unsized:
                    sized.append((part.id, part.asked, part.unsized or None))
    bulk.insert(session, PartRow, _NEW_PART, fresh)
    told = [row for row in changed if row[5]]
    columns = ("id", "copied", "skipped", "netted", "is_open", "reason", "changed_at")
    bulk.update(session, PartRow, columns, told)
    bulk.update(session, PartRow, ("id", "asked", "unsized"), sized)
    quiet = [(*row[:5], row[6]) for row in changed if not row[5]]
    bulk.update(session, PartRow, (*columns[:5], "changed_at"), quiet)


_NEW_PART = (
    "id", "leg_id", "subscription_id", "subscriber_id", "lead_account_id", "fill_id", "kind", "opens", "symbol",
    "asked", "copied", "skipped", "netted", "is_open", "price", "lead_quantity", "reason", "venue_time",
    "received_at", "planned_at", "changed_at", "rank", "served",
    "lead_before", "lead_after", "unsized",
)  # fmt: skip


def _new_part(record: LegRecord, part: Part, *, reason: str, now: datetime) -> bulk.Row:
    birth = record.births.get(part.id) or Birth(received_at=now)
    return (
        part.id, record.id, record.subscription_id, record.subscriber_id, record.lead_account_id, birth.fill_id,
        part.kind.value, part.opens, record.instrument.symbol, part.asked, part.copied, part.skipped, part.netted,
        part.is_open, part.price, birth.lead_quantity, reason, part.at, birth.received_at, now, now,
        birth.place.rank, birth.place.served, birth.lead_before, birth.lead_after,
        part.unsized or None,
    )  # fmt: skip
