"""Runs of the model in which a rule was broken, told again as plain examples."""

from dataclasses import replace

from copytrade.domain.instruments import MarketRules
from tests.unit.domain.copying import RULES, D, following

ODD = replace(RULES, max_quantity=D("0.30005"), max_market_quantity=D("0.10005"))
"""A venue whose largest orders do not lie on its own step, as Binance tells them on spot."""


def largest(rules: MarketRules) -> tuple[str, str]:
    return str(rules.round_quantity(rules.max_quantity)), str(rules.round_quantity(rules.max_market_quantity))


def test_an_order_cut_to_the_venues_largest_stays_on_its_step() -> None:
    copy = following("1", rules=ODD)
    copy.trade("0.5")
    copy.drive()
    copy.trade("-0.5")
    copy.fills = lambda order, price: D(0) if order.price is not None else order.quantity
    copy.drive()
    quantities = {order.quantity for order in copy.orders}
    assert {str(quantity) for quantity in quantities} >= set(largest(ODD))
    assert all(quantity % ODD.quantity_step == 0 for quantity in quantities)
