from decimal import Decimal

import pytest

from copytrade.domain.instruments import MarketRules, Side

BTC = MarketRules(
    symbol="BTC/USDT:USDT",
    base="BTC",
    quote="USDT",
    quantity_step=Decimal("0.001"),
    price_tick=Decimal("0.1"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(1000),
    max_market_quantity=Decimal(120),
    min_notional=Decimal(5),
)


@pytest.mark.parametrize(
    ("quantity", "rounded"), [("0.0019", "0.001"), ("-0.0019", "-0.001"), ("0.0009", "0"), ("2", "2.000")]
)
def test_a_quantity_is_rounded_towards_zero(quantity: str, rounded: str) -> None:
    assert BTC.round_quantity(Decimal(quantity)) == Decimal(rounded)


def test_a_limit_price_is_rounded_to_our_advantage() -> None:
    assert BTC.round_price_inward(Decimal("60300.07"), side=Side.BUY) == Decimal("60300.0")
    assert BTC.round_price_inward(Decimal("60300.07"), side=Side.SELL) == Decimal("60300.1")


def test_the_side_of_a_signed_quantity() -> None:
    assert Side.of(Decimal("-0.1")) is Side.SELL
    assert Side.of(Decimal("0.1")).sign == 1
