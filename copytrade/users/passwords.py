"""Passwords: argon2id through passlib's interface, a few at a time, the obvious ones refused."""

import os
import unicodedata
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore

from passlib.context import CryptContext

from copytrade.settings import settings
from copytrade.users.refusals import PasswordCommon, PasswordTooLong, PasswordTooShort

SHORTEST, LONGEST = 12, 128
_MANY = 4
# Each hash takes argon2_memory_kib: without a bound, a flood of logins would take all memory.
_slots = BoundedSemaphore(max(2, min(_MANY, os.cpu_count() or 2)))
_COMMON = Path(__file__).with_name("common_passwords.txt")


@lru_cache(maxsize=1)
def _context() -> CryptContext:
    return CryptContext(
        schemes=["argon2"],
        argon2__type="ID",
        argon2__memory_cost=settings().argon2_memory_kib,
        argon2__time_cost=settings().argon2_time_cost,
        argon2__parallelism=1,
    )


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(_COMMON.read_text().split())


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _context().hash(os.urandom(16).hex())


def check_strength(password: str, *, email: str = "") -> None:
    """Raise unless the password has 12 to 128 characters and is none of the first that would be tried."""
    plain = _plain(password)
    if len(plain) < SHORTEST:
        raise PasswordTooShort
    if len(plain) > LONGEST:
        raise PasswordTooLong
    folded = plain.casefold()
    name = email.partition("@")[0]
    if folded in _common() or len(set(folded)) < 4 or folded in {email, name, name * 2, f"{name}{name[::-1]}"}:
        raise PasswordCommon


def hashed(password: str) -> str:
    """Return the salted argon2id hash."""
    with _slots:
        return _context().hash(_plain(password))


def verified(password: str, *, against: str | None) -> tuple[bool, str | None]:
    """Tell whether the password fits, and a new hash where the old one is weaker than today's settings.

    Without a hash (nobody of that address) it takes the same time and fails.
    """
    if len(password) > 4 * LONGEST:
        return False, None
    plain = _plain(password)
    with _slots:
        if against is None:
            _context().verify(plain, _nobodys())
            return False, None
        fits, renewed = _context().verify_and_update(plain, against)
    return bool(fits), renewed


def _plain(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
