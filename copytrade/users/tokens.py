"""The token of a signed-in browser: random, kept only as a hash, carried by an HttpOnly cookie."""

import hashlib
import secrets
from http.cookies import CookieError, SimpleCookie

from copytrade.settings import settings


def cookie_name() -> str:
    """Return the cookie's name; the prefix makes browsers refuse one that was not set by us over TLS."""
    return "__Host-session" if settings().cookie_secure else "session"


COOKIE = cookie_name()


def new_token() -> str:
    """Return 32 random bytes as text."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def token_in(cookie_header: str) -> str | None:
    """Return the session's token in a `Cookie` header, None without one."""
    try:
        cookies = SimpleCookie(cookie_header)
    except CookieError:
        return None
    morsel = cookies.get(cookie_name())
    return morsel.value if morsel and morsel.value else None
