"""A new key for a linked account: the old one goes on until a worker has accepted the new one (`new_keys`)."""

from uuid import UUID

from sqlmodel import Session, col, delete

from copytrade import clock
from copytrade.accounts import vault
from copytrade.accounts.keys import CHECK, LINKED, not_linked, refuse_known, typed_credentials
from copytrade.accounts.models import KeyReplacement
from copytrade.accounts.queries import owned
from copytrade.db.bell import ring
from copytrade.domain.instruments import Market, Venue
from copytrade.errors import Conflict
from copytrade.exchanges.modes import PAPER


def replace_key(
    session: Session, *, owner: UUID, account_id: UUID, api_key: str, api_secret: str, passphrase: str = ""
) -> None:
    """Take a new key for a linked account; a worker checks it, the old one goes on until then."""
    account = owned(session, owner=owner, account_id=account_id)
    if account.state not in LINKED:
        raise not_linked(account)
    if account.mode == PAPER:
        raise Conflict("account was on paper", user="A paper account has no key of yours.")
    venue, market = Venue(account.venue), Market(account.market)
    credentials = typed_credentials(venue, api_key=api_key, api_secret=api_secret, passphrase=passphrase)
    mark = vault.fingerprint(credentials.api_key)
    if mark != account.fingerprint:  # the same key may come with a secret that was mistyped before
        refuse_known(session, mark=mark, owner=owner, place=(venue, market))
    sealed, kek_id = vault.seal(credentials, account_id=account_id, user_id=owner, venue=venue)
    drop_replacement(session, owner=owner, account_id=account_id)
    session.add(
        KeyReplacement(
            exchange_account_id=account_id,
            sealed=sealed,
            kek_id=kek_id,
            fingerprint=mark,
            key_hint=credentials.api_key[-4:],
            asked_at=clock.now(),
            due_at=clock.now(),
        )
    )
    session.flush()
    ring(session, CHECK, f"user:{owner}")


def drop_replacement(session: Session, *, owner: UUID, account_id: UUID) -> None:
    """Forget a new key that was refused or is not wanted any more; nothing where there is none."""
    owned(session, owner=owner, account_id=account_id)
    session.exec(delete(KeyReplacement).where(col(KeyReplacement.exchange_account_id) == account_id))
    ring(session, f"user:{owner}")
