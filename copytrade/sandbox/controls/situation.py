"""What controls act on, and how they read what they are told."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from copytrade.sandbox.binance.rest import Binance
from copytrade.sandbox.binance.streams import Streams
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.faults import Faults
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, Instrument
from copytrade.sandbox.exchange.values import MONEY_DECIMALS, parse_signed
from copytrade.sandbox.traders import Traders


class BadRequest(Exception):
    """What was asked makes no sense."""


class Missing(Exception):
    """There is no such thing."""


@dataclass
class Situation:
    """Everything a control may touch."""

    venue: Binance
    streams: Streams
    traders: Traders

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def faults(self) -> Faults:
        return self.venue.faults

    def account(self, number: str) -> Account:
        found = self.exchange.accounts.get(int(number)) if number.isdecimal() else None
        if found is None:
            raise Missing(f"there is no account {number}")
        return found


def instrument(facts: dict[str, Any]) -> Instrument:
    found = BY_SYMBOL.get(str(facts.get("symbol", "")).upper())
    if found is None:
        raise BadRequest(f"symbol must be one of {', '.join(BY_SYMBOL)}")
    return found


def number(value: object, decimals: int) -> int:
    """Read a number given as text or number as a count of 10⁻ᵈ, exactly."""
    try:
        plain = format(Decimal(str(value)), "f")
    except InvalidOperation:
        raise BadRequest(f"not a number: {value!r}") from None
    return parse_signed(plain, decimals)


def amount(value: object) -> int:
    """Read an amount of money."""
    return number(value, MONEY_DECIMALS)
