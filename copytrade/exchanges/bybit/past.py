"""Where in an account's past nothing was executed: the venue tells a week at a time, and most weeks are empty."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from copytrade.exchanges.bybit import paging, shapes
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.values import text
from copytrade.exchanges.wire import Wire

LONG_AGO = 3 * paging.WINDOW
"""A walk that begins before this is worth a look at all of the account's weeks first."""
_SETTLED = timedelta(hours=1)
"""Of what is younger nothing is remembered: the venue may still add to it."""


@dataclass(frozen=True, slots=True)
class Span:
    """What was executed from `starts` to `ends`: in which of the venue's symbols; None: not known in which."""

    starts: datetime
    ends: datetime
    symbols: frozenset[str] | None


class Past:
    """What is known of the spans of one account's past, contiguous and oldest first."""

    def __init__(self, wire: Wire, category: dict[str, Any]) -> None:
        self._wire = wire
        self._asked = {**category, "limit": paging.PAGE}
        self._spans: list[Span] = []
        self._exploring = asyncio.Lock()

    async def traded(self, *, since: datetime, now: datetime) -> set[str]:
        """Return the venue's symbols of all executions since, and remember when they were."""
        spans: list[Span] = []
        until = now + timedelta(seconds=1)
        async for rows, starts, ends in paging.spans(
            self._wire, "privateGetV5ExecutionList", self._asked, since=since, until=until
        ):
            spans.append(Span(starts, ends, frozenset(_symbols(rows))))
        settled = [span for span in spans if span.ends <= now - _SETTLED]
        if settled and (not self._spans or settled[0].starts < self._spans[0].starts):
            self._spans = settled
        return {symbol for span in spans for symbol in span.symbols or ()}

    async def explore(self, *, since: datetime, now: datetime) -> None:
        """Look once at each week since: which are empty, and where a page holds all of a week, what was traded."""
        async with self._exploring:
            if not self._spans or self._spans[0].starts > since:
                self._spans = []
            starts = self._spans[-1].ends if self._spans else since
            while (ends := starts + paging.WINDOW) <= now - _SETTLED:
                asked = self._asked | paging.between(starts, ends)
                rows, is_all = await paging.walk(self._wire, "privateGetV5ExecutionList", asked, at_most=1)
                self._spans.append(Span(starts, ends, frozenset(_symbols(rows)) if is_all else None))
                starts = ends

    def skip(self, symbol: str, at: datetime) -> datetime:
        """Return from when on something may have been executed in a symbol: `at`, or later."""
        for span in self._spans:
            if span.starts <= at < span.ends and span.symbols is not None and symbol not in span.symbols:
                at = span.ends
        return at


def _symbols(rows: list[Any]) -> set[str]:
    read, _ = read_rows(rows, lambda row: (row.get("execType"), text(row["symbol"])))
    return {symbol for kind, symbol in read if kind not in shapes.NO_TRADES}
