"""New keys of linked accounts, checked by a worker: accepted ones take the old one's place, others are refused."""

import asyncio
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import acceptance, queries, vault
from copytrade.accounts.acceptance import Examined
from copytrade.accounts.keys import LINKED, AlreadyLinked, refuse_known
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret, KeyReplacement
from copytrade.accounts.reasons import Reason
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.exchanges.port import AccountRef, ClientPool, Credentials, ExchangeClient

BATCH = 20


def claim(now: datetime) -> list[tuple[AccountRef, Role]]:
    """Take the new keys that are to be checked, so that no other process checks them too."""
    with transaction() as session:
        rows = session.exec(
            select(KeyReplacement, ExchangeAccount)
            .join(ExchangeAccount, col(ExchangeAccount.id) == col(KeyReplacement.exchange_account_id))
            .where(col(KeyReplacement.due_at) <= now)
            .limit(BATCH)
            .with_for_update(of=KeyReplacement, skip_locked=True)
        ).all()
        for replacement, _ in rows:
            replacement.due_at = now + acceptance.LEASE
            replacement.attempts += 1
        return [(queries.account_ref(account), Role(account.role)) for _, account in rows]


async def check(pool: ClientPool, account: AccountRef, *, role: Role) -> None:
    """Ask the venue about a new key and let it take the old one's place, or refuse it."""
    found = await acceptance.ask(_client(pool, account), account, role=role)
    await asyncio.to_thread(settle, account.id, found)


async def _client(pool: ClientPool, account: AccountRef) -> ExchangeClient:
    return await pool.trial(account, await asyncio.to_thread(_opened, account.id))


def _opened(account_id: UUID) -> Credentials:
    with reading() as session:
        return vault.open_replacement(session, account_id=account_id)


def settle(account_id: UUID, found: Examined) -> None:
    """Store what follows from the check of a new key: it takes the old one's place or is refused, or waits."""
    with transaction() as session:
        account = session.get(ExchangeAccount, account_id, with_for_update=True)
        replacement = session.get(KeyReplacement, account_id, with_for_update=True)
        if account is None or replacement is None or replacement.reason or account.state not in LINKED:
            return
        if found.reason is Reason.EXCHANGE_AWAY and replacement.attempts < acceptance.ATTEMPTS:
            replacement.due_at = clock.now() + acceptance.RETRY
            return
        reason = found.reason or _objection(session, account, replacement, found)
        ring(session, f"user:{account.user_id}")
        if reason is not None:
            replacement.reason, replacement.due_at, replacement.sealed = reason, None, b""
            return
        _take_over(session, account, replacement, found)


def _objection(
    session: Session, account: ExchangeAccount, replacement: KeyReplacement, found: Examined
) -> Reason | None:
    uid = found.permissions.uid if found.permissions else ""
    if uid and account.uid and uid != account.uid:
        return Reason.OTHER_ACCOUNT
    if replacement.fingerprint != account.fingerprint:
        place = Venue(account.venue), Market(account.market)
        try:  # somebody may have linked it in the meantime
            refuse_known(session, mark=replacement.fingerprint, owner=account.user_id, place=place)
        except AlreadyLinked:
            return Reason.KEY_KNOWN
    return None


def _take_over(session: Session, account: ExchangeAccount, replacement: KeyReplacement, found: Examined) -> None:
    secret = session.get_one(ExchangeSecret, account.id)
    secret.sealed, secret.kek_id = replacement.sealed, replacement.kek_id
    account.fingerprint, account.key_hint = replacement.fingerprint, replacement.key_hint
    account.key_version += 1
    session.delete(replacement)
    acceptance.accept(session, account, found)
    record(
        session,
        "account.key_replaced",
        user_id=account.user_id,
        account_id=account.id,
        label=account.label,
        venue=account.venue,
        key=f"…{account.key_hint}",
    )
