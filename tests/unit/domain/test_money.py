"""Amounts in minor units."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain.money import TooFine, digits, major, minor, smallest


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("29.99", "usd", 2999), ("0", "usd", 0), ("-1.50", "eur", -150), ("500", "jpy", 500), ("1.234", "kwd", 1234)],
)
def test_amounts_are_counted_as_stripe_counts_them(amount: str, currency: str, units: int) -> None:
    assert minor(Decimal(amount), currency=currency) == units
    assert str(major(units, currency=currency)) == amount if units else "0.00"


@pytest.mark.parametrize(
    ("amount", "currency"), [("0.005", "usd"), ("0.5", "jpy"), ("1.0001", "kwd"), ("NaN", "usd"), ("Infinity", "usd")]
)
def test_what_is_finer_than_a_currency_is_never_rounded_silently(amount: str, currency: str) -> None:
    with pytest.raises(TooFine):
        minor(Decimal(amount), currency=currency)


@given(units=st.integers(min_value=-(10**15), max_value=10**15), currency=st.sampled_from(["usd", "jpy", "kwd", "isk"]))
def test_there_and_back_is_the_same(units: int, currency: str) -> None:
    assert minor(major(units, currency=currency), currency=currency) == units
    assert -major(units, currency=currency).as_tuple().exponent == digits(currency)  # pyright: ignore[reportOperatorIssue] - it is finite


def test_some_currencies_are_charged_in_steps() -> None:
    assert [smallest(currency) for currency in ("usd", "jpy", "kwd", "isk", "ugx")] == [1, 1, 10, 100, 100]
