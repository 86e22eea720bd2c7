"""Plans a lead's changes: all legs of a change in one transaction with the mark on the fill (copy-engine, Step 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.capture import service as capture
from copytrade.capture.taking import Found, Taken
from copytrade.copying import bulk, claims, intentions, notices, records, rests, saving
from copytrade.copying.desks import Desk, Rules, Venues, around, copy_equity, open_desk, room_in, unread
from copytrade.copying.models import LegState
from copytrade.copying.records import NOWHERE, Birth, LegRecord, Place
from copytrade.copying.rests import Rest
from copytrade.copying.serving import in_turn, serving
from copytrade.copying.work import Claimed, Taking
from copytrade.db.bell import ring
from copytrade.db.model import new_id
from copytrade.db.trips import Answer, Trip
from copytrade.domain.changes import LeadChange
from copytrade.domain.driving import Order, Wait, turn
from copytrade.domain.legs import Part, net
from copytrade.domain.lots import lead_total
from copytrade.domain.missed import stretch
from copytrade.domain.planning import WAITS_FOR, Ask, PartKind, PlanIds, plan
from copytrade.domain.quantities import ZERO
from copytrade.domain.sizing import CopySettings, Equities
from copytrade.domain.skips import SkipReason
from copytrade.failpoints import Label, reach
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import ActiveSubscription

EQUITY_TOO = frozenset({*WAITS_FOR, SkipReason.EQUITY_UNKNOWN})
"""What an opening waits for while an equity is being read: its order, and the equity."""
MOST_BATCHES = 8
"""In so many transactions at most, or one more, all subscribers of a lead are planned."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning a lead did."""

    changes: int = 0
    legs: int = 0
    claimed: Claimed | None = None
    """What who planned takes over to send himself."""
    is_due: bool = False
    """Whether a driver has to look at a leg, now or later."""
    is_held: bool = False
    """Whether somebody else held the lead: nothing was looked at."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is of a lead to plan; if nobody else has him, he is locked until the commit."""

    found: Answer[Found]
    rest: Answer[Rest | None]
    copies: Answer[list[ActiveSubscription]]


def look(trip: Trip, lead_account_id: UUID) -> Looked:
    """Have a lead looked at on a trip, and locked: whoever plans him now looks again when he is done."""
    return Looked(
        found=trip.ask(capture.asking(lead_account_id, waits=False)),
        rest=trip.ask(rests.asking(lead_account_id)),
        copies=trip.ask(subscriptions.asking_active_on_lead(lead_account_id, now=clock.now())),
    )


def plan_lead(
    session: Session,
    lead_account_id: UUID,
    *,
    venues: Venues,
    asked: frozenset[UUID] = frozenset(),
    taking: Taking | None = None,
    looked: Looked | None = None,
) -> Planned:
    """Plan what may be planned of a lead now; the caller commits.

    An opening whose order is not known, or whose account's equity is to be read, waits to be sized (`resuming`);
    nobody else waits for it. For the equity of accounts that were `asked` lately nothing waits.
    `looked` is what a trip of the caller's transaction has found of the lead already.
    """
    now = clock.now()
    if looked is None:
        trip = Trip(session)
        looked = look(trip, lead_account_id)
        trip.go()
    found, copies = looked.found.value, looked.copies.value
    if found.state is None:
        return Planned(is_held=True)
    taken, rest = None, looked.rest.value
    if rest is None:
        taken = capture.taken_of(session, found, now=now)
        if not taken.changes:
            capture.mark_planned(session, taken, now=now)
            return Planned()
        rest = _all_of(session, taken.changes, copies, venues=venues, lead_account_id=lead_account_id)
    return _plan_some(session, rest, copies, taken=taken, venues=venues, now=now, asked=asked, taking=taking)


_LEGS = """
SELECT subscription_id, symbol, position_side FROM trades.legs
WHERE lead_account_id = %(lead)s AND symbol = ANY(%(symbols)s) AND state = 'following'
"""


def _all_of(
    session: Session,
    changes: Sequence[LeadChange],
    copies: Sequence[ActiveSubscription],
    *,
    venues: Venues,
    lead_account_id: UUID,
) -> Rest:
    symbols = sorted({change.instrument.symbol for change in changes})
    legs = set(bulk.fetch(session, _LEGS, lead=lead_account_id, symbols=symbols))
    in_order = sorted(copies, key=lambda copy: copy.id)
    served = serving(lead_account_id, changes, in_order, legs=legs)
    rooms = [room_in(venues, change.instrument.symbol) for change in changes]
    return Rest(changes, served, rooms, in_turn(served, changes))


