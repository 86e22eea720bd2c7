"""What the copying side calls: a lead's changes in the order in which they may be planned, and marking them planned.

Planning and marking happen in one transaction of the caller, under the lock that `take_next` takes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from uuid import UUID

from sqlmodel import Session, select

from copytrade.capture import prices, spot, storing, taking
from copytrade.capture.models import CaptureState, LeadPosition
from copytrade.capture.ordering import Known, Moment, Step, Waiting, order
from copytrade.capture.storing import Captured, Source
from copytrade.capture.taking import Found, Place, Taken, marking, unproven
from copytrade.capture.taking import asking as asking
from copytrade.db.bell import ring
from copytrade.db.model import TRADES
from copytrade.db.trips import Ask, Asking, answered, fetch
from copytrade.domain.changes import LeadChange
from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Instrument, Market, PositionSide, Role, Venue
from copytrade.settings import settings


def spare() -> timedelta:
    """Return how long a fill may stay unproven, and by how much a poll must be younger than what it proves."""
    return timedelta(seconds=settings().capture_spare_s)


def store_fills(
    session: Session, *, account_id: UUID, fills: Sequence[Fill], source: Source, received_at: datetime
) -> list[UUID]:
    """Store an account's fills in one statement, ring "plan" and the owner's pages; return the ids of the new ones."""
    captured = [Captured(account_id, fill, received_at) for fill in fills]
    return [stored.id for stored in storing.store(session, captured, source=source)]


_WAITING = f"""
SELECT exchange_account_id FROM {TRADES}.capture_states
WHERE role = 'lead' AND baseline_at IS NOT NULL AND exchange_account_id IN (
    SELECT exchange_account_id FROM {TRADES}.fills WHERE planned_at IS NULL AND NOT is_history
    UNION SELECT exchange_account_id FROM {TRADES}.lead_positions WHERE rebase_to IS NOT NULL)
"""  # noqa: S608 - only the schema's name goes in


def asking_waiting_leads() -> Asking[list[UUID]]:
    """Ask for the lead accounts that have something to plan, whether or not it may be planned already."""
    [rows] = yield [Ask(_WAITING, {})]
    return [lead for (lead,) in rows]


def take_next(session: Session, *, lead_account_id: UUID, now: datetime) -> Taken:
    """Return the changes that may be planned now, in the venue's order, holding the lead's lock until the commit."""
    return taken_of(session, answered(session, taking.asking(lead_account_id)), now=now)


def taken_of(session: Session, found: Found, *, now: datetime) -> Taken:
    """Return what may be planned now of what was found (`taking.asking`)."""
    account_id, state = found.account_id, found.state
    if state is None or state.baseline_at is None or state.role != Role.LEAD:
        return Taken(account_id)
    moment = Moment(
        now=now, polled_until=state.polled_until, spare=spare(), is_unbroken=is_unbroken(state, spare=spare())
    )
    price_of = partial(prices.price_of, session, account_id=account_id, venue=state.venue, at=now)
    changes, contained = changes_of(state, found.known, found.waiting, moment=moment, price_of=cache(price_of))
    fills = [fill for group in found.waiting.values() for fill in group]
    planned = {change.fill_id for change in changes if change.fill_id is not None}
    return Taken(
        account_id,
        changes,
        contained=[fill.id for fill in contained],
        known=found.known,
        trades={fill.id: (fill.trade_id, fill.sequence) for fill in fills},
        is_unproven=len(planned) + len(contained) < len(fills),
    )


def changes_of(
    state: CaptureState,
    known: Mapping[Place, LeadPosition],
    waiting: Mapping[Place, Sequence[Waiting]],
    *,
    moment: Moment,
    price_of: spot.Prices,
) -> tuple[list[LeadChange], list[Waiting]]:
    """Return the changes that may be planned now, in the venue's order, and the fills that P contains already."""
    if state.market == Market.SPOT:
        return _spot_changes(state, known, waiting, moment=moment, price_of=price_of), []
    changes: list[LeadChange] = []
    contained: list[Waiting] = []
    for place in sorted(known.keys() | waiting.keys()):
        row = known.get(place)
        ordered = order(_known(row), waiting.get(place, []), moment=moment)
        contained += ordered.contained
        changes += [
            _change(step, place=place, state=state, row=row, now=moment.now, earlier=earlier)
            for earlier, step in enumerate(ordered.steps)
        ]
    return sorted(changes, key=lambda change: change.venue_time), contained


