"""The contract, part 6: what a venue should not send. Nothing is lost, nothing is guessed, and the next call works."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from copytrade import clock
from copytrade.domain.fills import Fill, Position, Quote
from copytrade.domain.orders import OutcomeKind, Refusal, VenueOrder, VenueOrderStatus
from copytrade.errors import Unavailable
from copytrade.exchanges.port import ExchangeClient, FillPage
from tests.contract.exchanges.places import BTC_ID, ETH_ID, Account, all_fills, heard_until, soon

HOUR = timedelta(hours=1)


def steady(one: Fill | Position | Quote | VenueOrder) -> dict[str, Any]:
    """Return what was told, without the moment of reading."""
    return {name: getattr(one, name) for name in one.__slots__ if name != "read_at"}


def test_100_numbers_with_exponents_are_read_exactly(alice: Account) -> None:
    request = alice.sell("0.3")

    async def use(client: ExchangeClient) -> list[Any]:
        fills, _ = await all_fills(client, alice.symbol)
        order = await client.look_up(alice.symbol, request.client_order_id)
        assert order is not None
        state, quote = await client.state(), await client.quote(alice.symbol)
        told = [steady(one) for one in (*fills, *await client.positions(), order, quote)]
        balances = sorted((one.asset, one.free, one.total) for one in await client.balances())
        return [told, state.positions, state.mark, state.equity.total, balances]

    alice.settled(request)
    plain = alice.run(use)
    alice.fault(method="GET", exponents=True, count=-1)
    alice.control.fault(venue=alice.ref.venue.value, method="GET", path="icker", exponents=True, count=-1)
    assert alice.run(use) == plain


@pytest.mark.parametrize("change", ["null", "nan", "zero", "text", "gone", "float"])
def test_101_an_odd_row_is_kept_and_its_neighbours_are_read(alice: Account, change: str) -> None:
    for quantity in ("0.1", "0.2", "0.3"):
        alice.trade("SELL", quantity)
    where, what = alice.manners.fills[alice.ref.market]
    odd = {"null": None, "nan": "NaN", "zero": "0", "text": "much", "float": 0.1}
    facts = {"remove": [what]} if change == "gone" else {"replace": {what: odd[change]}}

    async def use(client: ExchangeClient) -> tuple[FillPage, list[Fill]]:
        alice.fault(method="GET", path=where, **facts)
        page = await client.fills(alice.symbol, cursor="", since=clock.now() - HOUR)
        found, _ = await all_fills(client, alice.symbol, cursor="")
        return page, found

    page, found = alice.run(use)
    assert (len(page.spoiled), len(page.fills)) == (1, 2)
    assert BTC_ID in page.spoiled[0]
    assert [fill.signed for fill in found] == [Decimal("-0.1"), Decimal("-0.2"), Decimal("-0.3")]


def test_102_a_page_of_odd_rows_ends_a_walk_and_loses_nothing(alice: Account) -> None:
    alice.trade("SELL", "0.1")
    where, what = alice.manners.fills[alice.ref.market]

    async def use(client: ExchangeClient) -> None:
        alice.fault(method="GET", path=where, replace={what: None})
        page = await client.fills(alice.symbol, cursor="", since=clock.now() - HOUR)
        assert (len(page.spoiled), list(page.fills)) == (1, [])
        alice.trade("SELL", "0.2")
        found, _ = await all_fills(client, alice.symbol, cursor=page.cursor)
        assert Decimal("-0.2") in [fill.signed for fill in found]

    alice.run(use)


@pytest.mark.parametrize("state", ["SOMETHING_NEW", None, 7])
def test_103_an_unknown_state_of_an_order_is_no_state(alice: Account, state: Any) -> None:
    request = alice.sell()
    alice.settled(request)
    where, what = alice.manners.order_state[alice.ref.market]

    async def use(client: ExchangeClient) -> None:
        alice.fault(method="GET", path=where, replace={what: state})
        with pytest.raises(Unavailable):
            await client.look_up(alice.symbol, request.client_order_id)
        found = await client.look_up(alice.symbol, request.client_order_id)
        assert found is not None
        assert found.status is VenueOrderStatus.FILLED

    alice.run(use)


def test_104_an_answer_that_speaks_of_another_order_is_unknown(alice: Account) -> None:
    alice.fault(path=alice.orders_path, replace={alice.manners.placed_id: "cpanother"})
    assert alice.place(alice.sell()).kind is OutcomeKind.UNKNOWN
    assert len(alice.orders()) == 1


@pytest.mark.parametrize("answer", ["empty", "large"])
def test_105_an_answer_of_nothing_proves_nothing_and_a_huge_one_is_read(alice: Account, answer: str) -> None:
    alice.fault(path=alice.orders_path, answer=answer)
    outcome = alice.place(alice.sell())
    assert outcome.kind is (OutcomeKind.PLACED if answer == "large" else OutcomeKind.UNKNOWN)
    assert len(alice.orders()) == 1
    alice.fault(method="GET", answer=answer, count=2)
    if answer == "empty":
        with pytest.raises(Unavailable):
            alice.run(lambda client: client.balances())
    else:
        assert alice.run(lambda client: client.balances())


def test_106_a_delisted_symbol_takes_no_orders_and_its_fills_are_still_read(alice: Account) -> None:
    alice.trade("BUY", "1", symbol=ETH_ID)
    alice.control.delist(ETH_ID, **alice.where)

    async def use(client: ExchangeClient) -> None:
        assert alice.eth not in {symbol for symbol, rules in (await client.rules()).items() if rules.is_active}
        assert (await client.rules())[alice.symbol].is_active
        outcome = await client.place(alice.buy("1", symbol=alice.eth), not_after=soon())
        assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.MARKET_CLOSED)
        found, _ = await all_fills(client, alice.eth)
        assert [fill.signed for fill in found] == [Decimal(1)]
        assert (await client.state()).equity.total > 0

    try:
        alice.run(use, alone=True)
    finally:
        alice.control.delist(ETH_ID, delisted=False, **alice.where)


def test_107_a_symbol_that_came_after_the_markets_were_loaded_is_read_under_its_name(alice: Account) -> None:
    alice.control.delist(ETH_ID, **alice.where)

    async def use(client: ExchangeClient) -> None:
        alice.control.delist(ETH_ID, delisted=False, **alice.where)
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.trade("BUY", "1", symbol=ETH_ID)
            heard = await heard_until(messages, lambda message: message.fill is not None)
            assert heard[-1].fill is not None
            assert heard[-1].fill.symbol == alice.eth
        found, _ = await all_fills(client, alice.eth)
        assert [fill.symbol for fill in found] == [alice.eth]

    try:
        alice.run(use, alone=True)
    finally:
        alice.control.delist(ETH_ID, delisted=False, **alice.where)


def test_108_an_odd_event_is_kept_and_the_next_is_told(alice: Account) -> None:
    event, what = alice.manners.streamed[alice.ref.market]

    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.control.stream_fault("change", account=alice.number, event=event, count=-1, replace={what: None})
            alice.trade("SELL", "0.1")
            heard = await heard_until(messages, lambda message: message.spoiled)
            assert any(BTC_ID in message.spoiled for message in heard)
            alice.control.clear_faults()
            alice.trade("SELL", "0.2")
            heard = await heard_until(messages, lambda message: message.fill is not None)
            assert heard[-1].fill is not None
            assert heard[-1].fill.signed == Decimal("-0.2")
            assert not any(message.connected for message in heard)

    alice.run(use)
