"""Prices and shares, exact to the cent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain.terms import BadPrice, Shares, access_ends, cents, price_of, split, taken_back

AMOUNTS = st.decimals(min_value=0, max_value=100_000, places=2)
SHARES = st.decimals(min_value=0, max_value=Decimal("0.49"), places=4)


@pytest.mark.parametrize(
    "typed", ["0", "-1", "1e9", "1E9", "abc", "", "NaN", "Infinity", "10000.01", "0.99", "9.999", "１２x"]
)
def test_a_price_that_nobody_can_be_charged_is_refused(typed: str) -> None:
    with pytest.raises(BadPrice):
        price_of(typed)


@pytest.mark.parametrize(
    ("typed", "price"), [("25", "25.00"), (" 9,90 ", "9.90"), ("1", "1.00"), ("10000", "10000.00")]
)
def test_a_price_is_read_as_people_type_it(typed: str, price: str) -> None:
    assert str(price_of(typed)) == price


def test_the_trader_gets_the_rest_of_what_the_platform_rounds() -> None:
    assert split(Decimal("9.99"), platform_share=Decimal("0.20")) == Shares(Decimal("2.00"), Decimal("7.99"))


@given(amount=AMOUNTS, share=SHARES)
def test_shares_always_add_up_in_whole_cents(amount: Decimal, share: Decimal) -> None:
    shares = split(amount, platform_share=share)
    assert shares.platform + shares.trader == amount
    assert cents(shares.platform) >= 0
    assert cents(shares.trader) >= cents(shares.platform)


@pytest.mark.parametrize("share", ["0.5", "1", "-0.1"])
def test_the_platform_never_takes_the_larger_part(share: str) -> None:
    with pytest.raises(ValueError, match="larger part"):
        split(Decimal(10), platform_share=Decimal(share))


@given(amount=AMOUNTS, share=SHARES, part=st.decimals(min_value=0, max_value=1, places=6))
def test_a_refund_in_steps_takes_back_exactly_what_was_given(amount: Decimal, share: Decimal, part: Decimal) -> None:
    paid = split(amount, platform_share=share)
    refunded = (amount * part).quantize(Decimal("0.01"))
    taken = taken_back(paid, refunded=refunded)
    assert taken.platform + taken.trader == refunded
    assert taken_back(paid, refunded=amount) == paid


def test_more_than_was_paid_cannot_be_refunded() -> None:
    with pytest.raises(ValueError, match="refund was"):
        taken_back(Shares(Decimal(2), Decimal(8)), refunded=Decimal("10.01"))


def test_an_amount_finer_than_a_cent_is_never_rounded_silently() -> None:
    with pytest.raises(ValueError, match="finer than a cent"):
        cents(Decimal("0.005"))


def test_grace_is_for_those_who_go_on() -> None:
    until, grace = datetime(2026, 5, 1, tzinfo=UTC), timedelta(days=3)
    assert access_ends(until, grace=grace, is_ending=False) == until + grace
    assert access_ends(until, grace=grace, is_ending=True) == until
