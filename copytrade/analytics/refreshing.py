"""Bringing one account's record up to date: cheap when little is new, from scratch when something came late."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts.rows import EquityPoint
from copytrade.analytics import days, sources
from copytrade.analytics.derivation import Derived, belongs, derive, sum_until
from copytrade.analytics.models import AccountRecord, DailyEquity, RoundTrip
from copytrade.analytics.numbers import save_statistics
from copytrade.domain.instruments import Market, PositionSide
from copytrade.domain.nav import TOLERANCE, TOLERANCE_SHARE, opening_quantities
from copytrade.domain.trip_book import TripBook
from copytrade.domain.trips import ZERO, Execution, Funding, Trip
from copytrade.exchanges.port import AccountRef

SETTLING = timedelta(seconds=10)
"""What happened at the venue this long ago has been captured, as a rule; what comes later causes a rebuild."""
GAP_PATIENCE = timedelta(minutes=10)
"""A wallet that differs from its ledger this long is unreconciled."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found; `was_rebuilt` when it began from scratch."""

    fills: int
    closed: int
    was_rebuilt: bool


def refresh_account(session: Session, account_id: UUID, *, has_history: bool) -> Refreshed | None:
    """Bring an account's trips, days and numbers up to its newest settled snapshot; None: nothing to do yet."""
    now = clock.now()
    reading = accounts.reading_before(session, account_id=account_id, at=now - SETTLING)
    record = _claim(session, account_id, now=now) if reading else None
    if reading is None or record is None:
        return None
    ref = accounts.ref(session, account_id)
    is_new = record.equity_at is None
    known = sources.counts(session, account_id, until=record.fills_until)
    came_late = known != (record.fills_applied, record.entries_applied) or record.has_history != has_history
    if not is_new and not came_late and reading.read_at == record.equity_at:
        return None
    if (is_new or came_late) and not _is_settled(session, account_id, now=now):
        return None
    if is_new or came_late:
        _begin(session, record, has_history=has_history)
    begins = record.fills_until
    taken = sources.take(session, ref, after=begins, until=max(reading.read_at, begins))
    book = TripBook.load(record.book)
    if is_new or came_late:
        _seed(session, ref, book=book, begins=begins)
    derived = derive(book, stretch=taken.stretch)
    _save(session, record, book=book, derived=derived, taken=taken, reading=reading)
    if ref.market is Market.SPOT:
        # A spot wallet is worth what its coins are: it moves with prices that no fill explains.
        record.gap, record.gap_since = ZERO, None
    days.save_days(session, ref, record=record)
    save_statistics(session, record, book=book, now=now)
    record.refreshed_at = now
    session.add(record)
    session.flush()
    return Refreshed(taken.fills, len(derived.closed), was_rebuilt=is_new or came_late)


