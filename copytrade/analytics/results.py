"""What each subscription earned: its copy orders alone, after fees, open positions at the last mark."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.analytics.derivation import DOLLARS
from copytrade.analytics.models import SubscriptionResult
from copytrade.copying import quality as copying
from copytrade.copying.quality import CopiedBy, CopyExecution
from copytrade.domain.nav import DUST_FLOOR
from copytrade.domain.trip_book import TripBook, replay
from copytrade.domain.trips import ZERO, Execution


def refresh_results(session: Session) -> int:
    """Bring the result of every subscription that copied something up to date; return how many had new orders."""
    subscriptions = {each.subscription_id: each for each in copying.subscriptions(session)}
    counts = copying.filled_order_counts(session)
    rows = session.exec(select(SubscriptionResult).where(col(SubscriptionResult.subscription_id).in_(counts)))
    known = {row.subscription_id: row for row in rows}
    changed = [key for key, count in counts.items() if _count(known.get(key)) != count and key in subscriptions]
    executed: dict[UUID, list[CopyExecution]] = {}
    for execution in copying.executions(session, subscription_ids=changed):
        executed.setdefault(execution.subscription_id, []).append(execution)
    now = clock.now()
    for key, executions in executed.items():
        row = known.setdefault(key, _begin(session, subscriptions[key], first=executions[0].at, now=now))
        row.orders, row.filled = counts[key]
        _realize(row, executions=executions)
    moving = [row for key, row in known.items() if row.book or key in executed]
    marks = _marks(session, {row.copy_account_id for row in moving})
    for row in moving:
        _mark(row, marks=marks[row.copy_account_id], now=now)
        session.add(row)
    session.flush()
    return len(executed)


def _count(row: SubscriptionResult | None) -> tuple[int, Decimal]:
    return (row.orders, row.filled) if row else (0, ZERO)


def _begin(session: Session, subscription: CopiedBy, *, first: datetime, now: datetime) -> SubscriptionResult:
    """Return a new row; its base is the copy account's equity before the first copy, else the first known."""
    account_id = subscription.copy_account_id
    seen = accounts.reading_before(session, account_id=account_id, at=first)
    seen = seen or accounts.first_reading(session, account_id=account_id)
    return SubscriptionResult(
        subscription_id=subscription.subscription_id,
        profile_id=subscription.profile_id,
        copy_account_id=account_id,
        is_paper=subscription.is_paper,
        base=seen.total if seen else None,
        refreshed_at=now,
    )


def _realize(row: SubscriptionResult, *, executions: Sequence[CopyExecution]) -> None:
    book = TripBook()
    closed = replay(book, executions=[_execution(execution) for execution in executions])
    trips = [*closed, *book.trips.values()]
    by_symbol: dict[str, Decimal] = {}
    for trip in trips:
        by_symbol[trip.symbol] = by_symbol.get(trip.symbol, ZERO) + trip.net
    row.fees = sum((trip.fee for trip in trips), ZERO)
    row.realized = sum((trip.gross for trip in trips), ZERO)
    row.by_symbol = {symbol: str(net) for symbol, net in by_symbol.items()}
    row.closed = len(closed)
    row.book = book.dump()


def _mark(row: SubscriptionResult, *, marks: dict[str, Decimal], now: datetime) -> None:
    """Value what is open at the copy account's last marks, at its own cost where the account does not show it."""
    trips = TripBook.load(row.book).trips.values()
    row.unrealized = sum((trip.unrealized(marks[trip.symbol]) for trip in trips if trip.symbol in marks), ZERO)
    row.net = row.realized + row.unrealized - row.fees
    row.net_return = float(row.net / row.base) if row.base is not None and row.base >= DUST_FLOOR else None
    row.refreshed_at = now


def _execution(row: CopyExecution) -> Execution:
    fee = row.fee if row.fee_asset in DOLLARS else ZERO
    is_spot = ":" not in row.symbol
    in_base = row.fee if is_spot and row.fee_asset == row.symbol.partition("/")[0] else ZERO
    return Execution(
        row.symbol,
        row.quantity,
        row.price,
        row.at,
        fee=fee,
        base_fee=in_base,
        position_side=row.position_side,
        only_closes=is_spot and row.quantity < 0,
    )


def _marks(session: Session, account_ids: set[UUID]) -> dict[UUID, dict[str, Decimal]]:
    return {
        account_id: {held.symbol: held.mark_price for held in accounts.positions(session, account_id)}
        for account_id in account_ids
    }
