"""From a stretch of an account's ledger to round trips and wallet effects: pure, the same at once or piece by piece."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from copytrade.domain.fills import EntryKind, LedgerEntry
from copytrade.domain.nav import Cash, Flow
from copytrade.domain.trip_book import TripBook
from copytrade.domain.trips import ZERO, Execution, Funding, Trip

DOLLARS = frozenset({"USDT", "USDC", "USD", "FDUSD", "BUSD"})


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an account's ledger in time order: executions, funding, flows; money in USDT."""

    executions: Sequence[Execution]
    fundings: Sequence[Funding]
    flows: Sequence[Flow]


@dataclass(frozen=True, slots=True)
class Derived:
    """What a stretch did: trips that closed, changes of the wallet, fills that closed more than was held."""

    closed: list[Trip]
    effects: list[Cash]
    missing: int
    fundings_of_earlier: list[Funding]
    """Funding of trips that had closed before this stretch."""


def derive(book: TripBook, *, stretch: Stretch) -> Derived:
    """Feed the book with the stretch and return what came out."""
    closed: list[Trip] = []
    effects = [Cash(flow.at, flow.amount) for flow in stretch.flows]
    missing = 0
    for execution in stretch.executions:
        applied = book.apply(execution)
        gross = applied.realized.gross if applied.realized else ZERO
        effects.append(Cash(execution.at, gross - execution.fee))
        missing += bool(applied.missing)
        if applied.closed:
            closed.append(applied.closed)
    effects.extend(Cash(funding.at, funding.amount) for funding in stretch.fundings)
    earlier = [funding for funding in stretch.fundings if not _settle(funding, book=book, closed=closed)]
    return Derived(closed, effects, missing, earlier)


def belongs(funding: Funding, *, trip: Trip) -> bool:
    """Return whether a trip held the symbol when the funding was paid: open before it and not closed before it."""
    same = trip.symbol == funding.symbol and funding.position_side in (None, trip.position_side)
    return same and trip.opened_at < funding.at and (trip.closed_at is None or funding.at <= trip.closed_at)


def sum_until(effects: Iterable[Cash], *, after: datetime, until: datetime) -> Decimal:
    """Return what effects in (after, until] add up to."""
    return sum((effect.amount for effect in effects if after < effect.at <= until), ZERO)


def flows_of(entries: Iterable[LedgerEntry]) -> list[Flow]:
    """Return what is no result of trading, in time order: transfers, and bonuses that belong to no symbol."""
    rows = [Flow(entry.venue_time, entry.amount) for entry in entries if _is_flow(entry)]
    return sorted(rows, key=lambda flow: flow.at)


def fundings_of(entries: Iterable[LedgerEntry]) -> list[Funding]:
    """Return what a position paid or got while it was held, in time order: funding, and what a liquidation cost.

    Fees and realized PnL come with the fills; the venue's own rows of them are not added.
    """
    rows = [Funding(entry.symbol, entry.amount, entry.venue_time) for entry in entries if _is_funding(entry)]
    return sorted(rows, key=lambda funding: funding.at)


def _is_flow(entry: LedgerEntry) -> bool:
    is_bonus = entry.kind is EntryKind.OTHER and not entry.symbol
    return (entry.kind is EntryKind.TRANSFER or is_bonus) and entry.asset in DOLLARS


def _is_funding(entry: LedgerEntry) -> bool:
    is_cost = entry.kind is EntryKind.OTHER and bool(entry.symbol)
    return (entry.kind is EntryKind.FUNDING or is_cost) and entry.asset in DOLLARS


def _settle(funding: Funding, *, book: TripBook, closed: list[Trip]) -> bool:
    if any(belongs(funding, trip=trip) for trip in book.trips.values()):
        return book.fund(funding)
    for index in range(len(closed) - 1, -1, -1):
        if belongs(funding, trip=closed[index]):
            closed[index] = replace(closed[index], funding=closed[index].funding + funding.amount)
            return True
    return False
