"""Balances of spot as worth, positions and a mark."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from copytrade.domain.fills import Balance
from copytrade.domain.instruments import PositionSide, Side
from copytrade.domain.orders import OrderKind, OrderRequest
from copytrade.exchanges import holdings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HELD = [
    Balance("USDT", Decimal(900), Decimal(1000)),
    Balance("USDC", Decimal(50), Decimal(50)),
    Balance("BTC", Decimal("0.1"), Decimal("0.5")),
    Balance("OLD", Decimal(7), Decimal(7)),
    Balance("ETH", Decimal(0), Decimal(0)),
]
PRICES = {"BTC/USDT": Decimal(60000), "ETH/USDT": Decimal(3000)}


def test_worth_counts_what_rests_in_orders_stable_coins_at_one_and_nothing_without_a_price() -> None:
    worth = holdings.worth(HELD, prices=PRICES, read_at=NOW)
    assert (worth.total, worth.wallet, worth.unrealized_pnl) == (31050, 31050, 0)
    assert (worth.available, worth.read_at) == (900, NOW)


def test_what_is_held_is_the_total_of_coins_with_a_market() -> None:
    held = holdings.held(HELD, symbols={"BTC/USDT": 1, "ETH/USDT": 1})
    assert held == {("BTC/USDT", PositionSide.NET): Decimal("0.5")}


def test_the_mark_follows_totals_and_nothing_else() -> None:
    mark = holdings.mark_of(HELD)
    freed = [replace(HELD[2], free=Decimal("0.5")), *HELD[:2], HELD[3]]
    assert holdings.mark_of(freed) == mark
    assert holdings.mark_of([replace(one, total=one.total + 0) for one in HELD]) == mark
    assert holdings.mark_of([replace(HELD[0], total=Decimal("1000.000")), *HELD[1:]]) == mark
    assert holdings.mark_of([replace(HELD[0], total=Decimal("1000.001")), *HELD[1:]]) != mark


@pytest.mark.parametrize("change", [{"reduce_only": True}, {"position_side": PositionSide.LONG}])
def test_spot_has_neither_reduce_only_nor_sides_of_positions(change: dict[str, object]) -> None:
    order = OrderRequest("BTC/USDT", Side.SELL, Decimal(1), OrderKind.MARKET, "cp1")
    holdings.check_request(order)
    with pytest.raises(ValueError, match="spot"):
        holdings.check_request(replace(order, **change))
