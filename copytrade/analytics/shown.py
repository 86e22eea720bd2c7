"""Stored rows turned into what is shown; shared by leaderboard, profile and wallet."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, func, select

from copytrade.analytics.models import AccountRecord, AccountStatistics, DailyEquity, RoundTrip, SubscriptionResult
from copytrade.analytics.refreshing import is_reconciled
from copytrade.analytics.rows import (
    DayRow,
    Numbers,
    OpenPositionRow,
    SubscribersResult,
    SymbolRow,
    TripRow,
)
from copytrade.domain.fills import Position
from copytrade.domain.performance import Window
from copytrade.domain.ranking import Candidate

_NUMBERS = tuple(name for name in Numbers.__dataclass_fields__ if name != "window")


def records(session: Session, account_ids: Collection[UUID]) -> dict[UUID, AccountRecord]:
    """Return the records of several accounts, in one query."""
    rows = session.exec(select(AccountRecord).where(col(AccountRecord.exchange_account_id).in_(account_ids)))
    return {row.exchange_account_id: row for row in rows}


def all_statistics(session: Session, account_ids: Collection[UUID], *, window: Window) -> dict[UUID, AccountStatistics]:
    """Return the numbers of several accounts in a window, in one query."""
    rows = session.exec(
        select(AccountStatistics).where(
            col(AccountStatistics.exchange_account_id).in_(account_ids), AccountStatistics.window == window.value
        )
    )
    return {row.exchange_account_id: row for row in rows}


def numbers(row: AccountStatistics | None, *, window: Window) -> Numbers:
    """Return the numbers of a window; all undefined where nothing is known yet."""
    if row is None:
        return Numbers(window.value)
    return Numbers(window.value, **{name: getattr(row, name) for name in _NUMBERS})


def candidate(
    profile_id: UUID,
    *,
    record: AccountRecord | None,
    row: AccountStatistics | None,
    whole: AccountStatistics | None,
    now: datetime,
) -> Candidate:
    """Return what the default order needs: the window's Sharpe ratio, the rest over the whole record."""
    return Candidate(
        profile_id=profile_id,
        age_days=record.days if record else 0,
        closed_positions=whole.closed if whole else 0,
        sharpe=(row.sharpe if row.sharpe is not None else whole.sharpe) if row and whole else None,
        max_drawdown=whole.max_drawdown if whole else None,
        is_reconciled=record is None or is_reconciled(record, now=now),
    )


def day_rows(session: Session, account_id: UUID, *, window: Window) -> list[DayRow]:
    """Return the days of a window from the close before it, growth of 1 and fall from the highest point in it."""
    query = (
        select(DailyEquity).where(DailyEquity.exchange_account_id == account_id).order_by(col(DailyEquity.day).desc())
    )
    if window.days is not None:
        query = query.limit(window.days + 1)
    level = peak = 1.0
    rows: list[DayRow] = []
    for row in session.exec(query).all()[::-1]:
        grown = float(row.day_return) if rows else 0.0
        level *= 1 + grown
        peak = max(peak, level)
        rows.append(
            DayRow(
                day=row.day,
                equity=row.equity,
                flow=row.flow if rows else Decimal(0),
                change=row.change if rows else Decimal(0),
                day_return=grown,
                level=level,
                drawdown=level / peak - 1,
                epoch=row.epoch,
                is_rebuilt=row.is_rebuilt,
            )
        )
    return rows


def daily_returns(session: Session, account_id: UUID) -> dict[date, float]:
    """Return all daily returns of an account by day, without the day it begins with."""
    rows = session.exec(
        select(col(DailyEquity.day), col(DailyEquity.day_return))
        .where(DailyEquity.exchange_account_id == account_id)
        .order_by(col(DailyEquity.day))
        .offset(1)
    )
    return {day: float(value) for day, value in rows}


def rebuilt_days(session: Session, account_id: UUID) -> int:
    """Return how many days of an account were worked out backwards."""
    return session.exec(
        select(func.count()).where(DailyEquity.exchange_account_id == account_id, col(DailyEquity.is_rebuilt).is_(True))
    ).one()


def trips(session: Session, account_ids: Collection[UUID], *, since: datetime | None, limit: int) -> list[TripRow]:
    """Return closed positions, newest first."""
    query = select(RoundTrip).where(col(RoundTrip.exchange_account_id).in_(account_ids))
    if since is not None:
        query = query.where(col(RoundTrip.closed_at) >= since)
    return [trip_row(row) for row in session.exec(query.order_by(col(RoundTrip.closed_at).desc()).limit(limit))]


def trip_row(row: RoundTrip) -> TripRow:
    """Return a closed position as it is listed; its return is a fraction of what was put in."""
    return TripRow(
        symbol=row.symbol,
        is_long=row.is_long,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        quantity=row.quantity,
        entry_price=row.entry_price,
        exit_price=row.exit_price,
        gross=row.gross,
        fee=row.fee,
        funding=row.funding,
        net=row.net,
        net_return=row.net / row.entry_notional if row.entry_notional else None,
        is_liquidated=row.is_liquidated,
        is_estimated=row.is_estimated,
    )


def symbols(session: Session, account_ids: Collection[UUID], *, since: datetime | None) -> list[SymbolRow]:
    """Return what each symbol brought by closed positions, best first."""
    net = func.sum(RoundTrip.net)
    query = select(RoundTrip.symbol, net, func.count()).where(col(RoundTrip.exchange_account_id).in_(account_ids))
    if since is not None:
        query = query.where(col(RoundTrip.closed_at) >= since)
    rows = session.exec(query.group_by(col(RoundTrip.symbol)).order_by(net.desc()))
    return [SymbolRow(symbol, result, closed) for symbol, result, closed in rows]


def open_positions(positions: Sequence[Position], *, venue: str) -> list[OpenPositionRow]:
    """Return positions held now, the largest first."""
    rows = [
        OpenPositionRow(
            symbol=held.symbol,
            quantity=held.quantity,
            entry_price=held.entry_price,
            mark_price=held.mark_price,
            notional=abs(held.quantity) * held.mark_price,
            unrealized_pnl=held.unrealized_pnl,
            leverage=held.leverage,
            venue=venue,
        )
        for held in positions
    ]
    return sorted(rows, key=lambda row: row.notional, reverse=True)


def subscribers_results(session: Session, profile_ids: Collection[UUID]) -> dict[UUID, SubscribersResult]:
    """Return what the subscribers of several profiles earned, ended ones included, none of those on paper."""
    rows = session.exec(
        select(SubscriptionResult).where(
            col(SubscriptionResult.profile_id).in_(profile_ids), col(SubscriptionResult.is_paper).is_(False)
        )
    )
    grouped: dict[UUID, list[SubscriptionResult]] = {}
    for row in rows:
        grouped.setdefault(row.profile_id, []).append(row)
    return {profile_id: _result(found) for profile_id, found in grouped.items()}


def _result(rows: Sequence[SubscriptionResult]) -> SubscribersResult:
    returns = sorted(row.net_return for row in rows if row.net_return is not None)
    return SubscribersResult(
        count=len(rows),
        net=sum((row.net for row in rows), Decimal(0)),
        median=quantile(returns, share=0.5),
        worst_tenth=quantile(returns, share=0.1),
        share_in_profit=sum(value > 0 for value in returns) / len(returns) if returns else None,
    )


def quantile(ordered: Sequence[float], *, share: float) -> float | None:
    """Return the value below which a share of an ordered sample lies, between neighbours by distance."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
