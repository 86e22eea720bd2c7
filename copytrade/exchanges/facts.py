"""What a venue's facts consist of; each venue fills them in its own folder, `venues` finds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from copytrade.domain.instruments import Market, Venue
from copytrade.domain.orders import Refusal
from copytrade.exchanges.limits import Limit

QUOTE = "USDT"
"""What all that we trade is quoted in, and perpetuals are margined with."""


@dataclass(frozen=True, slots=True)
class Codes:
    """How a venue says an error, and what its codes prove. Whatever stands nowhere here proves nothing."""

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
    refused_texts: Mapping[str, Refusal] = field(default_factory=dict[str, Refusal])
    """Parts of texts (lower case) that tell why, where a code of `refused` only says OTHER; the first that fits."""
    duplicate_texts: tuple[str, ...] = ()
    """Texts that make a code of `refused` a duplicate after all."""
    unclear: frozenset[str] = frozenset()
    """The venue does not know itself what became of the request: a change of a setting may be asked again."""
    throttled: frozenset[str] = frozenset()
    """Codes that say "too often", whatever the HTTP status: no reads for a while."""
    throttled_statuses: frozenset[int] = frozenset({418, 429})
    """HTTP statuses that are sent instead of executing."""
    ban_statuses: frozenset[int] = frozenset({418})
    """Those of them after which any further request makes it worse."""
    ban_s: float = 120.0
    """How long a ban is taken to last where the venue does not tell."""
    code_field: str = "code"
    text_field: str = "msg"
    success: frozenset[str] = frozenset({"", "0", "200"})
    """What the code's field holds where there is no error; the empty text stands for a body without the field."""
    reset_header: str = ""
    """Header (lower case) with the time in ms at which a refused request may be repeated."""


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
    path_of_sandbox: str
    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    """What a call (its name in ccxt's implicit API) costs of the venue's allowance; 1 where it stands nowhere.

    A name with `*` behind it holds for the call without a symbol.
    """
    limits: tuple[Limit, ...] = ()
    """How much the venue allows, for an address and for an account."""
    has_passphrase: bool = False
    """Whether a key has a passphrase beside its secret."""
