"""Checking who asks: the signature over time, key, window and what was sent, and the time itself."""

import hmac
from collections.abc import Mapping

from copytrade.sandbox.bybit import errors

DEFAULT_WINDOW_MS = 5000
AHEAD_MS = 1000


def check(headers: Mapping[str, str], *, secret: str, sent: str, now: int) -> None:
    """Raise the venue's error unless the headers carry a signature of `sent` and a time within the window."""
    stamp, window = headers.get("X-BAPI-TIMESTAMP", ""), headers.get("X-BAPI-RECV-WINDOW", "") or str(DEFAULT_WINDOW_MS)
    given = headers.get("X-BAPI-SIGN", "")
    if not (stamp and given):
        raise errors.no_authentication()
    if not (stamp.isdecimal() and window.isdecimal()):
        raise errors.bad_parameter("timestamp")
    check_time(int(stamp), window=int(window), now=now)
    origin = f"{stamp}{headers.get('X-BAPI-API-KEY', '')}{window}{sent}"
    if not matches(given, secret=secret, origin=origin):
        raise errors.bad_signature(origin)


def check_time(sent: int, *, window: int, now: int) -> None:
    """Raise the venue's error unless `sent` lies in the window that ends a second from now."""
    if not now - window <= sent < now + AHEAD_MS:
        raise errors.expired(sent=sent, window=window, now=now)


def matches(given: str, *, secret: str, origin: str) -> bool:
    """Tell whether a signature is that of `origin`."""
    expected = hmac.digest(secret.encode(), origin.encode(), "sha256").hex()
    return hmac.compare_digest(expected.encode(), given.lower().encode())
