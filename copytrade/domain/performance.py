"""Ratios of daily returns: total, annual, volatility, Sharpe, Sortino, Calmar, drawdowns, month table.

Daily UTC returns, 365 a year, idle days counted, no risk-free rate, sample deviation. A number that is not defined is
None, never infinite; annual numbers are None under 90 days and ratios under 30.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import prod, sqrt
from statistics import fmean, stdev

YEAR = 365
MIN_DAYS_RATIO = 30
MIN_DAYS_ANNUAL = 90
NOISE = 1e-12
"""A deviation below this is rounding, not risk."""


class Window(StrEnum):
    """How far back a number looks."""

    D7 = "7d"
    D30 = "30d"
    D90 = "90d"
    D180 = "180d"
    ALL = "all"

    @property
    def days(self) -> int | None:
        """Return the length in days; None for everything."""
        return None if self is Window.ALL else int(self.value[:-1])


@dataclass(frozen=True, slots=True)
class Drawdown:
    """A run under water: the peak's index (−1 is the start), the lowest day, the day of recovery, the depth (≥ 0)."""

    peak: int
    trough: int
    recovered: int | None
    depth: float


@dataclass(frozen=True, slots=True)
class Month:
    """The return of one month; `is_partial` when days of it are missing."""

    year: int
    month: int
    growth: float
    is_partial: bool


@dataclass(frozen=True, slots=True)
class Performance:
    """The numbers of one window; fractions, `days` the sample size, drawdowns ≥ 0."""

    days: int
    total_return: float | None
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float | None
    current_drawdown: float | None
    longest_drawdown_days: int | None
    best_day: float | None
    worst_day: float | None


def total_return(returns: Sequence[float]) -> float:
    """Return Π(1 + r) − 1."""
    return prod(1 + value for value in returns) - 1


def cagr(returns: Sequence[float], *, year: int = YEAR) -> float | None:
    """Return the yearly growth Π(1 + r)^(year / n) − 1."""
    if not returns:
        return None
    return max(total_return(returns) + 1, 0.0) ** (year / len(returns)) - 1


def volatility(returns: Sequence[float], *, year: int = YEAR) -> float | None:
    """Return the sample deviation of the returns over a year."""
    return stdev(returns) * sqrt(year) if len(returns) > 1 else None


def sharpe(returns: Sequence[float], *, year: int = YEAR) -> float | None:
    """Return mean / sample deviation × √year; None under two days or without deviation."""
    if len(returns) < 2 or (deviation := stdev(returns)) < NOISE:
        return None
    return fmean(returns) / deviation * sqrt(year)


def sortino(returns: Sequence[float], *, year: int = YEAR) -> float | None:
    """Return mean / √mean(min(r, 0)²) over all days × √year; None without a losing day."""
    if not returns:
        return None
    downside = sqrt(fmean([min(value, 0.0) ** 2 for value in returns]))
    return fmean(returns) / downside * sqrt(year) if downside > NOISE else None


def calmar(returns: Sequence[float], *, year: int = YEAR) -> float | None:
    """Return yearly growth / maximum drawdown; None without a drawdown."""
    growth, fall = cagr(returns, year=year), max_drawdown(returns)
    return growth / fall if growth is not None and fall and fall > NOISE else None


def underwater(returns: Sequence[float]) -> list[float]:
    """Return the fall (≤ 0) from the highest point so far, the start among them, at the end of each day."""
    level, peak, curve = 1.0, 1.0, list[float]()
    for value in returns:
        level *= 1 + value
        peak = max(peak, level)
        curve.append(level / peak - 1)
    return curve


def max_drawdown(returns: Sequence[float]) -> float | None:
    """Return the deepest fall as a fraction ≥ 0; None without a day."""
    return -min(0.0, *underwater(returns)) if returns else None


def drawdowns(returns: Sequence[float]) -> list[Drawdown]:
    """Return the runs under water in time order; the last may not have recovered."""
    runs: list[Drawdown] = []
    begin: int | None = None
    curve = underwater(returns)
    for index, value in enumerate([*curve, 0.0]):
        under = value < -NOISE
        if under and begin is None:
            begin = index
        elif not under and begin is not None:
            trough = min(range(begin, index), key=curve.__getitem__)
            recovered = index if index < len(curve) else None
            runs.append(Drawdown(begin - 1, trough, recovered, -curve[trough]))
            begin = None
    return runs


def longest_drawdown(runs: Sequence[Drawdown], *, days: int) -> int:
    """Return the days from a peak to its recovery, or to the last day where it has not recovered."""
    return max(((days - 1 if run.recovered is None else run.recovered) - run.peak for run in runs), default=0)


def in_window(returns: Sequence[float], *, window: Window) -> Sequence[float]:
    """Return the last days of a daily series that a window covers."""
    return returns if window.days is None else returns[-window.days :]


def measure(returns: Sequence[float]) -> Performance:
    """Return all numbers of a series of daily returns, each None where it is not defined or the sample too small."""
    days, curve, runs = len(returns), underwater(returns), drawdowns(returns)
    rated, annual = days >= MIN_DAYS_RATIO, days >= MIN_DAYS_ANNUAL
    return Performance(
        days=days,
        total_return=total_return(returns) if days else None,
        cagr=cagr(returns) if annual else None,
        volatility=volatility(returns) if rated else None,
        sharpe=sharpe(returns) if rated else None,
        sortino=sortino(returns) if rated else None,
        calmar=calmar(returns) if annual else None,
        max_drawdown=max_drawdown(returns),
        current_drawdown=-curve[-1] if days else None,
        longest_drawdown_days=longest_drawdown(runs, days=days) if days else None,
        best_day=max(returns, default=None),
        worst_day=min(returns, default=None),
    )


def months(returns: Mapping[date, float]) -> list[Month]:
    """Return the return of each month that has data, oldest first; a month without data has no row."""
    grouped: dict[tuple[int, int], list[float]] = {}
    for day in sorted(returns):
        grouped.setdefault((day.year, day.month), []).append(returns[day])
    return [
        Month(year, month, total_return(values), is_partial=len(values) < _days_in(year, month))
        for (year, month), values in grouped.items()
    ]


def years(rows: Sequence[Month]) -> dict[int, float]:
    """Return the return of each year: the product of its months."""
    grouped: dict[int, list[float]] = {}
    for row in rows:
        grouped.setdefault(row.year, []).append(row.growth)
    return {year: total_return(values) for year, values in grouped.items()}


def tracking(trader: Sequence[float], *, subscriber: Sequence[float]) -> tuple[float, float | None]:
    """Return (difference of the growth, deviation of the daily difference over a year) of two equally long series."""
    gaps = [ours - theirs for theirs, ours in zip(trader, subscriber, strict=True)]
    return total_return(subscriber) - total_return(trader), volatility(gaps)


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day
