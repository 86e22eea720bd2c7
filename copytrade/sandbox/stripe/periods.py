"""Billing periods: counted from the anchor, the day clipped to the month's end."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta


def add(anchor: int, *, interval: str, count: int) -> int:
    """Return `anchor` (seconds) moved by `count` days, weeks, months or years."""
    start = datetime.fromtimestamp(anchor, UTC)
    match interval:
        case "day" | "week":
            return int((start + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
        case _:
            months = start.month - 1 + count * (12 if interval == "year" else 1)
            year, month = start.year + months // 12, months % 12 + 1
            day = min(start.day, monthrange(year, month)[1])
            return int(start.replace(year=year, month=month, day=day).timestamp())


def after(end: int, *, anchor: int, interval: str, step: int) -> int:
    """Return the end of the period that begins at `end`."""
    number = 1
    while (found := add(anchor, interval=interval, count=number * step)) <= end:
        number += 1
    return found
