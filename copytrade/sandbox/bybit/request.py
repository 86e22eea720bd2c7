"""A request as Bybit sees it: its parameters, who sent it, and what it may be answered by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote_plus

import orjson

from copytrade.sandbox.bybit import errors
from copytrade.sandbox.exchange.accounts import Account, ApiKey
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, SPOT_BY_SYMBOL, Instrument
from copytrade.sandbox.exchange.orders import Reason, Refused
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.protocol import Call

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

Row = TypeVar("Row")
SPOT, LINEAR = "spot", "linear"
CATEGORIES = (SPOT, LINEAR, "inverse", "option")


class Access(Enum):
    """Who may call: anybody, a key that may read, or one that may trade what the request is about."""

    PUBLIC = auto()
    READ = auto()
    TRADE = auto()


@dataclass(slots=True)
class Request:
    """A call with its parameters (of the query, or of the JSON body) and the account that made it."""

    call: Call
    params: Mapping[str, Any]
    key: ApiKey | None = None
    holder: Account | None = None
    notes: dict[str, str] = field(default_factory=dict)
    """Headers to be sent with the answer."""
    beside: dict[str, Any] = field(default_factory=dict)
    """What stands in the answer beside the result."""

    @property
    def account(self) -> Account:
        assert self.holder is not None
        return self.holder

    @property
    def is_spot(self) -> bool:
        return self.params.get("category") == SPOT

    def text(self, name: str) -> str:
        """Return a parameter that is text, empty where it was not sent; a bare number is refused, as the venue does."""
        value = self.params.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise errors.bad_parameter(name)
        return value

    def need(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.text(name)
        if not value:
            raise errors.bad_parameter(name)
        return value

    def integer(self, name: str) -> int | None:
        """Return a whole number, sent as a number or as text; None where it was not sent."""
        value = self.params.get(name)
        if value is None or value == "":
            return None
        written = str(value)
        if isinstance(value, bool) or not (written.isdecimal() and len(written) <= 19):
            raise errors.bad_parameter(name)
        return int(written)

    def flag(self, name: str) -> bool:
        """Return a yes or no; not sent is no."""
        value = self.params.get(name, False)
        if not isinstance(value, bool):
            raise errors.bad_parameter(name)
        return value

    def choice(self, name: str, allowed: Mapping[str, Row], *, default: str = "") -> Row:
        """Return what a parameter stands for."""
        value = self.text(name) or default
        if value not in allowed:
            raise errors.bad_parameter(name)
        return allowed[value]

    def limit(self, *, default: int, most: int) -> int:
        """Return how many rows are wanted, never more than the venue gives."""
        wanted = self.integer("limit")
        if wanted == 0:
            raise errors.bad_parameter("limit")
        return default if wanted is None else min(wanted, most)

    def category(self, *, default: str = "") -> str:
        """Return the kind of product that is asked for."""
        wanted = self.text("category") or default
        if wanted not in CATEGORIES:
            raise errors.ApiError(10001, "Illegal category")
        return wanted

    def instruments(self) -> dict[str, Instrument]:
        """Return what is traded in the category, by symbol."""
        return {SPOT: SPOT_BY_SYMBOL, LINEAR: BY_SYMBOL}.get(self.category(), {})

    def instrument(self) -> Instrument:
        """Return the instrument that must be named."""
        found = self.instruments().get(self.need("symbol"))
        if found is None:
            raise Refused(Reason.UNKNOWN_SYMBOL)
        return found

    def wanted(self) -> list[Instrument]:
        """Return the instrument named, or all of the category (of a coin, where one is named)."""
        if self.text("symbol"):
            return [self.instrument()]
        base, settle = self.text("baseCoin"), self.text("settleCoin")
        return [
            one
            for one in self.instruments().values()
            if (not base or one.base == base) and (not settle or one.quote == settle)
        ]

    def window(self, *, now: int, span_days: int = 7, default_ms: int = 7 * DAY_MS) -> tuple[int, int]:
        """Return the span of time asked for, which may be so long and is `default_ms` where an end is left open."""
        start, end = self.integer("startTime"), self.integer("endTime")
        if start is not None and end is not None:
            if end < start or end - start > span_days * DAY_MS:
                raise errors.ApiError(
                    10001, f"The time range between startTime and endTime cannot exceed {span_days} days."
                )
            return start, end
        if start is not None:
            return start, start + default_ms
        return (now if end is None else end) - default_ms, now if end is None else end


Handler = Callable[["Bybit", Request], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """How a path is served."""

    handler: Handler
    access: Access = Access.READ


def read(call: Call) -> Mapping[str, Any]:
    """Return a request's parameters; raise the venue's error where the body is no JSON object."""
    if call.method == "GET":
        pairs = (pair.partition("=") for pair in call.query.split("&") if pair)
        return {name: unquote_plus(value) for name, _, value in pairs}
    try:
        content = orjson.loads(call.body or "{}")
    except orjson.JSONDecodeError:
        raise errors.bad_parameter("body") from None
    if not isinstance(content, dict):
        raise errors.bad_parameter("body")
    return cast("dict[str, Any]", content)
