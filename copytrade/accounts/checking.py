"""Checks keys against their exchange: at linking, daily, and whenever somebody asks for it. Runs in a worker."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlmodel import Session, col, delete, select

from copytrade import clock, metrics
from copytrade.accounts import examining, handover, new_keys, paper_keys, queries, service, vault
from copytrade.accounts.acceptance import AGAIN, ATTEMPTS, LEASE, RETRY, Examined, accept, ask
from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.reasons import Reason, State
from copytrade.db.bell import bell, ring
from copytrade.db.session import transaction
from copytrade.domain.instruments import Role
from copytrade.exchanges.port import AccountRef, ClientPool, ExchangeClient
from copytrade.settings import settings

log = structlog.get_logger()

RETRY_LINKED = timedelta(minutes=10)
TIDY_EVERY = timedelta(hours=1)
KEEP_REFUSED = timedelta(hours=1)
BATCH = 20


async def run(pool: ClientPool, stop: asyncio.Event) -> None:
    """Check what is due until `stop` is set."""
    running: set[asyncio.Task[None]] = set()
    tidied_at = clock.now() - TIDY_EVERY
    async for _ in bell().rings(service.CHECK, every=settings().sweep_interval_s):
        if stop.is_set():
            break
        for work in await asyncio.to_thread(due, pool):
            task = asyncio.create_task(work)
            running.add(task)
            task.add_done_callback(running.discard)
            task.add_done_callback(_tell_crash)
        await asyncio.to_thread(handover.answer_all)
        if clock.now() - tidied_at >= TIDY_EVERY:
            tidied_at = clock.now()
            await asyncio.to_thread(tidy)
    await asyncio.gather(*running, return_exceptions=True)


def due(pool: ClientPool) -> list[Coroutine[Any, Any, None]]:
    """Claim accounts, new keys and examinations that are due, and return the work on each."""
    now = clock.now()
    return [
        *(check(pool, account, role=role) for account, role in _claim(now)),
        *(new_keys.check(pool, account, role=role) for account, role in new_keys.claim(now)),
        *(examining.examine(pool, account, role=role) for account, role in examining.claim(now)),
    ]


def _tell_crash(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("check.crashed", exc_info=error)


async def check(pool: ClientPool, account: AccountRef, *, role: Role) -> None:
    """Ask the venue about one account's key and store what follows from it."""
    found = await ask(_client(pool, account), account, role=role)
    metrics.account_checks.labels(venue=account.venue.value, outcome=found.reason or "ok").inc()
    if found.reason is not None:
        await pool.forget(account.id)
    await asyncio.to_thread(settle, account.id, found)


async def _client(pool: ClientPool, account: AccountRef) -> ExchangeClient:
    await paper_keys.ensure(account)
    return await pool.get(account)


def _claim(now: datetime) -> list[tuple[AccountRef, Role]]:
    with transaction() as session:
        rows = session.exec(
            select(ExchangeAccount)
            .where(
                col(ExchangeAccount.state).in_((State.CHECKING, State.ACTIVE, State.PAUSED)),
                col(ExchangeAccount.check_due_at) <= now,
            )
            .order_by(col(ExchangeAccount.check_due_at))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for account in rows:
            account.check_due_at = now + LEASE
            account.check_attempts += 1
        return [(queries.account_ref(account), Role(account.role)) for account in rows]


def settle(account_id: UUID, found: Examined) -> None:
    """Store what follows from a check: accepted, refused, paused, or asked again later."""
    with transaction() as session:
        account = session.get(ExchangeAccount, account_id, with_for_update=True)
        if account is None or account.state in (State.UNLINKED, State.REFUSED):
            return
        if found.reason is None:
            accept(session, account, found)
        elif found.reason is Reason.EXCHANGE_AWAY and (
            account.state != State.CHECKING or account.check_attempts < ATTEMPTS
        ):
            account.check_due_at = clock.now() + (RETRY if account.state == State.CHECKING else RETRY_LINKED)
        elif account.state == State.CHECKING:
            service.refuse(session, account, reason=found.reason)
        else:
            _suspend(session, account, service.exact(found.reason, account))


def _suspend(session: Session, account: ExchangeAccount, reason: Reason) -> None:
    service.pause(session, account_id=account.id, reason=reason)
    account.reason = reason
    account.checked_at, account.check_attempts = clock.now(), 0
    account.check_due_at = clock.now() + AGAIN
    ring(session, f"user:{account.user_id}")


def tidy() -> None:
    """Drop refusals that nobody came back to read, and seal secrets of older keys to the newest."""
    with transaction() as session:
        session.exec(
            delete(ExchangeAccount).where(
                col(ExchangeAccount.state) == State.REFUSED,
                col(ExchangeAccount.changed_at) < clock.now() - KEEP_REFUSED,
            )
        )
        vault.reseal_outdated(session)
