"""What a reading of an account's positions means: the baseline, what it proves, and when P is set to the venue's.

A lead is re-based from two equal readings `spare()` apart with no fill between; the time of the first is the mark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select

from copytrade.capture.models import CaptureState, LeadPosition, StoredFill
from copytrade.capture.ordering import Waiting
from copytrade.capture.service import Place, lead_positions, lock_state, spare, waiting_fills
from copytrade.db.bell import ring
from copytrade.db.model import TRADES
from copytrade.domain.fills import AccountState, Position
from copytrade.domain.instruments import Role

ZERO = Decimal(0)
_BLUR = timedelta(seconds=1)
"""A fill this near a reading may be in it or not: such a reading is no baseline."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a reading left open: instruments that our fills do not explain, and those where P is to be set to it."""

    odd: tuple[Place, ...] = ()
    confirmed: tuple[Place, ...] = ()


def settle(session: Session, reading: AccountState, *, account_id: UUID) -> Settled:
    """Hold a poll's reading against P and the fills that wait; return what is not explained.

    What was executed before the poll began has been stored when this is called.
    """
    state = lock_state(session, account_id)
    if state is None or state.role != Role.LEAD:
        return Settled()
    held = _by_place(reading)
    if state.baseline_at is None:
        _approach_baseline(session, state, held=held, reading=reading)
        return Settled()
    waiting = waiting_fills(session, account_id)
    _make_places(session, account_id, sorted(held.keys() | waiting.keys()))
    odd: list[Place] = []
    confirmed: list[Place] = []
    for row in lead_positions(session, account_id):
        place = (row.symbol, row.position_side)
        if _compare(session, row, held=held.get(place, ZERO), waiting=waiting.get(place, []), reading=reading):
            confirmed.append(place)
        if row.odd_since is not None:
            odd.append(place)
        session.add(row)
    if waiting:
        ring(session, "plan")
    session.flush()
    return Settled(tuple(odd), tuple(confirmed))


def _compare(
    session: Session, row: LeadPosition, *, held: Decimal, waiting: Sequence[Waiting], reading: AccountState
) -> bool:
    """Note what a reading says of one instrument; return whether it is the second of two that P cannot explain."""
    if row.seen_at is None or row.seen_at <= reading.asked_at:
        row.seen_quantity, row.seen_at = held, reading.answered_at
    if held == row.quantity + sum((fill.signed for fill in waiting), ZERO):
        row.odd_quantity = row.odd_since = None
        return False
    if row.odd_quantity != held or row.odd_since is None or _has_fill_since(session, row):
        row.odd_quantity, row.odd_since = held, reading.answered_at
        return False
    return reading.asked_at - row.odd_since >= spare()


def _has_fill_since(session: Session, row: LeadPosition) -> bool:
    query = select(StoredFill.id).where(
        StoredFill.exchange_account_id == row.exchange_account_id,
        StoredFill.symbol == row.symbol,
        StoredFill.position_side == row.position_side,
        col(StoredFill.venue_time) > row.odd_since,
    )
    return session.exec(query.limit(1)).first() is not None


def rebase(session: Session, prices: Mapping[Place, Decimal], *, account_id: UUID) -> None:
    """Have P set, at the next planning, to what two readings said of these instruments; `prices` are mark prices."""
    if lock_state(session, account_id) is None:
        return
    for row in lead_positions(session, account_id):
        price = prices.get((row.symbol, row.position_side))
        if price is not None and row.odd_quantity is not None:
            row.rebase_to, row.rebase_price = row.odd_quantity, price
            row.marked_at, row.marked_before, row.marked_sequence = row.odd_since, "", 0
            session.add(row)
            ring(session, "plan")
    session.flush()


def _approach_baseline(
    session: Session, state: CaptureState, *, held: Mapping[Place, Decimal], reading: AccountState
) -> None:
    first = state.first_reading
    if first:
        began, ended = datetime.fromisoformat(first["asked_at"]), datetime.fromisoformat(first["answered_at"])
        if reading.asked_at - ended < spare():
            return
        then = {(symbol, side): Decimal(quantity) for symbol, side, quantity in first["held"]}
        if _explained(session, state, then=then, now=held, began=began, ended=ended):
            _set_baseline(session, state, held=then, at=ended)
            return
    state.first_reading = {
        "asked_at": reading.asked_at.isoformat(),
        "answered_at": reading.answered_at.isoformat(),
        "held": [[*place, str(quantity)] for place, quantity in held.items()],
    }
    session.add(state)


