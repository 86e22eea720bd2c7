"""The ways out to the venues: each account is bound to one proxy, since venues limit by address and so do keys."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from copytrade.exchanges import modes
from copytrade.settings import settings

DIRECT = ""
"""Name of the way without a proxy."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way out; `url` may hold a password and is never shown."""

    name: str
    url: str = field(default="", repr=False)


def ways() -> Mapping[str, Way]:
    """Return the ways of the settings by their names, in order; without proxies there is the direct one."""
    found = [_way(url.get_secret_value()) for url in settings().egress_proxies]
    return {way.name: way for way in found or [Way(DIRECT)]}


def choose(person: UUID) -> str:
    """Return the name of the way that a person's accounts take: the same one while it is configured."""
    return max(ways(), key=lambda name: hashlib.sha256(f"{person}|{name}".encode()).digest())


def bound(name: str, *, person: UUID) -> str:
    """Return the way that an account is bound to from now on: the same one, or another where it is gone."""
    return name if name in ways() else choose(person)


def way_of(name: str, *, mode: str, otherwise: UUID) -> Way:
    """Return an account's way; where it is configured no more, one that is chosen by `otherwise`, always the same."""
    if modes.goes_direct(mode):
        return Way(DIRECT)
    known = ways()
    return known.get(name) or known[choose(otherwise)]


def first_way(*, mode: str) -> Way:
    """Return the way on which what all accounts share is read: markets, the venue's time."""
    return Way(DIRECT) if modes.goes_direct(mode) else next(iter(ways().values()))


def _way(url: str) -> Way:
    if url == "direct":
        return Way(DIRECT)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # The message must not repeat the address: it may hold a password.
        raise ValueError("an egress proxy was no http:// or https:// address and not the word direct")
    return Way(f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}", url)