def _claim(session: Session, account_id: UUID, *, now: datetime) -> AccountRecord | None:
    """Return the account's record under its lock; None while another process is at it."""
    first = {"exchange_account_id": account_id, "fills_until": sources.BEGINNING, "refreshed_at": now}
    blank = AccountRecord(**first).model_dump()
    session.connection().execute(insert(AccountRecord).values(**blank).on_conflict_do_nothing())
    return session.exec(
        select(AccountRecord)
        .where(AccountRecord.exchange_account_id == account_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()


def _begin(session: Session, record: AccountRecord, *, has_history: bool) -> None:
    """Start from scratch: at the beginning where the past was captured, else at the first reading."""
    account_id = record.exchange_account_id
    for table in (RoundTrip, DailyEquity):
        session.connection().execute(delete(table).where(col(table.exchange_account_id) == account_id))
    first = None if has_history else accounts.first_reading(session, account_id=account_id)
    record.book, record.has_history = [], has_history
    record.fills_until = first.read_at if first else sources.BEGINNING
    record.fills_applied, record.entries_applied = sources.counts(session, account_id, until=record.fills_until)
    record.missing_fills = record.unpriced_fees = record.trips_closed = 0
    record.explained, record.anchor_at, record.anchor_wallet = ZERO, None, None


def _is_settled(session: Session, account_id: UUID, *, now: datetime) -> bool:
    """Return whether every fill in the newest reading of the positions has had time to be captured."""
    return accounts.equities(session, [account_id])[account_id].read_at <= now - SETTLING


def _seed(session: Session, ref: AccountRef, *, book: TripBook, begins: datetime) -> None:
    """Put in what was open before the first known fill: the position now, with every known fill undone.

    Its entry price is the venue's where nothing was traded since, else the first fill's: an estimate.
    """
    positions = accounts.positions(session, ref.id)
    read_at = accounts.equities(session, [ref.id])[ref.id].read_at
    executions = sources.take(session, ref, after=begins, until=read_at).stretch.executions
    for side in PositionSide:
        mine = [execution for execution in executions if execution.position_side is side]
        held = {position.symbol: position for position in positions if position.position_side is side}
        quantities = {symbol: position.quantity for symbol, position in held.items()}
        for symbol, quantity in opening_quantities(quantities, executions=mine).items():
            first = next((execution for execution in mine if execution.symbol == symbol), None)
            if ref.market is Market.SPOT and (first is None or quantity <= 0):
                # Coins that were always there and never traded are no trade of his.
                continue
            if first is None:
                book.apply(Execution(symbol, quantity, held[symbol].entry_price, begins, position_side=side))
            else:
                book.seed(symbol, quantity=quantity, price=first.price, at=first.at, position_side=side)


def _save(
    session: Session,
    record: AccountRecord,
    *,
    book: TripBook,
    derived: Derived,
    taken: sources.Taken,
    reading: EquityPoint,
) -> None:
    for funding in derived.fundings_of_earlier:
        _fund_closed(session, record.exchange_account_id, funding=funding)
    session.add_all(round_trip(record.exchange_account_id, trip=trip) for trip in derived.closed)
    record.book = book.dump()
    record.fills_applied += taken.fills
    record.entries_applied += taken.entries
    record.unpriced_fees += taken.unpriced_fees
    record.missing_fills += derived.missing
    record.trips_closed += len(derived.closed)
    record.open_positions = sum(not trip.is_dust for trip in book.trips.values())
    record.equity, record.equity_at = reading.total, reading.read_at
    _reconcile(session, record, derived=derived, reading=reading, guessed=_is_guessed(book, derived=derived))
    record.fills_until = max(record.fills_until, reading.read_at)


def _reconcile(
    session: Session, record: AccountRecord, *, derived: Derived, reading: EquityPoint, guessed: bool
) -> None:
    """Compare the wallet with what fills, funding and flows did to it since the first reading."""
    since = record.fills_until
    if record.anchor_at is None or record.anchor_wallet is None or guessed:
        first = accounts.first_reading(session, account_id=record.exchange_account_id)
        anchor = reading if guessed or first is None else first
        record.anchor_at, record.anchor_wallet, record.explained = anchor.read_at, anchor.wallet, ZERO
        since = anchor.read_at
    record.explained += sum_until(derived.effects, after=max(since, record.anchor_at), until=reading.read_at)
    record.gap = reading.wallet - record.anchor_wallet - record.explained
    allowed = max(TOLERANCE, TOLERANCE_SHARE * abs(reading.wallet))
    if abs(record.gap) <= allowed:
        record.gap_since = None
    elif record.gap_since is None:
        record.gap_since = reading.read_at


def _is_guessed(book: TripBook, *, derived: Derived) -> bool:
    return any(trip.is_estimated for trip in (*book.trips.values(), *derived.closed))


def is_reconciled(record: AccountRecord, *, now: datetime) -> bool:
    """Return whether an account's wallet is explained by what was captured of it."""
    lasting = record.gap_since is not None and now - record.gap_since > GAP_PATIENCE
    return not lasting and not record.missing_fills


def _fund_closed(session: Session, account_id: UUID, *, funding: Funding) -> None:
    """Add funding that came late to the closed trip it belongs to; without one it stays with the account."""
    rows = session.exec(
        select(RoundTrip).where(
            RoundTrip.exchange_account_id == account_id,
            RoundTrip.symbol == funding.symbol,
            col(RoundTrip.opened_at) < funding.at,
            col(RoundTrip.closed_at) >= funding.at,
        )
    )
    row = next((row for row in rows if belongs(funding, trip=_interval(row))), None)
    if row is not None:
        row.funding += funding.amount
        row.net += funding.amount
        session.add(row)


def _interval(row: RoundTrip) -> Trip:
    return Trip(row.symbol, PositionSide(row.position_side), row.is_long, row.opened_at, row.closed_at)


def round_trip(account_id: UUID, *, trip: Trip) -> RoundTrip:
    """Return the row of a closed trip."""
    if trip.closed_at is None:
        raise ValueError("trip was open; only closed ones are stored")
    return RoundTrip(
        exchange_account_id=account_id,
        symbol=trip.symbol,
        position_side=trip.position_side,
        is_long=trip.is_long,
        opened_at=trip.opened_at,
        closed_at=trip.closed_at,
        quantity=trip.peak_quantity,
        entry_price=trip.entry_price or Decimal(0),
        exit_price=trip.exit_price or Decimal(0),
        entry_notional=trip.entry_notional,
        exit_notional=trip.exit_notional,
        gross=trip.gross,
        fee=trip.fee,
        funding=trip.funding,
        net=trip.net,
        fills=trip.fills,
        is_liquidated=trip.is_liquidated,
        is_estimated=trip.is_estimated,
    )
