"""What the copying side calls: a lead's changes in the order in which they may be planned, and marking them planned.

Planning and marking happen in one transaction of the caller, under the lock that `take_next` takes.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from uuid import UUID

from sqlalchemy import text, update
from sqlmodel import Session, col, select

from copytrade.capture import prices, spot, storing
from copytrade.capture.arrays import among_ids
from copytrade.capture.models import CaptureState, LeadPosition, StoredFill
from copytrade.capture.order_sizes import share as share_of
from copytrade.capture.ordering import Known, Moment, Step, Waiting, order
from copytrade.capture.storing import Captured, Source
from copytrade.db.model import TRADES
from copytrade.domain.changes import LeadChange
from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Instrument, Market, PositionSide, Role, Side, Venue
from copytrade.settings import settings

Place = tuple[str, str]
"""Symbol and position side."""
Trade = tuple[str, int]
"""A trade's id and its sequence."""


def spare() -> timedelta:
    """Return how long a fill may stay unproven, and by how much a poll must be younger than what it proves."""
    return timedelta(seconds=settings().capture_spare_s)


def store_fills(
    session: Session, *, account_id: UUID, fills: Sequence[Fill], source: Source, received_at: datetime
) -> list[UUID]:
    """Store an account's fills in one statement, ring "plan" and the owner's pages; return the ids of the new ones."""
    captured = [Captured(account_id, fill, received_at) for fill in fills]
    return [stored.id for stored in storing.store(session, captured, source=source)]


def waiting_leads(session: Session, *, now: datetime) -> list[UUID]:
    """Return the lead accounts that have something to plan, whether or not it may be planned already."""
    query = text(f"""
        SELECT exchange_account_id FROM {TRADES}.capture_states
        WHERE role = 'lead' AND baseline_at IS NOT NULL AND exchange_account_id IN (
            SELECT exchange_account_id FROM {TRADES}.fills WHERE planned_at IS NULL AND NOT is_history
            UNION SELECT exchange_account_id FROM {TRADES}.lead_positions WHERE rebase_to IS NOT NULL)
    """)  # noqa: S608 - only the schema's name goes in
    return [row.exchange_account_id for row in session.connection().execute(query)]


def take_next(session: Session, *, lead_account_id: UUID, now: datetime) -> list[LeadChange]:
    """Return the changes that may be planned now, in the venue's order, holding the lead's lock until the commit."""
    state = lock_state(session, lead_account_id)
    if state is None or state.baseline_at is None or state.role != Role.LEAD:
        return []
    known = {(row.symbol, row.position_side): row for row in lead_positions(session, lead_account_id)}
    waiting = waiting_fills(session, lead_account_id)
    moment = Moment(
        now=now, polled_until=state.polled_until, spare=spare(), is_unbroken=is_unbroken(state, spare=spare())
    )
    price_of = partial(prices.price_of, session, account_id=lead_account_id, venue=state.venue, at=now)
    changes, contained = changes_of(state, known, waiting, moment=moment, price_of=cache(price_of))
    _let_go(session, contained, now=now)
    return changes


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


def mark_planned(session: Session, *, lead_account_id: UUID, changes: Sequence[LeadChange], now: datetime) -> None:
    """Set P to where `changes` (as `take_next` gave them) left it, and mark their fills planned."""
    ids = [change.fill_id for change in changes if change.fill_id is not None]
    trades: dict[UUID, Trade] = {}
    if ids:
        # in the order in which a repeated capture touches them, so that the two never wait for each other
        query = select(StoredFill.id, StoredFill.trade_id, StoredFill.sequence).where(
            among_ids(col(StoredFill.id), ids)
        )
        query = query.order_by(col(StoredFill.symbol), col(StoredFill.trade_id)).with_for_update()
        trades = {fill_id: (trade_id, sequence) for fill_id, trade_id, sequence in session.exec(query)}
        session.exec(update(StoredFill).where(among_ids(col(StoredFill.id), ids)).values(planned_at=now))
    by_place: dict[Place, list[LeadChange]] = defaultdict(list)
    for change in changes:
        by_place[change.instrument.symbol, change.instrument.position_side].append(change)
    for (symbol, position_side), group in sorted(by_place.items()):
        place = (lead_account_id, symbol, position_side)
        row = session.get(LeadPosition, place, with_for_update=True, populate_existing=True)
        row = row or LeadPosition(exchange_account_id=lead_account_id, symbol=symbol, position_side=position_side)
        advance(row, group, trades=trades)
        session.add(row)
    session.flush()


def advance(row: LeadPosition, changes: Sequence[LeadChange], *, trades: Mapping[UUID, Trade]) -> None:
    """Set P to where the changes of one instrument left it; `trades` are those of their fills."""
    is_read, is_forced = row.rebase_to is not None, False
    row.changes += len(changes)
    for change in changes:
        row.quantity = change.after
        if change.fill_id is not None:
            row.planned_until = max(row.planned_until or change.venue_time, change.venue_time)
            if is_forced:
                row.marked_at = change.venue_time
                row.marked_before, row.marked_sequence = trades[change.fill_id]
                is_forced = False
        elif is_read:
            # its mark was set when the second reading agreed; a change of side takes two steps
            is_read = change.after != row.rebase_to
        else:
            is_forced = True
    row.rebase_to = row.rebase_price = row.odd_quantity = row.odd_since = None


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


def waiting_fills(session: Session, account_id: UUID) -> dict[Place, list[Waiting]]:
    """Return an account's fills that are to be planned, by instrument."""
    query = select(StoredFill).where(
        StoredFill.exchange_account_id == account_id,
        col(StoredFill.planned_at).is_(None),
        col(StoredFill.is_history).is_(False),
    )
    found: dict[Place, list[Waiting]] = defaultdict(list)
    for row in session.exec(query.execution_options(populate_existing=True)):
        found[row.symbol, row.position_side].append(_waiting(row))
    return found


def _waiting(row: StoredFill) -> Waiting:
    # The shares of one order never exceed 1, amended or not: who sums them up caps them.
    share = share_of(row.quantity, row.price, of=row.order_quantity, is_quote=row.order_unit_is_quote)
    return Waiting(
        id=row.id,
        trade_id=row.trade_id,
        signed=row.quantity * Side(row.side).sign,
        price=row.price,
        venue_time=row.venue_time,
        received_at=row.received_at,
        position_after=row.position_after,
        order_id=row.order_id,
        order_share=share,
        sequence=row.sequence,
        symbol=row.symbol,
        fee=row.fee,
        fee_asset=row.fee_asset,
        is_streamed=row.source == Source.STREAM,
    )


def _let_go(session: Session, contained: Sequence[Waiting], *, now: datetime) -> None:
    if contained:
        ids = [fill.id for fill in contained]
        session.exec(update(StoredFill).where(among_ids(col(StoredFill.id), ids)).values(planned_at=now))


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
