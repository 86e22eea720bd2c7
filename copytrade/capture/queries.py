"""What is shown of captured accounts: fills, positions, ledger, closes, and how well capture goes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.capture.accounts import copy_poll_interval, lead_poll_interval
from copytrade.capture.arrays import among_ids
from copytrade.capture.models import (
    AccountEntry,
    CaptureLease,
    CaptureState,
    DailyClose,
    LeadPosition,
    SpoiledRow,
    StoredFill,
)
from copytrade.capture.standing import Standing as Standing
from copytrade.capture.standing import asking_heard as asking_heard
from copytrade.capture.standing import heard as heard
from copytrade.capture.standing import standings as standings
from copytrade.domain.instruments import Instrument, Market, PositionSide, Role, Side, Venue
from copytrade.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class FillRow:
    """A stored execution as it is shown; `quantity` > 0, the side carries the sign."""

    id: UUID
    exchange_account_id: UUID
    market: str
    symbol: str
    position_side: str
    trade_id: str
    order_id: str
    client_order_id: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    venue_time: datetime
    received_at: datetime
    source: str
    is_maker: bool
    is_liquidation: bool
    is_history: bool
    planned_at: datetime | None

    @property
    def signed(self) -> Decimal:
        """Return the signed base quantity."""
        return self.quantity * Side(self.side).sign


@dataclass(frozen=True, slots=True)
class FillRows:
    """One page of fills, newest first; `cursor` gives the next one, empty at the end."""

    rows: list[FillRow]
    cursor: str


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A booked change of the wallet; `amount` > 0 was received."""

    entry_id: str
    kind: str
    asset: str
    amount: Decimal
    symbol: str
    venue_time: datetime


@dataclass(frozen=True, slots=True)
class LeadHolding:
    """A lead's position P in an instrument, as planned."""

    instrument: Instrument
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class CaptureHealth:
    """How well capture goes, for the operator."""

    accounts: int
    late: int
    """Accounts whose last poll is older than three intervals."""
    unstreamed: int
    """Lead accounts whose stream was never connected."""
    waiting: int
    oldest_waiting_s: float
    """Fills of leads that are not planned yet, and the age of the oldest."""
    spoiled: int
    """Rows that could not be read."""


def fills_of(session: Session, *, account_id: UUID, cursor: str = "", limit: int = 50) -> FillRows:
    """Return a page of an account's fills, newest first."""
    return fills_page(session, account_ids=[account_id], cursor=cursor, limit=limit)


def fills_page(
    session: Session,
    *,
    account_ids: Collection[UUID],
    symbol: str = "",
    since: datetime | None = None,
    cursor: str = "",
    limit: int = 50,
) -> FillRows:
    """Return a page of several accounts' fills, newest first; InvalidInput for a cursor that is none of ours."""
    query = select(StoredFill).where(among_ids(col(StoredFill.exchange_account_id), account_ids))
    if symbol:
        query = query.where(StoredFill.symbol == symbol)
    if since is not None:
        query = query.where(col(StoredFill.venue_time) >= since)
    if cursor:
        query = query.where(tuple_(col(StoredFill.venue_time), col(StoredFill.id)) < _edge(cursor))
    query = query.order_by(col(StoredFill.venue_time).desc(), col(StoredFill.id).desc()).limit(limit + 1)
    found = session.exec(query).all()
    rows = [_row(fill) for fill in found[:limit]]
    return FillRows(rows, cursor_after(rows[-1]) if len(found) > limit else "")


def cursor_after(fill: FillRow) -> str:
    """Return the cursor of the page that begins after a fill."""
    return f"{fill.venue_time.isoformat()}_{fill.id}"


def _edge(cursor: str) -> tuple[datetime, UUID]:
    at, _, fill_id = cursor.partition("_")
    try:
        edge = datetime.fromisoformat(at), UUID(fill_id)
    except ValueError:
        raise InvalidInput("cursor was none of ours", user="The cursor is not valid.", field="cursor") from None
    if edge[0].tzinfo is None:
        raise InvalidInput("cursor was naive", user="The cursor is not valid.", field="cursor")
    return edge


def executions(
    session: Session, *, account_id: UUID, after: tuple[datetime, str] | None, until: datetime
) -> list[FillRow]:
    """Return an account's fills up to `until` in the venue's order, those after (time, trade id) where given."""
    rank = col(StoredFill.sequence), _padded(col(StoredFill.trade_id))
    query = select(StoredFill).where(StoredFill.exchange_account_id == account_id, col(StoredFill.venue_time) <= until)
    if after is not None:
        at, trade_id = after
        last = select(func.coalesce(func.max(col(StoredFill.sequence)), 0)).where(
            StoredFill.exchange_account_id == account_id, StoredFill.trade_id == trade_id, StoredFill.venue_time == at
        )
        edge = tuple_(at, last.scalar_subquery(), _padded(trade_id))
        query = query.where(tuple_(col(StoredFill.venue_time), *rank) > edge)
    return [_row(fill) for fill in session.exec(query.order_by(col(StoredFill.venue_time), *rank))]


