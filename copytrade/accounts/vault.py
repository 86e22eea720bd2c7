"""The vault: the web seals secrets with a public key and can read none; workers hold the private keys and open them."""

import base64
import hashlib
import hmac
import json
from functools import lru_cache
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlmodel import Session, col, select

from copytrade.accounts import sealed_box
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret, KeyReplacement
from copytrade.accounts.sealed_box import BoxDamaged
from copytrade.db.session import reading
from copytrade.errors import BadCredentials
from copytrade.exchanges.port import Credentials, SecretOpener
from copytrade.settings import settings

log = structlog.get_logger()

PURPOSE, VERSION = "exchange_secret", 1
SECRET_UNREADABLE = "The stored key cannot be read any more. Please link the account again."  # noqa: S105 - a sentence


class VaultClosed(RuntimeError):
    """This process has no key for what was asked: only workers may open secrets."""


def seal(credentials: Credentials, *, account_id: UUID, user_id: UUID, venue: str) -> tuple[bytes, str]:
    """Return the secret sealed to the workers' newest key and that key's id."""
    kek_id, _, encoded = settings().sealing_key.partition(":")
    if not encoded:
        raise VaultClosed("sealing_key was not set")
    content = json.dumps([credentials.api_key, credentials.api_secret, credentials.passphrase]).encode()
    binding = _binding(account_id=account_id, user_id=user_id, venue=venue, kek_id=kek_id)
    return sealed_box.close(content, to=base64.b64decode(encoded), bound_to=binding), kek_id


def open_credentials(session: Session, *, account_id: UUID) -> Credentials:
    """Return the secret of an account; raise VaultClosed outside workers, BadCredentials without one to read."""
    found = session.exec(
        select(ExchangeSecret, ExchangeAccount)
        .join(ExchangeAccount, col(ExchangeAccount.id) == col(ExchangeSecret.exchange_account_id))
        .where(ExchangeSecret.exchange_account_id == account_id)
    ).first()
    if found is None:
        raise BadCredentials("account has no stored key", venue="", user="This account is not linked any more.")
    secret, account = found
    return _opened(secret.sealed, secret.kek_id, account)


def open_replacement(session: Session, *, account_id: UUID) -> Credentials:
    """Return the new key of an account that is being checked; raise as `open_credentials` does."""
    found = session.exec(
        select(KeyReplacement, ExchangeAccount)
        .join(ExchangeAccount, col(ExchangeAccount.id) == col(KeyReplacement.exchange_account_id))
        .where(KeyReplacement.exchange_account_id == account_id)
    ).first()
    if found is None:
        raise BadCredentials("account has no new key", venue="", user="There is no new key of this account.")
    replacement, account = found
    return _opened(replacement.sealed, replacement.kek_id, account)


def _opened(sealed: bytes, kek_id: str, account: ExchangeAccount) -> Credentials:
    binding = _binding(account_id=account.id, user_id=account.user_id, venue=account.venue, kek_id=kek_id)
    try:
        content = sealed_box.unseal(sealed, by=_private_key(kek_id), bound_to=binding)
    except BoxDamaged:
        log.error("vault.damaged", account=str(account.id), kek_id=kek_id)
        raise BadCredentials("stored key did not open", venue=account.venue, user=SECRET_UNREADABLE) from None
    api_key, api_secret, passphrase = json.loads(content)
    return Credentials(api_key=api_key, api_secret=api_secret, passphrase=passphrase)


def opener() -> SecretOpener:
    """Return what opens secrets for this process's clients; raise VaultClosed in a process without keys."""
    if not _keyring():
        raise VaultClosed("keyring was empty")

    def opened(account_id: UUID) -> Credentials:
        with reading() as session:
            return open_credentials(session, account_id=account_id)

    return opened


def fingerprint(api_key: str) -> bytes:
    """Return by what an API key is recognised, without the key being stored in clear."""
    pepper = settings().pepper.get_secret_value()
    if not pepper:
        raise VaultClosed("pepper was not set")
    return hmac.digest(pepper.encode(), api_key.encode(), hashlib.sha256)[:16]


def reseal_outdated(session: Session, *, limit: int = 100) -> int:
    """Seal secrets of older keys to the newest one and return how many these were."""
    newest = settings().sealing_key.partition(":")[0]
    rows = session.exec(
        select(ExchangeSecret, ExchangeAccount)
        .join(ExchangeAccount, col(ExchangeAccount.id) == col(ExchangeSecret.exchange_account_id))
        .where(ExchangeSecret.kek_id != newest)
        .limit(limit)
        .with_for_update(of=ExchangeSecret, skip_locked=True)
    ).all()
    done = 0
    for secret, account in rows:
        try:
            opened = open_credentials(session, account_id=account.id)
        except BadCredentials:
            continue  # told when it was opened; the account's own check refuses it
        secret.sealed, secret.kek_id = seal(opened, account_id=account.id, user_id=account.user_id, venue=account.venue)
        done += 1
    return done


def _binding(*, account_id: UUID, user_id: UUID, venue: str, kek_id: str) -> bytes:
    return "|".join((PURPOSE, f"v{VERSION}", str(account_id), str(user_id), venue, kek_id)).encode()


@lru_cache(maxsize=1)
def _keyring() -> dict[str, X25519PrivateKey]:
    entries = [entry.partition(":") for entry in settings().keyring.get_secret_value().split(",") if entry]
    return {kek_id: X25519PrivateKey.from_private_bytes(base64.b64decode(raw)) for kek_id, _, raw in entries}


def _private_key(kek_id: str) -> X25519PrivateKey:
    try:
        return _keyring()[kek_id]
    except KeyError:
        raise VaultClosed(f"this process has no private key {kek_id}") from None
