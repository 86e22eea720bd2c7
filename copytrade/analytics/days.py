"""An account's UTC days: equity that was read, before that equity worked out backwards, and NAV over both."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from copytrade.accounts import queries as accounts
from copytrade.accounts.rows import EquityPoint
from copytrade.analytics import sources
from copytrade.analytics.models import AccountRecord, DailyEquity
from copytrade.domain.nav import (
    DAY,
    Cash,
    DayEquity,
    Flow,
    Holding,
    NavDay,
    daily_nav,
    day_end,
    rebuild_daily_equity,
)
from copytrade.exchanges.port import AccountRef

MOVING_DAYS = 2
"""So many days before today are computed again each time, for flows that are told late."""


def save_days(session: Session, ref: AccountRef, *, record: AccountRecord) -> None:
    """Write the days that are new or may still move, up to the record's last reading."""
    if record.equity_at is None:
        return
    today = record.equity_at.astimezone(UTC).date()
    last = _settled_day(session, record, before=today - MOVING_DAYS * DAY)
    since = day_end(last.day) if last else sources.BEGINNING
    closings = accounts.daily_closings(session, account_id=ref.id, since=since, until=record.equity_at)
    flows = sources.flows(session, ref, after=since - timedelta(microseconds=1), until=record.equity_at)
    closes = [DayEquity(_day(row.read_at), row.total) for row in closings]
    if last is None:
        closes = [*_before(session, ref, record=record), *closes]
    if not any(day.is_rebuilt for day in (*closes, *([last] if last else []))):
        flows = _after_first(session, ref, flows=flows)
    rows = daily_nav(closes, flows=_after_closings(flows, closings=closings), last=last)
    _replace(session, record, after=last.day if last else None, rows=rows)


def _settled_day(session: Session, record: AccountRecord, *, before: date) -> NavDay | None:
    row = session.exec(
        select(DailyEquity)
        .where(DailyEquity.exchange_account_id == record.exchange_account_id, col(DailyEquity.day) < before)
        .order_by(col(DailyEquity.day).desc())
        .limit(1)
    ).first()
    return row and NavDay(row.day, row.equity, row.flow, row.change, row.day_return, row.nav, row.epoch, row.is_rebuilt)


def _before(session: Session, ref: AccountRef, *, record: AccountRecord) -> list[DayEquity]:
    """Return the days before the first reading: rebuilt where the past was captured, else what it began with."""
    first = accounts.first_reading(session, account_id=ref.id)
    if first is None:
        return []
    day = _day(first.read_at)
    rebuilt = [row for row in _rebuilt(session, ref) if row.day < day] if record.has_history else []
    return rebuilt or [DayEquity(day - DAY, first.total)]


def _rebuilt(session: Session, ref: AccountRef) -> list[DayEquity]:
    worth = accounts.equities(session, [ref.id])[ref.id]
    taken = sources.take(session, ref, after=sources.BEGINNING, until=worth.read_at)
    positions = accounts.positions(session, ref.id)
    stretch = taken.stretch
    cash = [
        *(Cash(row.at, row.amount) for row in stretch.fundings),
        *(Cash(row.at, row.amount) for row in stretch.flows),
    ]
    symbols = {execution.symbol for execution in stretch.executions} | {held.symbol for held in positions}
    begins = min((row.at for row in (*stretch.executions, *cash)), default=worth.read_at)
    return rebuild_daily_equity(
        worth.total,
        at=worth.read_at,
        holdings={held.symbol: Holding(held.quantity, held.mark_price) for held in positions},
        executions=stretch.executions,
        cash=cash,
        closes=sources.daily_closes(session, ref, symbols=symbols, since=_day(begins) - DAY),
    )


def _after_first(session: Session, ref: AccountRef, *, flows: Sequence[Flow]) -> list[Flow]:
    first = accounts.first_reading(session, account_id=ref.id)
    return [flow for flow in flows if first is not None and flow.at > first.read_at]


def _after_closings(flows: Sequence[Flow], *, closings: Sequence[EquityPoint]) -> list[Flow]:
    """Return the flows, those after a day's last reading moved into the next day, whose equity has them."""
    read_at = {_day(row.read_at): row.read_at for row in closings}
    moved: list[Flow] = []
    for flow in flows:
        day = _day(flow.at)
        late = day in read_at and flow.at > read_at[day]
        moved.append(replace(flow, at=datetime.combine(day + DAY, time.min, tzinfo=UTC)) if late else flow)
    return moved


def _replace(session: Session, record: AccountRecord, *, after: date | None, rows: Sequence[NavDay]) -> None:
    old = delete(DailyEquity).where(col(DailyEquity.exchange_account_id) == record.exchange_account_id)
    if after is not None:
        old = old.where(col(DailyEquity.day) > after)
    session.connection().execute(old)
    session.expire_all()
    session.add_all(
        DailyEquity(
            exchange_account_id=record.exchange_account_id,
            day=row.day,
            equity=row.equity,
            flow=row.flow,
            change=row.change,
            day_return=row.day_return,
            nav=row.nav,
            epoch=row.epoch,
            is_rebuilt=row.is_rebuilt,
        )
        for row in rows
    )
    session.flush()


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
