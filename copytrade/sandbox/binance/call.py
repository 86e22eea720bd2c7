"""A request as the venue sees it, and how it is answered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from copytrade.sandbox import protocol
from copytrade.sandbox.binance import errors
from copytrade.sandbox.exchange.accounts import Account, ApiKey
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, SPOT_BY_SYMBOL, Instrument
from copytrade.sandbox.exchange.values import Malformed, TooPrecise, parse

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance


class Access(Enum):
    """Who may call: anybody, whoever has a key, or only who signs with a key of the right permission."""

    PUBLIC = auto()
    KEY = auto()
    READ = auto()
    FUTURES = auto()
    SPOT = auto()


@dataclass(slots=True)
class Call(protocol.Call):
    """One request with its parameters and who sent it."""

    params: dict[str, str] = field(default_factory=dict)
    key: ApiKey | None = None
    holder: Account | None = None

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

    def integer(self, name: str, default: int | None = None) -> int | None:
        """Return a whole number, or the default when it was not sent."""
        value = self.params.get(name, "")
        if not value:
            return default
        if not value.isdecimal() or len(value) > 19:
            raise errors.illegal(name, "^[0-9]{1,20}$")
        return int(value)

    def limit(self, default: int, largest: int) -> int:
        """Return how many rows are wanted."""
        wanted = self.integer("limit", default) or 0
        if not 1 <= wanted <= largest:
            raise errors.ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
        return wanted

    def choice(self, name: str, allowed: type, default: str = "") -> Any:
        """Return a parameter as a member of an enum."""
        value = self.params.get(name, default)
        if not value:
            raise errors.missing(name)
        try:
            return allowed(value)
        except ValueError:
            raise _not_valid(name) from None

    def flag(self, name: str) -> bool:
        """Return a true-or-false parameter; absent is false."""
        value = self.params.get(name, "false").lower()
        if value not in ("true", "false"):
            raise errors.ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return value == "true"

    def decimal(self, name: str, decimals: int) -> int:
        """Return a number as a count of 10⁻ᵈ."""
        try:
            return parse(self.need(name), decimals)
        except Malformed:
            raise errors.missing(name) from None
        except TooPrecise:
            raise errors.ApiError(-1111, "Precision is over the maximum defined for this asset.") from None

    @property
    def is_spot(self) -> bool:
        """Tell whether the path is of spot."""
        return self.path.startswith("/api/")

    def instrument(self) -> Instrument:
        """Return the instrument of the parameter `symbol`."""
        known = SPOT_BY_SYMBOL if self.is_spot else BY_SYMBOL
        found = known.get(self.need("symbol").upper())
        if found is None:
            raise errors.ApiError(-1121, "Invalid symbol.")
        return found

    def instruments(self) -> list[Instrument]:
        """Return the instrument asked for, or all of them."""
        return [self.instrument()] if self.params.get("symbol") else list(BY_SYMBOL.values())


def _not_valid(name: str) -> errors.ApiError:
    names = {"side": (-1117, "Invalid side."), "type": (-1116, "Invalid orderType.")}
    names |= {"timeInForce": (-1115, "Invalid timeInForce.")}
    code, text = names.get(name, (-1130, f"Data sent for parameter '{name}' is not valid."))
    return errors.ApiError(code, text)


Handler = Callable[["Binance", Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """How a path is served: by whom it may be called and what it weighs."""

    handler: Handler
    access: Access
    weight: int | Callable[[Call], int] = 1
    is_order: bool = False
