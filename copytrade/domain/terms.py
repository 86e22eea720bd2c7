"""Prices, shares and access: exact to the cent, shares always add up."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

LOWEST_PRICE = Decimal(1)
HIGHEST_PRICE = Decimal(10_000)
CENT = Decimal("0.01")


class BadPrice(ValueError):
    """A price that nobody can be charged: not a number, out of bounds, or finer than a cent."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How a sum is divided; `platform + trader` is the sum."""

    platform: Decimal
    trader: Decimal


def price_of(typed: str | Decimal) -> Decimal:
    """Return a monthly price from what was typed; BadPrice unless 1.00 to 10,000.00 in whole cents."""
    text = str(typed).strip().replace(",", ".")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        raise BadPrice(f"price was {typed!r}, not a plain number")
    price = Decimal(text)
    if not LOWEST_PRICE <= price <= HIGHEST_PRICE:
        raise BadPrice(f"price was {price}, not within {LOWEST_PRICE} and {HIGHEST_PRICE}")
    if price != price.quantize(CENT):
        raise BadPrice(f"price was {price}, finer than a cent")
    return price.quantize(CENT)


def cents(amount: Decimal) -> int:
    """Return an amount in whole cents; ValueError where it is finer."""
    whole = amount * 100
    if whole != whole.to_integral_value():
        raise ValueError(f"amount was {amount}, finer than a cent")
    return int(whole)


def from_cents(amount: int) -> Decimal:
    """Return an amount given in cents."""
    return Decimal(amount) / 100


def split(amount: Decimal, *, platform_share: Decimal) -> Shares:
    """Divide a paid amount: the platform's share rounded half-even to the cent, the trader's is the rest."""
    if not 0 <= platform_share < Decimal("0.5"):
        raise ValueError(f"platform share was {platform_share}; the trader gets the larger part")
    platform = (amount * platform_share).quantize(CENT, rounding=ROUND_HALF_EVEN)
    return Shares(platform=platform, trader=amount - platform)


def taken_back(paid: Shares, *, refunded: Decimal) -> Shares:
    """Divide what was refunded of a paid sum in all, by its shares; a full refund takes both wholly."""
    total = paid.platform + paid.trader
    if not 0 <= refunded <= total:
        raise ValueError(f"refund was {refunded} of {total}")
    if total == 0:
        return Shares(platform=Decimal(0), trader=Decimal(0))
    platform = (refunded * paid.platform / total).quantize(CENT, rounding=ROUND_HALF_EVEN)
    return Shares(platform=platform, trader=refunded - platform)


def access_ends(entitled_until: datetime, *, grace: timedelta, is_ending: bool) -> datetime:
    """Return until when new positions are copied: the paid time, and the grace for a payment that is late."""
    return entitled_until if is_ending else entitled_until + grace
