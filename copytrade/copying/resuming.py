"""Sizes openings that waited for the lead's order or for an equity, under the limits of now (copy-engine, Step 2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.capture import order_sizes
from copytrade.capture import service as capture
from copytrade.capture.order_sizes import LeadOrder
from copytrade.copying import bulk, notices
from copytrade.copying.desks import Desk, Venues, around, copy_equity, open_desk, room_in, unread
from copytrade.copying.models import PartRow, SkipRow
from copytrade.copying.planner import EQUITY_TOO, write
from copytrade.copying.records import LegRecord
from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.instruments import Instrument, Market, PositionSide, Venue
from copytrade.domain.legs import Part, net
from copytrade.domain.planning import WAITS_FOR, Ask, PartKind, resume
from copytrade.domain.quantities import ONE, ZERO, sign
from copytrade.domain.sizing import Equities
from copytrade.domain.skips import SkipReason
from copytrade.subscriptions.rows import ActiveSubscription


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An opening that waits to be sized, as its rows say."""

    part: UUID
    subscription: UUID
    subscriber: UUID
    change: LeadChange
    opened: Decimal


def resume_lead(
    session: Session, lead_account_id: UUID, *, venues: Venues, asked: frozenset[UUID] = frozenset()
) -> int:
    """Size what can be sized of a lead's waiting openings; return how many still wait. The caller commits."""
    now = clock.now()
    if capture.lock_state(session, lead_account_id) is None:
        return 0
    waiting = _waiting(session, lead_account_id)
    if not waiting:
        return 0
    changes = [one.change for one in waiting]
    desk = open_desk(session, lead_account_id, changes, venues=venues, now=now, asked=asked)
    copies = {copy.id: copy for copy in desk.copies}
    gone, left = list[_Waiting](), 0
    for one in waiting:
        copy, record = copies.get(one.subscription), desk.legs.get((one.subscription, one.change.instrument))
        if copy is None or record is None or record.is_ending:
            gone.append(one)
        elif not _size(desk, copy, record, one):
            left += 1
    write(session, desk)
    _let_go(session, gone, now=now)
    return left


def _size(desk: Desk, copy: ActiveSubscription, record: LegRecord, one: _Waiting) -> bool:
    """Size one opening; tell whether it waits no longer."""
    part = next((part for part in record.leg.parts if part.id == one.part), None)
    if part is None:
        return True
    symbol = one.change.instrument.symbol
    rules, is_listed = desk.venues.of(symbol, is_paper=copy.is_paper)
    desk.room = room_in(desk.venues, symbol)
    planned = resume(
        one.change,
        part=part.id,
        opened=one.opened,
        lots=record.leg.lots,
        order=record.so_far(one.change.order_id),
        settings=desk.read.settings[copy.id],
        equities=Equities(copy=copy_equity(desk, copy), lead=desk.lead_equity),
        around=around(desk, copy, record, is_listed=is_listed),
        rules=rules,
        now=desk.now,
        waits_for=EQUITY_TOO if unread(desk, copy) else WAITS_FOR,
    )
    if planned is None:
        return False
    [ask] = planned.asks
    sized = _sized(part, ask)
    record.remember(one.change.order_id, planned.order)
    record.skip(notices.skipped(sized, ask.skips))
    parts = tuple(sized if known.id == part.id else known for known in record.leg.parts)
    attempts = 0 if sized.pending else record.leg.entry_attempts
    record.leg = net(
        replace(record.leg, lots=planned.lots, target=planned.target, parts=parts, entry_attempts=attempts)
    )
    desk.touched[record.id] = record
    return True


def _sized(part: Part, ask: Ask) -> Part:
    cut = sum((skip.quantity for skip in ask.skips), ZERO)
    return replace(part, asked=ask.asked, skipped=cut if ask.asked >= 0 else -cut, unsized=ZERO)


def _waiting(session: Session, lead_account_id: UUID) -> list[_Waiting]:
    rows = bulk.fetch(
        session,
        "SELECT part.id, part.subscription_id, part.subscriber_id, part.kind, part.fill_id, part.unsized,"
        " part.lead_quantity, part.price, part.venue_time, part.received_at, leg.venue, leg.market, leg.symbol,"
        " leg.position_side FROM trades.copy_parts part JOIN trades.legs leg ON leg.id = part.leg_id"
        " WHERE part.lead_account_id = %(lead)s AND part.unsized IS NOT NULL ORDER BY part.planned_at, part.id",
        lead=lead_account_id,
    )
    orders = order_sizes.orders_of(session, [row[4] for row in rows if row[4] is not None])
    return [_read(row, orders.get(row[4])) for row in rows]


def _read(row: bulk.Row, order: LeadOrder | None) -> _Waiting:
    (
        part, subscription, subscriber, kind, fill_id, opened, traded, price, venue_time, received_at, venue, market,
        symbol, position_side,
    ) = row  # fmt: skip
    is_join = kind == PartKind.JOIN
    # Of a flip only the share that opens counts; on spot nothing flips, and fees make the two differ.
    moved = opened if is_join or market == Market.SPOT else sign(opened) * max(traded, abs(opened))
    change = LeadChange(
        fill_id=fill_id,
        instrument=Instrument(Venue(venue), Market(market), symbol, PositionSide(position_side)),
        before=ZERO,
        after=moved,
        price=price,
        venue_time=venue_time,
        received_at=received_at,
        kind=ChangeKind.JOIN if is_join else ChangeKind.FILL,
        order_id=order.order_id if order is not None else "",
        order_share=ONE if is_join else order.share if order is not None else None,
        lead_fill_quantity=traded,
    )
    return _Waiting(part, subscription, subscriber, change, opened)


def _let_go(session: Session, gone: Sequence[_Waiting], *, now: datetime) -> None:
    """End openings whose leg follows nobody any more."""
    bulk.update(
        session,
        PartRow,
        ("id", "unsized", "is_open", "reason", "changed_at"),
        [(one.part, None, False, SkipReason.STOPPED.value, now) for one in gone],
    )
    bulk.insert(
        session,
        SkipRow,
        ("part_id", "subscriber_id", "reason", "quantity", "facts", "skipped_at"),
        [(one.part, one.subscriber, SkipReason.STOPPED.value, ZERO, bulk.jsonb({}), now) for one in gone],
    )
