"""Prices and shares: exact to the smallest unit of the currency, shares always add up."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from copytrade.domain.money import TooFine, major, minor, smallest


class BadPrice(ValueError):
    """A price that nobody can be charged: not a number, out of bounds, or finer than its currency."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which prices a month may cost in a currency."""

    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True, slots=True)
class Shares:
    """How a sum in minor units is divided; `platform + trader` is the sum."""

    platform: int
    trader: int


def price_of(typed: str | Decimal, *, currency: str, bounds: Bounds) -> Decimal:
    """Return a monthly price from what was typed; BadPrice unless within the bounds and in whole minor units."""
    text = str(typed).strip().replace(",", ".")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise BadPrice(f"price was {typed!r}, not a plain number")
    price = Decimal(text)
    if not bounds.lowest <= price <= bounds.highest:
        raise BadPrice(f"price was {price}, not within {bounds.lowest} and {bounds.highest}")
    try:
        units = minor(price, currency=currency)
    except TooFine as error:
        raise BadPrice(str(error)) from None
    if units % smallest(currency):
        raise BadPrice(f"price was {price} {currency}, finer than can be charged")
    return major(units, currency=currency)


def split(paid: int, *, platform_share: Decimal) -> Shares:
    """Divide a paid sum: the platform's share rounded half-even to the minor unit, the trader's is the rest."""
    if not 0 <= platform_share < Decimal("0.5"):
        raise ValueError(f"platform share was {platform_share}; the trader gets the larger part")
    platform = _nearest(paid * platform_share)
    return Shares(platform=platform, trader=paid - platform)


def taken_back(paid: Shares, *, refunded: int) -> Shares:
    """Divide what was refunded of a paid sum in all, by its shares; a full refund takes both wholly."""
    total = paid.platform + paid.trader
    if not 0 <= refunded <= total:
        raise ValueError(f"refund was {refunded} of {total}")
    if total == 0:
        return Shares(platform=0, trader=0)
    platform = _nearest(Decimal(refunded * paid.platform) / total)
    return Shares(platform=platform, trader=refunded - platform)


def unused_part(paid: int, *, days: int, unused: int) -> int:
    """Return what of a paid sum its unused days are worth, rounded down to whole minor units."""
    if not 0 <= unused <= days or days == 0:
        raise ValueError(f"unused days were {unused} of {days}")
    return paid * unused // days


def _nearest(sum: Decimal) -> int:
    return int(sum.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
