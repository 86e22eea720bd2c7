"""Walking Bybit's histories: windows of at most seven days, newest first within each, page by page of its cursor."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from copytrade.domain.fills import Candle, Fill, LedgerEntry
from copytrade.exchanges import alike
from copytrade.exchanges.bybit import shapes
from copytrade.exchanges.port import FillPage
from copytrade.exchanges.values import moment, ms_of
from copytrade.exchanges.wire import Wire

PAGE = 100
"""Rows of executions a page; lists of orders and of the ledger have half, candles ten times as many."""
WINDOW = timedelta(days=7)
OVERLAP = timedelta(seconds=15)
"""A finished walk starts again this far back: the venue may show a trade later than a newer one."""
_MOST_PAGES = 100
"""A window of more pages is halved: rows are handed over oldest first, so the whole of it is read before."""
_SHORTEST = timedelta(seconds=1)
_BY_TIME = "t:"

_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "12h": 720}
_LONG = {"1d": timedelta(days=1), "1w": timedelta(days=7)}
_INTERVALS = {**{name: str(minutes) for name, minutes in _MINUTES.items()}, "1d": "D", "1w": "W"}


async def walk(wire: Wire, method: str, asked: dict[str, Any], *, at_most: int | None = None) -> tuple[list[Any], bool]:
    """Return the rows of all pages as they came, and whether that is all (it may not be with `at_most` pages)."""
    found: list[Any] = []
    cursor, pages = "", 0
    while True:
        body = await wire.ask(method, asked | ({"cursor": cursor} if cursor else {}))
        rows = wire.read(shapes.listed, body)
        found += rows
        pages += 1
        before, cursor = cursor, wire.read(lambda told: str(told["result"].get("nextPageCursor") or ""), body)
        # after the last page some lists tell no cursor, some one to an empty page, some the same again
        if cursor in ("", before) or not rows:
            return found, True
        if at_most is not None and pages >= at_most:
            return found, False


def between(starts: datetime, ends: datetime) -> dict[str, int]:
    """Return how a span is asked for."""
    return {"startTime": ms_of(starts), "endTime": ms_of(ends)}


async def window(
    wire: Wire, method: str, asked: dict[str, Any], *, starts: datetime, ends: datetime
) -> tuple[list[Any], datetime]:
    """Return all rows from `starts` to an end that is `ends`, or earlier where there are too many; and that end."""
    while True:
        times = between(starts, ends)
        is_short = ends - starts <= _SHORTEST
        rows, is_all = await walk(wire, method, asked | times, at_most=None if is_short else _MOST_PAGES)
        if is_all:
            return rows, ends
        ends = starts + max((ends - starts) / 2, _SHORTEST)


def _next_width(rows: list[Any], *, width: timedelta) -> timedelta:
    """Return how long the next span may be: longer than this one where that was far from full."""
    return min(2 * width, WINDOW) if 3 * len(rows) <= _MOST_PAGES * PAGE else width


async def fills(
    wire: Wire,
    asked: dict[str, Any],
    *,
    cursor: str,
    since: datetime | None,
    now: datetime,
    skip: Callable[[datetime], Awaitable[datetime]],
    read: Callable[[list[Any]], Awaitable[tuple[list[Fill], tuple[str, ...]]]],
) -> FillPage:
    """Return the fills of the window at `cursor`, oldest first.

    `read` makes fills of rows; `skip` tells from when on there may be any.
    """
    at, width = _where(cursor, since=since, oldest=now - wire.ground.facts.fills_kept)
    starts = await skip(at)
    until = min(starts + width, max(now, starts) + timedelta(seconds=1))
    rows, ends = await window(wire, "privateGetV5ExecutionList", asked | {"limit": PAGE}, starts=starts, ends=until)
    found, spoiled = await read([row for row in rows if not _moves_nothing(row)])
    found.sort(key=lambda one: (one.venue_time, one.sequence))
    is_last = ends >= now
    # the next window begins in the millisecond in which this one ended, of which the venue may have known only half
    goes_on = max(starts, now - OVERLAP) if is_last else ends
    width = WINDOW if is_last else _next_width(rows, width=ends - starts)
    return FillPage(found, _cursor(goes_on, width=width), is_last, spoiled)


def _where(cursor: str, *, since: datetime | None, oldest: datetime) -> tuple[datetime, timedelta]:
    """Return where a cursor stands, and how long a span seems to fit into a few pages there."""
    if not cursor:
        return max(since, oldest) if since is not None else oldest, WINDOW
    at, _, width = cursor.removeprefix(_BY_TIME).partition(":")
    return moment(at), timedelta(milliseconds=int(width)) if width else WINDOW


def _cursor(at: datetime, *, width: timedelta) -> str:
    told = "" if width >= WINDOW else f":{width // timedelta(milliseconds=1)}"
    return f"{_BY_TIME}{ms_of(at)}{told}"


def _moves_nothing(row: Any) -> bool:
    return isinstance(row, dict) and row.get("execType") in shapes.NO_TRADES  # pyright: ignore[reportUnknownMemberType]


async def spans(
    wire: Wire, method: str, asked: dict[str, Any], *, since: datetime, until: datetime
) -> AsyncIterator[tuple[list[Any], datetime, datetime]]:
    """Give all rows of a time of any length, span by span, with where each starts and ends."""
    starts, width = since, WINDOW
    while starts < until:
        rows, ends = await window(wire, method, asked, starts=starts, ends=min(starts + width, until))
        yield rows, starts, ends
        starts, width = ends, _next_width(rows, width=ends - starts)


async def rows_between(
    wire: Wire, method: str, asked: dict[str, Any], *, since: datetime, until: datetime
) -> list[Any]:
    """Return all rows of a time of any length."""
    return [row async for rows, _, _ in spans(wire, method, asked, since=since, until=until) for row in rows]


async def entries(
    wire: Wire,
    asked: dict[str, Any],
    *,
    since: datetime,
    until: datetime,
    read: Callable[[Any], list[LedgerEntry]],
) -> list[LedgerEntry]:
    """Return the entries of a span, complete, oldest first."""
    page = {"accountType": "UNIFIED", "limit": min(PAGE, 50), **asked}
    rows = await rows_between(wire, "privateGetV5AccountTransactionLog", page, since=since, until=until)
    found = wire.read(lambda told: [entry for row in told for entry in read(row)], rows)
    unique = {entry.entry_id: entry for entry in found}
    return sorted(unique.values(), key=lambda entry: entry.venue_time)


async def candles(
    wire: Wire, asked: dict[str, Any], *, interval: str, since: datetime, until: datetime
) -> list[Candle]:
    """Return the candles that open in a span, oldest first; the venue tells the newest of it, so it is cut to fit."""
    found: dict[datetime, Candle] = {}
    limit = PAGE * 10
    step = _LONG.get(interval) or timedelta(minutes=_MINUTES[interval])
    starts = since
    while starts <= until:
        ends = min(starts + step * (limit - 1), until)
        times = {"start": ms_of(starts), "end": ms_of(ends), "interval": _INTERVALS[interval], "limit": limit}
        body = await wire.ask("publicGetV5MarketKline", asked | times)
        page = wire.read(lambda told: [alike.candle(row) for row in shapes.listed(told)], body)
        found |= {one.opened_at: one for one in page if since <= one.opened_at <= until}
        starts = ends + timedelta(milliseconds=1)
    return [found[at] for at in sorted(found)]