def is_unbroken(state: CaptureState, *, spare: timedelta) -> bool:
    """Return whether all that the stream told since the last poll is all there was."""
    connected, deaf, began = state.stream_connected_at, state.stream_deaf_at, state.poll_began_at
    if connected is None or began is None or (deaf is not None and deaf > connected):
        return False
    return connected + spare <= began


def _spot_changes(
    state: CaptureState,
    known: Mapping[Place, LeadPosition],
    waiting: Mapping[Place, Sequence[Waiting]],
    *,
    moment: Moment,
    price_of: spot.Prices,
) -> list[LeadChange]:
    fills = [fill for group in waiting.values() for fill in group]
    planned = spot.order({place: _known(row) for place, row in known.items()}, fills, moment=moment, prices=price_of)
    seen = Counter[Place]()
    changes: list[LeadChange] = []
    for one in planned:
        row, earlier = known.get(one.place), seen[one.place]
        changes.append(_change(one.step, place=one.place, state=state, row=row, now=moment.now, earlier=earlier))
        seen[one.place] += 1
    return changes


def mark_planned(session: Session, taken: Taken, *, now: datetime) -> None:
    """Set P to where the changes left it, and mark their fills planned; what is unproven has a poll hurry."""
    for ask in marking(taken, now=now):
        fetch(session, ask.query, **ask.values)
    if taken.is_unproven:
        ring(session, unproven(taken.lead_account_id))


def lock_state(session: Session, account_id: UUID) -> CaptureState | None:
    """Return an account's state, locked until the commit: whoever plans its fills or sets its P holds this lock."""
    query = select(CaptureState).where(CaptureState.exchange_account_id == account_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def is_planned_now(session: Session, account_id: UUID) -> bool:
    """Tell whether somebody plans an account's fills in this moment; if nobody does, nobody will until the commit."""
    known = select(CaptureState.exchange_account_id).where(CaptureState.exchange_account_id == account_id)
    if session.exec(known).first() is None:
        return False
    return session.exec(known.with_for_update(skip_locked=True)).first() is None


def lead_positions(session: Session, account_id: UUID) -> Sequence[LeadPosition]:
    """Return what is known of a lead's positions, flat ones too."""
    query = select(LeadPosition).where(LeadPosition.exchange_account_id == account_id)
    return session.exec(query.execution_options(populate_existing=True)).all()


def _known(row: LeadPosition | None) -> Known:
    if row is None:
        return Known()
    return Known(
        quantity=row.quantity,
        planned_until=row.planned_until,
        marked_at=row.marked_at,
        marked_before=row.marked_before,
        marked_sequence=row.marked_sequence,
        seen_quantity=row.seen_quantity,
        seen_at=row.seen_at,
        rebase_to=row.rebase_to,
        rebase_price=row.rebase_price,
    )


def _change(
    step: Step, *, place: Place, state: CaptureState, row: LeadPosition | None, now: datetime, earlier: int
) -> LeadChange:
    symbol, position_side = place
    fill = step.fill or step.before_fill
    read_at = row.marked_at if row and row.marked_at else now
    return LeadChange(
        fill_id=step.fill.id if step.fill else None,
        instrument=Instrument(Venue(state.venue), Market(state.market), symbol, PositionSide(position_side)),
        before=step.before,
        after=step.after,
        price=step.price,
        venue_time=fill.venue_time if fill else read_at,
        received_at=fill.received_at if fill else now,
        kind=step.kind,
        order_id=step.fill.order_id if step.fill else "",
        order_share=step.fill.order_share if step.fill else None,
        is_late=step.is_late,
        lead_fill_quantity=_gross(step, place=place, state=state),
        turn=(row.changes if row else 0) + earlier,
    )


def _gross(step: Step, *, place: Place, state: CaptureState) -> Decimal:
    """Return what the lead traded of the instrument, before its fee."""
    if step.fill is None:
        return Decimal(0)
    is_side_effect = state.market == Market.SPOT and spot.coins_of(step.fill.symbol)[0] != spot.coin_of(place)
    return abs(step.after - step.before) if is_side_effect else abs(step.fill.signed)
