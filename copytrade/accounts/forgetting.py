"""Keeps no warm client of an account that was unlinked, refused or paused: runs in every process that has clients."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from copytrade import clock
from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.reasons import State
from copytrade.accounts.service import FORGET
from copytrade.db.bell import bell
from copytrade.db.session import reading
from copytrade.exchanges.port import ClientPool

OVERLAP = timedelta(minutes=2)


async def run(pool: ClientPool, stop: asyncio.Event) -> None:
    """Forget clients whose account is not to be used any more, until `stop` is set."""
    since = clock.now() - OVERLAP
    async for _ in bell().rings(FORGET, every=60.0):
        if stop.is_set():
            return
        looked_at = clock.now()
        for account_id in await asyncio.to_thread(_left, since):
            await pool.forget(account_id)
        # A transaction that began before this look may commit after it.
        since = looked_at - OVERLAP


def _left(since: datetime) -> list[UUID]:
    with reading() as session:
        rows = session.exec(
            select(ExchangeAccount.id).where(
                col(ExchangeAccount.changed_at) >= since,
                col(ExchangeAccount.state).in_((State.UNLINKED, State.REFUSED, State.PAUSED)),
            )
        )
        return list(rows)
