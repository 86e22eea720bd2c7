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


def test_what_a_limit_leaves_of_rounding_alone_is_not_copied() -> None:
    """A limit that was used up but for the eighteenth decimal left a part that nothing could ever carry out."""
    copy = following("1", price=D("1999.79"))
    # room for three 10⁻¹⁸ parts of what 10 × 0.0789 asks for: none of the lead's quantity stands for so little
    copy.settings = replace(copy.settings, factor=D(10), max_position_notional=D("1999.79") * 3 * D("1e-18"))
    copy.trade("0.078941622203664718")
    [part] = copy.history.values()
    assert (part.pending, copy.leg.target) == (0, 0)
    assert sum(quantity for _, quantity in copy.skips) == part.asked
