"""Linking exchange accounts, naming, pausing and unlinking them. The secret is sealed at once and never shown again."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, delete, select

from copytrade import clock
from copytrade.accounts import queries, vault
from copytrade.accounts.examining import request_examination
from copytrade.accounts.keys import (
    CHECK,
    LINKED,
    AlreadyLinked,
    not_linked,
    refuse_known,
    typed_credentials,
    typed_label,
)
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret, KeyReplacement
from copytrade.accounts.places import member_of, place_of
from copytrade.accounts.queries import owned
from copytrade.accounts.reasons import Reason, State
from copytrade.accounts.replacing import drop_replacement, replace_key
from copytrade.accounts.rows import AccountRow
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.model import new_id
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.errors import InvalidInput, LimitReached
from copytrade.exchanges import egress
from copytrade.exchanges.modes import PAPER
from copytrade.settings import settings

__all__ = [
    "CHECK", "FORGET", "LINK_CHECK_TIMEOUT", "MOST_ACCOUNTS", "AlreadyLinked", "doubt", "drop_replacement", "link",
    "pause", "recheck", "refuse", "rename", "replace_key", "request_examination", "result", "unlink",
]  # fmt: skip

LINK_CHECK_TIMEOUT = timedelta(seconds=20)
"""How long a page or the API waits for the worker's answer; the exchange's own time-out lies below."""
FORGET = "forget"
"""Topic of the bell: a warm client may hold a key that is not to be used any more."""
DOUBTED_AGAIN = timedelta(hours=1)
"""How long after a check that passed, or a pause for another reason than the key, the next check is due."""
MOST_ACCOUNTS = 20


def link(
    session: Session,
    *,
    owner: UUID,
    venue: Venue | str,
    market: Market | str,
    role: Role | str,
    label: str,
    api_key: str,
    api_secret: str,
    passphrase: str = "",
    mode: str | None = None,
) -> UUID:
    """Take a key for checking and return the account's id; a worker decides, `result` tells."""
    place = place_of(venue, market)
    end = member_of(Role, role, field="role")
    chosen = mode or settings().exchange_modes[0]
    if chosen not in settings().exchange_modes or chosen == PAPER:
        raise InvalidInput(f"mode was {chosen!r}", user="This kind of account cannot be linked here.", field="mode")
    credentials = typed_credentials(place[0], api_key=api_key, api_secret=api_secret, passphrase=passphrase)
    _refuse_many(session, owner=owner)
    mark = vault.fingerprint(credentials.api_key)
    refuse_known(session, mark=mark, owner=owner, place=place)
    now, account_id = clock.now(), new_id()
    hint = credentials.api_key[-4:]
    session.add(
        ExchangeAccount(
            id=account_id,
            user_id=owner,
            venue=place[0],
            market=place[1],
            role=end,
            mode=chosen,
            label=typed_label(label) or f"{place[0].title()} …{hint}",
            fingerprint=mark,
            key_hint=hint,
            egress=egress.choose(owner),
            state=State.CHECKING,
            created_at=now,
            changed_at=now,
            check_due_at=now,
        )
    )
    session.flush()
    sealed, kek_id = vault.seal(credentials, account_id=account_id, user_id=owner, venue=place[0])
    session.add(ExchangeSecret(exchange_account_id=account_id, sealed=sealed, kek_id=kek_id))
    ring(session, CHECK, f"user:{owner}")
    return account_id


def result(session: Session, *, owner: UUID, account_id: UUID) -> AccountRow:
    """Return how the check came out so far; a refusal is told once and leaves nothing behind."""
    account = owned(session, owner=owner, account_id=account_id)
    row = queries.account_row(account)
    if account.state == State.REFUSED:
        session.delete(account)
    return row


def recheck(session: Session, *, owner: UUID, account_id: UUID) -> None:
    """Have a linked account checked again now; one that was paused works again if it passes."""
    account = owned(session, owner=owner, account_id=account_id)
    if account.state not in LINKED:
        raise not_linked(account)
    account.check_due_at = clock.now()
    account.check_attempts = 0
    ring(session, CHECK)


