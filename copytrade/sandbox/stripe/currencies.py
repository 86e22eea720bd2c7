"""Currencies: how many digits they have, the least that can be charged, and what Stripe keeps of a payment."""

from copytrade.sandbox.stripe.errors import ApiError

FEE_PERMILLE, FEE_FIXED = 29, 30
"""Stripe's fee of a charge: 2.9 % and thirty minor units of its currency."""
DISPUTE_FEE = 1_500
ZERO_DIGITS = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf")
)
THREE_DIGITS = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
TWO_DIGITS = frozenset(
    (
        *("usd", "eur", "gbp", "chf", "pln", "sek", "nok", "dkk", "czk", "aud", "cad", "nzd", "sgd", "hkd", "brl"),
        *("huf", "ron", "bgn", "mxn", "inr", "thb", "myr", "aed", "zar", "try", "ils"),
    )
)
KNOWN = TWO_DIGITS | ZERO_DIGITS | THREE_DIGITS
LEAST = {
    **{"usd": 50, "eur": 50, "gbp": 30, "chf": 50, "pln": 200, "sek": 300, "nok": 300, "dkk": 250, "czk": 1500},
    **{"aud": 50, "cad": 50, "nzd": 50, "sgd": 50, "hkd": 400, "brl": 50, "jpy": 50, "huf": 17_500, "ron": 200},
    **{"bgn": 100, "mxn": 1_000, "inr": 50, "thb": 1_000, "myr": 200, "aed": 200},
}


def digits(currency: str) -> int:
    """Return how many digits a currency has after the point."""
    if currency in ZERO_DIGITS:
        return 0
    return 3 if currency in THREE_DIGITS else 2


def least(currency: str) -> int:
    """Return the smallest charge, in minor units."""
    return LEAST.get(currency, 50)


def fee(amount: int) -> int:
    """Return what Stripe keeps of a charge, half up."""
    return (amount * FEE_PERMILLE + 500) // 1000 + FEE_FIXED


def written(amount: int, currency: str) -> str:
    """Write minor units as people do, such as `29.00 USD`."""
    places = digits(currency)
    sign, number = "-" if amount < 0 else "", str(abs(amount)).rjust(places + 1, "0")
    whole = f"{int(number[: len(number) - places]):,}"
    return f"{sign}{whole}{'.' + number[len(number) - places :] if places else ''} {currency.upper()}"


def too_small(currency: str, *, what: str = "Amount") -> ApiError:
    """Build the error for an amount below what a card can be charged."""
    return ApiError(
        400,
        f"{what} must be no less than {written(least(currency), currency)}.",
        code="amount_too_small",
        param="amount",
    )
