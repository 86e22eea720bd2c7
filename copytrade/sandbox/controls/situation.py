"""What controls act on, and how they read what they are told."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.faults import Faults
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, SPOT_BY_SYMBOL, Instrument
from copytrade.sandbox.exchange.values import MONEY_DECIMALS, parse_signed
from copytrade.sandbox.protocol import VenueSide
from copytrade.sandbox.traders import Traders

MARKETS = {"perpetual": BY_SYMBOL, "spot": SPOT_BY_SYMBOL}


class BadRequest(Exception):
    """What was asked makes no sense."""


class Missing(Exception):
    """There is no such thing."""


@dataclass
class Situation:
    """Everything a control may touch."""

    exchange: Exchange
    faults: Faults
    venues: dict[str, VenueSide]
    traders: Traders
    requests: dict[str, int] = field(default_factory=dict)
    """How often each method and path was called."""

    def venue(self, facts: dict[str, Any]) -> VenueSide:
        """Return the venue that is named, Binance when none is."""
        name = str(facts.pop("venue", "binance"))
        if name not in self.venues:
            raise BadRequest(f"venue must be one of {', '.join(self.venues)}")
        return self.venues[name]

    def venue_of(self, account: int) -> VenueSide:
        """Return the venue at which an account is."""
        return self.venues[self.account(str(account)).venue]

    def account(self, number: str) -> Account:
        found = self.exchange.accounts.get(int(number)) if number.isdecimal() else None
        if found is None:
            raise Missing(f"there is no account {number}")
        return found


def instrument(facts: dict[str, Any]) -> Instrument:
    """Return what `symbol` names on `market`, the perpetuals unless told otherwise."""
    market = facts.get("market", "perpetual")
    if market not in MARKETS:
        raise BadRequest(f"market must be one of {', '.join(MARKETS)}")
    found = MARKETS[market].get(str(facts.get("symbol", "")).upper())
    if found is None:
        raise BadRequest(f"symbol must be one of {', '.join(MARKETS[market])}")
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