def rename(session: Session, *, owner: UUID, account_id: UUID, label: str) -> None:
    """Give an account another name."""
    account = owned(session, owner=owner, account_id=account_id)
    name = typed_label(label)
    if not name:
        raise InvalidInput("label was empty", user="Please give the account a name.", field="label")
    account.label = name
    ring(session, f"user:{owner}")


def unlink(session: Session, *, owner: UUID, account_id: UUID) -> None:
    """Forget an account's secret for good; its history stays."""
    account = owned(session, owner=owner, account_id=account_id)
    now = clock.now()
    account.state, account.reason = State.UNLINKED, ""
    account.unlinked_at = account.changed_at = now
    account.check_due_at = account.snapshot_due_at = None
    _shred(session, account_id=account_id)
    record(session, "account.unlinked", user_id=owner, label=account.label, venue=account.venue)
    ring(session, FORGET, f"user:{owner}")


def pause(session: Session, *, account_id: UUID, reason: Reason) -> None:
    """Stop using an account until a check passes again, and tell its owner once.

    A key that its venue does not accept any more is checked at once, so that the exact reason is told; one that
    passed such a check a moment ago waits, or the account would go on and off.
    """
    account = session.get(ExchangeAccount, account_id, with_for_update=True)
    if account is None or account.state != State.ACTIVE:
        return
    now = clock.now()
    reason = exact(reason, account)
    is_fresh = account.checked_at is not None and account.checked_at > now - DOUBTED_AGAIN
    account.state, account.reason = State.PAUSED, str(reason)
    account.changed_at = now
    account.snapshot_due_at = None
    account.check_due_at = now + DOUBTED_AGAIN if is_fresh or reason != Reason.WRONG_KEY else now
    account.check_attempts = 0
    record(
        session,
        "account.paused",
        user_id=account.user_id,
        account_id=account.id,
        label=account.label,
        venue=account.venue,
        reason=reason,
    )
    ring(session, CHECK, FORGET, f"user:{account.user_id}")


def exact(reason: Reason, account: ExchangeAccount) -> Reason:
    """Return `expired` where a key is not accepted any more whose time is known to be over: venues do not say so."""
    expires_at = account.key_expires_at
    return Reason.EXPIRED if reason == Reason.WRONG_KEY and expires_at and expires_at <= clock.now() else reason


def doubt(session: Session, *, account_id: UUID) -> None:
    """Note that its venue refused an account's key somewhere: it is paused, and checked at once."""
    pause(session, account_id=account_id, reason=Reason.WRONG_KEY)


def refuse(session: Session, account: ExchangeAccount, *, reason: Reason) -> None:
    """Refuse a key that is being linked: its secret is gone at once, its row when the reason was read."""
    account.state, account.reason = State.REFUSED, reason
    account.changed_at = clock.now()
    account.check_due_at = None
    _shred(session, account_id=account.id)
    record(
        session,
        "account.refused",
        user_id=account.user_id,
        label=account.label,
        venue=account.venue,
        reason=reason,
    )
    ring(session, FORGET, f"user:{account.user_id}")


def _shred(session: Session, *, account_id: UUID) -> None:
    session.exec(delete(ExchangeSecret).where(col(ExchangeSecret.exchange_account_id) == account_id))
    session.exec(delete(KeyReplacement).where(col(KeyReplacement.exchange_account_id) == account_id))


def _refuse_many(session: Session, *, owner: UUID) -> None:
    linked = session.exec(
        select(func.count())
        .select_from(ExchangeAccount)
        .where(
            ExchangeAccount.user_id == owner,
            ExchangeAccount.mode != PAPER,
            col(ExchangeAccount.state).in_(LINKED),
        )
    ).one()
    if linked >= MOST_ACCOUNTS:
        raise LimitReached(f"{linked} accounts were linked", user="You have linked as many accounts as can be linked.")
