"""Which accounts are captured: the active ones, each with a row of its own state."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture.models import CaptureState
from copytrade.db.model import TRADES
from copytrade.domain.instruments import Role
from copytrade.exchanges.port import AccountRef
from copytrade.settings import settings

_MISSING = text(f"""
SELECT account FROM unnest(CAST(:accounts AS uuid[])) AS account
WHERE NOT EXISTS (SELECT 1 FROM {TRADES}.capture_states WHERE exchange_account_id = account)
""")  # noqa: S608 - only the schema's name goes in
_SLOWER = 3
"""So much rarer is a lead polled whose stream tells everything, as far as polls could see; each message also rings."""


@dataclass(frozen=True, slots=True)
class CapturedAccount:
    """An account to be captured and which end of a copy it is."""

    ref: AccountRef
    role: Role


def captured(session: Session, *, roles: tuple[Role, ...]) -> dict[UUID, CapturedAccount]:
    """Return the active accounts of these roles, and see that each has its row of state."""
    found = {ref.id: CapturedAccount(ref, role) for role in roles for ref in accounts.active(session, role=role)}
    # Only those without a row come back: thousands of ids each second would be most of what this process does.
    missing = session.connection().execute(_MISSING, {"accounts": list(found)})
    if fresh := [found[account_id] for account_id in missing.scalars()]:
        owners = accounts.owners(session, [account.ref.id for account in fresh])
        rows = [
            {
                "exchange_account_id": account.ref.id,
                "user_id": owners[account.ref.id],
                "venue": account.ref.venue.value,
                "market": account.ref.market.value,
                "role": account.role.value,
                "created_at": clock.now(),
            }
            for account in fresh
        ]
        # Row by row in one batch: as one statement, eleven thousand have more parameters than PostgreSQL takes.
        session.connection().execute(insert(CaptureState).on_conflict_do_nothing(), rows)
    return found


def copy_poll_interval(accounts: int) -> float:
    """Return the seconds between two polls of a copy account where one process polls so many of them."""
    return max(settings().copy_poll_interval_s, accounts / settings().copy_polls_per_s)


def lead_poll_interval(*, is_streamed: bool) -> float:
    """Return the seconds between two polls of a lead that nothing rang for: a stream that proved good leaves time."""
    return settings().poll_interval_s * (_SLOWER if is_streamed else 1)