def _explained(
    session: Session,
    state: CaptureState,
    *,
    then: Mapping[Place, Decimal],
    now: Mapping[Place, Decimal],
    began: datetime,
    ended: datetime,
) -> bool:
    """Return whether the fills between two readings explain their difference, none of them being near the first."""
    signed = func.sum(col(StoredFill.quantity) * text("CASE side WHEN 'buy' THEN 1 ELSE -1 END"))
    query = (
        select(StoredFill.symbol, StoredFill.position_side, signed, func.min(StoredFill.venue_time))
        .where(
            StoredFill.exchange_account_id == state.exchange_account_id,
            col(StoredFill.venue_time) >= began - _BLUR,
        )
        .group_by(col(StoredFill.symbol), col(StoredFill.position_side))
    )
    moved = dict(then)
    for symbol, position_side, quantity, earliest in session.exec(query):
        if earliest <= ended + _BLUR:
            return False
        moved[symbol, position_side] = moved.get((symbol, position_side), ZERO) + quantity
    return {place: quantity for place, quantity in moved.items() if quantity} == dict(now)


def _set_baseline(session: Session, state: CaptureState, *, held: Mapping[Place, Decimal], at: datetime) -> None:
    state.baseline_at, state.first_reading = at, {}
    session.add(state)
    _make_places(session, state.exchange_account_id, sorted(held))
    for row in lead_positions(session, state.exchange_account_id):
        row.quantity = held.get((row.symbol, row.position_side), ZERO)
        row.seen_quantity = row.seen_at = None
        session.add(row)
    fills = update(StoredFill).where(col(StoredFill.exchange_account_id) == state.exchange_account_id)
    session.exec(fills.where(col(StoredFill.venue_time) <= at, ~col(StoredFill.is_history)).values(is_history=True))
    session.exec(fills.where(col(StoredFill.venue_time) > at, col(StoredFill.is_history)).values(is_history=False))
    ring(session, "plan", f"user:{state.user_id}")


def _make_places(session: Session, account_id: UUID, places: Sequence[Place]) -> None:
    # A stream may be making the same row at this moment.
    if places:
        rows = [
            {"exchange_account_id": account_id, "symbol": symbol, "position_side": side, "quantity": ZERO}
            for symbol, side in places
        ]
        session.exec(insert(LeadPosition).values(rows).on_conflict_do_nothing())


_SEEN = text(f"""
INSERT INTO {TRADES}.lead_positions
    (exchange_account_id, symbol, position_side, quantity, marked_before, seen_quantity, seen_at)
SELECT account, symbol, side, 0, '', quantity, at FROM unnest(CAST(:accounts AS uuid[]), CAST(:symbols AS text[]),
    CAST(:sides AS text[]), CAST(:quantities AS numeric[]), CAST(:times AS timestamptz[]))
    AS row (account, symbol, side, quantity, at)
    JOIN {TRADES}.capture_states ON exchange_account_id = account AND role = 'lead'
ORDER BY account, symbol, side
ON CONFLICT (exchange_account_id, symbol, position_side)
DO UPDATE SET seen_quantity = excluded.seen_quantity, seen_at = excluded.seen_at
WHERE lead_positions.seen_at IS NULL OR lead_positions.seen_at <= excluded.seen_at
""")  # noqa: S608 - only the schema's name goes in


def see(session: Session, positions: Mapping[tuple[UUID, str, str], tuple[Position, datetime]]) -> None:
    """Note positions that streams told, by account, symbol and side: they prove the fills that lead up to them."""
    if not positions:
        return
    parameters = {
        "accounts": [account for account, _, _ in positions],
        "symbols": [symbol for _, symbol, _ in positions],
        "sides": [side for _, _, side in positions],
        "quantities": [position.quantity for position, _ in positions.values()],
        "times": [at for _, at in positions.values()],
    }
    session.connection().execute(_SEEN, parameters)
    ring(session, "plan")


def _by_place(reading: AccountState) -> dict[Place, Decimal]:
    return {(symbol, side.value): quantity for (symbol, side), quantity in reading.positions.items()}
