"""The contract, part 2: orders, settings, and the fills that come of them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from copytrade import clock
from copytrade.domain.instruments import Side
from copytrade.domain.orders import OrderKind, OutcomeKind, Refusal, VenueOrderStatus
from copytrade.exchanges.port import ExchangeClient
from tests.contract.exchanges.conftest import Opener
from tests.contract.exchanges.places import (
    BTC_ID,
    MILLION,
    PERPETUALS,
    SPOTS,
    Account,
    all_fills,
    eventually,
    named,
    soon,
)

ENDED_SHORT = {VenueOrderStatus.EXPIRED, VenueOrderStatus.CANCELLED}


def held(alice: Account, asset: str = "BTC") -> Decimal:
    """Return what the account holds of a coin, as the venue's books say."""
    return Decimal(alice.control.coins(alice.number).get(asset, "0"))


def moved(alice: Account, before: Decimal) -> Decimal:
    """Return by how much the account's BTC moved, as the venue's books say."""
    return (held(alice) if alice.is_spot else alice.control.position(alice.number, BTC_ID)) - before


def test_30_a_market_order_is_placed_once_and_filled(alice: Account) -> None:
    request, before = alice.buy("0.5"), clock.real_now()
    outcome = alice.place(request)
    assert (outcome.kind, outcome.refusal, outcome.retry_after) == (OutcomeKind.PLACED, None, None)
    assert outcome.sent_at is not None
    assert outcome.acknowledged_at is not None
    assert before <= outcome.sent_at <= outcome.acknowledged_at
    order = alice.run(lambda client: eventually(lambda: client.look_up(request.symbol, request.client_order_id)))
    assert order is not None
    assert (order.client_order_id, order.symbol, order.side) == (request.client_order_id, request.symbol, Side.BUY)
    assert (order.status, order.venue_order_id != "") == (VenueOrderStatus.FILLED, True)
    assert outcome.order is not None
    assert outcome.order.venue_order_id == order.venue_order_id
    assert len(alice.orders()) == 1
    if alice.manners.market_buys_are_exact or not alice.is_spot:
        assert order.filled == Decimal("0.5")
    assert abs(order.filled - Decimal("0.5")) < Decimal("0.002")
    assert order.average_price is not None
    assert 59900 < order.average_price < 60100


def test_31_a_market_order_sells(alice: Account) -> None:
    order = alice.settled(alice.sell("0.4"))
    assert (order.side, order.filled, order.status) == (Side.SELL, Decimal("0.4"), VenueOrderStatus.FILLED)
    assert moved(alice, Decimal(10 if alice.is_spot else 0)) == Decimal("-0.4")


def test_32_an_immediate_order_that_finds_little_ends_with_what_it_filled(alice: Account) -> None:
    alice.control.set_book(BTC_ID, bids=[(59990, 1)], asks=[(60000, "0.1"), (60400, 5)], **alice.where)
    ioc = alice.buy("1", kind=OrderKind.LIMIT_IOC, price=Decimal(60300))
    order = alice.settled(ioc)
    alice.control.clear_book(BTC_ID, **alice.where)
    assert (order.status in ENDED_SHORT, order.filled, order.average_price) == (True, Decimal("0.1"), 60000)
    assert order.quantity == 1


def test_33_an_immediate_order_that_finds_nothing_ends_empty(alice: Account) -> None:
    order = alice.settled(alice.buy("1", kind=OrderKind.LIMIT_IOC, price=Decimal(59000)))
    assert (order.status in ENDED_SHORT, order.filled, order.average_price) == (True, 0, None)


