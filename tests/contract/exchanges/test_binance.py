"""What is Binance's own: rights by market, streams that expire, walks by trade id, ledgers of two kinds."""

from datetime import timedelta
from decimal import Decimal

import pytest

from copytrade import clock
from copytrade.domain.instruments import Market, Venue
from copytrade.domain.orders import OutcomeKind
from copytrade.exchanges.binance import paging
from copytrade.exchanges.port import ExchangeClient
from tests.contract.exchanges.conftest import Opener
from tests.contract.exchanges.places import Account, heard_until, named, soon

HOUR = timedelta(hours=1)
SPOT = pytest.mark.parametrize("place", [(Venue.BINANCE, Market.SPOT)], indirect=True, ids=named)
PERPETUAL = pytest.mark.parametrize("place", [(Venue.BINANCE, Market.PERPETUAL)], indirect=True, ids=named)


@PERPETUAL
def test_the_right_to_trade_is_that_of_the_market(opened: Opener) -> None:
    rights = opened(futures=False, spot=True).run(lambda client: client.permissions())
    assert rights.may_trade is False
    rights = opened(futures=True, spot=False).run(lambda client: client.permissions())
    assert rights.may_trade is True


@PERPETUAL
def test_a_time_that_was_long_on_its_way_is_asked_for_again(alice: Account) -> None:
    """By half of three seconds the first order would lie in the venue's future, where it takes none."""
    alice.fault(path="/fapi/v1/time", account=0, delay_in_ms=3000)
    outcome = alice.run(lambda client: client.place(alice.sell(), not_after=soon()), alone=True)
    assert outcome.kind is OutcomeKind.PLACED


@PERPETUAL
def test_an_expired_listen_key_is_taken_anew(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.control.expire_listen_key(alice.number)
            await heard_until(messages, lambda message: message.connected)
            request = alice.buy("0.001")
            await client.place(request, not_after=soon())
            heard = await heard_until(messages, lambda message: message.fill is not None)
            fill = heard[-1].fill
            assert fill is not None
            assert (fill.client_order_id, fill.order_quantity) == (request.client_order_id, Decimal("0.001"))

    alice.run(use)


@PERPETUAL
def test_each_row_of_the_income_is_an_entry(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 8)
    for side in ("BUY", "SELL", "BUY", "SELL"):
        alice.trade(side, "1")
    now = clock.now()
    entries = alice.run(lambda client: client.entries(since=now - HOUR, until=now + HOUR))
    assert len(entries) == len(alice.control.incomes(alice.number))


@PERPETUAL
def test_a_walk_of_the_income_that_one_millisecond_fills_goes_by_page(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE", 4)
    alice.fills_in_one_millisecond(30)
    now = clock.now()
    entries = alice.run(lambda client: client.entries(since=now - HOUR, until=now + HOUR))
    assert len(entries) == len(alice.control.incomes(alice.number)) >= 31


@SPOT
def test_the_right_to_trade_spot_and_whose_key_it_is(opened: Opener) -> None:
    alice = opened(futures=True, spot=False)
    rights = alice.run(lambda client: client.permissions())
    assert (rights.may_trade, rights.uid) == (False, str(alice.number))
    rights = opened(futures=False, spot=True).run(lambda client: client.permissions())
    assert rights.may_trade is True


@SPOT
def test_a_subscription_that_is_terminated_is_made_anew(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.control.expire_listen_key(alice.number)
            await heard_until(messages, lambda message: message.connected)
            alice.trade("SELL", "0.1")
            assert await heard_until(messages, lambda message: message.fill is not None)

    alice.run(use)


@SPOT
def test_a_walk_from_long_ago_goes_by_id_from_the_first_trade(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 3)
    for _ in range(4):
        alice.trade("SELL", "0.1")

    async def use(client: ExchangeClient) -> None:
        for since in (None, clock.now() - timedelta(days=300)):
            alice.control.forget_requests()
            first = await client.fills(alice.symbol, cursor="", since=since)
            second = await client.fills(alice.symbol, cursor=first.cursor, since=since)
            assert [fill.trade_id for fill in (*first.fills, *second.fills)] == alice.filled_ids()
            assert (first.is_last, second.is_last) == (False, True)
            assert alice.control.requests() == {"GET /api/v3/myTrades": 2}

    alice.run(use)


@SPOT
def test_balances_are_told_as_positions_by_the_stream(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.trade("SELL", "0.4")
            # one order may be filled in parts, and each part is told
            heard = await heard_until(
                messages, lambda message: message.position is not None and message.position.quantity <= Decimal("9.6")
            )
            position = heard[-1].position
            assert position is not None
            assert (position.symbol, position.quantity) == (alice.symbol, Decimal("9.6"))

    alice.run(use)


@SPOT
def test_transfers_between_the_owners_wallets_are_entries_of_both(alice: Account) -> None:
    began = clock.now() - timedelta(minutes=1)
    alice.control.move(alice.number, 250)
    alice.control.move(alice.number, -50)
    entries = alice.run(lambda client: client.entries(since=began, until=clock.now() + HOUR))
    assert [entry.amount for entry in entries if entry.entry_id.startswith("TRANSFER:")] == [-250, 50]
    total = alice.run(lambda client: client.balances())
    assert sum(entry.amount for entry in entries if entry.asset == "USDT") == next(
        one.total for one in total if one.asset == "USDT"
    )


@SPOT
def test_the_venues_calls_for_entries_are_few(alice: Account) -> None:
    alice.control.forget_requests()
    alice.run(lambda client: client.entries(since=clock.now() - HOUR, until=clock.now()))
    assert alice.control.requests() == {
        "GET /sapi/v1/capital/deposit/hisrec": 1,
        "GET /sapi/v1/capital/withdraw/history": 1,
        "GET /sapi/v1/asset/transfer": 10,
    }


@SPOT
def test_the_fee_of_an_order_is_the_base_assets_part_of_it(alice: Account) -> None:
    outcome = alice.place(alice.buy("0.1"))
    assert outcome.order is not None
    assert outcome.order.fee_asset == "BTC"
    assert outcome.order.fee == sum(Decimal(row["commission"]) for row in alice.control.fills(alice.number))


@PERPETUAL
def test_several_places_share_no_state_of_another(opened: Opener) -> None:
    alice, bob = opened(), opened()
    alice.trade("BUY", "1")
    assert bob.run(lambda client: client.positions()) == []
    assert [one.quantity for one in alice.run(lambda client: client.positions())] == [1]
