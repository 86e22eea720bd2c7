"""What moved into and out of a Binance spot account beside its trades: deposits, withdrawals, the owner's transfers."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from copytrade.domain.fills import LedgerEntry
from copytrade.exchanges.binance import paging, spot_shapes
from copytrade.exchanges.values import ms_of
from copytrade.exchanges.wire import Wire

WINDOW = timedelta(days=82)
"""The venue answers for less than 90 days at a time, of which a deposit's wait takes some."""
_CREDITED_WITHIN = timedelta(days=7)
"""How long a deposit may wait for its confirmations."""
_TRANSFERS_PAGE = 100
_TRANSFERS = tuple(
    direction
    for other in ("UMFUTURE", "CMFUTURE", "MARGIN", "FUNDING", "OPTION")
    for direction in (f"MAIN_{other}", f"{other}_MAIN")
)
"""Transfers are listed by kind: each wallet from and to spot (MAIN)."""


async def entries(wire: Wire, *, since: datetime, until: datetime) -> list[LedgerEntry]:
    """Return the movements of a window, complete, oldest first."""
    found: dict[str, LedgerEntry] = {}
    starts = since
    while starts < until:
        ends = min(starts + WINDOW, until)
        walks = [_deposits(wire, starts, ends), _withdrawals(wire, starts, ends)]
        walks += [_transfers(wire, starts, ends, kind) for kind in _TRANSFERS]
        for walked in await asyncio.gather(*walks):
            found |= {entry.entry_id: entry for entry in walked}
        starts = ends
    return sorted(found.values(), key=lambda one: one.venue_time)


async def _deposits(wire: Wire, starts: datetime, ends: datetime) -> list[LedgerEntry]:
    # asked for by the time they were seen, told by the time they were credited
    asked = _window(starts - _CREDITED_WITHIN, ends) | {"limit": paging.PAGE}
    rows = await _by_offset(wire, "sapiGetCapitalDepositHisrec", asked)
    found = wire.read(lambda body: _known(spot_shapes.deposit(row) for row in body), rows)
    return [one for one in found if starts <= one.venue_time <= ends]


async def _withdrawals(wire: Wire, starts: datetime, ends: datetime) -> list[LedgerEntry]:
    rows = await _by_offset(wire, "sapiGetCapitalWithdrawHistory", _window(starts, ends) | {"limit": paging.PAGE})
    return wire.read(
        lambda body: _known(spot_shapes.withdrawal(row, at_ms=_applied(row["applyTime"])) for row in body), rows
    )


def _applied(told: str) -> int:
    return ms_of(datetime.strptime(told, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC))


async def _transfers(wire: Wire, starts: datetime, ends: datetime, kind: str) -> list[LedgerEntry]:
    size = min(paging.PAGE, _TRANSFERS_PAGE)

    def rows_of(body: Any) -> list[Any]:
        return body.get("rows") or []  # without any the venue leaves the field out

    async def page(number: int) -> list[Any]:
        asked = _window(starts, ends) | {"type": kind, "current": number + 1, "size": size}
        return wire.read(rows_of, await wire.ask("sapiGetAssetTransfer", asked))

    rows = await _pages(page, size=size)
    return wire.read(lambda body: _known(spot_shapes.wallet_transfer(row) for row in body), rows)


async def _by_offset(wire: Wire, method: str, asked: dict[str, Any]) -> list[Any]:
    async def page(number: int) -> list[Any]:
        return wire.read(list, await wire.ask(method, asked | {"offset": number * asked["limit"]}))

    return await _pages(page, size=asked["limit"])


async def _pages(page: Callable[[int], Any], *, size: int) -> list[Any]:
    """Return the rows of all pages; newest come first, so that what is added meanwhile only repeats rows."""
    rows: list[Any] = []
    number = 0
    while True:
        got: list[Any] = await page(number)
        rows += got
        number += 1
        if len(got) < size:
            return rows


def _window(starts: datetime, ends: datetime) -> dict[str, Any]:
    return {"startTime": ms_of(starts), "endTime": ms_of(ends)}


def _known(found: Iterable[LedgerEntry | None]) -> list[LedgerEntry]:
    return [one for one in found if one is not None]
