from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from copytrade.analytics.curves import Point, decimate, spark, summed, thinned

START = datetime(2026, 1, 1, tzinfo=UTC)


def curve(values: list[int], *, step: int = 1, shift: int = 0) -> list[Point]:
    return [Point(START + timedelta(minutes=shift + index * step), Decimal(v)) for index, v in enumerate(values)]


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=400), st.integers(4, 60))
def test_a_small_curve_keeps_ends_highs_lows_and_order(values: list[int], limit: int) -> None:
    points = curve(values)
    kept = decimate(points, limit=limit)
    assert len(kept) <= max(limit, 4)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(values), max(values)} <= {int(point.value) for point in kept}
    assert [point.at for point in kept] == sorted({point.at for point in kept})


def test_curves_add_up_holding_their_last_value() -> None:
    total = summed([curve([10, 20], step=2), curve([5, 7], step=2, shift=1)])
    assert [point.value for point in total] == [10, 15, 25, 27]


def test_a_spark_fills_its_box() -> None:
    assert spark([1.0, 3.0, 2.0]) == "0.0,28.0 48.0,2.0 96.0,15.0"
    assert spark([1.0, 1.0]) == "0.0,15.0 96.0,15.0"
    assert spark([1.0]) == ""


def test_thinning_keeps_both_ends() -> None:
    assert thinned([float(value) for value in range(100)], limit=4) == [0.0, 33.0, 66.0, 99.0]
