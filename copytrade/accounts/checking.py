"""Checks keys against their exchange: at linking, daily, and whenever somebody asks for it. Runs in a worker."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlmodel import Session, col, delete, select

from copytrade import clock, metrics
from copytrade.accounts import handover, queries, service, snapshots, vault
from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.reasons import Reason, State, objection
from copytrade.db.bell import bell, ring
from copytrade.db.events import record
from copytrade.db.session import transaction
from copytrade.domain.fills import Equity, KeyPermissions, Position
from copytrade.domain.instruments import Role
from copytrade.errors import BadCredentials, ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool, ExchangeClient
from copytrade.settings import settings

log = structlog.get_logger()

AGAIN = timedelta(days=1)
LEASE = timedelta(seconds=60)
RETRY = timedelta(seconds=3)
ATTEMPTS = 4
"""How often a venue that does not answer is asked before a linking is given up; a linked account waits longer."""
RETRY_LINKED = timedelta(minutes=10)
MOST_SKEW = timedelta(seconds=1)
TIDY_EVERY = timedelta(hours=1)
KEEP_REFUSED = timedelta(hours=1)
BATCH = 20


@dataclass(frozen=True, slots=True)
class Examined:
    """What a venue told about a key: why it is refused, or what it may do and what the account holds."""

    reason: Reason | None = None
    permissions: KeyPermissions | None = None
    equity: Equity | None = None
    positions: Sequence[Position] = ()


async def run(pool: ClientPool, stop: asyncio.Event) -> None:
    """Check what is due until `stop` is set."""
    running: set[asyncio.Task[None]] = set()
    tidied_at = clock.now() - TIDY_EVERY
    async for _ in bell().rings(service.CHECK, every=settings().sweep_interval_s):
        if stop.is_set():
            break
        for account, role in await asyncio.to_thread(_claim, clock.now()):
            task = asyncio.create_task(check(pool, account, role=role))
            running.add(task)
            task.add_done_callback(running.discard)
            task.add_done_callback(_tell_crash)
        await asyncio.to_thread(handover.answer_all)
        if clock.now() - tidied_at >= TIDY_EVERY:
            tidied_at = clock.now()
            await asyncio.to_thread(tidy)
    await asyncio.gather(*running, return_exceptions=True)


def _tell_crash(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("check.crashed", exc_info=error)


async def check(pool: ClientPool, account: AccountRef, *, role: Role) -> None:
    """Ask the venue about one account's key and store what follows from it."""
    try:
        found = await examine(await pool.get(account), role=role)
    except BadCredentials as error:
        log.info("check.refused", account=str(account.id), code=error.venue_code, reason=error.message)
        is_unreadable = error.user.text == vault.SECRET_UNREADABLE
        found = Examined(reason=Reason.SECRET_UNREADABLE if is_unreadable else Reason.WRONG_KEY)
    except ExchangeError as error:
        log.info("check.unavailable", account=str(account.id), code=error.venue_code, reason=error.message)
        found = Examined(reason=Reason.EXCHANGE_AWAY)
    metrics.account_checks.labels(venue=account.venue.value, outcome=found.reason or "ok").inc()
    if found.reason is not None:
        await pool.forget(account.id)
    await asyncio.to_thread(settle, account.id, found)


async def examine(client: ExchangeClient, *, role: Role) -> Examined:
    """Return what the venue says about a key; nothing is placed or changed there."""
    if await _is_skewed(client):
        return Examined(reason=Reason.CLOCK_SKEW)
    permissions = await client.permissions()
    refused = objection(permissions, role=role, is_hedged=False, now=clock.real_now())
    if refused is not None:
        return Examined(reason=refused, permissions=permissions)
    refused = objection(permissions, role=role, is_hedged=await client.is_hedged(), now=clock.real_now())
    if refused is not None:
        return Examined(reason=refused, permissions=permissions)
    return Examined(permissions=permissions, equity=await client.equity(), positions=await client.positions())


async def _is_skewed(client: ExchangeClient) -> bool:
    asked = clock.real_now()
    told = await client.server_time()
    answered = clock.real_now()
    # The venue read its clock somewhere in between; only what lies outside of that is skew. A sandbox's clock may be
    # moved ahead together with ours.
    ours = {timedelta(), clock.offset()}
    return not any(asked - MOST_SKEW <= told - ahead <= answered + MOST_SKEW for ahead in ours)


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
            _accept(session, account, found)
        elif found.reason is Reason.EXCHANGE_AWAY and (
            account.state != State.CHECKING or account.check_attempts < ATTEMPTS
        ):
            account.check_due_at = clock.now() + (RETRY if account.state == State.CHECKING else RETRY_LINKED)
        elif account.state == State.CHECKING:
            service.refuse(session, account, reason=found.reason)
        else:
            _suspend(session, account, found.reason)


def _accept(session: Session, account: ExchangeAccount, found: Examined) -> None:
    assert found.permissions is not None
    assert found.equity is not None
    now, is_new = clock.now(), account.state == State.CHECKING
    if account.state != State.ACTIVE:
        account.changed_at = now
    account.state, account.reason, account.check_attempts = State.ACTIVE, "", 0
    account.checked_at, account.check_due_at = now, now + AGAIN
    account.linked_at = account.linked_at or now
    account.ip_restricted = found.permissions.ip_restricted
    account.key_expires_at = found.permissions.expires_at
    account.permissions = {name: fact for name, fact in asdict(found.permissions).items() if isinstance(fact, bool)}
    account.snapshot_due_at = account.snapshot_due_at or now + snapshots.interval(account.role)
    session.flush()
    snapshots.put_snapshot(session, account_id=account.id, equity=found.equity, positions=found.positions)
    if is_new:
        record(
            session,
            "account.linked",
            user_id=account.user_id,
            account_id=account.id,
            label=account.label,
            venue=account.venue,
            role=account.role,
        )
    topics = [f"user:{account.user_id}"]
    if account.role == Role.LEAD:
        topics.append(f"poll:{account.id}")
    ring(session, *topics)


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
