"""Amounts in whole minor units, as Stripe counts them: cents of a dollar, yen as they are, fils of a dinar."""

from decimal import Decimal

WITHOUT_MINOR = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905 - a list of words reads best
)
"""Currencies that Stripe counts in whole units."""
WITH_THOUSANDTHS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_WHOLE_ONLY = frozenset({"isk", "ugx"})
"""Stripe counts these in hundredths, of which it charges whole units only."""


class TooFine(ValueError):
    """An amount with a fraction of the smallest unit of its currency."""


def digits(currency: str) -> int:
    """Return how many digits an amount of a currency has behind the point."""
    if currency in WITHOUT_MINOR:
        return 0
    return 3 if currency in WITH_THOUSANDTHS else 2


def smallest(currency: str) -> int:
    """Return of how many minor units whatever is charged must be a multiple."""
    if currency in _WHOLE_ONLY:
        return 100
    return 10 if currency in WITH_THOUSANDTHS else 1


def minor(amount: Decimal, *, currency: str) -> int:
    """Return an amount in whole minor units; TooFine where it is finer or no number."""
    if not amount.is_finite():
        raise TooFine(f"amount was {amount}, no number")
    whole = amount.scaleb(digits(currency))
    if whole != whole.to_integral_value():
        raise TooFine(f"amount was {amount} {currency}, finer than its smallest unit")
    return int(whole)


def major(minor: int, *, currency: str) -> Decimal:
    """Return an amount given in minor units, with the digits of its currency."""
    return Decimal(minor).scaleb(-digits(currency))


def told(amount: Decimal, *, currency: str) -> str:
    """Return an amount for a notice, with its digits and its currency."""
    return f"{amount:.{digits(currency)}f} {currency.upper()}"
