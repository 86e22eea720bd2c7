"""What is Bitget's own: margin modes in every order, the direction trap, spot buys in money, histories newest first."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Market, PositionSide, Side, Venue
from copytrade.domain.orders import OrderKind, OutcomeKind, Refusal
from copytrade.errors import Unavailable
from copytrade.exchanges.bitget import paging
from copytrade.exchanges.port import ExchangeClient
from copytrade.sandbox.client import Control
from tests.contract.exchanges.places import BTC_ID, Account, Bench, all_fills, heard_until, open_account, soon

Opened = Callable[..., Account]
SETTINGS = "GET /api/v2/mix/account/account"
FILLS = {Market.SPOT: "GET /api/v2/spot/trade/fills", Market.PERPETUAL: "GET /api/v2/mix/order/fills"}
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@pytest.fixture
def perpetual(control: Control, bench: Bench) -> Opened:
    return lambda **facts: open_account(control, bench, (Venue.BITGET, Market.PERPETUAL), **facts)


@pytest.fixture
def spot(control: Control, bench: Bench) -> Opened:
    return lambda **facts: open_account(control, bench, (Venue.BITGET, Market.SPOT), **facts)


@pytest.mark.parametrize("market", ["perpetual", "spot"])
def test_a_unified_account_is_told_as_unfit(market: str, request: pytest.FixtureRequest) -> None:
    alice: Account = request.getfixturevalue(market)(unified=True, coins=None)
    found = alice.run(lambda client: client.permissions())
    assert (found.unfit, found.may_read, found.may_withdraw, found.may_transfer) == ("unified", None, None, None)
    assert alice.place(alice.buy()).refusal is Refusal.CREDENTIALS


def test_a_probe_that_the_key_may_not_make_refuses_nobody(spot: Opened) -> None:
    alice = spot()
    alice.fault(path="/api/v3/account/settings", answer="status", status=400, code="40014", execute="no")
    assert alice.run(lambda client: client.permissions()).may_trade is True
    alice.fault(path="/api/v3/account/settings", answer="status", status=502, execute="no")
    with pytest.raises(Unavailable):
        alice.run(lambda client: client.permissions())


def test_an_order_for_an_isolated_position_is_sent_again_with_its_margin_mode(perpetual: Opened) -> None:
    alice = perpetual(isolated={BTC_ID: True})
    alice.trade("BUY", "0.05")
    outcome = alice.place(alice.sell("0.05", reduce_only=True))
    assert outcome.kind is OutcomeKind.PLACED
    assert [row["executedQty"] for row in alice.orders()] == ["0.050", "0.050"]
    assert alice.control.position(alice.number, BTC_ID) == 0
    alice.control.forget_requests()
    assert alice.place(alice.sell("0.05")).kind is OutcomeKind.PLACED
    assert sum(alice.control.requests().values()) == 1, "the mode is remembered"


def test_the_margin_mode_of_every_symbol_is_its_own(perpetual: Opened) -> None:
    alice = perpetual(isolated={BTC_ID: True})

    async def use(client: ExchangeClient) -> list[str]:
        return [(await client.margin_mode(symbol)).value for symbol in (alice.symbol, alice.eth)]

    assert alice.run(use) == ["isolated", "cross"]


def test_hedged_fills_are_the_same_by_poll_and_stream(perpetual: Opened) -> None:
    alice = perpetual(hedge=True)
    orders = [(Side.BUY, LONG), (Side.SELL, SHORT), (Side.SELL, LONG), (Side.BUY, SHORT)]

    async def use(client: ExchangeClient) -> tuple[list[Fill], list[Fill]]:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            for side, position_side in orders:
                request = alice.buy("0.02", side=side, position_side=position_side)
                assert (await client.place(request, not_after=soon())).kind is OutcomeKind.PLACED
            streamed: list[Fill] = []
            while len(streamed) < 4:
                heard = await heard_until(messages, lambda message: message.fill)
                streamed += [message.fill for message in heard if message.fill is not None]
        return streamed, (await all_fills(client, alice.symbol))[0]

    streamed, polled = alice.run(use)
    assert [(one.side, one.position_side) for one in polled] == orders
    assert [(one.trade_id, one.side, one.position_side) for one in streamed] == [
        (one.trade_id, one.side, one.position_side) for one in polled
    ]


def test_a_hedged_order_is_looked_up_with_the_side_it_was_placed_with(perpetual: Opened) -> None:
    alice = perpetual(hedge=True)
    for side, position_side in ((Side.BUY, LONG), (Side.SELL, LONG), (Side.SELL, SHORT), (Side.BUY, SHORT)):
        assert alice.settled(alice.buy("0.02", side=side, position_side=position_side)).side is side
    assert alice.run(lambda client: client.positions()) == []


@pytest.mark.parametrize(("hedge", "side"), [(True, LONG), (False, PositionSide.NET)])
def test_a_liquidation_closes_and_says_so(perpetual: Opened, hedge: bool, side: PositionSide) -> None:
    alice = perpetual(hedge=hedge)
    alice.trade("BUY", "0.05", position_side="LONG" if hedge else None)
    alice.control.liquidate(alice.number)
    opened, closed = alice.run(lambda client: all_fills(client, alice.symbol))[0]
    assert (opened.side, opened.position_side, opened.is_liquidation) == (Side.BUY, side, False)
    assert (closed.side, closed.position_side, closed.is_liquidation) == (Side.SELL, side, True)


def test_a_hedged_order_is_not_sent_to_a_one_way_account(perpetual: Opened) -> None:
    alice = perpetual()
    alice.control.forget_requests()
    outcome = alice.place(alice.sell(position_side=LONG))
    assert (outcome.kind, outcome.refusal, outcome.sent_at) == (OutcomeKind.REFUSED, Refusal.POSITION_MODE, None)
    assert alice.control.requests() == {SETTINGS: 1}


def test_closing_in_an_account_that_became_one_way_opens_nothing(perpetual: Opened) -> None:
    alice = perpetual(hedge=True)
    assert alice.run(lambda client: client.is_hedged())
    alice.control.set_modes(alice.number, hedge=False)
    outcome = alice.place(alice.sell(position_side=LONG))
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.NOTHING_TO_REDUCE)
    assert alice.control.position(alice.number, BTC_ID) == 0


def test_a_spot_market_buy_costs_no_more_than_its_price_says(spot: Opened) -> None:
    alice = spot()
    assert alice.settled(alice.buy("0.25")).filled == Decimal("0.25")
    bounded = alice.settled(alice.buy("0.25", price=Decimal("30000")))
    assert bounded.filled == Decimal("0.12499")
    assert bounded.average_price is not None
    assert bounded.filled * bounded.average_price <= Decimal("7500")


def test_a_spot_buy_whose_price_cannot_be_read_is_not_sent(spot: Opened) -> None:
    alice = spot()
    alice.control.fault(venue="bitget", path="/spot/market/tickers", answer="status", status=502, execute="no")
    outcome = alice.place(alice.buy())
    assert (outcome.kind, outcome.sent_at) == (OutcomeKind.NOT_SENT, None)
    assert alice.orders() == []


def test_a_limit_order_of_spot_is_given_in_base(spot: Opened) -> None:
    alice = spot()
    order = alice.settled(alice.buy("0.01", kind=OrderKind.LIMIT_IOC, price=Decimal("60100")))
    assert (order.filled, order.quantity, order.fee_asset) == (Decimal("0.01"), Decimal("0.01"), "BTC")
    assert order.fee == Decimal("0.00001")


@pytest.mark.parametrize("market", ["perpetual", "spot"])
def test_a_crowded_time_is_read_in_order_and_again_with_one_request(
    market: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice: Account = request.getfixturevalue(market)()
    monkeypatch.setattr(paging, "PAGE", 5)
    for _ in range(4):
        alice.fills_in_one_millisecond(30)

    async def use(client: ExchangeClient) -> list[Fill]:
        found, cursor = await all_fills(client, alice.symbol)
        alice.trade("SELL", "0.01")
        alice.control.forget_requests()
        again, _ = await all_fills(client, alice.symbol, cursor=cursor)
        known = {one.trade_id for one in found}
        return found + [one for one in again if one.trade_id not in known]

    found = alice.run(use)
    assert [one.trade_id for one in found] == alice.filled_ids()
    monkeypatch.setattr(paging, "PAGE", 100)
    cursor = alice.run(lambda client: all_fills(client, alice.symbol))[1]
    alice.control.forget_requests()
    alice.run(lambda client: client.fills(alice.symbol, cursor=cursor, since=None))
    assert alice.control.requests()[FILLS[alice.ref.market]] <= 2


def test_a_cursor_older_than_the_venue_keeps_goes_on_from_what_there_is(perpetual: Opened) -> None:
    alice = perpetual()
    alice.trade("BUY", "0.01")
    page = alice.run(lambda client: client.fills(alice.symbol, cursor="1:2,3", since=None))
    assert (page.is_last, page.spoiled) == (False, ())
    assert [one.trade_id for one in alice.run(lambda client: all_fills(client, alice.symbol))[0]] == alice.filled_ids()