def _plan_some(
    session: Session,
    rest: Rest,
    copies: Sequence[ActiveSubscription],
    *,
    taken: Taken | None,
    venues: Venues,
    now: datetime,
    asked: frozenset[UUID],
    taking: Taking | None,
) -> Planned:
    # Each batch reads who is concerned once more: with a number of batches that grew, that would grow with its square.
    most = max(settings().plan_batch, rest.serving.size // MOST_BATCHES)
    some = set(rest.waiting[:most])
    mine = [copy for copy in copies if copy.id in some]
    lead_account_id = rest.serving.lead_account_id
    desk = open_desk(session, lead_account_id, rest.changes, venues=venues, now=now, asked=asked, copies=mine)
    planned = {copy.id: copy for copy in desk.copies}
    rooms = list[Decimal | None]()
    for change, room in zip(rest.changes, rest.rooms, strict=True):
        desk.room = room
        for subscription_id, place in rest.serving.places(change).items():
            if subscription_id in planned:
                plan_one(desk, planned[subscription_id], change, place=place)
        rooms.append(desk.room)
    reach(Label.PLAN_LOCKED)
    left = replace(rest, rooms=rooms, waiting=rest.waiting[most:])
    claimed = write(session, desk, taken=taken, left=left, taking=taking)
    is_due = any(record.due_at is not None for record in desk.touched.values())
    return Planned(len(rest.changes), len(desk.touched), claimed, is_due=is_due)


def join(
    session: Session, lead_account_id: UUID, subscription_id: UUID, changes: Sequence[LeadChange], *, venues: Venues
) -> Planned:
    """Plan, for one subscription, positions that the lead held when it started; the caller holds the lead's lock."""
    desk = open_desk(session, lead_account_id, changes, venues=venues, now=clock.now())
    known = {instrument for subscription, instrument in desk.legs if subscription == subscription_id}
    for copy in desk.copies:
        for change in changes:
            if copy.id == subscription_id and change.instrument not in known:
                desk.room = room_in(venues, change.instrument.symbol)
                plan_one(desk, copy, change)
    write(session, desk)
    return Planned(len(changes), len(desk.touched))


def _concerns(desk: Desk, copy: ActiveSubscription, change: LeadChange) -> bool:
    if (copy.id, change.instrument) in desk.legs:
        return True
    return change.venue_time > copy.started_at and copy.may_enter


def plan_one(desk: Desk, copy: ActiveSubscription, change: LeadChange, *, place: Place = NOWHERE) -> None:
    """Plan one change for one subscription, whose leg begins with it where it had none."""
    at = (copy.id, change.instrument)
    record = desk.legs.get(at)
    if record is None:
        if not _concerns(desk, copy, change):
            return
        record = desk.legs[at] = LegRecord(
            new_id(), copy.id, copy.subscriber_id, copy.profile_id, desk.lead_account_id, copy.copy_account_id,
            change.instrument, is_new=True,
        )  # fmt: skip
    rules, is_listed = desk.venues.of(change.instrument.symbol, is_paper=copy.is_paper)
    so_far = record.so_far(change.order_id)
    planned = plan(
        change,
        lots=record.leg.lots,
        order=so_far,
        settings=desk.read.settings[copy.id],
        equities=Equities(copy=copy_equity(desk, copy), lead=desk.lead_equity),
        around=around(desk, copy, record, is_listed=is_listed),
        rules=rules,
        ids=PlanIds(new_id(), new_id()),
        now=desk.now,
        open_parts={part.id for part in record.leg.parts if part.is_open},
        waits_for=EQUITY_TOO if unread(desk, copy) else WAITS_FOR,
    )
    desk.spend(copy, planned.order.notional - so_far.notional)
    record.remember(change.order_id, planned.order)
    record.price = change.price
    record.ahead = place.ahead
    after = lead_total(planned.lots)
    parts = tuple(_part(record, ask, change, place, after) for ask in planned.asks)
    attempts = 0 if any(part.opens and part.pending for part in parts) else record.leg.entry_attempts
    record.leg = net(
        replace(
            record.leg,
            lots=planned.lots,
            target=planned.target,
            parts=(*record.leg.parts, *parts),
            entry_attempts=attempts,
        )
    )
    desk.touched[record.id] = record


def _part(record: LegRecord, ask: Ask, change: LeadChange, place: Place, after: Decimal) -> Part:
    cut = sum((skip.quantity for skip in ask.skips), ZERO)
    opens = ask.kind in (PartKind.OPENING, PartKind.JOIN)
    part = Part(
        ask.part, ask.kind, ask.asked, change.price, change.venue_time, opens,
        skipped=cut if ask.asked >= 0 else -cut, unsized=ask.unsized,
    )  # fmt: skip
    lead_quantity = change.lead_fill_quantity or abs(change.moved)
    record.births[part.id] = Birth(
        change.received_at, change.fill_id, lead_quantity, place, *stretch(change.before, after, opens=opens)
    )
    record.skip(notices.skipped(part, ask.skips))
    return part


def write(
    session: Session,
    desk: Desk,
    *,
    taken: Taken | None = None,
    left: Rest | None = None,
    taking: Taking | None = None,
) -> Claimed | None:
    """Write the legs that were planned, and ring who drives, sizes and shows them; return what is taken to be sent.

    The changes that were `taken` are marked planned in the same trip, and what is `left` of their plan is kept.
    """
    touched = sorted(desk.touched.values(), key=lambda record: record.ahead, reverse=True)
    most = taking.most if taking else 0
    mine, others = touched[:most], touched[most:]
    looked = claims.look(mine, known=taking.known, now=desk.now, read=desk.read) if taking else None
    dropped, intended = intend(
        others, rules=desk.venues.real, chosen=desk.read.settings, now=desk.now, real_now=clock.real_now()
    )
    with bulk.pipelined(session):
        saving.drop(session, [*dropped, *(looked.dropped if looked else ())], now=desk.now)
        saving.save(session, touched, now=desk.now)
        intentions.insert(session, intended)
        if taking and looked:
            claims.send(session, looked, owner=taking.owner)
        if taken:
            capture.mark_planned(session, taken, now=desk.now)
        if left:
            rests.keep(session, left, was_left=taken is None, now=desk.now)
        ring(session, *(["plan"] if left and left.waiting else []), *_rung(touched, others))
    notices.tell(session, touched, now=desk.now)
    return looked.claimed if looked else None


def _rung(touched: Sequence[LegRecord], others: Sequence[LegRecord]) -> Sequence[str]:
    people = {f"user:{record.subscriber_id}" for record in touched}
    is_unsized = any(part.unsized for record in touched for part in record.leg.parts)
    return [*(["drive"] if others else []), *(["resume"] if is_unsized else []), *people]


def intend(
    touched: Sequence[LegRecord],
    *,
    rules: Rules,
    chosen: Mapping[UUID, CopySettings],
    now: datetime,
    real_now: datetime,
) -> tuple[list[records.OrderRecord], list[tuple[LegRecord, records.OrderRecord]]]:
    """Look at legs that were planned; return the intentions that do not hold any more and the new ones."""
    dropped, intended = list[records.OrderRecord](), list[tuple[LegRecord, records.OrderRecord]]()
    for record in touched:
        if record.state is not LegState.FOLLOWING:
            continue
        listed = rules.get(record.instrument.symbol)
        if listed is None:
            # The driver drops what cannot be opened and says why.
            record.due_at = now
            continue
        turned = turn(
            record.leg,
            rules=listed,
            settings=chosen[record.subscription_id],
            quote=None,
            now=now,
            real_now=real_now,
            market=record.instrument.market,
        )
        record.leg = turned.leg
        record.skip(turned.skips)
        decision, was = turned.decision, record.planned
        record.waits_for = decision.reason.value if isinstance(decision, Wait) else ""
        # Drivers take what is due longest first: so they serve in the order of the ranks.
        record.due_at = decision.until if isinstance(decision, Wait) else now - timedelta(microseconds=record.ahead)
        if was is not None and not (isinstance(decision, Order) and intentions.is_still(was, decision)):
            dropped.append(was)
            was = None
        if was is None and isinstance(decision, Order):
            intended.append((record, intentions.of(record, decision, now=now)))
    return dropped, intended