def fill_count(session: Session, *, account_id: UUID, until: datetime) -> int:
    """Return how many fills an account had up to `until`."""
    query = select(func.count()).select_from(StoredFill)
    return session.exec(
        query.where(StoredFill.exchange_account_id == account_id, col(StoredFill.venue_time) <= until)
    ).one()


def entries(session: Session, *, account_id: UUID, since: datetime) -> list[EntryRow]:
    """Return an account's ledger since then, oldest first."""
    query = select(AccountEntry).where(
        AccountEntry.exchange_account_id == account_id, col(AccountEntry.venue_time) >= since
    )
    return [
        EntryRow(row.entry_id, row.kind, row.asset, row.amount, row.symbol, row.venue_time)
        for row in session.exec(query.order_by(col(AccountEntry.venue_time), col(AccountEntry.entry_id)))
    ]


def entry_count(session: Session, *, account_id: UUID, until: datetime) -> int:
    """Return how many rows the ledger of an account had up to `until`."""
    query = select(func.count()).select_from(AccountEntry)
    return session.exec(
        query.where(AccountEntry.exchange_account_id == account_id, col(AccountEntry.venue_time) <= until)
    ).one()


def closes(
    session: Session, *, venue: Venue | str, symbols: Collection[str], since: date
) -> dict[tuple[str, date], Decimal]:
    """Return the daily closes of symbols since a day."""
    query = select(DailyClose).where(
        DailyClose.venue == str(venue), col(DailyClose.symbol).in_(symbols), col(DailyClose.day) >= since
    )
    return {(row.symbol, row.day): row.close for row in session.exec(query)}


def history_done(session: Session, *, account_id: UUID) -> bool:
    """Return whether an account's past was read to its end."""
    state = session.get(CaptureState, account_id)
    return state is not None and state.history_done_at is not None


def with_history(session: Session, *, account_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the accounts whose past was read to its end, in one query."""
    query = select(CaptureState.exchange_account_id).where(
        among_ids(col(CaptureState.exchange_account_id), account_ids), col(CaptureState.history_done_at).is_not(None)
    )
    return set(session.exec(query))


def is_captured(session: Session, *, account_id: UUID) -> bool:
    """Return whether a lead's baseline is set: from then on its fills are planned."""
    state = session.get(CaptureState, account_id)
    return state is not None and state.baseline_at is not None


def lead_positions(session: Session, *, account_id: UUID) -> list[LeadHolding]:
    """Return a lead's positions as they are planned, flat ones left out."""
    state = session.get(CaptureState, account_id)
    if state is None:
        return []
    query = select(LeadPosition).where(LeadPosition.exchange_account_id == account_id, col(LeadPosition.quantity) != 0)
    rows = session.exec(query.order_by(col(LeadPosition.symbol), col(LeadPosition.position_side)))
    return [
        LeadHolding(
            Instrument(Venue(state.venue), Market(state.market), row.symbol, PositionSide(row.position_side)),
            row.quantity,
        )
        for row in rows
    ]


def capture_health(session: Session) -> CaptureHealth:
    """Return the operator's figures of capture."""
    now = clock.now()
    polled = select(CaptureLease.exchange_account_id).where(CaptureLease.kind == "poll")
    states = session.exec(select(CaptureState).where(col(CaptureState.exchange_account_id).in_(polled))).all()
    lateness = {
        Role.LEAD.value: timedelta(seconds=3 * lead_poll_interval(is_streamed=True)),
        Role.COPY.value: timedelta(seconds=3 * copy_poll_interval(sum(row.role == Role.COPY for row in states))),
    }
    waiting, oldest = session.exec(
        select(func.count(), func.min(StoredFill.received_at))
        .select_from(StoredFill)
        .where(col(StoredFill.planned_at).is_(None), ~col(StoredFill.is_history))
    ).one()
    return CaptureHealth(
        accounts=len(states),
        late=sum(state.last_polled_at is None or now - state.last_polled_at > lateness[state.role] for state in states),
        unstreamed=sum(state.role == Role.LEAD and state.stream_connected_at is None for state in states),
        waiting=waiting,
        oldest_waiting_s=(now - oldest).total_seconds() if oldest else 0.0,
        spoiled=session.exec(select(func.count()).select_from(SpoiledRow)).one(),
    )


def _padded(trade_id: Any) -> Any:
    # the venue's order within a millisecond: ids are numbers that grow
    return func.lpad(trade_id, 40, "0")


def _row(fill: StoredFill) -> FillRow:
    return FillRow(
        id=fill.id,
        exchange_account_id=fill.exchange_account_id,
        market=fill.market,
        symbol=fill.symbol,
        position_side=fill.position_side,
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        client_order_id=fill.client_order_id,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        venue_time=fill.venue_time,
        received_at=fill.received_at,
        source=fill.source,
        is_maker=fill.is_maker,
        is_liquidation=fill.is_liquidation,
        is_history=fill.is_history,
        planned_at=fill.planned_at,
    )
