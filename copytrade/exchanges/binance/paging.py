"""Walking Binance's histories to their end: trades by id, income and candles by time."""

from datetime import datetime, timedelta
from typing import Any

from copytrade.domain.fills import Candle, Fill, LedgerEntry
from copytrade.exchanges.binance import shapes
from copytrade.exchanges.naming import id_of, symbol_of
from copytrade.exchanges.port import FillPage
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.values import moment, ms_of
from copytrade.exchanges.wire import Wire

PAGE = 1000
WINDOW = timedelta(days=7)
OVERLAP = timedelta(seconds=15)
"""A finished walk starts again this far back: the venue may show a trade later than a newer one."""
_BY_ID, _BY_TIME = "id:", "t:"


async def fills(wire: Wire, symbol: str, *, cursor: str, since: datetime | None, now: datetime) -> FillPage:
    """Return the page of trades at `cursor`: windows of time until the first trade is met, by trade id from then on."""
    asked: dict[str, Any] = {"symbol": id_of(wire.ground, symbol), "limit": PAGE}
    ends: datetime | None = None
    if cursor.startswith(_BY_ID):
        asked["fromId"] = cursor.removeprefix(_BY_ID)
    else:
        starts = _start(wire, cursor=cursor, since=since, now=now)
        ends = min(starts + WINDOW - timedelta(milliseconds=1), now + timedelta(seconds=1))
        asked |= {"startTime": ms_of(starts), "endTime": ms_of(ends)}
    rows = await wire.ask("fapiPrivateGetUserTrades", asked)
    read, spoiled = read_rows(wire.read(list, rows), lambda row: shapes.fill(row, symbol=symbol))
    read.sort(key=lambda one: int(one.trade_id))
    if ends is not None and not rows:
        is_last = ends >= now
        return FillPage((), _BY_TIME + str(ms_of(now - OVERLAP if is_last else ends)), is_last, spoiled)
    # A window that had trades may have had more than a page, or newer ones after it: by id from here.
    is_last = ends is None and len(rows) < PAGE
    return FillPage(read, _next(read, cursor=cursor, is_last=is_last, now=now), is_last, spoiled)


def _start(wire: Wire, *, cursor: str, since: datetime | None, now: datetime) -> datetime:
    if cursor.startswith(_BY_TIME):
        return moment(cursor.removeprefix(_BY_TIME))
    oldest = now - wire.ground.facts.fills_kept
    return max(since, oldest) if since is not None else oldest


def _next(read: list[Fill], *, cursor: str, is_last: bool, now: datetime) -> str:
    if not read:
        return cursor
    recent = [one for one in read if one.venue_time > now - OVERLAP] if is_last else []
    return _BY_ID + (recent[0].trade_id if recent else str(int(read[-1].trade_id) + 1))


async def entries(wire: Wire, *, since: datetime, until: datetime) -> list[LedgerEntry]:
    """Return the income of a window, complete, oldest first.

    At a full page goes on from its last millisecond; by page number only while one millisecond fills whole pages,
    since a row that the venue books late would move the pages of a longer window.
    """
    found: dict[str, LedgerEntry] = {}
    starts, ends, number = ms_of(since), ms_of(until), 1
    while True:
        asked = {"startTime": starts, "endTime": ends, "limit": PAGE, "page": number}
        body = await wire.ask("fapiPrivateGetIncome", asked)
        page = wire.read(lambda rows: [_entry(wire, row) for row in rows], body)
        found |= {entry.entry_id: entry for entry in page}
        if len(page) < PAGE:
            return sorted(found.values(), key=lambda entry: entry.venue_time)
        last = max(ms_of(entry.venue_time) for entry in page)
        starts, number = (last, 1) if last > starts else (starts, number + 1)


def _entry(wire: Wire, row: Any) -> LedgerEntry:
    venue_symbol = row.get("symbol") or ""
    return shapes.entry(row, symbol=symbol_of(wire.ground, venue_symbol) if venue_symbol else "")


async def candles(wire: Wire, venue_symbol: str, *, interval: str, since: datetime, until: datetime) -> list[Candle]:
    """Return the candles that open in a window, oldest first."""
    found: list[Candle] = []
    starts, ends = ms_of(since), ms_of(until)
    while starts <= ends:
        asked = {"symbol": venue_symbol, "interval": interval, "startTime": starts, "endTime": ends, "limit": PAGE}
        body = await wire.ask("fapiPublicGetKlines", asked)
        page = wire.read(lambda rows: [shapes.candle(row) for row in rows], body)
        found += page
        if len(page) < PAGE:
            break
        starts = ms_of(page[-1].opened_at) + 1
    return found
