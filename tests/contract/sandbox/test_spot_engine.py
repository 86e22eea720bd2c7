"""Spot in the engine: coins change hands exactly, fees come off what is received, open orders hold what they need."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copytrade.sandbox.exchange import spot, ticking, trading
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import (
    BY_SYMBOL,
    MONEY_UNIT,
    PERPETUALS,
    SPOT_BY_BASE,
    SPOT_BY_SYMBOL,
    SPOTS,
)
from copytrade.sandbox.exchange.orders import (
    BUY,
    SELL,
    Fill,
    IncomeKind,
    Order,
    OrderType,
    Reason,
    Refused,
    Status,
    TimeInForce,
)

START = 1_790_000_000_000
BTC, ETH = SPOT_BY_BASE["BTC"], SPOT_BY_BASE["ETH"]


def _exchange(folder: Path | None = None) -> Exchange:
    exchange = Exchange(seed=7, now=START, folder=folder)
    exchange.begin()
    exchange.clock.fix(START)
    exchange.market.held[0] = 600_000
    return exchange


def _account(exchange: Exchange, *, venue: str = "binance", unified: bool = False, **coins: int) -> Account:
    account = exchange.open_account("alice", venue=venue, unified=unified)
    for asset, whole in coins.items():
        spot.transfer(exchange, account, asset, whole * MONEY_UNIT)
    return account


def _buy(exchange: Exchange, account: Account, steps: int, **form: Any) -> Order:
    request = OrderRequest(BTC.index, BUY, OrderType.MARKET, steps, **form)
    return trading.place(exchange, account, request)


def _limit(exchange: Exchange, account: Account, side: int, steps: int, price: int) -> Order:
    return trading.place(exchange, account, OrderRequest(BTC.index, side, OrderType.LIMIT, steps, price))


def test_thirty_coins_follow_the_paths_of_the_perpetuals() -> None:
    exchange = _exchange()
    assert len(SPOTS) == 30
    assert set(BY_SYMBOL) <= set(SPOT_BY_SYMBOL)
    for perpetual in PERPETUALS:
        coin = SPOT_BY_SYMBOL[perpetual.symbol]
        finer = 10 ** (coin.price_decimals - perpetual.price_decimals)
        assert exchange.market.price(coin.index) == exchange.market.price(perpetual.index) * finer
        assert exchange.market.price_at(coin.index, START - 60_000) == finer * exchange.market.price_at(
            perpetual.index, START - 60_000
        )
    for coin in SPOTS:
        assert exchange.market.price(coin.index) / 10**coin.price_decimals == pytest.approx(coin.base_price, rel=0.5)
        assert 0 <= coin.price_decimals + coin.quantity_decimals <= 8
    assert len(exchange.market.path.knots) == len(PERPETUALS)


def test_a_purchase_pays_its_fee_in_base_and_a_sale_in_quote() -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=1_000)
    _buy(exchange, alice, 1_000)
    bought = alice.fills[-1]
    assert (bought.fee_asset, bought.fee, bought.price) == ("BTC", 1_000, 6_000_001)
    assert alice.coins == {"USDT": 1_000 * MONEY_UNIT - 60_000_010_000, "BTC": 1_000_000 - 1_000}
    trading.place(exchange, alice, OrderRequest(BTC.index, SELL, OrderType.MARKET, 999))
    sold = alice.fills[-1]
    assert (sold.fee_asset, sold.price, sold.fee) == ("USDT", 6_000_000, 59_940_000)
    assert alice.coins["BTC"] == 0
    assert alice.coins["USDT"] == 1_000 * MONEY_UNIT - 60_000_010_000 + 59_940_000_000 - 59_940_000
    assert alice.wallet == 0, "the perpetuals' wallet is another"


def test_a_third_asset_pays_while_there_is_enough_of_it() -> None:
    exchange = _exchange()
    exchange.market.held[5] = 55_000
    alice = _account(exchange, USDT=1_000_000)
    alice.fee_asset = "BNB"
    spot.transfer(exchange, alice, "BNB", 90_000)
    _buy(exchange, alice, 1_000)
    assert (alice.fills[-1].fee_asset, alice.fills[-1].fee) == ("BNB", 81_818)
    assert alice.coins["BTC"] == 1_000_000
    _buy(exchange, alice, 1_000)
    assert alice.fills[-1].fee_asset == "BTC", "the BNB were not enough"
    assert alice.coins["BNB"] == 90_000 - 81_818


def test_what_an_open_order_needs_is_held_back_and_comes_free() -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=600, BTC=1)
    resting = _limit(exchange, alice, BUY, 1_000, 5_900_000)
    assert spot.locked(alice, "USDT") == 590 * MONEY_UNIT
    assert spot.free(exchange, alice, "USDT") == 10 * MONEY_UNIT
    with pytest.raises(Refused) as refused:
        _limit(exchange, alice, BUY, 1_000, 5_900_000)
    assert refused.value.reason is Reason.BALANCE
    _limit(exchange, alice, SELL, 100_000, 6_500_000)
    assert spot.free(exchange, alice, "BTC") == 0
    with pytest.raises(Refused, match="balance"):
        trading.place(exchange, alice, OrderRequest(BTC.index, SELL, OrderType.MARKET, 100))
    trading.cancel(exchange, alice, resting)
    assert spot.locked(alice, "USDT") == 0


def test_a_resting_order_fills_when_the_price_comes() -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=600)
    order = _limit(exchange, alice, BUY, 1_000, 5_900_000)
    exchange.market.held[0] = 589_000
    ticking.tick_now(exchange)
    assert order.status is Status.FILLED
    assert alice.fills[-1].maker
    assert alice.coins["USDT"] == 10 * MONEY_UNIT
    assert spot.locked(alice, "USDT") == 0


def test_a_market_order_given_in_money_spends_no_more_than_that() -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=100)
    order = _buy(exchange, alice, 0, budget=100 * MONEY_UNIT)
    assert order.status is Status.FILLED
    assert order.steps == order.executed == 166
    assert order.quote == 166 * 6_000_001 * BTC.unit <= 100 * MONEY_UNIT
    assert alice.coins["USDT"] == 100 * MONEY_UNIT - order.quote
    selling = OrderRequest(BTC.index, SELL, OrderType.MARKET, 0, budget=50 * MONEY_UNIT)
    sold = trading.place(exchange, alice, selling)
    assert (sold.status, sold.executed) == (Status.FILLED, 83)


def test_a_large_purchase_goes_through_the_levels_within_the_balance() -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=300_000)
    order = _buy(exchange, alice, 0, budget=300_000 * MONEY_UNIT)
    assert len(alice.fills) > 3
    assert order.status is Status.FILLED
    assert 0 <= alice.coins["USDT"] < 61 * MONEY_UNIT // 100 * 2


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"steps": 0}, Reason.QUANTITY_ZERO),
        ({"steps": 8}, Reason.NOTIONAL_TOO_SMALL),
        ({"steps": 10**9}, Reason.QUANTITY_TOO_LARGE),
        ({"steps": 2_000}, Reason.BALANCE),
        ({"steps": 100, "type": OrderType.LIMIT, "price": 0}, Reason.PRICE_ZERO),
        ({"steps": 100, "type": OrderType.LIMIT, "price": 6_000_000 * 6}, Reason.PRICE_TOO_HIGH),
        ({"steps": 100, "type": OrderType.LIMIT, "price": 1_000_000}, Reason.PRICE_TOO_LOW),
    ],
)
def test_what_breaks_a_rule_is_refused_and_changes_nothing(form: dict[str, Any], reason: Reason) -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=1_000)
    whole: dict[str, Any] = {"instrument": BTC.index, "side": BUY, "type": OrderType.MARKET} | form
    with pytest.raises(Refused) as refused:
        trading.place(exchange, alice, OrderRequest(**whole))
    assert refused.value.reason is reason
    assert (alice.coins, alice.orders, alice.fills) == ({"USDT": 1_000 * MONEY_UNIT}, {}, [])


def test_a_halted_or_delisted_symbol_is_refused() -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=1_000)
    exchange.market.halted.add(BTC.index)
    with pytest.raises(Refused, match="trading_halted"):
        _buy(exchange, alice, 100)
    exchange.market.delisted.add(BTC.index)
    with pytest.raises(Refused, match="unknown_symbol"):
        _buy(exchange, alice, 100)


def test_a_client_id_is_good_among_open_orders_at_binance_and_for_ever_elsewhere() -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=1_000)
    _buy(exchange, alice, 100, client_id="x")
    _buy(exchange, alice, 100, client_id="x")
    bob = _account(exchange, venue="bybit", unified=True, USDT=1_000)
    _buy(exchange, bob, 100, client_id="x")
    with pytest.raises(Refused, match="duplicate_client_id"):
        _buy(exchange, bob, 100, client_id="x")
    perpetual = OrderRequest(0, BUY, OrderType.MARKET, 1, client_id="x")
    assert trading.place(exchange, bob, perpetual).status is Status.FILLED, "markets count apart"


def test_a_unified_account_has_one_usdt() -> None:
    exchange = _exchange()
    bob = _account(exchange, venue="bybit", unified=True, USDT=1_000)
    assert (bob.wallet, bob.coins) == (1_000 * MONEY_UNIT, {})
    _buy(exchange, bob, 1_000)
    left = bob.wallet
    assert left == 1_000 * MONEY_UNIT - 60_000_010_000
    trading.place(exchange, bob, OrderRequest(0, BUY, OrderType.MARKET, 50))
    assert spot.free(exchange, bob, "USDT") < left, "the position's margin binds it"
    _limit(exchange, bob, BUY, 100, 5_900_000)
    with pytest.raises(Refused, match="margin"):
        trading.place(exchange, bob, OrderRequest(0, BUY, OrderType.MARKET, 70))


def test_two_accounts_trade_with_each_other() -> None:
    exchange = _exchange()
    alice, bob = _account(exchange, BTC=1), _account(exchange, USDT=1_000)
    resting = _limit(exchange, alice, SELL, 1_000, 6_000_001)
    order = trading.place(
        exchange, bob, OrderRequest(BTC.index, BUY, OrderType.LIMIT, 1_000, 6_000_001, TimeInForce.IOC)
    )
    assert resting.status is order.status is Status.FILLED
    assert alice.fills[-1].id == bob.fills[-1].id, "one trade"
    assert alice.coins["USDT"] + alice.fills[-1].fee == 60_000_010_000


class Heard:
    """A watcher that writes down what it hears of balances."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, dict[str, int]]] = []

    def order(self, account: Account, order: Order, execution: str, fill: Fill | None) -> None:
        return

    def balance(self, account: Account, reason: str, change: int, positions: list[Position]) -> None:
        return

    def leverage(self, account: Account, instrument: int) -> None:
        return

    def coins(self, account: Account, reason: str, changes: dict[str, int]) -> None:
        self.rows.append((reason, changes))


