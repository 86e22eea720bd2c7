"""What a venue says about a key, of an account that is linked or of a new one, and what follows when it is good."""

from collections.abc import Awaitable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import expiry, snapshots, vault
from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.reasons import Reason, State, objection
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.domain.fills import Equity, KeyPermissions, Position
from copytrade.domain.instruments import Role
from copytrade.errors import BadCredentials, ExchangeError
from copytrade.exchanges import egress
from copytrade.exchanges.modes import PAPER
from copytrade.exchanges.port import AccountRef, ExchangeClient
from copytrade.exchanges.rights import rights

log = structlog.get_logger()

AGAIN = timedelta(days=1)
LEASE = timedelta(seconds=60)
RETRY = timedelta(seconds=3)
ATTEMPTS = 4
"""How often a venue that does not answer is asked before a linking is given up."""
MOST_SKEW = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a venue told about a key: why it is refused, or what it may do and what the account holds."""

    reason: Reason | None = None
    permissions: KeyPermissions | None = None
    equity: Equity | None = None
    positions: Sequence[Position] = ()


async def ask(client: Awaitable[ExchangeClient], account: AccountRef, *, role: Role) -> Examined:
    """Return what the venue says about the key of a client that is still to be made; it never raises for the venue."""
    try:
        return await examine(await client, role=role)
    except BadCredentials as error:
        log.info("check.refused", account=str(account.id), code=error.venue_code, reason=error.message)
        is_unreadable = error.user.text == vault.SECRET_UNREADABLE
        return Examined(reason=Reason.SECRET_UNREADABLE if is_unreadable else Reason.WRONG_KEY)
    except ExchangeError as error:
        log.info("check.unavailable", account=str(account.id), code=error.venue_code, reason=error.message)
        return Examined(reason=Reason.EXCHANGE_AWAY)


async def examine(client: ExchangeClient, *, role: Role) -> Examined:
    """Return what the venue says about a key; nothing is placed or changed there."""
    if await _is_skewed(client):
        return Examined(reason=Reason.CLOCK_SKEW)
    permissions = await rights(client)
    refused = objection(permissions, role=role, now=clock.now())
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


def accept(session: Session, account: ExchangeAccount, found: Examined) -> None:
    """Let an account work whose key passed a check, with what the check read of it."""
    assert found.permissions is not None
    assert found.equity is not None
    now, is_new = clock.now(), account.state == State.CHECKING
    if account.state != State.ACTIVE:
        account.changed_at = now
    account.state, account.reason, account.check_attempts = State.ACTIVE, "", 0
    account.checked_at = now
    account.check_due_at = expiry.next_check(found.permissions.expires_at, now=now, usual=AGAIN)
    account.linked_at = account.linked_at or now
    account.ip_restricted = found.permissions.ip_restricted
    account.key_expires_at = found.permissions.expires_at
    account.uid = found.permissions.uid or account.uid
    account.egress = egress.bound(account.egress, person=account.user_id)
    account.permissions = {name: fact for name, fact in asdict(found.permissions).items() if isinstance(fact, bool)}
    account.snapshot_due_at = account.snapshot_due_at or now + snapshots.interval(account.role)
    expiry.warn(session, account, now=now)
    session.flush()
    snapshots.put_snapshot(session, account_id=account.id, equity=found.equity, positions=found.positions)
    if is_new and account.mode != PAPER:
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
