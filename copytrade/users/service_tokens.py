"""Signed tokens of services: who calls, what for, until when; nothing of them is stored.

`v1.<claims>.<signature>`: the claims as URL-safe base64 of JSON, signed by HMAC-SHA256 with the installation's key.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.errors import InvalidInput, NotSignedIn
from copytrade.settings import settings

VERSION = "v1"
SHORTEST_KEY = 32
KEY_BYTES = 32


class Scope(StrEnum):
    """What a service may do."""

    TRADERS_READ = "traders:read"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    ACCOUNTS_SECRETS = "accounts:secrets"
    TRADES_READ = "trades:read"
    ORDERS_PLACE = "orders:place"
    PAYMENTS_START = "payments:start"
    NOTIFICATIONS_WRITE = "notifications:write"


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """The service behind a token; `public_key` (X25519, URL-safe base64) is what secrets are sealed to for it."""

    id: str
    name: str
    scopes: frozenset[str]
    public_key: str | None = None


def issue(*, name: str, scopes: set[str], public_key: str | None = None, days: int = 365) -> str:
    """Return a token for a service; raise InvalidInput for an unknown scope or a key that is none."""
    unknown = scopes - set(Scope)
    if unknown or not scopes or not name:
        raise InvalidInput(f"scopes were {sorted(scopes)}", user="Please choose one of the list.", field="scopes")
    if public_key is not None and len(_decoded(public_key) or b"") != KEY_BYTES:
        raise InvalidInput("public key was not 32 bytes", user="The key is not an X25519 key.", field="public_key")
    claims = {
        "id": str(new_id()),
        "name": name,
        "scopes": sorted(scopes),
        "key": public_key,
        "until": int((clock.real_now() + timedelta(days=days)).timestamp()),
    }
    body = f"{VERSION}.{_encoded(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{body}.{_encoded(_signature(body))}"


def caller_of(token: str) -> ServiceCaller:
    """Return whose token it is; raise NotSignedIn when it is forged, too old or no token at all."""
    body, _, signature = token.rpartition(".")
    version, _, claims = body.partition(".")
    given = _decoded(signature)
    if version != VERSION or given is None or not hmac.compare_digest(given, _signature(body)):
        raise _refused("was not signed by us")
    told = json.loads(_decoded(claims) or b"{}")
    if datetime.fromtimestamp(told["until"], tz=UTC) <= clock.real_now():
        raise _refused("has run out")
    return ServiceCaller(id=told["id"], name=told["name"], scopes=frozenset(told["scopes"]), public_key=told["key"])


def _signature(body: str) -> bytes:
    key = settings().service_token_key.get_secret_value()
    if len(key) < SHORTEST_KEY:
        # An empty key would let anybody sign.
        raise _refused("cannot be checked: service_token_key is missing or short")
    return hmac.digest(key.encode(), body.encode(), hashlib.sha256)


def _refused(why: str) -> NotSignedIn:
    return NotSignedIn(f"service token {why}", user="The token is not valid.")


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