def test_34_a_resting_order_is_seen_and_cancelled_once(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        resting = alice.buy("0.01", kind=OrderKind.LIMIT, price=Decimal(59000))
        assert (await client.place(resting, not_after=soon())).kind is OutcomeKind.PLACED
        found = await eventually(lambda: client.look_up(alice.symbol, resting.client_order_id))
        assert found is not None
        assert (found.status, found.filled, found.quantity) == (VenueOrderStatus.OPEN, 0, Decimal("0.01"))
        await client.cancel(alice.symbol, resting.client_order_id)
        again = await client.cancel(alice.symbol, resting.client_order_id)
        assert again is None or again.status is VenueOrderStatus.CANCELLED
        ended = await client.look_up(alice.symbol, resting.client_order_id)
        assert ended is not None
        assert (ended.status, ended.filled) == (VenueOrderStatus.CANCELLED, 0)

    alice.run(use)


def test_35_cancelling_what_is_not_there_finds_nothing(alice: Account) -> None:
    assert alice.run(lambda client: client.cancel(alice.symbol, "cpnothing")) is None
    assert alice.run(lambda client: client.look_up(alice.symbol, "cpnothing")) is None


NEAR = {"kind": OrderKind.LIMIT_IOC, "price": Decimal(60300)}


@pytest.mark.parametrize(
    ("change", "refusals"),
    [
        ({"quantity": Decimal(90), **NEAR}, {Refusal.FUNDS}),
        ({"quantity": Decimal("0.0000000001"), **NEAR}, {Refusal.QUANTITY, Refusal.MIN_NOTIONAL}),
        ({"quantity": Decimal("0.0100000001"), **NEAR}, {Refusal.QUANTITY}),
        ({"base": "DOGE", "quantity": Decimal(1), "side": Side.BUY}, {Refusal.MIN_NOTIONAL, Refusal.QUANTITY}),
        ({"kind": OrderKind.LIMIT_IOC, "price": Decimal("60000.00000005")}, {Refusal.PRICE}),
        ({"base": "NOTHING", **NEAR}, {Refusal.MARKET_CLOSED}),
    ],
    ids=["funds", "least quantity", "step", "least notional", "tick", "symbol"],
)
def test_36_what_the_rules_forbid_is_refused_for_certain(
    opened: Opener, change: dict[str, Any], refusals: set[Refusal]
) -> None:
    alice = opened(**({"coins": {"USDT": 500}} if opened.is_spot else {"deposit": 500}))
    if change.get("quantity") != Decimal(90):
        alice.control.transfer(alice.number, MILLION, **alice.where)
    base = change.get("base", "BTC")
    facts = {name: value for name, value in change.items() if name != "base"}
    request = alice.buy(symbol=alice.symbol.replace("BTC", base), **facts)
    outcome = alice.place(request)
    assert outcome.kind is OutcomeKind.REFUSED, outcome
    assert outcome.refusal in refusals, outcome
    assert outcome.venue_code
    assert alice.orders() == []


def test_37_a_price_beyond_the_band_of_the_rules_is_refused(alice: Account) -> None:
    rules = alice.run(lambda client: client.rules())[alice.symbol]
    far = rules.round_price_inward(60000 * rules.price_band_up * Decimal("1.02"), side=Side.BUY)
    outcome = alice.place(alice.buy(kind=OrderKind.LIMIT_IOC, price=far))
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.PRICE)
    near = rules.round_price_inward(60000 * rules.price_band_up * Decimal("0.98"), side=Side.BUY)
    assert alice.place(alice.buy(kind=OrderKind.LIMIT_IOC, price=near)).kind is OutcomeKind.PLACED


def test_38_selling_more_than_is_there_is_refused_for_funds_on_spot_alone(alice: Account) -> None:
    outcome = alice.place(alice.sell("11"))
    if alice.is_spot:
        assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.FUNDS)
        assert alice.orders() == []
    else:
        assert outcome.kind is OutcomeKind.PLACED


def test_39_a_halted_symbol_takes_no_orders(alice: Account) -> None:
    alice.control.halt(BTC_ID, **alice.where)
    try:
        outcome = alice.place(alice.buy())
    finally:
        alice.control.halt(BTC_ID, halted=False, **alice.where)
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.MARKET_CLOSED)


def test_40_reducing_needs_something_to_reduce(alice: Account) -> None:
    request = alice.sell("0.1", reduce_only=True)
    if alice.is_spot:
        with pytest.raises(ValueError, match="reduce"):
            alice.place(request)
        return
    outcome = alice.place(request)
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.NOTHING_TO_REDUCE)
    alice.trade("BUY", "0.05")
    assert alice.settled(alice.sell("0.05", reduce_only=True)).filled == Decimal("0.05")
    assert alice.control.position(alice.number, BTC_ID) == 0


def test_41_an_id_of_an_open_order_is_a_duplicate(alice: Account) -> None:
    resting = alice.buy("0.01", kind=OrderKind.LIMIT, price=Decimal(59000))
    assert alice.place(resting).kind is OutcomeKind.PLACED
    assert alice.place(resting).kind is OutcomeKind.DUPLICATE
    assert len(alice.orders()) == 1


def test_42_an_id_of_a_filled_order_is_a_duplicate_where_ids_are_taken_for_ever(alice: Account) -> None:
    filled = alice.sell()
    alice.settled(filled)
    again = alice.place(filled)
    taken = alice.manners.ids_are_taken_for_ever
    assert again.kind is (OutcomeKind.DUPLICATE if taken else OutcomeKind.PLACED)
    assert len(alice.orders()) == (1 if taken else 2)


def test_43_the_fills_of_an_order_are_listed_with_their_fees(alice: Account) -> None:
    order = alice.settled(alice.sell("0.6"))
    alice.settled(alice.sell("0.1"))
    fills = alice.run(lambda client: client.order_fills(alice.symbol, order.venue_order_id))
    assert sum(fill.quantity for fill in fills) == Decimal("0.6")
    assert {(fill.order_id, fill.side, fill.fee_asset) for fill in fills} == {(order.venue_order_id, Side.SELL, "USDT")}
    turnover = sum(fill.quantity * fill.price for fill in fills)
    assert turnover * Decimal("0.0001") < sum(fill.fee for fill in fills) < turnover * Decimal("0.002")


def test_44_what_the_answer_tells_of_the_fee_is_true(alice: Account) -> None:
    request = alice.sell("0.6")
    order = alice.settled(request)
    told = alice.run(lambda client: client.look_up(alice.symbol, request.client_order_id))
    paid = sum(Decimal(row["commission"]) for row in alice.control.fills(alice.number))
    for one in (order, told):
        assert one is not None
        assert one.fee in (None, paid)
        assert one.fee is None or one.fee_asset == "USDT"


