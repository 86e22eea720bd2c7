"""Reading a request's parameters, and checking its signature and its time."""

import hmac
from collections.abc import Mapping
from urllib.parse import unquote_plus

from copytrade.sandbox.binance import errors

DEFAULT_WINDOW_MS = 5000
LONGEST_WINDOW_MS = 60_000


def read(query: str, body: str) -> dict[str, str]:
    """Return the parameters of query string and form body, the query's first."""
    params: dict[str, str] = {}
    for part in (query, body):
        for pair in part.split("&") if part else ():
            name, _, value = pair.partition("=")
            if name not in params:
                params[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return params


def payload(query: str, body: str) -> tuple[str, str]:
    """Return what was signed (query and body, put together as sent, without the signature) and the signature."""
    found = ""
    parts: list[str] = []
    for part in (query, body):
        kept, given = _without_signature(part)
        found = given or found
        parts.append(kept)
    return "".join(parts), found


def _without_signature(part: str) -> tuple[str, str]:
    if "signature=" not in part:
        return part, ""
    before, _, rest = part.rpartition("signature=")
    value, _, after = rest.partition("&")
    kept = before.rstrip("&") if not after else before + after
    return kept, value


def digest(secret: str, signed: str) -> str:
    """Return the signature of a text."""
    return hmac.digest(secret.encode(), signed.encode(), "sha256").hex()


def check_signature(secret: str, query: str, body: str) -> None:
    """Raise the venue's error unless the request was signed with this secret."""
    signed, given = payload(query, body)
    if not given:
        raise errors.missing("signature")
    if not hmac.compare_digest(digest(secret, signed).encode(), given.lower().encode()):
        raise errors.signature()


def check_time(params: Mapping[str, str], server_time: int) -> None:
    """Raise the venue's error unless the timestamp lies within the receive window."""
    stamp, window = params.get("timestamp", ""), params.get("recvWindow", str(DEFAULT_WINDOW_MS))
    if not stamp.isdecimal():
        raise errors.missing("timestamp")
    width = window.partition(".")[0]
    if not width.isdecimal():
        raise errors.illegal("recvWindow", "^([0-9]+)(\\.[0-9]{1,3})?$")
    if int(width) > LONGEST_WINDOW_MS:
        raise errors.ApiError(-1131, "recvWindow must be less than 60000.")
    sent = int(stamp)
    if sent >= server_time + 1000:
        raise errors.outside_window(ahead=True)
    if server_time - sent > int(width):
        raise errors.outside_window(ahead=False)
