"""Histories that come newest first, walked forward: nothing is lost, nothing is out of order, few requests."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Side
from copytrade.errors import Unavailable
from copytrade.exchanges.bitget import paging
from copytrade.exchanges.values import moment, ms_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PAGE = 5
DAY_MS = 86_400_000


@dataclass
class Venue:
    """A list of executions as Bitget serves it: a page of the newest below an id, within a span of time."""

    times: list[int]
    """In ms before now; the id of an execution is its place in time."""
    with_ends: bool = True
    """Whether a span of time contains its ends."""
    asked: int = 0
    kept: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        ordered = sorted(ms_of(NOW) - before for before in self.times)
        self.kept = [{"tradeId": str(1000 + place), "cTime": str(at)} for place, at in enumerate(ordered)]

    async def rows(self, asked: dict[str, Any]) -> list[Any]:
        self.asked += 1
        starts, ends = int(asked["startTime"]), int(asked["endTime"])
        assert starts <= ends <= ms_of(NOW) + 1001, "a span in the time to come"
        assert ends - starts <= 90 * DAY_MS
        below = int(asked.get("idLessThan", 10**9))
        spread = 0 if self.with_ends else 1
        first, last = starts + spread, ends - spread
        found = [row for row in self.kept if first <= int(row["cTime"]) <= last and int(row["tradeId"]) < below]
        return found[::-1][: int(asked["limit"])]


def read(row: Any) -> Fill:
    number = Decimal(1)
    return Fill(row["tradeId"], "1", "BTC/USDT", Side.BUY, number, number, number, "USDT", moment(row["cTime"]))


@contextmanager
def small_pages() -> Iterator[None]:
    whole, paging.PAGE = paging.PAGE, PAGE
    try:
        yield
    finally:
        paging.PAGE = whole


def walk(venue: Venue, *, cursor: str = "", since: datetime = NOW - timedelta(days=80)) -> tuple[list[Fill], str]:
    async def run() -> tuple[list[Fill], str]:
        found: list[Fill] = []
        at = cursor
        for _ in range(2000):
            page = await paging.fills(venue.rows, cursor=at, since=since, now=NOW, parse=read)
            found += page.fills
            at = page.cursor
            if page.is_last:
                return found, at
        raise AssertionError("the pages do not end")

    with small_pages():
        return asyncio.run(run())


bursts = st.tuples(st.integers(0, 79 * DAY_MS), st.integers(1, 60), st.sampled_from([0, 1, 7, 900, 50_000]))


@settings(max_examples=60, deadline=None)
@given(st.lists(bursts, max_size=8), st.booleans())
@example([(0, 25, 0)], False)  # more than a window holds, all at this very moment
@example([(0, 1, 0), (0, 2, 1), (0, 42, 0)], True)  # and the end of a window beside it
def test_every_execution_is_met_in_its_order(found_at: list[tuple[int, int, int]], with_ends: bool) -> None:
    times = [min(before + place * gap, 79 * DAY_MS) for before, count, gap in found_at for place in range(count)]
    venue = Venue(times, with_ends)
    found, _ = walk(venue)
    assert [one.trade_id for one in found] == [row["tradeId"] for row in venue.kept]
    # Where a window is too full its pages are asked for once more; that may happen once for each burst.
    assert venue.asked <= 4 + paging._MOST_PAGES * len(found_at) + 3 * len(venue.times) // PAGE


def test_a_cursor_stays_short_however_much_there_is() -> None:
    venue = Venue([DAY_MS + 1000 * place for place in range(1500)])
    cursor, longest, found = "", 0, 0

    async def page() -> Any:
        return await paging.fills(venue.rows, cursor=cursor, since=NOW - timedelta(days=2), now=NOW, parse=read)

    with small_pages():
        while True:
            told = asyncio.run(page())
            cursor, found = told.cursor, found + len(told.fills)
            longest = max(longest, len(cursor))
            if told.is_last:
                break
    assert found == 1500
    assert longest < 200


def test_a_finished_walk_goes_on_with_one_request_and_meets_what_was_shown_late() -> None:
    venue = Venue([3 * DAY_MS, 2 * DAY_MS, 500])
    found, cursor = walk(venue)
    assert len(found) == 3
    venue.kept.insert(2, {"tradeId": "900", "cTime": str(ms_of(NOW) - 9_000)})
    venue.asked = 0
    again, _ = walk(venue, cursor=cursor)
    assert ([one.trade_id for one in again], venue.asked) == (["900", "1002"], 1)


def test_a_cursor_from_before_what_is_kept_or_from_the_time_to_come_is_held_within_it() -> None:
    venue = Venue([3 * DAY_MS])
    assert len(walk(venue, cursor="1:2,3")[0]) == 1
    assert walk(venue, cursor=f"{ms_of(NOW) + 60_000}:")[0] == []


def test_an_odd_row_is_kept_as_it_came_and_stops_no_other() -> None:
    venue = Venue([500, 600, 700])
    venue.kept[1] |= {"cTime": None}

    async def rows(asked: dict[str, Any]) -> list[Any]:
        return venue.kept[::-1]

    page = asyncio.run(paging.fills(rows, cursor="", since=NOW - timedelta(days=1), now=NOW, parse=read))
    assert [one.trade_id for one in page.fills] == ["1000", "1002"]
    assert len(page.spoiled) == 1
    assert "1001" in page.spoiled[0]


def test_a_full_page_without_an_id_is_an_error_and_not_the_end() -> None:
    async def rows(asked: dict[str, Any]) -> list[Any]:
        return [{"cTime": str(ms_of(NOW))}] * PAGE

    with small_pages(), pytest.raises(Unavailable):
        asyncio.run(paging.fills(rows, cursor="", since=NOW - timedelta(days=1), now=NOW, parse=read))


def test_spans_of_a_ledger_leave_nothing_between_them() -> None:
    asked: list[tuple[int, int]] = []

    async def rows(given_: dict[str, Any]) -> list[Any]:
        asked.append((int(given_["startTime"]), int(given_["endTime"])))
        return []

    since = NOW - timedelta(days=70)
    asyncio.run(paging.spanned(rows, since=since, until=NOW, longest=timedelta(days=30), id_field="billId"))
    assert asked[0][0] == ms_of(since) - 1
    assert asked[-1][1] == ms_of(NOW) + 1
    assert [start for start, _ in asked[1:]] == [end - 1 for _, end in asked[:-1]]
    assert len(asked) == 3
