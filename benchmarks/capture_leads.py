"""Lead accounts written straight into the tables: linking a thousand through the pages is not what is measured."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import vault
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret
from copytrade.accounts.reasons import State
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.exchanges.port import Credentials
from copytrade.sandbox.client import Control

FUNDS = Decimal(10_000_000)


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead account, here and at the sandbox."""

    account_id: UUID
    user_id: UUID
    sandbox_id: int
    api_key: str
    api_secret: str


def gather(
    control: Control, *, count: int, venue: Venue = Venue.BINANCE, market: Market = Market.PERPETUAL, **opened: Any
) -> list[Lead]:
    """Open so many accounts at the sandbox and have them active here, as leads."""
    facts = {"venue": venue.value, **(opened or {"deposit": FUNDS})}
    made = [control.create_account(f"lead-{new_id().hex[-6:]}", **facts) for _ in range(count)]
    with transaction() as session:
        return [_lead(session, row, venue=venue, market=market) for row in made]


def _lead(session: Session, made: dict[str, Any], *, venue: Venue, market: Market) -> Lead:
    now, account_id, user_id = clock.now(), new_id(), new_id()
    session.add(
        ExchangeAccount(
            id=account_id,
            user_id=user_id,
            venue=venue,
            market=market,
            role=Role.LEAD,
            mode="sandbox",
            label="benchmark",
            fingerprint=vault.fingerprint(made["api_key"]),
            key_hint=made["api_key"][-4:],
            state=State.ACTIVE,
            created_at=now,
            changed_at=now,
            linked_at=now,
            checked_at=now,
            snapshot_due_at=now + timedelta(hours=1),
        )
    )
    session.flush()
    credentials = Credentials(made["api_key"], made["api_secret"], made.get("passphrase", ""))
    sealed, kek_id = vault.seal(credentials, account_id=account_id, user_id=user_id, venue=venue)
    session.add(ExchangeSecret(exchange_account_id=account_id, sealed=sealed, kek_id=kek_id))
    session.flush()
    return Lead(account_id, user_id, made["account_id"], made["api_key"], made["api_secret"])
