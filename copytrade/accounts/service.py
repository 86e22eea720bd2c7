"""Linking exchange accounts, naming, pausing and unlinking them. The secret is sealed at once and never shown again."""

from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, delete, select

from copytrade import clock
from copytrade.accounts import queries, vault
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret
from copytrade.accounts.queries import owned
from copytrade.accounts.reasons import Reason, State
from copytrade.accounts.rows import AccountRow
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.model import new_id
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.errors import Conflict, InvalidInput, LimitReached
from copytrade.exchanges.port import Credentials
from copytrade.settings import settings

LINK_CHECK_TIMEOUT = timedelta(seconds=20)
"""How long a page or the API waits for the worker's answer; the exchange's own time-out lies below."""
CHECK = "check"
"""Topic of the bell: there is an account to check."""
FORGET = "forget"
"""Topic of the bell: a warm client may hold a key that is not to be used any more."""
READY = frozenset({(Venue.BINANCE, Market.PERPETUAL)})
"""What can be linked."""
LONGEST_LABEL, LONGEST_KEY = 60, 512
MOST_ACCOUNTS = 20
T = TypeVar("T", Venue, Market, Role)
_LINKED = (State.CHECKING, State.ACTIVE, State.PAUSED)


class AlreadyLinked(Conflict):
    """The key is in use here already; by whom is not told."""

    code = "already_linked"
    text = "This key is linked already. Make another one on the exchange for this account."

    def __init__(self) -> None:
        super().__init__("key was linked already", user=self.text, field="api_key")


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
    place = _place(venue, market)
    end = _member(Role, role, field="role")
    chosen = mode or settings().exchange_modes[0]
    if chosen not in settings().exchange_modes:
        raise InvalidInput(f"mode was {chosen!r}", user="This kind of account cannot be linked here.", field="mode")
    credentials = Credentials(
        api_key=_typed(api_key, field="api_key"),
        api_secret=_typed(api_secret, field="api_secret"),
        passphrase=_typed(passphrase, field="passphrase", may_be_empty=True),
    )
    _refuse_many(session, owner=owner)
    mark = vault.fingerprint(credentials.api_key)
    _refuse_known(session, mark=mark, owner=owner, place=place)
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
            label=_label(label) or f"{place[0].title()} …{hint}",
            fingerprint=mark,
            key_hint=hint,
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
    if account.state not in _LINKED:
        raise Conflict(f"account was {account.state}", user="This account is not linked any more.")
    account.check_due_at = clock.now()
    account.check_attempts = 0
    ring(session, CHECK)


def rename(session: Session, *, owner: UUID, account_id: UUID, label: str) -> None:
    """Give an account another name."""
    account = owned(session, owner=owner, account_id=account_id)
    name = _label(label)
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


def pause(session: Session, *, account_id: UUID, reason: Reason | str) -> None:
    """Stop using an account until a check passes again, and tell its owner once."""
    account = session.get(ExchangeAccount, account_id, with_for_update=True)
    if account is None or account.state != State.ACTIVE:
        return
    account.state, account.reason = State.PAUSED, str(reason)
    account.changed_at = clock.now()
    account.snapshot_due_at = None
    account.check_due_at = clock.now() + timedelta(hours=1)
    record(
        session,
        "account.paused",
        user_id=account.user_id,
        account_id=account.id,
        label=account.label,
        venue=account.venue,
        reason=reason,
    )
    ring(session, FORGET, f"user:{account.user_id}")


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


def _refuse_many(session: Session, *, owner: UUID) -> None:
    linked = session.exec(
        select(func.count())
        .select_from(ExchangeAccount)
        .where(ExchangeAccount.user_id == owner, col(ExchangeAccount.state).in_(_LINKED))
    ).one()
    if linked >= MOST_ACCOUNTS:
        raise LimitReached(f"{linked} accounts were linked", user="You have linked as many accounts as can be linked.")


def _refuse_known(session: Session, *, mark: bytes, owner: UUID, place: tuple[Venue, Market]) -> None:
    # Two who link the same key at once wait for each other here; the unique index is the last word.
    session.connection().execute(
        text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": int.from_bytes(mark[:8], signed=True)}
    )
    known = session.exec(
        select(ExchangeAccount.user_id, ExchangeAccount.market).where(
            ExchangeAccount.venue == place[0],
            ExchangeAccount.fingerprint == mark,
            col(ExchangeAccount.state).in_(_LINKED),
        )
    ).all()
    if any(user != owner or market == place[1] for user, market in known):
        raise AlreadyLinked


def _place(venue: Venue | str, market: Market | str) -> tuple[Venue, Market]:
    place = _member(Venue, venue, field="venue"), _member(Market, market, field="market")
    if place not in READY:
        raise InvalidInput(
            f"{place[0]} {place[1]} was not ready", user="This exchange and market cannot be linked yet.", field="venue"
        )
    return place


def _member(kind: type[T], value: str, *, field: str) -> T:
    try:
        return kind(value)
    except ValueError:
        raise InvalidInput(f"{field} was unknown", user="Please choose one of the list.", field=field) from None


def _typed(value: str, *, field: str, may_be_empty: bool = False) -> str:
    # Copied keys come with spaces and line ends around them.
    shown = value.strip()
    is_clean = shown.isascii() and shown.isprintable() and " " not in shown and len(shown) <= LONGEST_KEY
    if not is_clean or not (shown or may_be_empty):
        raise InvalidInput(f"{field} had no form of a key", user="Please copy it from the exchange again.", field=field)
    return shown


def _label(label: str) -> str:
    name = " ".join("".join(letter for letter in label if letter.isprintable()).split())
    if len(name) > LONGEST_LABEL:
        raise InvalidInput("label was too long", user="The name is too long: at most 60 characters.", field="label")
    return name
