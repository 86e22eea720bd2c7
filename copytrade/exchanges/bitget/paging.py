"""Walking Bitget's histories, which come newest first, so that they go forward and lose nothing."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from copytrade.domain.fills import Candle, Fill
from copytrade.errors import Unavailable
from copytrade.exchanges import alike
from copytrade.exchanges.port import FillPage
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.values import ms_of
from copytrade.exchanges.wire import Wire

PAGE = 100
OVERLAP_MS = 15_000
"""A finished walk starts again this far back: the venue may show a trade later than a newer one."""
KEPT = timedelta(days=90) - timedelta(minutes=1)
"""How far back the venue lets itself be asked, less a minute for the way there."""
_WIDEST_MS = 30 * 24 * 3_600_000
_MOST_PAGES = 5
"""A window with more pages is split where they end, so that the older part is told first."""
_MOST_SPLITS = 12
"""So many ends of windows a cursor remembers; those beyond are found again."""

Rows = Callable[[dict[str, Any]], Awaitable[list[Any]]]
"""Asks for one page with the given filters and returns its rows, newest first."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a walk stands: the start of the next window and the ends of the next ones, nearest first."""

    starts: int
    ends: tuple[int, ...] = ()

    @property
    def cursor(self) -> str:
        return f"{self.starts}:{','.join(str(end) for end in self.ends)}"


async def fills(rows: Rows, *, cursor: str, since: datetime, now: datetime, parse: Callable[[Any], Fill]) -> FillPage:
    """Return the executions of the window of time at `cursor`, oldest first, all of them.

    A window that holds too many is split: then the page is empty and the cursor leads to its older part.
    """
    way = _way(cursor, since=since, now=now)
    ends = way.ends[0] if way.ends else _end(way.starts, now=now)
    found, split_at = await _walk(rows, starts=way.starts, ends=ends)
    if split_at is not None:
        known = way.ends or (ends,)
        return FillPage((), _Way(way.starts, (split_at, *known)[:_MOST_SPLITS]).cursor, is_last=False)
    read, spoiled = read_rows(found, parse)
    read = [one for one in read if way.starts <= ms_of(one.venue_time) <= ends]
    read.sort(key=lambda one: (one.venue_time, len(one.trade_id), one.trade_id))
    if ends > ms_of(now):
        goes_on = _Way(max(way.starts, ms_of(now) - OVERLAP_MS))
        return FillPage(read, goes_on.cursor, is_last=True, spoiled=spoiled)
    return FillPage(read, _Way(ends + 1, way.ends[1:]).cursor, is_last=False, spoiled=spoiled)


def _way(cursor: str, *, since: datetime, now: datetime) -> _Way:
    told, _, listed = cursor.partition(":")
    begins = int(told) if told else ms_of(since)
    starts = min(max(begins, ms_of(now - KEPT)), ms_of(now) + 1)
    return _Way(starts, tuple(int(end) for end in listed.split(",") if end and int(end) >= starts))


def _end(starts: int, *, now: datetime) -> int:
    """Return where the window ends that begins at `starts`: a second beyond now where it reaches now."""
    ends = starts + _WIDEST_MS
    return ms_of(now) + 1000 if ends >= ms_of(now) else ends


async def _walk(rows: Rows, *, starts: int, ends: int) -> tuple[list[Any], int | None]:
    """Return the rows of a span, newest first; where they are too many also the ms at which it is to be split."""
    found: list[Any] = []
    async for page in pages(rows, asked=span(starts, ends), id_field="tradeId"):
        found += page
        if len(found) >= _MOST_PAGES * PAGE and len(page) == PAGE:
            times, _ = read_rows(page, lambda row: int(row["cTime"]))
            if times and starts <= min(times) < ends:  # one millisecond is never split
                return found, min(times)
    return found, None


def span(starts: int, ends: int) -> dict[str, Any]:
    """Return the fields that ask for a time, a millisecond wider: whether its ends belong to it is not documented."""
    return {"startTime": str(starts - 1), "endTime": str(ends + 1)}


async def pages(rows: Rows, *, asked: dict[str, Any], id_field: str) -> AsyncGenerator[list[Any]]:
    """Yield page after page, each older than the one before, until one is not full."""
    below: dict[str, Any] = {}
    while True:
        page = await rows({**asked, **below, "limit": str(PAGE)})
        yield page
        if len(page) < PAGE:
            return
        below = {"idLessThan": str(_lowest(page, id_field=id_field))}


def _lowest(page: list[Any], *, id_field: str) -> int:
    """Return the id below which the next page lies, whatever single rows look like."""
    ids, _ = read_rows(page, lambda row: int(row[id_field]))
    if not ids:
        raise Unavailable("bitget: a page told no ids to go on from", venue="bitget")
    return min(ids)


async def all_rows(rows: Rows, *, asked: dict[str, Any], id_field: str) -> list[Any]:
    """Return every row of all pages, newest first."""
    return [row async for page in pages(rows, asked=asked, id_field=id_field) for row in page]


async def spanned(rows: Rows, *, since: datetime, until: datetime, longest: timedelta, id_field: str) -> list[Any]:
    """Return every row of a time of any length, asked for in spans that the venue allows."""
    found: list[Any] = []
    starts = since
    while starts <= until:
        ends = min(starts + longest, until)
        found += await all_rows(rows, asked=span(ms_of(starts), ms_of(ends)), id_field=id_field)
        starts = ends + timedelta(milliseconds=1)
    return found


async def candles(
    wire: Wire, method: str, *, asked: dict[str, Any], interval: timedelta, since: datetime, until: datetime
) -> list[Candle]:
    """Return the candles that open in a window, oldest first."""
    found: dict[datetime, Candle] = {}
    starts = since
    while starts <= until:
        # the ends of the span may bring a candle each that does not open in it
        ends = min(starts + interval * (PAGE - 3), starts + KEPT, until)
        times = {**span(ms_of(starts), ms_of(ends)), "limit": str(PAGE)}
        body = await wire.ask(method, {**asked, **times})
        page: list[Candle] = wire.read(lambda answer: [alike.candle(row) for row in answer["data"]], body)
        found |= {candle.opened_at: candle for candle in page if since <= candle.opened_at <= until}
        starts = ends + timedelta(milliseconds=1)
    return [found[opened] for opened in sorted(found)]


def rows_of(wire: Wire, method: str, parameters: dict[str, Any], *, at: Callable[[Any], Any]) -> Rows:
    """Return how to ask a list for its rows: `at` picks them out of an answer, which may hold none."""

    async def ask(asked: dict[str, Any]) -> list[Any]:
        body = await wire.ask(method, {**parameters, **asked})
        return wire.read(lambda answer: list(at(answer["data"]) or ()), body)

    return ask
