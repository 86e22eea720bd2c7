"""What each sizing asks for an opening of the lead, written from its rule and the exchange's books alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from copytrade.domain.sizing import SizingMode
from tests.stage import FUNDS

EXACTLY = Fraction(1, 10**15)
"""The engine keeps 18 decimals of each size."""
BY_EQUITY = Fraction(1, 25)
"""Both accounts begin with the same funds; so much of them fees and prices may have taken or brought."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a copy is sized, and the most that it may be worth."""

    mode: SizingMode
    factor: Decimal
    most: Decimal | None

    def __str__(self) -> str:
        return f"{self.mode} {self.factor}"


@dataclass(frozen=True, slots=True)
class Traded:
    """A fill of the lead at the exchange, and the quantity of the order that it is of."""

    id: str
    symbol: str
    signed: Fraction
    price: Fraction
    ordered: Fraction


def sized_for(asked: Fraction, opened: Fraction, *, fill: Traded, rules: Sequence[Rule]) -> Fraction | None:
    """Return for how much of an opening this was asked; None where no rule explains it.

    Less than the whole: what the lead took back while his order or an equity was not known is never asked for.
    """
    if asked * opened < 0:
        return None
    for rule in rules:
        whole, near = _size(abs(opened), fill, rule)
        if abs(abs(asked) - whole) <= near:
            return opened
    for rule in rules:
        whole, _ = _size(abs(opened), fill, rule)
        if abs(asked) < whole:
            return opened * abs(asked) / whole
    return None


def most_for(position: Decimal, rules: Sequence[Rule], *, price: Decimal) -> Decimal:
    """Return the most that a copy may be aimed at while the lead holds `position`."""
    most = Decimal(0)
    for rule in rules:
        if rule.mode in (SizingMode.RATIO, SizingMode.EQUITY):
            most += abs(position) * rule.factor * Decimal("1.05")
        elif price:
            assert rule.most is not None
            most += rule.most / price * Decimal("1.1")
    return most


def _size(opened: Fraction, fill: Traded, rule: Rule) -> tuple[Fraction, Fraction]:
    """Return what a rule asks for, and how far off that may be."""
    factor, share = Fraction(rule.factor), opened / fill.ordered
    match rule.mode:
        case SizingMode.RATIO:
            return opened * factor, Fraction(0)
        case SizingMode.EQUITY:
            return opened * factor, opened * factor * BY_EQUITY
        case SizingMode.FIXED_QUOTE:
            return factor * share / fill.price, EXACTLY
        case SizingMode.FIXED_PERCENT:
            whole = factor * Fraction(FUNDS) * share / fill.price
            return whole, whole * BY_EQUITY
        case SizingMode.FIXED_QUANTITY:
            return factor * share, EXACTLY
