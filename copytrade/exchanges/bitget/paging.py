"""Walking Bitget's histories, which come newest first, so that they go forward and lose nothing."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from copytrade.domain.fills import Candle, Fill
from copytrade.errors import Unavailable
from copytrade.exchanges.bitget import shapes
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
_NARROWEST_MS = 1000
_MOST_PAGES = 5
"""A window with more pages is made narrower; one that cannot be is read to its end, whatever it holds."""

Rows = Callable[[dict[str, Any]], Awaitable[list[Any]]]
"""Asks for one page with the given filters and returns its rows, newest first."""


@dataclass(frozen=True, slots=True)
class _Window:
    starts: int
    width: int

    @property
    def cursor(self) -> str:
        return f"{self.starts}+{self.width}"


async def fills(rows: Rows, *, cursor: str, since: datetime, now: datetime, parse: Callable[[Any], Fill]) -> FillPage:
    """Return the executions of the window of time at `cursor`, oldest first, all of them.

    The cursor says where the next window starts and how wide it is to be: so wide that few pages fill it.
    """
    window = _window(cursor, since=since, oldest=now - KEPT)
    until = ms_of(now) + 1000
    ends = min(window.starts + window.width, until)
    found, is_whole = await _walk(rows, starts=window.starts, ends=ends, patient=window.width <= _NARROWEST_MS)
    if not is_whole:
        return FillPage((), _Window(window.starts, _narrower(found, window=window)).cursor, is_last=False)
    read, spoiled = read_rows(found, parse)
    read.sort(key=lambda one: (one.venue_time, len(one.trade_id), one.trade_id))
    is_last = ends == until
    goes_on = max(window.starts, ms_of(now) - OVERLAP_MS) if is_last else ends
    width = min(window.width * 2, _WIDEST_MS) if len(found) < PAGE // 2 else window.width
    return FillPage(read, _Window(goes_on, width).cursor, is_last, spoiled)


def _window(cursor: str, *, since: datetime, oldest: datetime) -> _Window:
    starts, _, width = cursor.partition("+")
    begins = int(starts) if starts else ms_of(since)
    return _Window(max(begins, ms_of(oldest)), int(width) if width else _WIDEST_MS // 4)


def _narrower(found: list[Any], *, window: _Window) -> int:
    """Return a width that some pages fill, by how long the newest ones of a window last; half of it at least."""
    times, _ = read_rows(found, lambda row: int(row["cTime"]))
    lasted = max(times) - min(times) if times else 0
    return max(min(lasted, window.width // 2), _NARROWEST_MS)


async def _walk(rows: Rows, *, starts: int, ends: int, patient: bool) -> tuple[list[Any], bool]:
    """Return the rows of a span, newest first, and whether they are all of them."""
    asked = {"startTime": str(starts), "endTime": str(ends)}
    found: list[Any] = []
    async for page in pages(rows, asked=asked, id_field="tradeId"):
        found += page
        if len(found) >= _MOST_PAGES * PAGE and len(page) == PAGE and not patient:
            return found, False
    return found, True


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
        asked = {"startTime": str(ms_of(starts)), "endTime": str(ms_of(ends))}
        found += await all_rows(rows, asked=asked, id_field=id_field)
        starts = ends + timedelta(milliseconds=1)
    return found


async def candles(
    wire: Wire, method: str, *, asked: dict[str, Any], interval: timedelta, since: datetime, until: datetime
) -> list[Candle]:
    """Return the candles that open in a window, oldest first."""
    found: dict[datetime, Candle] = {}
    starts = since
    while starts <= until:
        ends = min(starts + interval * (PAGE - 1), until)
        times = {"startTime": str(ms_of(starts)), "endTime": str(ms_of(ends)), "limit": str(PAGE)}
        body = await wire.ask(method, {**asked, **times})
        page: list[Candle] = wire.read(lambda answer: [shapes.candle(row) for row in answer["data"]], body)
        found |= {candle.opened_at: candle for candle in page if since <= candle.opened_at <= until}
        starts = ends + timedelta(milliseconds=1)
    return [found[opened] for opened in sorted(found)]


def rows_of(wire: Wire, method: str, parameters: dict[str, Any], *, at: Callable[[Any], Any]) -> Rows:
    """Return how to ask a list for its rows: `at` picks them out of an answer, which may hold none."""

    async def ask(asked: dict[str, Any]) -> list[Any]:
        body = await wire.ask(method, {**parameters, **asked})
        return wire.read(lambda answer: list(at(answer["data"]) or ()), body)

    return ask
