"""Curves made small enough to send, without losing what matters: ends, highs and lows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 96.0, 30.0, 2.0


@dataclass(frozen=True, slots=True)
class Point:
    """A value at an instant."""

    at: datetime
    value: Decimal


def decimate(points: Sequence[Point], *, limit: int) -> list[Point]:
    """Return at most `limit` (≥ 4) points in time order: both ends, and of each bucket its lowest and highest."""
    if len(points) <= limit:
        return list(points)
    buckets = (limit - 2) // 2
    inner = points[1:-1]
    kept = [points[0]]
    for index in range(buckets):
        bucket = inner[index * len(inner) // buckets : (index + 1) * len(inner) // buckets]
        if not bucket:
            continue
        low, high = min(bucket, key=_value), max(bucket, key=_value)
        kept.extend(sorted({low, high}, key=_instant))
    kept.append(points[-1])
    return kept


def summed(curves: Sequence[Sequence[Point]]) -> list[Point]:
    """Return the sum of curves at each of their instants, each curve holding its last value; 0 before its first."""
    moments = sorted(
        ((point.at, index, point.value) for index, curve in enumerate(curves) for point in curve),
        key=lambda moment: moment[0],
    )
    held = [Decimal(0)] * len(curves)
    total: dict[datetime, Decimal] = {}
    for at, index, value in moments:
        held[index] = value
        total[at] = sum(held, Decimal(0))
    return [Point(at, value) for at, value in total.items()]


def spark(values: Sequence[float]) -> str:
    """Return the points of an SVG polyline in a box of 96 × 30; nothing for fewer than two values."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = high - low
    step = SPARK_WIDTH / (len(values) - 1)
    height = SPARK_HEIGHT - 2 * SPARK_EDGE
    ys = [SPARK_EDGE + height * ((high - value) / span if span else 0.5) for value in values]
    return " ".join(f"{index * step:.1f},{y:.1f}" for index, y in enumerate(ys))


def thinned(values: Sequence[float], *, limit: int) -> list[float]:
    """Return at most `limit` (≥ 2) evenly spaced values with both ends."""
    if len(values) <= limit:
        return list(values)
    return [values[round(index * (len(values) - 1) / (limit - 1))] for index in range(limit)]


def _value(point: Point) -> Decimal:
    return point.value


def _instant(point: Point) -> datetime:
    return point.at
