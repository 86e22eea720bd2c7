"""Has the key of a paper account issued by the paper exchange and keeps it sealed like any other. Runs in a worker."""

import asyncio
from decimal import Decimal
from uuid import UUID

from copytrade.accounts import vault
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret, PaperAccount
from copytrade.accounts.reasons import State
from copytrade.db.session import reading, transaction
from copytrade.exchanges import paper
from copytrade.exchanges.modes import PAPER
from copytrade.exchanges.port import AccountRef, Credentials
from copytrade.failpoints import Label, reach


async def ensure(account: AccountRef) -> None:
    """Give a paper account its key where it has none yet; Unavailable while the paper exchange does not answer."""
    if account.mode != PAPER:
        return
    funds = await asyncio.to_thread(_lacking, account.id)
    if funds is not None:
        issued = await paper.issue(account.id, venue=account.venue, market=account.market, funds=funds)
        reach(Label.PAPER_ISSUED)
        await asyncio.to_thread(_keep, account.id, issued)


def _lacking(account_id: UUID) -> Decimal | None:
    """Return what a paper account begins with, None for one that has its key."""
    with reading() as session:
        row = session.get(PaperAccount, account_id)
        has_key = session.get(ExchangeSecret, account_id) is not None
        return row.funds if row is not None and not has_key else None


def _keep(account_id: UUID, issued: Credentials) -> None:
    with transaction() as session:
        account = session.get(ExchangeAccount, account_id, with_for_update=True)
        is_wanted = account is not None and account.state == State.CHECKING
        if account is None or not is_wanted or session.get(ExchangeSecret, account_id) is not None:
            return
        account.fingerprint = vault.fingerprint(issued.api_key)
        account.key_hint = issued.api_key[-4:]
        sealed, kek_id = vault.seal(issued, account_id=account_id, user_id=account.user_id, venue=account.venue)
        session.add(ExchangeSecret(exchange_account_id=account_id, sealed=sealed, kek_id=kek_id))
