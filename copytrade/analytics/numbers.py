"""The numbers of each window from an account's days and trips."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade.analytics.curves import thinned
from copytrade.analytics.models import AccountRecord, AccountStatistics, DailyEquity, RoundTrip
from copytrade.domain.instruments import PositionSide
from copytrade.domain.nav import DAY, day_end
from copytrade.domain.performance import Window, in_window, measure
from copytrade.domain.trip_book import TripBook
from copytrade.domain.trip_statistics import exposure, per_week, statistics
from copytrade.domain.trips import ZERO, Trip

CURVE_POINTS = 40


def save_statistics(session: Session, record: AccountRecord, *, book: TripBook, now: datetime) -> None:
    """Write the numbers of every window; those of trips only when a trip closed or a day began."""
    rows = session.exec(
        select(DailyEquity)
        .where(DailyEquity.exchange_account_id == record.exchange_account_id)
        .order_by(col(DailyEquity.day))
    ).all()
    if not rows:
        return
    days = len(rows) - 1
    stale = record.days != days or _counted(session, record.exchange_account_id) != record.trips_closed
    record.first_day, record.days, record.restarts = rows[0].day, days, rows[-1].epoch - 1
    trips = _trips(session, record.exchange_account_id) if stale else []
    for window in Window:
        values = _of_days(rows, window=window)
        if stale:
            values |= _of_trips(trips, book=book, rows=rows, window=window, now=now)
            values["trips_closed"] = record.trips_closed
        _write(session, record.exchange_account_id, window=window, values=values)


def _counted(session: Session, account_id: UUID) -> int | None:
    return session.exec(
        select(AccountStatistics.trips_closed).where(
            AccountStatistics.exchange_account_id == account_id, AccountStatistics.window == Window.ALL
        )
    ).first()


def _of_days(rows: Sequence[DailyEquity], *, window: Window) -> dict[str, Any]:
    inside = rows[1:] if window.days is None else rows[1:][-window.days :]
    returns = in_window([float(row.day_return) for row in rows[1:]], window=window)
    found = measure(returns)
    levels = [1.0]
    for value in returns:
        levels.append(levels[-1] * (1 + value))
    gains = sum((row.change for row in inside if row.change > 0), ZERO)
    best = max((row.change for row in inside), default=ZERO)
    return {
        "days": found.days,
        "pnl": sum((row.change for row in inside), ZERO),
        "total_return": found.total_return,
        "cagr": found.cagr,
        "volatility": found.volatility,
        "sharpe": found.sharpe,
        "sortino": found.sortino,
        "calmar": found.calmar,
        "max_drawdown": found.max_drawdown,
        "current_drawdown": found.current_drawdown,
        "longest_drawdown_days": found.longest_drawdown_days,
        "best_day": found.best_day,
        "worst_day": found.worst_day,
        "best_day_share": float(best / gains) if gains > 0 else None,
        "curve": [round(level, 6) for level in thinned(levels, limit=CURVE_POINTS)],
    }


def _of_trips(
    trips: Sequence[Trip], *, book: TripBook, rows: Sequence[DailyEquity], window: Window, now: datetime
) -> dict[str, Any]:
    span = min(window.days or len(rows), max(len(rows) - 1, 1))
    begins = day_end(rows[-1].day) - span * DAY
    inside = [trip for trip in trips if trip.closed_at and (window is Window.ALL or trip.closed_at >= begins)]
    found = statistics(inside)
    covered = exposure([*trips, *book.trips.values()], begins=begins, ends=now)
    return {
        "closed": found.count,
        "wins": found.wins,
        "losses": found.losses,
        "net": found.net,
        "fees": found.fees,
        "funding": found.funding,
        "win_rate": found.win_rate,
        "profit_factor": found.profit_factor,
        "payoff": found.payoff,
        "expectancy": found.expectancy,
        "best_share": found.best_share,
        "average_holding_s": found.average_holding.total_seconds() if found.average_holding is not None else None,
        "median_holding_s": found.median_holding.total_seconds() if found.median_holding is not None else None,
        "exposure": covered,
        "per_week": per_week(found.count, days=span),
    }


def _trips(session: Session, account_id: UUID) -> list[Trip]:
    rows = session.exec(
        select(RoundTrip).where(RoundTrip.exchange_account_id == account_id).order_by(col(RoundTrip.closed_at))
    )
    return [trip_of(row) for row in rows]


def trip_of(row: RoundTrip) -> Trip:
    """Return a stored trip as the domain knows it."""
    return Trip(
        symbol=row.symbol,
        position_side=PositionSide(row.position_side),
        is_long=row.is_long,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        peak_quantity=row.quantity,
        entry_notional=row.entry_notional,
        exit_notional=row.exit_notional,
        gross=row.gross,
        fee=row.fee,
        funding=row.funding,
        fills=row.fills,
        is_liquidated=row.is_liquidated,
        is_estimated=row.is_estimated,
    )


def _write(session: Session, account_id: UUID, *, window: Window, values: dict[str, Any]) -> None:
    keys = {"exchange_account_id": account_id, "window": window.value}
    blank = AccountStatistics(**keys).model_dump() | values
    statement = insert(AccountStatistics).values(**blank)
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=list(keys), set_={name: values[name] for name in values})
    )
