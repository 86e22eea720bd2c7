"""Prices and shares, exact to the smallest unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain.terms import BadPrice, Bounds, Shares, price_of, split, taken_back, unused_part

AMOUNTS = st.integers(min_value=0, max_value=10**12)
SHARES = st.decimals(min_value=0, max_value=Decimal("0.49"), places=4)
DOLLARS = Bounds(Decimal(1), Decimal(10_000))


@pytest.mark.parametrize(
    "typed",
    ["0", "-1", "1e9", "1E9", "abc", "", "NaN", "Infinity", "10000.01", "0.99", "9.999", "１２x", "１２", "1e400"],
)
def test_a_price_that_nobody_can_be_charged_is_refused(typed: str) -> None:
    with pytest.raises(BadPrice):
        price_of(typed, currency="usd", bounds=DOLLARS)


@pytest.mark.parametrize(
    ("typed", "price"), [("25", "25.00"), (" 9,90 ", "9.90"), ("1", "1.00"), ("10000", "10000.00")]
)
def test_a_price_is_read_as_people_type_it(typed: str, price: str) -> None:
    assert str(price_of(typed, currency="usd", bounds=DOLLARS)) == price


@pytest.mark.parametrize(
    ("typed", "currency", "is_good"),
    [("500", "jpy", True), ("500.5", "jpy", False), ("1.230", "kwd", True), ("1.234", "kwd", False),
     ("100", "isk", True), ("100.50", "isk", False)],
)  # fmt: skip
def test_a_price_keeps_to_what_its_currency_can_be_charged_in(typed: str, currency: str, is_good: bool) -> None:
    try:
        price_of(typed, currency=currency, bounds=DOLLARS)
    except BadPrice:
        assert not is_good
    else:
        assert is_good


@pytest.mark.parametrize(
    ("paid", "platform", "trader"), [(999, 200, 799), (5, 1, 4), (1, 0, 1), (0, 0, 0), (2500, 500, 2000), (2, 0, 2)]
)
def test_the_trader_gets_the_rest_of_what_the_platform_rounds(paid: int, platform: int, trader: int) -> None:
    assert split(paid, platform_share=Decimal("0.20")) == Shares(platform, trader)


def test_a_half_unit_goes_to_the_even_side() -> None:
    assert [split(paid, platform_share=Decimal("0.25")).platform for paid in (2, 6, 10)] == [0, 2, 2]


@given(paid=AMOUNTS, share=SHARES)
def test_shares_always_add_up_in_whole_units(paid: int, share: Decimal) -> None:
    shares = split(paid, platform_share=share)
    assert shares.platform + shares.trader == paid
    assert 0 <= shares.platform <= shares.trader


@pytest.mark.parametrize("share", ["0.5", "1", "-0.1"])
def test_the_platform_never_takes_the_larger_part(share: str) -> None:
    with pytest.raises(ValueError, match="larger part"):
        split(10, platform_share=Decimal(share))


@given(paid=AMOUNTS, share=SHARES, steps=st.lists(st.integers(min_value=0, max_value=1000), max_size=5))
def test_a_refund_in_steps_takes_back_exactly_what_was_given(paid: int, share: Decimal, steps: list[int]) -> None:
    parts = split(paid, platform_share=share)
    refunded = 0
    for step in steps:
        before = taken_back(parts, refunded=refunded)
        refunded = min(paid, refunded + paid * step // 1000)
        taken = taken_back(parts, refunded=refunded)
        assert taken.platform + taken.trader == refunded
        assert taken.platform >= before.platform
        assert taken.trader >= before.trader - 1
    assert taken_back(parts, refunded=paid) == parts


@pytest.mark.parametrize("refunded", [1001, -1])
def test_more_than_was_paid_cannot_be_refunded(refunded: int) -> None:
    with pytest.raises(ValueError, match="refund was"):
        taken_back(Shares(200, 800), refunded=refunded)


@pytest.mark.parametrize(
    ("paid", "days", "unused", "worth"),
    [(3000, 30, 15, 1500), (2900, 31, 30, 2806), (2900, 29, 29, 2900), (1, 28, 27, 0)],
)
def test_unused_days_are_worth_their_part_in_whole_units(paid: int, days: int, unused: int, worth: int) -> None:
    assert unused_part(paid, days=days, unused=unused) == worth


@pytest.mark.parametrize(("days", "unused"), [(30, 31), (30, -1), (0, 0)])
def test_more_days_than_were_paid_are_worth_nothing_we_know(days: int, unused: int) -> None:
    with pytest.raises(ValueError, match="unused days"):
        unused_part(100, days=days, unused=unused)
