"""What a reading of an account's positions means: the baseline, what it proves, and when P is set to the venue's.

A lead is re-based from two equal readings `spare()` apart with no fill between; the time of the first is the mark.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade.capture import spot
from copytrade.capture.models import CaptureState, LeadPosition, StoredFill
from copytrade.capture.ordering import Waiting
from copytrade.capture.service import lead_positions, lock_state, spare
from copytrade.capture.taking import Place, waiting_fills
from copytrade.db.bell import ring
from copytrade.db.model import TRADES
from copytrade.db.trips import Ask, Asking, answered
from copytrade.domain.fills import AccountState, Position
from copytrade.domain.instruments import Market, Role, Side
from copytrade.exchanges.holdings import STABLE

ZERO = Decimal(0)
_BLUR = timedelta(seconds=1)
"""A fill this near a reading may be in it or not: such a reading is no baseline."""
_ROUNDING = Decimal("0.0000001")
"""On spot a venue rounds what a fill costs; so much may be missing between two readings."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a reading left open: instruments that our fills do not explain, and those where P is to be set to it."""

    odd: tuple[Place, ...] = ()
    confirmed: tuple[Place, ...] = ()
    wants_baseline: bool = False
    """Whether a second reading is wanted soon, for the baseline."""


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
        return Settled(wants_baseline=state.baseline_at is None)
    waiting = waiting_fills(session, account_id)
    if state.market == Market.SPOT:
        return _settle_spot(session, state, held=held, waiting=waiting, reading=reading)
    _make_places(session, account_id, sorted(held.keys() | waiting.keys()))
    odd: list[Place] = []
    confirmed: list[Place] = []
    for row in lead_positions(session, account_id):
        place = (row.symbol, row.position_side)
        read = held.get(place, ZERO)
        if compare(row, held=read, waiting=waiting.get(place, []), reading=reading, has_moved=partial(_moved, session)):
            confirmed.append(place)
        if row.odd_since is not None:
            odd.append(place)
        session.add(row)
    if waiting:
        ring(session, "plan")
    session.flush()
    return Settled(tuple(odd), tuple(confirmed))


def _settle_spot(
    session: Session,
    state: CaptureState,
    *,
    held: Mapping[Place, Decimal],
    waiting: Mapping[Place, Sequence[Waiting]],
    reading: AccountState,
) -> Settled:
    """Note the balances; P is never set to them: what moves without a fill is a transfer, told, not copied."""
    _make_places(session, state.exchange_account_id, sorted(held))
    for row in lead_positions(session, state.exchange_account_id):
        if row.seen_at is None or row.seen_at <= reading.asked_at:
            row.seen_quantity, row.seen_at = held.get((row.symbol, row.position_side), ZERO), reading.asked_at
            session.add(row)
    if waiting:
        ring(session, "plan")
    session.flush()
    return Settled()


def compare(
    row: LeadPosition,
    *,
    held: Decimal,
    waiting: Sequence[Waiting],
    reading: AccountState,
    has_moved: Callable[[LeadPosition], bool],
) -> bool:
    """Note what a reading says of one instrument; return whether it is the second of two that P cannot explain.

    `has_moved` tells whether a fill was stored that is younger than the first of the two.
    """
    if row.seen_at is None or row.seen_at <= reading.asked_at:
        row.seen_quantity, row.seen_at = held, reading.answered_at
    if held == row.quantity + sum((fill.signed for fill in waiting), ZERO):
        row.odd_quantity = row.odd_since = None
        return False
    if row.odd_quantity != held or row.odd_since is None or has_moved(row):
        row.odd_quantity, row.odd_since = held, reading.answered_at
        return False
    apart = reading.asked_at - row.odd_since
    if apart < spare():
        return False
    # Nothing moved between the two, so P may be set as of any moment there: clocks that disagree matter least midway.
    row.odd_since += apart / 2
    return True


def _moved(session: Session, row: LeadPosition) -> bool:
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
            mark(row, price=price)
            session.add(row)
            ring(session, "plan")
    session.flush()


def mark(row: LeadPosition, *, price: Decimal) -> None:
    """Have P set to what two readings said, as of the moment between them."""
    row.rebase_to, row.rebase_price = row.odd_quantity, price
    row.marked_at, row.marked_before, row.marked_sequence = row.odd_since, "", 0


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
    moved = dict(then)
    for place, quantity, earliest in _moves_since(session, state, began - _BLUR):
        if earliest <= ended + _BLUR:
            return False
        moved[place] = moved.get(place, ZERO) + quantity
    if state.market == Market.SPOT:
        places = then.keys() | now.keys()
        return all(abs(moved.get(place, ZERO) - now.get(place, ZERO)) <= _ROUNDING for place in places)
    return {place: quantity for place, quantity in moved.items() if quantity} == dict(now)


