"""Walking Binance's histories to their end: trades by id, income and candles by time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from copytrade.domain.fills import Candle, Fill, LedgerEntry
from copytrade.exchanges import alike
from copytrade.exchanges.binance import shapes, spot_shapes
from copytrade.exchanges.naming import id_of, symbol_of
from copytrade.exchanges.port import FillPage
from copytrade.exchanges.rows import ReadRow, read_rows
from copytrade.exchanges.values import moment, ms_of, text
from copytrade.exchanges.wire import Wire

PAGE = 1000
OVERLAP = timedelta(seconds=15)
"""A finished walk starts again this far back: the venue may show a trade later than a newer one."""
_BY_ID, _BY_TIME = "id:", "t:"


@dataclass(frozen=True, slots=True)
class Trades:
    """A history of trades: the call, the longest window it answers for, and how its rows are read."""

    method: str
    window: timedelta
    read: ReadRow[Fill]
    by_time_within: timedelta | None
    """A walk that begins longer ago goes by id from the first trade of all; None: the venue does not keep that long."""


PERPETUAL = Trades("fapiPrivateGetUserTrades", timedelta(days=7), shapes.fill, None)
SPOT = Trades("privateGetMyTrades", timedelta(days=1), spot_shapes.fill, timedelta(days=5))


async def fills(
    wire: Wire, symbol: str, *, trades: Trades, cursor: str, since: datetime | None, now: datetime
) -> FillPage:
    """Return the page of trades at `cursor`: windows of time until the first trade is met, by trade id from then on."""
    asked: dict[str, Any] = {"symbol": id_of(wire.ground, symbol), "limit": PAGE}
    ends: datetime | None = None
    if cursor.startswith(_BY_ID):
        asked["fromId"] = cursor.removeprefix(_BY_ID)
    elif (starts := _start(wire, trades, cursor=cursor, since=since, now=now)) is None:
        asked["fromId"] = 0
    else:
        ends = min(starts + trades.window - timedelta(milliseconds=1), now + timedelta(seconds=1))
        asked |= {"startTime": ms_of(starts), "endTime": ms_of(ends)}
    rows = wire.read(list, await wire.ask(trades.method, asked))
    read, spoiled = read_rows(rows, lambda row: trades.read(row, symbol=symbol))
    read.sort(key=lambda one: int(one.trade_id))
    if ends is not None and not rows:
        is_last = ends >= now
        return FillPage((), _BY_TIME + str(ms_of(now - OVERLAP if is_last else ends)), is_last, spoiled)
    # A window that had trades may have had more than a page, or newer ones after it: by id from here.
    is_last = ends is None and len(rows) < PAGE
    after = _after(read, rows, is_last=is_last, now=now)
    return FillPage(read, after or cursor, is_last or not after, spoiled)


def _start(wire: Wire, trades: Trades, *, cursor: str, since: datetime | None, now: datetime) -> datetime | None:
    """Return from when to walk by time; None: by id from the first trade."""
    if cursor.startswith(_BY_TIME):
        return moment(cursor.removeprefix(_BY_TIME))
    if trades.by_time_within is not None:
        return since if since is not None and since > now - trades.by_time_within else None
    oldest = now - wire.ground.facts.fills_kept
    return max(since, oldest) if since is not None else oldest


def _after(read: list[Fill], rows: list[Any], *, is_last: bool, now: datetime) -> str:
    """Return the cursor after a page, of spoiled rows too where their ids can be read; empty where none can."""
    recent = [one for one in read if one.venue_time > now - OVERLAP] if is_last else []
    if recent:
        return _BY_ID + recent[0].trade_id
    ids, _ = read_rows(rows, lambda row: int(text(row["id"])))
    return f"{_BY_ID}{max(ids) + 1}" if ids else ""


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


async def candles(
    wire: Wire, method: str, venue_symbol: str, *, interval: str, since: datetime, until: datetime
) -> list[Candle]:
    """Return the candles that open in a window, oldest first."""
    found: list[Candle] = []
    starts, ends = ms_of(since), ms_of(until)
    while starts <= ends:
        asked = {"symbol": venue_symbol, "interval": interval, "startTime": starts, "endTime": ends, "limit": PAGE}
        body = await wire.ask(method, asked)
        page = wire.read(lambda rows: [alike.candle(row) for row in rows], body)
        found += page
        if len(page) < PAGE:
            break
        starts = ms_of(page[-1].opened_at) + 1
    return found
