from datetime import date, timedelta
from itertools import pairwise
from math import isclose, sqrt

import pytest

from copytrade.domain import performance

MIXED = [0.01, 0.10, -0.04, 0.02, 0.03, 0.02, 0.01, -0.10]
NEGATIVE = [0.0, -0.06, -0.07, -0.01, -0.09, -0.02, -0.06, -0.08, -0.05]
POSITIVE = [0.01, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01]


@pytest.mark.parametrize(
    ("year", "sharpe", "sortino", "cagr", "calmar", "volatility"),
    [
        (252, 1.7238613961706866, 2.605531251673693, 2.330292797300439, 23.3029279730044, 0.9136465399704637),
        (365, 2.0746675114386086, 3.1357573467873823, 4.711762871576596, 47.11762871576598, 1.0995737810624624),
    ],
)
def test_the_ratios_of_a_mixed_series(
    year: int, sharpe: float, sortino: float, cagr: float, calmar: float, volatility: float
) -> None:
    assert performance.sharpe(MIXED, year=year) == pytest.approx(sharpe, rel=1e-12)
    assert performance.sortino(MIXED, year=year) == pytest.approx(sortino, rel=1e-12)
    assert performance.cagr(MIXED, year=year) == pytest.approx(cagr, rel=1e-12)
    assert performance.calmar(MIXED, year=year) == pytest.approx(calmar, rel=1e-12)
    assert performance.volatility(MIXED, year=year) == pytest.approx(volatility, rel=1e-12)
    assert performance.total_return(MIXED) == pytest.approx(0.0389310917004804, rel=1e-12)


def test_a_losing_and_a_winning_series() -> None:
    assert performance.sharpe(NEGATIVE, year=252) == pytest.approx(-24.406808633910085, rel=1e-12)
    assert performance.sortino(NEGATIVE, year=252) == pytest.approx(-13.532743075043401, rel=1e-12)
    assert performance.sharpe(POSITIVE, year=252) == pytest.approx(52.915026221291804, rel=1e-12)
    assert performance.sortino(POSITIVE) is None
    assert performance.calmar(POSITIVE) is None


@pytest.mark.parametrize(("days", "expected"), [(2, 13.51), (3, 10.38), (4, 7.11)])
def test_sharpe_is_what_the_venue_publishes(days: int, expected: float) -> None:
    assert performance.sharpe([0.0, 0.5, -0.02, -0.08][:days]) == pytest.approx(expected, abs=0.005)


def test_the_deviation_is_the_samples_and_all_days_count_in_the_downside() -> None:
    balances = [100.0, 110, 104.5, 125.4, 112.86]
    returns = [after / before - 1 for before, after in pairwise(balances)]
    assert performance.sharpe(returns[:3]) == pytest.approx(12.652578, abs=1e-6)
    assert performance.sortino(returns) == pytest.approx(12.816006, abs=1e-6)
    assert performance.sortino([-0.10, 0.02, 0.01, 0.03], year=1) == pytest.approx(-0.2)
    assert performance.sortino([0.03, 0.01, -0.10, 0.02], year=1) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("start", "end", "days", "expected"),
    [
        (64900, 176000, 1095, 0.3945),
        (64900, 176000, 365, 1.7119),
        (1000, 1000, 365, 0),
        (1000, 1500, 365, 0.5),
        (1000, 1500, 100, 3.3927),
        (0.01, 0.01762792, 120, 4.6087),
    ],
)
def test_growth_over_a_year(start: float, end: float, days: int, expected: float) -> None:
    returns = [end / start - 1, *[0.0] * (days - 1)]
    assert performance.cagr(returns) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        (MIXED, 0.10),
        (NEGATIVE, 0.36590730),
        ([-0.02, *NEGATIVE[1:]], 0.378589157),
        ([0.10, -0.10, 0.10], 0.10),
        (POSITIVE, 0.0),
        ([-0.25], 0.25),
        ([0.2, -1 / 3, 0.375], 1 / 3),
    ],
)
def test_the_deepest_fall_counts_from_the_start(returns: list[float], expected: float) -> None:
    assert performance.max_drawdown(returns) == pytest.approx(expected, abs=1e-8)


def test_nothing_is_defined_without_days() -> None:
    empty = performance.measure([])
    assert (empty.days, empty.total_return, empty.max_drawdown, empty.sharpe, empty.best_day) == (0, *[None] * 4)
    assert performance.sharpe([0.01]) is None
    assert performance.sharpe([0.01, 0.01, 0.01]) is None


def test_falls_are_listed_from_peak_to_recovery() -> None:
    runs = performance.drawdowns([0.1, -0.1, -0.1, 0.3, -0.2, 0.1])
    assert [(run.peak, run.trough, run.recovered) for run in runs] == [(0, 2, 3), (3, 4, None)]
    assert [round(run.depth, 6) for run in runs] == [0.19, 0.2]
    assert performance.longest_drawdown(runs, days=6) == 3


def test_small_samples_hide_ratios_and_annual_numbers() -> None:
    short, medium, long = (performance.measure(list((MIXED * 20)[:days])) for days in (29, 89, 90))
    assert (short.sharpe, short.volatility, short.cagr) == (None, None, None)
    assert medium.sharpe is not None
    assert (medium.cagr, medium.calmar) == (None, None)
    assert long.cagr is not None
    assert short.total_return is not None


@pytest.mark.parametrize(("window", "expected"), [("7d", 7), ("30d", 30), ("90d", 90), ("180d", 100), ("all", 100)])
def test_a_window_covers_the_last_days(window: str, expected: int) -> None:
    returns = [float(index) for index in range(100)]
    inside = performance.in_window(returns, window=performance.Window(window))
    assert (len(inside), inside[-1]) == (expected, 99.0)


def test_months_multiply_and_leave_gaps_blank() -> None:
    returns = [0.0, 0.01, 0.0, 0.01, 0.0, 0.01, 0.0, 0.01, 0.0]
    first = date(2000, 1, 30)
    days = {first + timedelta(days=index): value for index, value in enumerate(returns)}
    rows = performance.months(days)
    assert [(row.year, row.month) for row in rows] == [(2000, 1), (2000, 2)]
    assert [round(row.growth, 10) for row in rows] == [0.01, 0.030301]
    assert round(performance.years(rows)[2000], 10) == 0.04060401
    assert all(row.is_partial for row in rows)


def test_a_month_with_all_its_days_is_whole() -> None:
    [row] = performance.months({date(2024, 2, day): 0.0 for day in range(1, 30)})
    assert not row.is_partial


def test_the_subscriber_is_tracked_against_the_trader() -> None:
    difference, error = performance.tracking([0.01, 0.02, -0.01], subscriber=[0.01, 0.01, -0.01])
    assert difference == pytest.approx(performance.total_return([0.01, 0.01, -0.01]) - 1.01 * 1.02 * 0.99 + 1)
    assert error is not None
    assert isclose(error, sqrt(2 / 3 * 1e-4 / 2) * sqrt(365))
