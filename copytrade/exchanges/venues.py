"""The venues' differences as data: finds a venue's facts, and moves its addresses."""

from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from copytrade.domain.instruments import Market, Venue
from copytrade.exchanges.binance.facts import BINANCE
from copytrade.exchanges.bitget.facts import BITGET
from copytrade.exchanges.bybit.facts import BYBIT
from copytrade.exchanges.facts import VenueFacts
from copytrade.settings import settings

_FACTS = {known.venue: known for known in (BINANCE, BYBIT, BITGET)}


def facts(venue: Venue) -> VenueFacts:
    """Return what is known of `venue`; ValueError for one that has no client yet."""
    if venue not in _FACTS:
        raise ValueError(f"venue was {venue.value}, which has no client yet")
    return _FACTS[venue]


def lost_after(venue: Venue) -> timedelta:
    """Return how long after the receive window an order that is nowhere may still arrive at `venue`."""
    told = settings().order_lost_after_s
    return facts(venue).lost_after if told is None else timedelta(seconds=told)


def is_served(venue: Venue, *, market: Market) -> bool:
    """Return whether accounts of this venue and market can be linked."""
    return venue in _FACTS and market in _FACTS[venue].market_options


def rebased(urls: Any, *, base: str) -> Any:
    """Return a tree of a venue's urls with every host replaced by `base`, paths kept; sockets become ws or wss."""
    if isinstance(urls, dict):
        return {name: rebased(branch, base=base) for name, branch in cast("dict[str, Any]", urls).items()}
    if not isinstance(urls, str) or "://" not in urls:
        return urls
    parts = urlsplit(urls)
    root = base.replace("http", "ws", 1) if parts.scheme.startswith("ws") else base
    return root + parts.path
