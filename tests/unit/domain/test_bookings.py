"""The ledger's arithmetic: whatever happens in whatever order, everything adds up to zero and nobody gains."""

from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain import bookings
from copytrade.domain.bookings import DISPUTED, FEES, PLATFORM, STRIPE, trader_account, trader_of
from copytrade.domain.terms import Shares, split

ALICE = UUID(int=1)
HERS = trader_account(ALICE)
MINOR = st.integers(min_value=0, max_value=10_000_000)
PLATFORM_SHARE = st.decimals(min_value=0, max_value=Decimal("0.49"), places=4)


def test_an_account_knows_whose_it_is() -> None:
    assert trader_of(HERS) == ALICE
    assert trader_of(PLATFORM) is None


def test_a_month_of_29_dollars_from_the_card_to_the_payout() -> None:
    shares = split(2900, platform_share=Decimal("0.2"))
    steps = [
        bookings.paid(shares, trader=ALICE),
        bookings.fee(114, bearer=FEES),
        bookings.payout(2320, trader=ALICE),
    ]
    total = {account: sum(step.get(account, 0) for step in steps) for account in (STRIPE, FEES, PLATFORM, HERS)}
    assert total == {STRIPE: 2900 - 114 - 2320, FEES: 114, PLATFORM: -580, HERS: 0}


@given(minor=MINOR, share=PLATFORM_SHARE)
def test_shares_are_the_gross_exactly(minor: int, share: Decimal) -> None:
    shares = split(minor, platform_share=share)
    assert shares.platform + shares.trader == minor
    assert sum(bookings.paid(shares, trader=ALICE).values()) == 0


@given(minor=MINOR, share=PLATFORM_SHARE, steps=st.lists(st.integers(min_value=1, max_value=10_000_000), max_size=6))
def test_what_is_taken_in_any_steps_never_takes_more_of_the_trader_than_he_got(
    minor: int, share: Decimal, steps: list[int]
) -> None:
    paid, before, hers = split(minor, platform_share=share), 0, 0
    for more in steps:
        shares = bookings.more_taken(paid, before=before, more=more)
        assert shares.platform + shares.trader == more
        assert shares.trader >= 0
        before, hers = before + more, hers + shares.trader
    assert hers <= paid.trader
    assert hers == paid.trader or before < minor


@given(minor=MINOR, share=PLATFORM_SHARE, taken=st.integers(min_value=0, max_value=10_000_000))
def test_what_comes_back_restores_both_shares_exactly(minor: int, share: Decimal, taken: int) -> None:
    paid = split(minor, platform_share=share)
    there = bookings.more_taken(paid, before=0, more=taken)
    back = bookings.more_taken(paid, before=taken, more=-taken)
    assert (there.platform + back.platform, there.trader + back.trader) == (0, 0)


def test_a_dispute_that_is_lost_costs_both_and_one_that_is_won_costs_nobody() -> None:
    shares = Shares(platform=580, trader=2320)
    opened, lost, won = (
        bookings.disputed(2900),
        bookings.dispute_lost(shares, trader=ALICE),
        bookings.dispute_won(2900),
    )
    assert {account: opened.get(account, 0) + won.get(account, 0) for account in (STRIPE, DISPUTED)} == {
        STRIPE: 0,
        DISPUTED: 0,
    }
    assert lost == {DISPUTED: -2900, PLATFORM: 580, HERS: 2320}


def test_what_exceeds_the_payment_is_the_platforms_loss() -> None:
    paid = Shares(platform=20, trader=80)
    assert bookings.more_taken(paid, before=100, more=50) == Shares(platform=50, trader=0)
