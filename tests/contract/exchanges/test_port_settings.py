"""The contract, part 3: leverage, margin and position modes, and orders in hedge mode."""

from decimal import Decimal

import pytest

from copytrade.domain.instruments import MarginMode, PositionSide, Side
from copytrade.domain.orders import OutcomeKind, Refusal
from copytrade.errors import OrderRefused
from copytrade.exchanges.port import ExchangeClient
from tests.contract.exchanges.conftest import Opener
from tests.contract.exchanges.places import BTC_ID, PERPETUALS, Account, all_fills, named, settled


def test_54_settings_are_set_and_unchanged_is_success(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        for _ in range(2):
            await client.set_leverage(alice.symbol, 7)
            await client.set_cross_margin(alice.symbol)
            await client.set_one_way()
        assert await client.is_hedged() is False
        assert await client.margin_mode(alice.symbol) is MarginMode.CROSS
        assert await client.leverage(alice.symbol) == (1 if alice.is_spot else 7)
        if not alice.is_spot:
            with pytest.raises(OrderRefused):
                await client.set_leverage(alice.symbol, 500)
            assert await client.leverage(alice.symbol) == 7

    alice.run(use)


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_55_margin_is_made_cross_and_the_mode_is_switched_both_ways(alice: Account) -> None:
    alice.control.set_modes(alice.number, isolated={BTC_ID: True}, hedge=True)

    async def use(client: ExchangeClient) -> None:
        assert await client.is_hedged() is True
        await client.set_hedged()
        await client.set_one_way()
        assert await client.is_hedged() is False
        await client.set_cross_margin(alice.symbol)
        assert await client.margin_mode(alice.symbol) is MarginMode.CROSS
        await client.set_hedged()
        assert await client.is_hedged() is True

    alice.run(use)


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_56_the_mode_is_not_switched_over_an_open_position(alice: Account) -> None:
    alice.trade("BUY", "0.1")
    with pytest.raises(OrderRefused):
        alice.run(lambda client: client.set_hedged())


HEDGED = [
    ("buy", PositionSide.LONG, "0.5", False),
    ("sell", PositionSide.SHORT, "0.3", False),
    ("sell", PositionSide.LONG, "0.2", True),
    ("buy", PositionSide.SHORT, "0.1", True),
]


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_57_in_hedge_mode_orders_and_fills_carry_side_and_position(opened: Opener) -> None:
    alice = opened(hedge=True)

    async def use(client: ExchangeClient) -> None:
        for side, position, quantity, reduce in HEDGED:
            request = alice.buy(quantity, side=Side(side), position_side=position, reduce_only=reduce)
            order = await settled(client, request)
            assert (order.side.value, order.filled) == (side, Decimal(quantity))
        held = {(one.position_side, one.quantity) for one in await client.positions()}
        assert held == {(PositionSide.LONG, Decimal("0.3")), (PositionSide.SHORT, Decimal("-0.2"))}
        state = await client.state()
        assert state.positions == {
            (alice.symbol, PositionSide.LONG): Decimal("0.3"),
            (alice.symbol, PositionSide.SHORT): Decimal("-0.2"),
        }
        fills, _ = await all_fills(client, alice.symbol)
        told = [(fill.side.value, fill.position_side, str(fill.quantity.normalize())) for fill in fills]
        assert told == [(side, position, quantity) for side, position, quantity, _ in HEDGED]
        for fill in fills:
            listed = await client.order_fills(alice.symbol, fill.order_id)
            assert [(one.side, one.position_side) for one in listed] == [(fill.side, fill.position_side)]

    alice.run(use)


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_58_an_order_in_the_wrong_position_mode_is_refused(opened: Opener) -> None:
    outcome = opened(hedge=True).place(opened(hedge=True).buy())
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.POSITION_MODE)
    outcome = opened().place(opened().buy(position_side=PositionSide.LONG))
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.POSITION_MODE)
