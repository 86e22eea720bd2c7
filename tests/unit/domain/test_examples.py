"""The example beside the settings says what copying would do: by its own planner, held against worked numbers."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from copytrade.domain.examples import Example, Occasion, example
from copytrade.domain.instruments import Instrument, Market, MarketRules, Venue
from copytrade.domain.sizing import CopySettings, Direction, Equities, SizingMode
from copytrade.domain.skips import SkipReason

D = Decimal
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = MarketRules(
    symbol="BTC/USDT:USDT",
    base="BTC",
    quote="USDT",
    quantity_step=D("0.001"),
    price_tick=D("0.1"),
    min_quantity=D("0.001"),
    max_quantity=D(1000),
    max_market_quantity=D(120),
    min_notional=D(5),
)
BUYS_ONE = Occasion(Instrument(Venue.BINANCE, Market.PERPETUAL, "BTC/USDT:USDT"), RULES, quantity=D(1), price=D(60_000))
SMALL = Equities(copy=D(2_000), lead=D(100_000))
RICH = Equities(copy=D(10_000_000), lead=D(10_000_000))


def shown(settings: CopySettings, *, occasion: Occasion = BUYS_ONE, equities: Equities = RICH) -> Example:
    return example(occasion, settings=settings, equities=equities, now=NOW)


def test_in_proportion_a_fiftieth_of_his_money_buys_a_fiftieth() -> None:
    told = shown(CopySettings(mode=SizingMode.EQUITY), equities=SMALL)
    assert (told.copied.ordered, told.copied.skips) == (D("0.020"), ())
    assert (told.exit_lead, told.exit_ordered, told.left) == (D("0.5"), D("0.010"), D("0.010"))


def test_the_safety_coefficient_leaves_less() -> None:
    told = shown(CopySettings(mode=SizingMode.EQUITY, keeps_margin=True), equities=SMALL)
    assert told.copied.ordered == D("0.019")


def test_a_limit_cuts_and_says_how_much() -> None:
    settings = CopySettings(mode=SizingMode.EQUITY, max_order_notional=D(960))
    told = shown(settings, equities=SMALL)
    assert (told.copied.asked, told.copied.target, told.copied.ordered) == (D("0.02"), D("0.016"), D("0.016"))
    [skip] = told.copied.skips
    assert (skip.reason, skip.quantity, skip.facts) == (SkipReason.MAX_ORDER, D("0.004"), {"limit": "960"})


def test_the_leverage_that_is_allowed_cuts_too() -> None:
    told = shown(CopySettings(factor=D(1), max_leverage=D(2)), equities=SMALL)
    assert told.copied.ordered == D("0.066")
    assert [skip.reason for skip in told.copied.skips] == [SkipReason.MAX_LEVERAGE]


def test_what_is_below_the_minimum_waits() -> None:
    told = shown(CopySettings(factor=D("0.0005")))
    assert (told.copied.target, told.copied.ordered, told.exit_ordered) == (D("0.0005"), 0, 0)


def test_a_fixed_amount_comes_in_the_parts_of_his_order() -> None:
    settings = CopySettings(mode=SizingMode.FIXED_QUOTE, factor=D(300), max_position_notional=D(1500))
    told = shown(settings)
    assert [(part.lead, part.target, part.ordered) for part in told.parts] == [
        (D("0.250"), D("0.00125"), D("0.001")),
        (D("0.750"), D("0.005"), D("0.005")),
    ]
    assert told.left == D("0.003"), "half of 0.005 rounded to the step stays"


@pytest.mark.parametrize(
    ("mode", "factor", "bought"),
    [(SizingMode.FIXED_PERCENT, "0.06", "0.002"), (SizingMode.FIXED_QUANTITY, "0.07", "0.070")],
)
def test_the_other_fixed_sizes(mode: SizingMode, factor: str, bought: str) -> None:
    settings = CopySettings(mode=mode, factor=D(factor), max_position_notional=D(100_000))
    assert shown(settings, equities=SMALL if mode is SizingMode.FIXED_PERCENT else RICH).copied.ordered == D(bought)


def test_a_symbol_that_is_not_on_the_list_is_not_copied() -> None:
    told = shown(CopySettings(symbols=("ETH/USDT:USDT",)))
    assert told.copied.ordered == 0
    assert [skip.reason for skip in told.copied.skips] == [SkipReason.SYMBOL_NOT_ALLOWED]


def test_who_copies_short_positions_alone_sees_one() -> None:
    settings = CopySettings(factor=D("0.1"), directions=Direction.SHORT)
    assert shown(settings).copied.ordered == 0
    told = shown(settings, occasion=replace(BUYS_ONE, sells=True))
    assert (told.copied.ordered, told.exit_ordered) == (D("0.100"), D("0.050"))


def test_without_a_reading_of_the_account_nothing_is_promised() -> None:
    told = shown(CopySettings(mode=SizingMode.EQUITY), equities=Equities(copy=None, lead=D(100_000)))
    assert told.copied.ordered == 0
    assert [skip.reason for skip in told.copied.skips] == [SkipReason.EQUITY_UNKNOWN]


def test_a_pause_does_not_hide_the_example() -> None:
    assert shown(CopySettings(factor=D("0.1"), is_paused=True)).copied.ordered == D("0.100")


def test_on_spot_a_sale_that_would_leave_dust_takes_it_along() -> None:
    rules = replace(RULES, symbol="BTC/USDT", quantity_step=D("0.00001"), min_quantity=D("0.00001"),
                    exits_exempt_from_minimum=False)  # fmt: skip
    spot = Occasion(Instrument(Venue.BINANCE, Market.SPOT, "BTC/USDT"), rules, quantity=D("0.0012"), price=D(60_000))
    told = shown(CopySettings(factor=D("0.1"), max_leverage=D(1)), occasion=spot)
    assert told.copied.ordered == D("0.00012")
    assert (told.exit_ordered, told.left) == (D("0.00012"), D("0.00000"))
