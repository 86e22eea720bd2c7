"""An account examined on its owner's wish: the doctor's findings, stored so that the page shows them."""

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries
from copytrade.accounts.keys import CHECK, LINKED, not_linked
from copytrade.accounts.models import Examination, ExchangeAccount
from copytrade.accounts.queries import owned
from copytrade.db.bell import ring
from copytrade.db.session import transaction
from copytrade.domain.instruments import Role
from copytrade.errors import ExchangeError, LimitReached
from copytrade.exchanges import doctor
from copytrade.exchanges.doctor import Finding, Verdict
from copytrade.exchanges.port import AccountRef, ClientPool

log = structlog.get_logger()
LEASE = timedelta(seconds=90)
AT_MOST_EVERY = timedelta(seconds=10)
BATCH = 10


def request_examination(session: Session, *, owner: UUID, account_id: UUID) -> None:
    """Have an account examined by a worker; `AccountRow.examination` tells how it goes."""
    account = owned(session, owner=owner, account_id=account_id)
    if account.state not in LINKED:
        raise not_linked(account)
    now = clock.now()
    last = session.get(Examination, account_id, with_for_update=True)
    if last is not None and now < last.asked_at + AT_MOST_EVERY:
        raise LimitReached(
            f"account {account_id} was examined at {last.asked_at}",
            user="It was examined a moment ago. Please wait a little.",
        )
    values = {"asked_at": now, "due_at": now, "finished_at": None, "findings": list[object]()}
    statement = insert(Examination).values(exchange_account_id=account_id, **values)
    session.exec(statement.on_conflict_do_update(index_elements=["exchange_account_id"], set_=values))
    session.expire_all()
    ring(session, CHECK, f"user:{owner}")


def claim(now: datetime) -> list[tuple[AccountRef, Role]]:
    """Take the examinations that are due, so that no other process makes them too."""
    with transaction() as session:
        rows = session.exec(
            select(Examination, ExchangeAccount)
            .join(ExchangeAccount, col(ExchangeAccount.id) == col(Examination.exchange_account_id))
            .where(col(Examination.due_at) <= now)
            .limit(BATCH)
            .with_for_update(of=Examination, skip_locked=True)
        ).all()
        for examination, _ in rows:
            examination.due_at = now + LEASE
        return [(queries.account_ref(account), Role(account.role)) for _, account in rows]


async def examine(pool: ClientPool, account: AccountRef, *, role: Role) -> None:
    """Examine one account and store what was found."""
    try:
        found = await doctor.examine(await pool.get(account))
    except ExchangeError as error:
        log.info("examination.not_begun", account=str(account.id), reason=error.message)
        found = [Finding("key", Verdict.PROBLEM, error.user.text, error.user.facts)]
    if role is Role.COPY:
        found = [_of_copy_account(finding) for finding in found]
    await asyncio.to_thread(_store, account.id, found)


def _of_copy_account(finding: Finding) -> Finding:
    if finding.text != doctor.NO_TRADING:
        return finding
    return Finding(finding.what, Verdict.PROBLEM, "The key may not trade this market: nothing can be copied with it.")


def _store(account_id: UUID, found: list[Finding]) -> None:
    with transaction() as session:
        examination = session.get(Examination, account_id, with_for_update=True)
        if examination is None:
            return
        examination.findings = [asdict(finding) for finding in found]
        examination.finished_at, examination.due_at = clock.now(), None
        ring(session, f"user:{queries.owner_of(session, account_id)}")
