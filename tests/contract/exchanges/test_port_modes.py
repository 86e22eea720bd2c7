"""The contract, part 9: margin mode, the venue's own leverage, resting orders and the turnover of a day."""

from decimal import Decimal

import pytest

from copytrade.domain.instruments import MarginMode
from copytrade.domain.orders import OrderKind
from copytrade.errors import OrderRefused
from copytrade.exchanges.port import ExchangeClient
from tests.contract.exchanges.places import PERPETUALS, Account, named, soon


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_90_margin_is_made_isolated_and_cross_again(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        for _ in range(2):
            await client.set_isolated_margin(alice.symbol)
        assert await client.margin_mode(alice.symbol) is MarginMode.ISOLATED
        await client.set_leverage(alice.symbol, 3)
        assert await client.leverage(alice.symbol) == 3
        await client.set_cross_margin(alice.symbol)
        assert await client.margin_mode(alice.symbol) is MarginMode.CROSS

    alice.run(use)


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_91_margin_stays_as_it_is_over_a_position_which_tells_it(alice: Account) -> None:
    alice.run(lambda client: client.set_isolated_margin(alice.symbol))
    alice.trade("BUY", "0.1")

    async def use(client: ExchangeClient) -> None:
        [held] = await client.positions()
        assert (held.margin_mode, held.leverage is not None) == (MarginMode.ISOLATED, True)
        with pytest.raises(OrderRefused):
            await client.set_cross_margin(alice.symbol)

    alice.run(use)


def test_92_the_venue_says_how_much_leverage_it_gives(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        most = await client.max_leverage(alice.symbol)
        if alice.is_spot:
            assert most == 1
            return
        await client.set_leverage(alice.symbol, most)
        with pytest.raises(OrderRefused):
            await client.set_leverage(alice.symbol, most + 1)

    alice.run(use)


def test_93_resting_orders_are_listed_while_they_rest(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        assert await client.open_orders(alice.symbol) == []
        resting = alice.buy("0.01", kind=OrderKind.LIMIT, price=Decimal(58_000))
        await client.place(resting, not_after=soon())
        [order] = await client.open_orders(alice.symbol)
        assert (order.client_order_id, order.has_ended) == (resting.client_order_id, False)
        await client.cancel(alice.symbol, resting.client_order_id)
        assert await client.open_orders(alice.symbol) == []

    alice.run(use)


def test_94_the_turnover_of_a_day_is_told_of_all_symbols(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        turnover = await client.day_volumes()
        assert turnover.keys() <= (await client.rules()).keys()
        assert turnover[alice.symbol] > 1_000_000
        assert turnover[alice.eth] > 1_000_000

    alice.run(use)