def test_45_orders_of_a_symbol_are_listed(alice: Account) -> None:
    since = clock.now() - timedelta(minutes=1)
    requests = [alice.sell(), alice.sell(), alice.sell("0.01", kind=OrderKind.LIMIT, price=Decimal(62000))]
    for request in requests:
        alice.place(request)
    listed = alice.run(lambda client: client.recent_orders(alice.symbol, since=since))
    assert {order.client_order_id for order in listed} == {request.client_order_id for request in requests}
    assert [order.has_ended for order in listed].count(False) == 1


def test_46_nothing_is_sent_after_its_time(alice: Account) -> None:
    outcome = alice.place(alice.buy(), not_after=clock.real_now())
    assert (outcome.kind, outcome.sent_at) == (OutcomeKind.NOT_SENT, None)
    assert alice.orders() == []


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_47_a_liquidation_is_among_the_fills(alice: Account) -> None:
    alice.trade("BUY", "0.3")
    alice.control.liquidate(alice.number, BTC_ID)
    fills, _ = alice.run(lambda client: all_fills(client, alice.symbol))
    assert [fill.signed for fill in fills] == [Decimal("0.3"), Decimal("-0.3")]
    orders = alice.run(lambda client: client.recent_orders(alice.symbol, since=clock.now() - timedelta(minutes=1)))
    by_the_venue = {order.venue_order_id for order in orders if order.is_liquidation}
    told = [fill.is_liquidation or fill.order_id in by_the_venue for fill in fills]
    assert told == [False, True]
    assert alice.run(lambda client: client.positions()) == []


@pytest.mark.parametrize("place", SPOTS, indirect=True, ids=named)
def test_48_on_spot_the_fee_is_taken_from_what_is_received(alice: Account) -> None:
    alice.trade("BUY", "0.2")
    alice.trade("SELL", "0.2")
    (bought, sold), _ = alice.run(lambda client: all_fills(client, alice.symbol))
    assert (bought.fee_asset, sold.fee_asset) == ("BTC", "USDT")
    assert held(alice) == 10 - bought.fee
    assert 0 < bought.fee < Decimal("0.001")
    assert 0 < sold.fee < 60


@pytest.mark.parametrize("place", SPOTS, indirect=True, ids=named)
def test_49_on_spot_a_third_asset_may_pay_the_fee(opened: Opener, place: Any) -> None:
    third = opened().manners.third_asset
    alice = opened(fee_asset=third, coins={"USDT": MILLION, "BTC": 10, third: 1000})
    alice.trade("BUY", "0.2")
    alice.trade("SELL", "0.2")
    fills, _ = alice.run(lambda client: all_fills(client, alice.symbol))
    assert [fill.fee_asset for fill in fills] == [third, third]
    assert held(alice, third) == 1000 - sum(fill.fee for fill in fills)
    assert held(alice) == 10


@pytest.mark.parametrize("place", SPOTS, indirect=True, ids=named)
def test_50_a_spot_market_buy_is_given_in_base_quantity(alice: Account) -> None:
    order = alice.settled(alice.buy("0.25"))
    allowed = Decimal(0) if alice.manners.market_buys_are_exact else Decimal("0.0005")
    assert abs(order.filled - Decimal("0.25")) <= allowed
    fills = alice.run(lambda client: client.order_fills(alice.symbol, order.venue_order_id))
    assert moved(alice, Decimal(10)) == order.filled - sum(fill.fee for fill in fills)


@pytest.mark.parametrize("kind", [OrderKind.LIMIT_IOC, OrderKind.MARKET])
def test_51_an_order_may_have_a_price_and_still_counts_in_base(alice: Account, kind: OrderKind) -> None:
    price = Decimal(60300) if kind is OrderKind.LIMIT_IOC else None
    order = alice.settled(replace(alice.sell("0.2"), kind=kind, price=price and Decimal(59700)))
    assert (order.filled, order.quantity) == (Decimal("0.2"), Decimal("0.2"))


@pytest.mark.parametrize("key", [{"read_only": True}, {"futures": False, "spot": False}])
def test_52_a_key_without_the_right_is_refused(opened: Opener, key: dict[str, Any]) -> None:
    alice = opened(**key)
    outcome = alice.place(alice.buy())
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.CREDENTIALS)
    assert alice.orders() == []


def test_53_what_is_placed_and_read_late_is_looked_up_as_nothing_for_a_while(alice: Account) -> None:
    request = alice.sell()
    alice.control.read_lag(60_000, account=alice.number)
    assert alice.place(request).kind is OutcomeKind.PLACED
    assert alice.run(lambda client: client.look_up(alice.symbol, request.client_order_id)) is None
    alice.control.read_lag(0, account=alice.number)
    found = alice.run(lambda client: client.look_up(alice.symbol, request.client_order_id))
    assert found is not None
    assert found.filled == request.quantity
