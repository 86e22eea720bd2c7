"""From a stretch of an account's ledger to round trips and wallet effects: pure, the same at once or piece by piece."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
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


def in_dollars(entries: Iterable[LedgerEntry], *, prices: Mapping[tuple[str, date], Decimal]) -> list[LedgerEntry]:
    """Return entries with the coins among them valued in USDT at the close of their day; without one as they are."""
    rows = list[LedgerEntry]()
    for entry in entries:
        price = prices.get((entry.asset, entry.venue_time.astimezone(UTC).date()))
        rows.append(entry if price is None else replace(entry, asset="USDT", amount=entry.amount * price))
    return rows


def coins_moved(entries: Iterable[LedgerEntry], *, prices: Mapping[tuple[str, date], Decimal]) -> list[Execution]:
    """Return coins that were brought in or taken out on spot as if traded at the close of their day, without a fee.

    With the flow of the same worth beside it nothing is earned by it, and what happens to the coin from then on counts.
    """
    return [
        Execution(f"{entry.asset}/USDT", entry.amount, price, entry.venue_time, only_closes=entry.amount < 0)
        for entry in entries
        if entry.kind is EntryKind.TRANSFER
        and (price := prices.get((entry.asset, entry.venue_time.astimezone(UTC).date()))) is not None
    ]


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