def _moves_since(session: Session, state: CaptureState, since: datetime) -> list[tuple[Place, Decimal, datetime]]:
    """Return by how much each place was moved by the fills since then, and when first."""
    query = select(StoredFill).where(
        StoredFill.exchange_account_id == state.exchange_account_id, col(StoredFill.venue_time) >= since
    )
    moves: list[tuple[Place, Decimal, datetime]] = []
    for fill in session.exec(query):
        signed = fill.quantity * Side(fill.side).sign
        if state.market == Market.SPOT:
            effect = spot.effect(
                symbol=fill.symbol, signed=signed, price=fill.price, fee=fill.fee, fee_asset=fill.fee_asset
            )
            moves += [(spot.place_of(asset), amount, fill.venue_time) for asset, amount in effect.items()]
        else:
            moves.append(((fill.symbol, fill.position_side), signed, fill.venue_time))
    return moves


def _set_baseline(session: Session, state: CaptureState, *, held: Mapping[Place, Decimal], at: datetime) -> None:
    state.baseline_at, state.first_reading = at, {}
    session.add(state)
    _make_places(session, state.exchange_account_id, sorted(held))
    for row in lead_positions(session, state.exchange_account_id):
        row.quantity = ZERO if _is_dollar(state, row) else held.get((row.symbol, row.position_side), ZERO)
        row.seen_quantity = row.seen_at = None
        session.add(row)
    fills = update(StoredFill).where(col(StoredFill.exchange_account_id) == state.exchange_account_id)
    session.exec(fills.where(col(StoredFill.venue_time) <= at, ~col(StoredFill.is_history)).values(is_history=True))
    session.exec(fills.where(col(StoredFill.venue_time) > at, col(StoredFill.is_history)).values(is_history=False))
    ring(session, "plan", f"user:{state.user_id}")


def _is_dollar(state: CaptureState, row: LeadPosition) -> bool:
    return state.market == Market.SPOT and spot.coin_of((row.symbol, row.position_side)) in STABLE


def _make_places(session: Session, account_id: UUID, places: Sequence[Place]) -> None:
    # A stream may be making the same row at this moment.
    if places:
        rows = [
            {"exchange_account_id": account_id, "symbol": symbol, "position_side": side, "quantity": ZERO}
            for symbol, side in places
        ]
        session.exec(insert(LeadPosition).values(rows).on_conflict_do_nothing())


_SEEN = f"""
INSERT INTO {TRADES}.lead_positions
    (exchange_account_id, symbol, position_side, quantity, marked_before, seen_quantity, seen_at)
SELECT account, symbol, side, 0, '', quantity, at FROM unnest(%(accounts)s::uuid[], %(symbols)s::text[],
    %(sides)s::text[], %(quantities)s::numeric[], %(times)s::timestamptz[])
    AS row (account, symbol, side, quantity, at)
    JOIN {TRADES}.capture_states ON exchange_account_id = account AND role = 'lead'
ORDER BY account, symbol, side
ON CONFLICT (exchange_account_id, symbol, position_side)
DO UPDATE SET seen_quantity = excluded.seen_quantity, seen_at = excluded.seen_at
WHERE lead_positions.seen_at IS NULL OR lead_positions.seen_at <= excluded.seen_at
"""  # noqa: S608 - only the schema's name goes in


def see(session: Session, positions: Mapping[tuple[UUID, str, str], tuple[Position, datetime]]) -> None:
    """Note positions that streams told, by account, symbol and side: they prove the fills that lead up to them."""
    answered(session, asking_seen(positions))
    if positions:
        ring(session, "plan")


def asking_seen(positions: Mapping[tuple[UUID, str, str], tuple[Position, datetime]]) -> Asking[None]:
    """Ask for what `see` notes; "plan" is rung by the caller."""
    if positions:
        values = {
            "accounts": [account for account, _, _ in positions],
            "symbols": [symbol for _, symbol, _ in positions],
            "sides": [side for _, _, side in positions],
            "quantities": [position.quantity for position, _ in positions.values()],
            "times": [at for _, at in positions.values()],
        }
        yield [Ask(_SEEN, values)]


def _by_place(reading: AccountState) -> dict[Place, Decimal]:
    return {(symbol, side.value): quantity for (symbol, side), quantity in reading.positions.items()}
