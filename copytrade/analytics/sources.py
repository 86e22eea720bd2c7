"""What analytics reads of accounts and capture, in the words of `domain`: the only door to the other rooms' rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.analytics.derivation import DOLLARS, Stretch, coins_moved, flows_of, fundings_of, in_dollars
from copytrade.analytics.rows import CopyQuality
from copytrade.capture import queries as capture
from copytrade.copying import quality as copying
from copytrade.domain.fills import EntryKind, LedgerEntry
from copytrade.domain.instruments import Market, PositionSide, Side
from copytrade.domain.nav import Flow
from copytrade.domain.trips import ZERO, Execution
from copytrade.exchanges.port import AccountRef

BEGINNING = datetime(2009, 1, 1, tzinfo=UTC)
"""Before anything that can be traded here."""
FLOW_SNAPSHOT_AGE = timedelta(minutes=3)
"""A snapshot this old or younger tells the equity just before a flow."""


QUALITY_SPAN = timedelta(days=30)
"""Delays and slippage are told over this span."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A stretch of the ledger, with how many rows of each kind it is made of and fees that have no price."""

    stretch: Stretch
    fills: int
    entries: int
    unpriced_fees: int


def take(session: Session, ref: AccountRef, *, after: datetime, until: datetime) -> Taken:
    """Return an account's ledger with venue times in (after, until]."""
    rows = capture.executions(session, account_id=ref.id, after=(after, ""), until=until)
    fills = [row for row in rows if row.venue_time > after]
    entries = _entries(session, ref.id, after=after, until=until)
    prices = _fee_prices(session, ref, fills=fills)
    executions = [_execution(fill, market=ref.market, prices=prices) for fill in fills]
    unpriced = sum(1 for fill, done in zip(fills, executions, strict=True) if _is_unpriced(fill, execution=done))
    if ref.market is Market.SPOT:
        worth = _coin_prices(session, ref, entries=entries)
        executions = sorted([*executions, *coins_moved(entries, prices=worth)], key=lambda done: done.at)
        flows = flows_of(in_dollars(entries, prices=worth))
    else:
        flows = flows_of(entries)
    return Taken(Stretch(executions, fundings_of(entries), flows), len(fills), len(entries), unpriced)


def counts(session: Session, account_id: UUID, *, until: datetime) -> tuple[int, int]:
    """Return how many fills and ledger entries are known with venue times up to `until`."""
    fills = capture.fill_count(session, account_id=account_id, until=until)
    return fills, capture.entry_count(session, account_id=account_id, until=until)


def flows(session: Session, ref: AccountRef, *, after: datetime, until: datetime) -> list[Flow]:
    """Return deposits and withdrawals with venue times in (after, until], with the equity before them where read."""
    entries = _entries(session, ref.id, after=after, until=until)
    if ref.market is Market.SPOT:
        entries = in_dollars(entries, prices=_coin_prices(session, ref, entries=entries))
    return [_with_equity(session, ref.id, flow=flow) for flow in flows_of(entries)]


def _entries(session: Session, account_id: UUID, *, after: datetime, until: datetime) -> list[LedgerEntry]:
    return [
        LedgerEntry(row.entry_id, EntryKind(row.kind), row.asset, row.amount, row.venue_time, row.symbol)
        for row in capture.entries(session, account_id=account_id, since=after)
        if after < row.venue_time <= until
    ]


def _coin_prices(
    session: Session, ref: AccountRef, *, entries: Sequence[LedgerEntry]
) -> dict[tuple[str, date], Decimal]:
    """Return the daily closes of coins that were brought in or taken out, by asset and day."""
    moved = [entry for entry in entries if entry.kind is EntryKind.TRANSFER and entry.asset not in DOLLARS]
    if not moved:
        return {}
    symbols = {f"{entry.asset}/USDT": entry.asset for entry in moved}
    since = min(entry.venue_time for entry in moved).astimezone(UTC).date()
    known = capture.closes(session, venue=ref.venue, symbols=symbols, since=since)
    return {(symbols[symbol], day): price for (symbol, day), price in known.items()}


def daily_closes(
    session: Session, ref: AccountRef, *, symbols: Collection[str], since: date
) -> dict[tuple[str, date], Decimal]:
    """Return daily closing prices by symbol and day."""
    return capture.closes(session, venue=ref.venue, symbols=symbols, since=since)


def copy_quality(session: Session, *, profile_ids: Collection[UUID]) -> dict[UUID, CopyQuality]:
    """Return how closely the copies of each profile followed lately."""
    found = copying.delays(session, profile_ids=profile_ids, since=clock.now() - QUALITY_SPAN)
    return {profile_id: _quality(row) for profile_id, row in found.items()}


def quality_by_place(session: Session) -> dict[tuple[str, str], CopyQuality]:
    """Return how closely copies followed lately by venue and market, whoever was copied."""
    found = copying.delays_by_place(session, since=clock.now() - QUALITY_SPAN)
    return {place: _quality(row) for place, row in found.items()}


def _quality(row: copying.Delays) -> CopyQuality:
    return CopyQuality(
        count=row.count,
        delay_p50_ms=row.delay_p50_ms,
        delay_p95_ms=row.delay_p95_ms,
        delay_p99_ms=row.delay_p99_ms,
        slippage_p50_bps=row.slippage_p50_bps,
        slippage_p95_bps=row.slippage_p95_bps,
        slippage_p99_bps=row.slippage_p99_bps,
    )


def _execution(fill: capture.FillRow, *, market: Market, prices: dict[tuple[str, date], Decimal]) -> Execution:
    base, _, quote = fill.symbol.partition(":")[0].partition("/")
    execution = Execution(
        symbol=fill.symbol,
        quantity=fill.signed,
        price=fill.price,
        at=fill.venue_time,
        position_side=PositionSide(fill.position_side),
        only_closes=market is Market.SPOT and fill.side == Side.SELL,
        is_liquidation=fill.is_liquidation,
    )
    if fill.fee_asset == quote or fill.fee_asset in DOLLARS:
        return replace(execution, fee=fill.fee)
    if fill.fee_asset == base:
        on_spot = market is Market.SPOT
        return replace(execution, base_fee=fill.fee) if on_spot else replace(execution, fee=fill.fee * fill.price)
    price = prices.get((fill.fee_asset, fill.venue_time.astimezone(UTC).date()), ZERO)
    return replace(execution, fee=fill.fee * price)


def _is_unpriced(fill: capture.FillRow, *, execution: Execution) -> bool:
    return bool(fill.fee) and not execution.fee and not execution.base_fee


def _fee_prices(
    session: Session, ref: AccountRef, *, fills: Sequence[capture.FillRow]
) -> dict[tuple[str, date], Decimal]:
    assets = {fill.fee_asset for fill in fills if fill.fee and fill.fee_asset not in DOLLARS}
    if not assets:
        return {}
    settled = ":USDT" if ref.market is Market.PERPETUAL else ""
    symbols = {f"{asset}/USDT{settled}": asset for asset in assets}
    since = min(fill.venue_time for fill in fills).astimezone(UTC).date()
    known = capture.closes(session, venue=ref.venue, symbols=symbols, since=since)
    return {(symbols[symbol], day): price for (symbol, day), price in known.items()}


def _with_equity(session: Session, account_id: UUID, *, flow: Flow) -> Flow:
    seen = accounts.reading_before(session, account_id=account_id, at=flow.at)
    if seen is None or flow.at - seen.read_at > FLOW_SNAPSHOT_AGE:
        return flow
    return replace(flow, equity_before=seen.total)
