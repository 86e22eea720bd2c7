"""What every key must pass before a worker sees it: it looks like one and is in use nowhere here."""

from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.reasons import State
from copytrade.domain.instruments import Market, Venue
from copytrade.errors import Conflict, InvalidInput
from copytrade.exchanges.port import Credentials
from copytrade.exchanges.venues import facts

CHECK = "check"
"""Topic of the bell: there is an account, a new key or an examination to work on."""
LONGEST_KEY, LONGEST_LABEL = 512, 60
LINKED = (State.CHECKING, State.ACTIVE, State.PAUSED)


class AlreadyLinked(Conflict):
    """The key is in use here already; by whom is not told."""

    code = "already_linked"
    text = "This key is linked already. Make another one on the exchange for this account."

    def __init__(self) -> None:
        super().__init__("key was linked already", user=self.text, field="api_key")


def not_linked(account: ExchangeAccount) -> Conflict:
    """Return what to raise for an account whose key is not kept."""
    return Conflict(f"account was {account.state}", user="This account is not linked any more.")


def refuse_known(session: Session, *, mark: bytes, owner: UUID, place: tuple[Venue, Market]) -> None:
    """Raise AlreadyLinked where the key is in use here, but for the owner's other market."""
    # Two who link the same key at once wait for each other here; the unique index is the last word.
    session.connection().execute(
        text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": int.from_bytes(mark[:8], signed=True)}
    )
    known = session.exec(
        select(ExchangeAccount.user_id, ExchangeAccount.market).where(
            ExchangeAccount.venue == place[0],
            ExchangeAccount.fingerprint == mark,
            col(ExchangeAccount.state).in_(LINKED),
        )
    ).all()
    if any(user != owner or market == place[1] for user, market in known):
        raise AlreadyLinked


def typed_credentials(venue: Venue, *, api_key: str, api_secret: str, passphrase: str) -> Credentials:
    """Return what was typed, cleaned of what copying adds; InvalidInput for what is no key."""
    has_passphrase = facts(venue).has_passphrase
    return Credentials(
        api_key=_typed(api_key, field="api_key"),
        api_secret=_typed(api_secret, field="api_secret"),
        passphrase=_typed(passphrase, field="passphrase") if has_passphrase else "",
    )


def _typed(value: str, *, field: str) -> str:
    # Copied keys come with spaces and line ends around them.
    shown = value.strip()
    is_clean = shown.isascii() and shown.isprintable() and " " not in shown and len(shown) <= LONGEST_KEY
    if not is_clean or not shown:
        raise InvalidInput(f"{field} had no form of a key", user="Please copy it from the exchange again.", field=field)
    return shown


def typed_label(label: str) -> str:
    """Return a name as it was typed, without what cannot be shown; InvalidInput for one that is too long."""
    name = " ".join("".join(letter for letter in label if letter.isprintable()).split())
    if len(name) > LONGEST_LABEL:
        raise InvalidInput("label was too long", user="The name is too long: at most 60 characters.", field="label")
    return name