def test_deposits_withdrawals_and_moves_are_booked_and_told() -> None:
    exchange = _exchange()
    heard = Heard()
    exchange.watchers.append(heard)
    alice = _account(exchange, USDT=1_000, ETH=2)
    spot.transfer(exchange, alice, "ETH", -MONEY_UNIT)
    spot.to_perpetuals(exchange, alice, 400 * MONEY_UNIT)
    assert alice.coins == {"USDT": 600 * MONEY_UNIT, "ETH": MONEY_UNIT}
    assert alice.wallet == 400 * MONEY_UNIT
    kinds = [(row.kind, row.asset, row.spot, row.amount // MONEY_UNIT) for row in alice.incomes]
    assert kinds == [
        (IncomeKind.DEPOSIT, "USDT", True, 1_000),
        (IncomeKind.DEPOSIT, "ETH", True, 2),
        (IncomeKind.WITHDRAWAL, "ETH", True, -1),
        (IncomeKind.TRANSFER, "USDT", True, -400),
        (IncomeKind.TRANSFER, "USDT", False, 400),
    ]
    assert heard.rows[-1] == ("TRANSFER", {"USDT": -400 * MONEY_UNIT})


def test_the_state_on_disk_is_the_state(tmp_path: Path) -> None:
    exchange = _exchange(tmp_path)
    alice = _account(exchange, venue="bitget", USDT=1_000, BTC=1)
    alice.fee_asset = "BGB"
    exchange.store.put(alice.head())
    _buy(exchange, alice, 100, client_id="a")
    _limit(exchange, alice, SELL, 1_000, 6_500_000)
    exchange.market.delisted.add(ETH.index)
    exchange.store.put(("delisted", ETH.index, True))
    exchange.keep_time()
    exchange.commit()
    again = Exchange(seed=7, folder=tmp_path)
    found = again.accounts[alice.id]
    assert (found.venue, found.unified, found.fee_asset) == ("bitget", False, "BGB")
    assert (found.coins, found.fills, found.incomes) == (alice.coins, alice.fills, alice.incomes)
    assert found.by_name.keys() == alice.by_name.keys()
    assert spot.locked(found, "BTC") == 1_000_000
    assert again.market.delisted == {ETH.index}
    assert next(again.resting[BTC.index].orders(SELL)).client_id.startswith("auto")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["BTC", "DOGE", "SHIB", "LTC"]), st.sampled_from([BUY, SELL]), st.integers(5, 300)),
        max_size=15,
    )
)
def test_nothing_is_made_or_lost_and_nothing_goes_below_zero(orders: list[tuple[str, int, int]]) -> None:
    exchange = _exchange()
    alice = _account(exchange, USDT=2_000)
    for base, side, usdt in orders:
        rules = SPOT_BY_BASE[base]
        request = OrderRequest(rules.index, side, OrderType.MARKET, 0, budget=usdt * MONEY_UNIT)
        if side == SELL:
            held = spot.free(exchange, alice, base) // rules.lot
            request = OrderRequest(rules.index, side, OrderType.MARKET, held)
        with suppress(Refused):
            trading.place(exchange, alice, request)
    assert len(alice.fills) >= sum(side == BUY for _, side, _ in orders[:1])
    expected = {"USDT": 2_000 * MONEY_UNIT}
    for fill in alice.fills:
        rules = next(row for row in SPOTS if row.index == fill.instrument)
        for asset, change in (
            (rules.base, fill.side * fill.steps * rules.lot),
            ("USDT", -fill.side * fill.price * fill.steps * rules.unit),
            (fill.fee_asset, -fill.fee),
        ):
            expected[asset] = expected.get(asset, 0) + change
    assert alice.coins == expected
    assert min(alice.coins.values()) >= 0
