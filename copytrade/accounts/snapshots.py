"""Reads equity and positions of every active account, again and again, many at once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select

from copytrade import clock, metrics
from copytrade.accounts import queries, service
from copytrade.accounts.models import AccountEquity, AccountPosition, EquitySnapshot, ExchangeAccount
from copytrade.accounts.reasons import Reason, State
from copytrade.db.bell import bell, ring
from copytrade.db.session import transaction
from copytrade.domain.fills import Equity, Position
from copytrade.domain.instruments import Role
from copytrade.errors import BadCredentials, ExchangeError
from copytrade.exchanges.limits import lane_of, reading_in
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.settings import settings

log = structlog.get_logger()

AT_ONCE = 20
"""Accounts that one process reads at the same time."""
BATCH = 200
LOOK_EVERY_S = 2.0


async def run(pool: ClientPool, stop: asyncio.Event) -> None:
    """Keep the equity and positions of all active accounts fresh until `stop` is set."""
    async for _ in bell().rings("snapshots", every=LOOK_EVERY_S):
        if stop.is_set():
            return
        due = await asyncio.to_thread(_claim, clock.now())
        slots = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for account, role in due:
                group.create_task(read(pool, account, role=role, slots=slots))


def put_snapshot(session: Session, *, account_id: UUID, equity: Equity, positions: Sequence[Position]) -> None:
    """Store what was read of an account; an older reading never replaces a newer one."""
    values = {
        "exchange_account_id": account_id,
        "read_at": equity.read_at,
        "total": equity.total,
        "wallet": equity.wallet,
        "unrealized_pnl": equity.unrealized_pnl,
        "available": equity.available,
    }
    statement = insert(AccountEquity).values(values)
    newer = session.exec(
        statement.on_conflict_do_update(
            index_elements=["exchange_account_id"],
            set_={name: statement.excluded[name] for name in values if name != "exchange_account_id"},
            where=statement.excluded.read_at > col(AccountEquity.read_at),
        ).returning(col(AccountEquity.exchange_account_id))
    ).first()
    if newer is None:
        return
    _put_positions(session, account_id=account_id, positions=positions, read_at=equity.read_at)
    if _is_point_due(session, account_id=account_id, read_at=equity.read_at):
        session.exec(insert(EquitySnapshot).values(**values, is_rebuilt=False).on_conflict_do_nothing())
        ring(session, f"user:{queries.owner_of(session, account_id)}")


def _is_point_due(session: Session, *, account_id: UUID, read_at: datetime) -> bool:
    last = session.exec(
        select(EquitySnapshot.read_at)
        .where(EquitySnapshot.exchange_account_id == account_id)
        .order_by(col(EquitySnapshot.read_at).desc())
    ).first()
    # The curve has a point a minute, however often the account is read; a few seconds early is in time.
    return last is None or read_at - last >= timedelta(seconds=settings().snapshot_interval_s * 0.9)


def _put_positions(session: Session, *, account_id: UUID, positions: Sequence[Position], read_at: datetime) -> None:
    session.exec(delete(AccountPosition).where(col(AccountPosition.exchange_account_id) == account_id))
    for position in positions:
        session.add(
            AccountPosition(
                exchange_account_id=account_id,
                symbol=position.symbol,
                position_side=position.position_side,
                quantity=position.quantity,
                entry_price=position.entry_price,
                mark_price=position.mark_price,
                unrealized_pnl=position.unrealized_pnl,
                leverage=position.leverage,
                liquidation_price=position.liquidation_price,
                margin_mode=position.margin_mode,
                read_at=read_at,
            )
        )


def interval(role: str) -> timedelta:
    """Return how often an account of this role is read: a lead's equity may be half a minute old at most."""
    seconds = settings().snapshot_interval_s
    return timedelta(seconds=min(seconds, settings().lead_equity_max_age_s // 2) if role == Role.LEAD else seconds)


def _claim(now: datetime) -> list[tuple[AccountRef, Role]]:
    """Take accounts that are due, and their roles, so that no other process reads them too."""
    with transaction() as session:
        rows = session.exec(
            select(ExchangeAccount)
            .where(ExchangeAccount.state == State.ACTIVE, col(ExchangeAccount.snapshot_due_at) <= now)
            .order_by(col(ExchangeAccount.snapshot_due_at))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for account in rows:
            account.snapshot_due_at = now + interval(account.role)
        return [(queries.account_ref(account), Role(account.role)) for account in rows]


async def read(pool: ClientPool, account: AccountRef, *, role: Role, slots: asyncio.Semaphore) -> None:
    """Read one account now; a key that is not accepted any more pauses it."""
    async with slots:
        try:
            client = await pool.get(account)
            with reading_in(lane_of(role)):
                equity, positions = await client.equity(), await client.positions()
        except BadCredentials as error:
            metrics.snapshots.labels(venue=account.venue.value, outcome="key_refused").inc()
            log.warning("account.key_refused", account=str(account.id), code=error.venue_code)
            await asyncio.to_thread(_pause, account.id)
            return
        except ExchangeError as error:
            metrics.snapshots.labels(venue=account.venue.value, outcome="missed").inc()
            log.info("snapshot.missed", account=str(account.id), code=error.venue_code, reason=error.message)
            return
    metrics.snapshots.labels(venue=account.venue.value, outcome="ok").inc()
    await asyncio.to_thread(_store, account.id, equity, positions)


def _pause(account_id: UUID) -> None:
    with transaction() as session:
        service.pause(session, account_id=account_id, reason=Reason.WRONG_KEY)


def _store(account_id: UUID, equity: Equity, positions: Sequence[Position]) -> None:
    with transaction() as session:
        put_snapshot(session, account_id=account_id, equity=equity, positions=positions)
