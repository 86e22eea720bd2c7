"""A request as Bitget reads it, and how it is answered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import orjson

from copytrade.sandbox.bitget import errors
from copytrade.sandbox.exchange.accounts import Account, ApiKey
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, SPOT_BY_SYMBOL, Instrument
from copytrade.sandbox.exchange.values import Malformed, TooPrecise, parse
from copytrade.sandbox.protocol import Call

if TYPE_CHECKING:
    from copytrade.sandbox.bitget.rest import Bitget

PRODUCT = "USDT-FUTURES"
PAGE = 100


class Access(Enum):
    """Who may call: anybody, or who signs with a key of the right permission."""

    PUBLIC = auto()
    READ = auto()
    FUTURES = auto()
    SPOT = auto()


@dataclass(slots=True)
class Asked:
    """One request, its parameters as text."""

    call: Call
    params: dict[str, str]
    key: ApiKey | None = None
    holder: Account | None = None
    lag_until: int = field(default=0)
    """What was done after this time, look-ups do not see yet."""

    @property
    def account(self) -> Account:
        assert self.holder is not None
        return self.holder

    def need(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.params.get(name, "")
        if not value:
            raise errors.missing(name)
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole number, or the default when it was not sent."""
        value = self.params.get(name, "")
        if not value:
            return default
        if not value.isdecimal() or len(value) > 19:
            raise errors.wrong(name)
        return int(value)

    def limit(self, default: int = PAGE, largest: int = PAGE) -> int:
        """Return how many rows are wanted; more than the largest are not given."""
        wanted = self.integer("limit", default)
        if wanted < 1:
            raise errors.wrong("limit")
        return min(wanted, largest)

    def steps(self, name: str, decimals: int) -> int:
        """Return a number as a count of 10⁻ᵈ; Malformed or TooPrecise where it is none."""
        return parse(self.need(name), decimals)

    def contract(self) -> Instrument:
        """Return the perpetual of the parameters `symbol` and `productType`."""
        self.product()
        return _named(BY_SYMBOL, self.need("symbol"))

    def product(self) -> None:
        """Refuse what is about other products than the one there is."""
        if self.need("productType").upper() != PRODUCT:
            raise errors.wrong("productType")

    def pair(self) -> Instrument:
        """Return the spot pair of the parameter `symbol`."""
        return _named(SPOT_BY_SYMBOL, self.need("symbol"))

    def span(self, now: int, longest: int) -> tuple[int, int]:
        """Return the times asked for; by default the longest span until now."""
        end = self.integer("endTime", now)
        start = self.integer("startTime", min(end, now) - longest)
        if end < start or end - start > longest:
            raise errors.ApiError("40704", "Only check the data of the last three months")
        return start, end


def number(asked: Asked, name: str, decimals: int, *, is_price: bool) -> int:
    """Return a price or a size in ticks or steps, in the venue's errors where it is odd."""
    try:
        return asked.steps(name, decimals)
    except Malformed:
        raise errors.wrong(name) from None
    except TooPrecise:
        kind = "price" if is_price else "size"
        raise errors.ApiError("40808", f"Parameter verification exception {kind} checkBDScale error") from None


def _named(table: dict[str, Instrument], symbol: str) -> Instrument:
    found = table.get(symbol.upper())
    if found is None:
        raise errors.ApiError("40034", f"Parameter {symbol} does not exist")
    return found


def listed(venue: "Bitget", table: dict[str, Instrument]) -> list[Instrument]:
    """Return the instruments that were not taken off the market."""
    return [row for row in table.values() if row.index not in venue.exchange.market.delisted]


def read(call: Call) -> dict[str, str]:
    """Return a request's parameters: of the query, and of the JSON body of a POST."""
    params = dict(parse_qsl(call.query, keep_blank_values=True))
    if call.method == "GET" or not call.body:
        return params
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise errors.wrong("body") from None
    if not isinstance(body, dict):
        raise errors.wrong("body")
    fields = cast("dict[str, Any]", body)
    return params | {name: str(value) for name, value in fields.items() if value is not None}


Handler = Callable[["Bitget", Asked], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """How a path is served: by whom it may be called, and how often in a second by one user."""

    handler: Handler
    access: Access
    per_second: int = 10
    is_order: bool = False
