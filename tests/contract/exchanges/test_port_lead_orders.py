"""The contract, part 8: how much a lead ordered, which sizing by order wants to know."""

from decimal import Decimal

import pytest

from copytrade.exchanges.port import ExchangeClient
from tests.contract.exchanges.places import BTC_ID, SPOTS, Account, all_fills, eventually, heard_until, named


def test_80_an_order_is_found_by_the_venues_own_id(alice: Account) -> None:
    alice.trade("BUY", "0.25", price=61_000)

    async def use(client: ExchangeClient) -> None:
        fills, _ = await all_fills(client, alice.symbol)
        order = await eventually(lambda: client.order(alice.symbol, fills[-1].order_id))
        assert order is not None
        assert (order.venue_order_id, order.quantity, order.quote_quantity) == (
            fills[-1].order_id, Decimal("0.25"), None,
        )  # fmt: skip
        assert await client.order(alice.symbol, "999999999999") is None

    alice.run(use)


@pytest.mark.parametrize("place", SPOTS, indirect=True, ids=named)
def test_81_a_purchase_given_in_quote_is_told_as_such(alice: Account) -> None:
    alice.control.place(alice.number, BTC_ID, "BUY", market="spot", quote_quantity=600)

    async def use(client: ExchangeClient) -> None:
        fills, _ = await all_fills(client, alice.symbol)
        # an execution may only say it where it says the unit too
        assert fills[-1].order_quantity is None or fills[-1].order_unit_is_quote
        order = await eventually(lambda: client.order(alice.symbol, fills[-1].order_id))
        assert order is not None
        assert order.quote_quantity == 600
        [listed] = [
            one
            for one in await client.recent_orders(alice.symbol, since=fills[-1].venue_time)
            if one.venue_order_id == fills[-1].order_id
        ]
        assert listed.quote_quantity == 600

    alice.run(use)


def test_82_a_stream_tells_with_the_fill_or_the_order_how_much_was_ordered(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.trade("BUY", "0.25", price=61_000)
            told: set[Decimal] = set()
            fills: set[str] = set()
            async for message in messages:
                if message.fill is not None:
                    fills.add(message.fill.order_id)
                    told |= {message.fill.order_quantity} if message.fill.order_quantity else set()
                if message.order is not None and message.order.quote_quantity is None:
                    told.add(message.order.quantity)
                if fills and told:
                    break
            assert told == {Decimal("0.25")}

    alice.run(use)
