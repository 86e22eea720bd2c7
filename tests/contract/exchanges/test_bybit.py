"""What is Bybit's own: one wallet, sides of positions that only orders tell, sequences, closings by the venue."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from copytrade import clock
from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Market, PositionSide, Side, Venue
from copytrade.domain.orders import OrderKind, OrderRequest, OutcomeKind, VenueOrderStatus
from copytrade.errors import BadCredentials
from copytrade.exchanges import ground
from copytrade.exchanges.bybit import paging
from copytrade.exchanges.port import ExchangeClient
from copytrade.settings import settings
from tests.contract.exchanges.conftest import Opener
from tests.contract.exchanges.places import (
    BTC_ID,
    ETH_ID,
    Account,
    all_fills,
    eventually,
    heard_until,
    named,
    settled,
    soon,
)

HOUR = timedelta(hours=1)
BOTH = [(Venue.BYBIT, market) for market in (Market.SPOT, Market.PERPETUAL)]
ANYWHERE = pytest.mark.parametrize("place", BOTH, indirect=True, ids=named)
SPOT = pytest.mark.parametrize("place", BOTH[:1], indirect=True, ids=named)
PERPETUAL = pytest.mark.parametrize("place", BOTH[1:], indirect=True, ids=named)


@ANYWHERE
def test_an_account_that_is_not_unified_is_unfit_and_tells_no_more(opened: Opener) -> None:
    classic = opened(unified=False)
    assert classic.run(lambda client: client.permissions()).unfit == "not_unified"
    with pytest.raises(BadCredentials):
        classic.run(lambda client: client.equity())


@ANYWHERE
def test_rights_are_those_of_the_market_and_the_account_has_a_number(opened: Opener) -> None:
    other = "futures" if opened.is_spot else "spot"
    alice = opened(**{other: False})
    rights = alice.run(lambda client: client.permissions())
    assert (rights.may_trade, rights.uid) == (True, str(alice.number))
    own = "spot" if opened.is_spot else "futures"
    assert opened(**{own: False}).run(lambda client: client.permissions()).may_trade is False


@PERPETUAL
def test_closings_by_the_venue_are_fills_and_funding_is_none(alice: Account) -> None:
    alice.trade("BUY", "0.5")
    alice.control.deleverage(alice.number, BTC_ID, "0.2")
    alice.control.liquidate(alice.number, BTC_ID)
    found, _ = alice.run(lambda client: all_fills(client, alice.symbol))
    told = [(str(fill.signed), fill.is_liquidation) for fill in found]
    assert told == [("0.5", False), ("-0.2", True), ("-0.3", True)]
    orders = alice.run(lambda client: client.recent_orders(alice.symbol, since=clock.now() - HOUR))
    assert sorted(order.is_liquidation for order in orders) == [False, True, True]


def ranks(fills: list[Fill]) -> list[tuple[int, str]]:
    return [(fill.sequence, fill.trade_id) for fill in fills]


@ANYWHERE
def test_the_fills_of_one_moment_are_told_in_order_by_lists_and_stream(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.fills_in_one_millisecond(5, side="SELL")
            streamed: list[Fill] = []
            while len(streamed) < 5:
                heard = await heard_until(messages, lambda message: message.fill is not None)
                streamed += [message.fill for message in heard if message.fill is not None]
        listed, _ = await all_fills(client, alice.symbol)
        assert ranks(listed) == ranks(streamed)
        assert [fill.trade_id for fill in listed] == alice.filled_ids()
        assert len({fill.sequence for fill in listed}) == 5
        assert len({fill.sequence // 4096 for fill in listed}) == len({fill.venue_time for fill in listed})

    alice.run(use)


@ANYWHERE
def test_a_window_of_too_many_pages_is_read_in_halves(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 2)
    monkeypatch.setattr(paging, "_MOST_PAGES", 2)
    rules = alice.control.limits(venue="bybit")
    alice.control.limits(venue="bybit", reads_per_s=10_000)
    for _ in range(3):
        alice.fills_in_one_millisecond(7)
    found, _ = alice.run(lambda client: all_fills(client, alice.symbol))
    assert sorted({fill.trade_id for fill in found}) == sorted(alice.filled_ids())
    told = alice.run(lambda client: client.traded_symbols(since=clock.now() - HOUR))
    assert told == {alice.symbol}
    alice.control.limits(venue="bybit", **rules)


async def filled(client: ExchangeClient, request: OrderRequest) -> bool:
    order = await client.look_up(request.symbol, request.client_order_id)
    return order is not None and order.status is VenueOrderStatus.FILLED


@PERPETUAL
def test_in_hedge_mode_the_sides_of_old_orders_are_asked_for(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = opened(hedge=True)
    monkeypatch.setattr("copytrade.exchanges.bybit.sides._BEFORE", timedelta(0))

    async def use(client: ExchangeClient) -> None:
        resting = alice.buy(
            "0.1", kind=OrderKind.LIMIT, price=Decimal(59_000), position_side=PositionSide.LONG, side=Side.BUY
        )
        assert (await client.place(resting, not_after=soon())).kind is OutcomeKind.PLACED
        await settled(client, alice.sell("0.2", position_side=PositionSide.SHORT))
        alice.control.set_price(BTC_ID, 58_990)
        await eventually(lambda: filled(client, resting))
        fills, _ = await all_fills(client, alice.symbol)
        assert [(fill.signed, fill.position_side) for fill in fills] == [
            (Decimal("-0.2"), PositionSide.SHORT),
            (Decimal("0.1"), PositionSide.LONG),
        ]

    alice.run(use)


@PERPETUAL
def test_a_fill_whose_order_is_not_told_is_told_with_its_position(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.control.stream_fault("lose", account=alice.number, event="order", count=1)
            alice.trade("SELL", "0.1")
            heard = await heard_until(messages, lambda message: message.position is not None)
            kinds = ["fill" if message.fill else "position" for message in heard]
            assert kinds == ["fill", "position"]
            position = heard[-1].position
            assert position is not None
            assert (position.quantity, heard[-1].venue_time) == (Decimal("-0.1"), heard[0].venue_time)

    alice.run(use)


@PERPETUAL
def test_what_the_stream_held_back_is_found_by_the_poll(opened: Opener) -> None:
    alice = opened(hedge=True)

    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.control.stream_fault("lose", account=alice.number, event="order", count=1)
            lost = alice.buy("0.1", position_side=PositionSide.LONG)
            await settled(client, lost)
            await settled(client, alice.sell("0.3", position_side=PositionSide.SHORT))
            heard = await heard_until(messages, lambda message: message.fill is not None)
            assert [message.fill.signed for message in heard if message.fill] == [Decimal("-0.3")]
            found, _ = await all_fills(client, alice.symbol)
            assert [fill.position_side for fill in found] == [PositionSide.LONG, PositionSide.SHORT]

    alice.run(use)


@ANYWHERE
def test_a_transfer_is_heard_and_a_trade_is_none(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.trade("SELL", "0.1")
            heard = await heard_until(messages, lambda message: message.order is not None)
            alice.control.transfer(alice.number, 5, **alice.where)
            heard += await heard_until(messages, lambda message: message.transfer is not None)
            (told,) = [message.transfer for message in heard if message.transfer is not None]
            assert (told.asset, told.amount) == ("USDT", 5)

    alice.run(use)


@ANYWHERE
def test_a_quiet_stream_is_kept_by_pings(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = settings().model_copy(update={"stream_heartbeat_s": 0.3})
    monkeypatch.setattr(ground, "settings", lambda: hasty)

    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            await asyncio.sleep(1)  # three times what ccxt waits for the answer to a ping
            alice.trade("SELL", "0.1")
            heard = await heard_until(messages, lambda message: message.fill is not None)
            assert not any(message.connected for message in heard)

    alice.run(use)


@PERPETUAL
def test_an_isolated_account_has_its_usdt(alice: Account) -> None:
    alice.control.set_modes(alice.number, isolated={BTC_ID: True})
    alice.trade("BUY", "1")
    equity = alice.run(lambda client: client.equity())
    assert equity.total == equity.wallet + equity.unrealized_pnl
    assert 999_000 < equity.total < 1_000_000
    assert equity.available < 998_000


@SPOT
def test_an_order_in_money_by_hand_fills_in_base(alice: Account) -> None:
    alice.control.place(alice.number, ETH_ID, "BUY", "0", market="spot", quote_quantity=900)
    (fill,), _ = alice.run(lambda client: all_fills(client, alice.eth))
    assert (fill.fee_asset, fill.fee) == ("ETH", fill.quantity / 1000)
    assert abs(fill.quantity * fill.price - 900) < 5


@ANYWHERE
def test_an_order_that_ended_is_in_the_recent_ones_and_in_the_history(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        done = await settled(client, alice.sell("0.1"))
        resting = alice.buy("0.01", kind=OrderKind.LIMIT, price=Decimal(59_000))
        assert (await client.place(resting, not_after=soon())).kind is OutcomeKind.PLACED
        orders = await client.recent_orders(alice.symbol, since=clock.now() - HOUR)
        states = {order.client_order_id: order.status for order in orders}
        assert states == {
            done.client_order_id: VenueOrderStatus.FILLED,
            resting.client_order_id: VenueOrderStatus.OPEN,
        }
        assert (done.fee_asset, done.fee is not None) == ("USDT", True)

    alice.run(use)


@ANYWHERE
def test_the_empty_weeks_of_a_past_are_asked_for_once(alice: Account) -> None:
    for name in (BTC_ID, ETH_ID):
        alice.trade("SELL" if name == BTC_ID else "BUY", "0.1", symbol=name)

    async def use(client: ExchangeClient) -> None:
        rules = alice.control.limits(venue="bybit")
        alice.control.limits(venue="bybit", reads_per_s=10_000)
        alice.control.forget_requests()
        pages, cursor = 0, ""
        found: list[str] = []
        for symbol in (alice.symbol, alice.eth):
            cursor, is_last = "", False
            while not is_last:
                page = await client.fills(symbol, cursor=cursor, since=None)
                cursor, is_last, pages = page.cursor, page.is_last, pages + 1
                found += [fill.trade_id for fill in page.fills]
        alice.control.limits(venue="bybit", **rules)
        assert sorted(set(found)) == sorted(alice.filled_ids())
        assert pages <= 4
        assert 100 <= alice.control.requests()["GET /v5/execution/list"] <= 112

    alice.run(use, alone=True)


@ANYWHERE
def test_polls_find_every_fill_though_the_venue_shows_them_late(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE", 7)
    rules = alice.control.limits(venue="bybit")
    alice.control.limits(venue="bybit", reads_per_s=10_000)
    alice.control.read_lag(300, account=alice.number)
    dice = Random(7)

    async def use(client: ExchangeClient) -> None:
        found: set[str] = set()
        cursor = ""
        for _ in range(12):
            for _ in range(dice.randint(0, 4)):
                alice.trade(dice.choice(("BUY", "SELL")), str(Decimal(dice.randint(1, 40)) / 100))
            if dice.random() < 0.3:
                alice.fills_in_one_millisecond(9)
            more, cursor = await all_fills(client, alice.symbol, cursor=cursor)
            found |= {fill.trade_id for fill in more}
        alice.control.read_lag(0, account=alice.number)
        more, _ = await all_fills(client, alice.symbol, cursor=cursor)
        found |= {fill.trade_id for fill in more}
        assert sorted(found) == sorted(alice.filled_ids())

    alice.run(use)
    alice.control.limits(venue="bybit", **rules)
