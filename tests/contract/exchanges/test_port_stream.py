"""The contract, part 5: the private stream of each place."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from copytrade import clock
from copytrade.domain.instruments import PositionSide, Side
from copytrade.domain.orders import OrderKind, VenueOrderStatus
from copytrade.exchanges import streaming
from copytrade.exchanges.port import ExchangeClient, StreamMessages
from tests.contract.exchanges.conftest import Opener
from tests.contract.exchanges.places import BANNING, BTC_ID, PERPETUALS, Account, all_fills, heard_until, named, soon


def streamed(alice: Account, use: Any) -> None:
    """Run `use` with a client and its connected stream."""

    async def main(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            await use(client, messages)

    alice.run(main)


def fills_of(heard: list[Any]) -> list[Any]:
    return [message.fill for message in heard if message.fill is not None]


def test_80_a_fill_is_told_within_a_second_as_the_lists_tell_it(alice: Account) -> None:
    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        request = alice.sell("0.3")
        await client.place(request, not_after=soon())
        acknowledged = clock.real_now()
        heard = await heard_until(messages, lambda message: message.fill is not None)
        assert clock.real_now() - acknowledged < timedelta(seconds=1)
        fill = heard[-1].fill
        assert fill is not None
        (listed,), _ = await all_fills(client, alice.symbol)
        assert (fill.trade_id, fill.order_id, fill.signed) == (listed.trade_id, listed.order_id, listed.signed)
        assert (fill.price, fill.fee, fill.fee_asset) == (listed.price, listed.fee, listed.fee_asset)
        assert (fill.venue_time, fill.symbol, fill.sequence) == (listed.venue_time, listed.symbol, listed.sequence)
        assert fill.position_side is PositionSide.NET

    streamed(alice, use)


def test_81_the_order_of_a_fill_is_told_with_our_id(alice: Account) -> None:
    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        request = alice.sell("0.3")
        await client.place(request, not_after=soon())
        heard = await heard_until(messages, lambda message: message.order is not None and message.order.has_ended)
        order = heard[-1].order
        assert order is not None
        assert (order.client_order_id, order.filled) == (request.client_order_id, Decimal("0.3"))

    streamed(alice, use)


def test_82_twenty_fills_at_once_are_all_told(alice: Account) -> None:
    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        alice.fills_in_one_millisecond(20, side="SELL")
        told: set[str] = set()
        while len(told) < 20:
            heard = await heard_until(messages, lambda message: message.fill is not None)
            told |= {fill.trade_id for fill in fills_of(heard)}
            await asyncio.sleep(0)
        assert sorted(told) == sorted(alice.filled_ids())

    streamed(alice, use)


def test_83_a_cut_stream_comes_back_and_says_so(alice: Account) -> None:
    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        for _ in range(2):
            alice.control.cut_streams(alice.number)
            alice.trade("SELL", "0.1")  # in the gap: the poll after `connected` finds it
            await heard_until(messages, lambda message: message.connected)
        alice.trade("SELL", "0.2")
        heard = await heard_until(messages, lambda message: message.fill and message.fill.signed == Decimal("-0.2"))
        assert heard
        found, _ = await all_fills(client, alice.symbol)
        assert [fill.signed for fill in found] == [Decimal("-0.1"), Decimal("-0.1"), Decimal("-0.2")]

    streamed(alice, use)


def test_84_doubled_frames_are_the_same_fill(alice: Account) -> None:
    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        alice.control.stream_fault("double", account=alice.number, count=10)
        alice.trade("SELL", "0.1")
        heard = await heard_until(messages, lambda message: message.fill is not None)
        heard += await heard_until(messages, lambda message: message.fill is not None)
        first, second = fills_of(heard)
        assert (first.trade_id, first.signed) == (second.trade_id, second.signed)

    streamed(alice, use)


GARBAGE = ["nonsense", "{", '{"e": 1, "data": {"x": []}, "topic": 7}', "[1, 2", "[]", '{"event": 5}', "\u0000", "null"]


def test_85_garbage_is_kept_or_ignored_and_the_stream_goes_on(alice: Account) -> None:
    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        for text in GARBAGE:
            assert alice.control.tell_raw(alice.number, text) == 1
        alice.trade("SELL", "0.1")
        heard = await heard_until(messages, lambda message: message.fill is not None)
        assert not any(message.connected for message in heard)
        assert fills_of(heard)[0].signed == Decimal("-0.1")
        assert any("nonsense" in message.spoiled for message in heard)

    streamed(alice, use)


def test_86_a_transfer_is_told_where_it_moves_the_wallet(alice: Account) -> None:
    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        before = await client.state()
        alice.control.transfer(alice.number, 5, **alice.where)
        if alice.ref.venue.value == "binance":
            heard = await heard_until(messages, lambda message: message.transfer is not None)
            assert heard[-1].transfer is not None
            assert (heard[-1].transfer.asset, heard[-1].transfer.amount) == ("USDT", 5)
        assert (await client.state()).mark != before.mark

    streamed(alice, use)


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_87_a_liquidation_is_told_as_a_fill(alice: Account) -> None:
    alice.trade("BUY", "0.3")

    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        alice.control.liquidate(alice.number, BTC_ID)
        heard = await heard_until(messages, lambda message: message.fill is not None)
        fill = fills_of(heard)[0]
        assert (fill.is_liquidation, fill.signed) == (True, Decimal("-0.3"))

    streamed(alice, use)


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_88_in_hedge_mode_the_stream_tells_side_and_position(opened: Opener) -> None:
    alice = opened(hedge=True)

    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        for side, position, reduces in (
            (Side.BUY, PositionSide.LONG, False),
            (Side.SELL, PositionSide.SHORT, False),
            (Side.SELL, PositionSide.LONG, True),
            (Side.BUY, PositionSide.SHORT, True),
        ):
            request = alice.buy("0.1", side=side, position_side=position, reduce_only=reduces)
            await client.place(request, not_after=soon())
            heard = await heard_until(messages, lambda message: message.fill is not None)
            fill = fills_of(heard)[0]
            assert (fill.side, fill.position_side) == (side, position)

    streamed(alice, use)


def test_89_a_stream_tells_nothing_of_another_account(opened: Opener) -> None:
    alice, mallory = opened(), opened()

    async def use(client: ExchangeClient, messages: StreamMessages) -> None:
        mallory.trade("SELL", "0.7")
        alice.trade("SELL", "0.1")
        heard = await heard_until(messages, lambda message: message.fill is not None)
        assert [fill.signed for fill in fills_of(heard)] == [Decimal("-0.1")]
        assert not any("0.7" in repr(message) for message in heard)

    streamed(alice, use)


def test_90_a_key_that_is_not_accepted_gets_no_stream_and_no_storm(alice: Account) -> None:
    alice.control.revoke_key(alice.api_key)

    async def use(client: ExchangeClient) -> None:
        alice.control.forget_requests()
        async with client.stream() as messages:
            with pytest.raises(TimeoutError):
                await heard_until(messages, lambda message: message.connected, within=0.5)

    alice.run(use)
    assert sum(alice.control.requests().values()) < 20


@pytest.mark.parametrize("place", BANNING, indirect=True, ids=named)
def test_91_while_the_venue_bans_us_no_stream_is_opened(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            assert alice.manners.ban is not None
            alice.fault(path=alice.orders_path, retry_after=1, **alice.manners.ban.fault())
            began = clock.real_now()
            await client.place(alice.sell(), not_after=soon())
            alice.control.cut_streams(alice.number)
            await heard_until(messages, lambda message: message.connected)
            assert clock.real_now() - began >= timedelta(seconds=0.9)

    alice.run(use, alone=True)


def test_92_a_connection_is_changed_before_the_venue_cuts_it(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_ROTATE_AFTER_S", 0.3)

    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            for _ in range(2):
                await heard_until(messages, lambda message: message.connected)
            alice.trade("SELL", "0.1")
            assert await heard_until(messages, lambda message: message.fill is not None)

    alice.run(use)


def test_93_an_order_is_told_from_its_rest_to_its_end(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            resting = alice.sell("0.1", kind=OrderKind.LIMIT, price=Decimal(62000))
            await client.place(resting, not_after=soon())
            heard = await heard_until(messages, lambda message: message.order is not None)
            assert heard[-1].order is not None
            assert heard[-1].order.status is VenueOrderStatus.OPEN
            await client.cancel(alice.symbol, resting.client_order_id)
            heard = await heard_until(messages, lambda message: message.order and message.order.has_ended)
            order = heard[-1].order
            assert order is not None
            assert (order.status, order.filled) == (VenueOrderStatus.CANCELLED, 0)
            assert order.client_order_id == resting.client_order_id

    alice.run(use)


def test_94_a_resting_order_that_others_take_is_told_as_makers_fills(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            resting = alice.sell("0.1", kind=OrderKind.LIMIT, price=Decimal(60500))
            await client.place(resting, not_after=soon())
            alice.control.set_price(BTC_ID, 60600)
            heard = await heard_until(messages, lambda message: message.fill is not None)
            fill = heard[-1].fill
            assert fill is not None
            assert (fill.is_maker, fill.price, fill.signed) == (True, 60500, Decimal("-0.1"))
            (listed,), _ = await all_fills(client, alice.symbol)
            assert (listed.is_maker, listed.fee, listed.trade_id) == (True, fill.fee, fill.trade_id)

    alice.run(use)
