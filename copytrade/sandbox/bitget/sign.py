"""Checking who signed a request or a login, and when."""

import base64
import hmac
from urllib.parse import unquote

from copytrade.sandbox.bitget.errors import ApiError

WINDOW_MS = 30_000
LOGIN = "GET/user/verify"


def signature(secret: str, payload: str) -> str:
    """Return the signature of a payload."""
    return base64.b64encode(hmac.digest(secret.encode(), payload.encode(), "sha256")).decode()


def check_time(stamp: str, server_time: int) -> None:
    """Raise the venue's error unless the time in ms lies within thirty seconds of the venue's."""
    if not stamp:
        raise ApiError("40003", "ACCESS_TIMESTAMP cannot be empty")
    if not stamp.isdecimal():
        raise ApiError("40005", "Invalid ACCESS_TIMESTAMP")
    if abs(server_time - int(stamp)) > WINDOW_MS:
        raise ApiError("40008", "Request timestamp expired")


def check_signature(secret: str, given: str, *, stamp: str, method: str, path: str, query: str, body: str) -> None:
    """Raise the venue's error unless the request was signed with this secret; the query as sent, or decoded."""
    if not given:
        raise ApiError("40002", "ACCESS_SIGN cannot be empty")
    for asked in {query, unquote(query)}:
        payload = f"{stamp}{method}{path}{'?' if asked else ''}{asked}{body}"
        if hmac.compare_digest(signature(secret, payload).encode(), given.encode()):
            return
    raise ApiError("40009", "sign signature error")


def is_login(secret: str, given: str, stamp: str) -> bool:
    """Tell whether a websocket's login was signed with this secret."""
    return hmac.compare_digest(signature(secret, stamp + LOGIN).encode(), given.encode())
