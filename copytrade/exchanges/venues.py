"""The venues' differences as data: addresses, limits, times, and what their codes mean for an order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from copytrade.domain.instruments import Market, Venue
from copytrade.domain.orders import Refusal


@dataclass(frozen=True, slots=True)
class Codes:
    """What a venue's error codes prove. Whatever stands nowhere here proves nothing."""

    refused: Mapping[str, Refusal]
    """The order was refused for certain."""
    not_executed: frozenset[str]
    """Turned away before the matching engine; may be repeated."""
    clock: frozenset[str]
    """Turned away because of the timestamp; the clock is measured anew."""
    duplicate: frozenset[str]
    """An order with this client order id is there already."""
    credentials: frozenset[str]
    """The key is wrong, revoked, expired, used from another address, or without the right."""
    order_unknown: frozenset[str]
    unchanged: frozenset[str]
    """A setting had the wanted value already."""
    duplicate_texts: tuple[str, ...] = ()
    """Texts that make a code of `refused` a duplicate after all."""
    throttled_statuses: frozenset[int] = frozenset({418, 429})
    """HTTP statuses that are sent instead of executing."""
    ban_statuses: frozenset[int] = frozenset({418})
    """Those of them after which any further request makes it worse."""


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """One venue as our clients need to know it."""

    venue: Venue
    ccxt_id: str
    codes: Codes
    market_options: Mapping[Market, Mapping[str, Any]]
    """Options of the ccxt class for a market: what `load_markets` asks, where streams go."""
    lost_after: timedelta
    """After the receive window, how long until an order that is nowhere to be seen can no longer arrive."""
    fills_kept: timedelta
    entries_kept: timedelta
    taken_ids_are_refused: bool
    """Whether a client order id is refused for ever once it was used."""
    path_of_sandbox: str = ""
    hostnames: Mapping[str, str] = field(default_factory=dict[str, str])


_BINANCE_OTHER = """
    -1013 -1100 -1101 -1102 -1103 -1104 -1105 -1106 -1108 -1109 -1112 -1114 -1115 -1116 -1117 -1118 -1119 -1120
    -1128 -1130 -2010 -2020 -2023 -2025 -2026 -4015 -4045 -4088 -4104 -4117 -4135 -4137 -4138 -4139 -4142 -4192
    -4400 -4401 -5021 -5022
"""
"""Malformed requests, filters, rules of the account and of order types."""

_BINANCE_REFUSED: dict[str, Refusal] = {
    **dict.fromkeys(("-2018", "-2019", "-4050", "-4051"), Refusal.FUNDS),
    **dict.fromkeys(("-2022", "-2024", "-4118"), Refusal.NOTHING_TO_REDUCE),
    **dict.fromkeys(("-2027", "-2028", "-4028", "-4202"), Refusal.LEVERAGE),
    "-4164": Refusal.MIN_NOTIONAL,
    **dict.fromkeys(
        ("-4001", "-4002", "-4013", "-4014", "-4016", "-4024", "-4131", "-4183", "-4184", "-2021"), Refusal.PRICE
    ),
    **dict.fromkeys(("-1111", "-4003", "-4004", "-4005", "-4023"), Refusal.QUANTITY),
    **dict.fromkeys(("-4060", "-4061", "-4062"), Refusal.POSITION_MODE),
    **dict.fromkeys(("-1121", "-4108", "-4140", "-4141"), Refusal.MARKET_CLOSED),
    **dict.fromkeys(("-1002", "-1022", "-2014", "-2015", "-4087", "-4109"), Refusal.CREDENTIALS),
    **dict.fromkeys(_BINANCE_OTHER.split(), Refusal.OTHER),
}

BINANCE = VenueFacts(
    venue=Venue.BINANCE,
    ccxt_id="binance",
    codes=Codes(
        refused=_BINANCE_REFUSED,
        not_executed=frozenset({"-1003", "-1008", "-1015"}),
        clock=frozenset({"-1021", "-5028"}),
        duplicate=frozenset({"-4116"}),
        duplicate_texts=("Duplicate order sent",),
        credentials=frozenset({"-1002", "-1022", "-2014", "-2015"}),
        order_unknown=frozenset({"-2011", "-2013"}),
        unchanged=frozenset({"-4046", "-4059"}),
    ),
    market_options={
        Market.PERPETUAL: {
            "defaultType": "swap",
            "fetchCurrencies": False,
            "fetchMargins": False,
            "fetchMarkets": {"types": ["linear"]},
        },
    },
    lost_after=timedelta(seconds=10),
    fills_kept=timedelta(days=180),
    entries_kept=timedelta(days=92),
    taken_ids_are_refused=False,
    path_of_sandbox="/binance",
)

_FACTS = {BINANCE.venue: BINANCE}


def facts(venue: Venue) -> VenueFacts:
    """Return what is known of `venue`; ValueError for one that has no client yet."""
    if venue not in _FACTS:
        raise ValueError(f"venue was {venue.value}, which has no client yet")
    return _FACTS[venue]


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
