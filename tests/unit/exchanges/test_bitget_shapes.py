"""Bitget's rows as its documents and the wire page show them, read into our types."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from copytrade.domain.fills import EntryKind
from copytrade.domain.instruments import MarginMode, Market, PositionSide, Side
from copytrade.domain.orders import OrderKind, OrderRequest, VenueOrderStatus
from copytrade.exchanges.bitget import bills, requests, rights, shapes, spot_shapes
from copytrade.exchanges.rows import ODD

BTC, SPOT = "BTC/USDT:USDT", "BTC/USDT"
AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
LONG, SHORT, NET = PositionSide.LONG, PositionSide.SHORT, PositionSide.NET
FILL: dict[str, Any] = {
    "tradeId": "1014",
    "symbol": "BTCUSDT",
    "orderId": "1013",
    "price": "60000",
    "baseVolume": "0.01",
    "feeDetail": [{"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": "0", "totalFee": "-0.3"}],
    "side": "buy",
    "quoteVolume": "600",
    "profit": "0",
    "enterPointSource": "api",
    "tradeSide": "buy_single",
    "posMode": "one_way_mode",
    "tradeScope": "taker",
    "cTime": "1700000000000",
}
ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "size": "0.02",
    "orderId": "1006",
    "clientOid": "cp-1",
    "baseVolume": "0.02",
    "priceAvg": "60000",
    "fee": "-0.6",
    "price": "0",
    "side": "buy",
    "posSide": "net",
    "marginCoin": "USDT",
    "tradeSide": "buy_single",
    "posMode": "one_way_mode",
    "cTime": "1699999999000",
    "uTime": "1700000000000",
    "state": "filled",
}
SPOT_FILL: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "orderId": "1003",
    "tradeId": "1004",
    "side": "sell",
    "priceAvg": "60000",
    "size": "0.005",
    "amount": "300",
    "feeDetail": {"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": "", "totalFee": "-0.3"},
    "tradeScope": "taker",
    "cTime": "1700000000000",
}
SPOT_ORDER: dict[str, Any] = {
    "orderId": "1001",
    "clientOid": "cp-1",
    "price": "0",
    "size": "600",
    "orderType": "market",
    "side": "buy",
    "status": "filled",
    "priceAvg": "60000",
    "baseVolume": "0.01",
    "quoteVolume": "600",
    "feeDetail": '{"BTC": {"deduction": false, "feeCoinCode": "BTC", "totalDeductionFee": 0, "totalFee": -1e-05}, '
    '"newFees": {"c": 0, "d": 0, "deduction": false, "r": -1e-05, "t": -1e-05, "totalDeductionFee": 0}}',
    "uTime": "1700000000000",
}


def test_a_one_way_fill() -> None:
    fill = shapes.fill(FILL, symbol=BTC)
    assert (fill.trade_id, fill.order_id, fill.side, fill.position_side) == ("1014", "1013", Side.BUY, NET)
    assert (fill.quantity, fill.price, fill.fee, fill.fee_asset) == (
        Decimal("0.01"),
        Decimal(60000),
        Decimal("0.3"),
        "USDT",
    )
    assert (fill.venue_time, fill.is_maker, fill.is_liquidation) == (AT, False, False)


@pytest.mark.parametrize(
    ("listed", "streamed", "what", "side", "held"),
    [
        ("buy", "buy", "open", Side.BUY, LONG),
        ("buy", "sell", "close", Side.SELL, LONG),
        ("sell", "sell", "open", Side.SELL, SHORT),
        ("sell", "buy", "close", Side.BUY, SHORT),
        ("buy", "sell", "burst_close_long", Side.SELL, LONG),
        ("sell", "buy", "burst_close_short", Side.BUY, SHORT),
        ("sell", "sell", "burst_close_long", Side.SELL, LONG),
        ("buy", "sell", "dte_sys_adl_close_long", Side.SELL, LONG),
    ],
)
def test_a_hedged_fill_is_the_same_by_both_ways(
    listed: str, streamed: str, what: str, side: Side, held: PositionSide
) -> None:
    hedged = FILL | {"posMode": "hedge_mode", "tradeSide": what}
    for fill in (
        shapes.fill(hedged | {"side": listed}, symbol=BTC),
        shapes.streamed_fill(hedged | {"side": streamed}, symbol=BTC),
    ):
        assert (fill.side, fill.position_side) == (side, held)
        assert fill.is_liquidation is (what not in ("open", "close"))


@pytest.mark.parametrize(
    "odd",
    [
        {"posMode": "hedge_mode", "tradeSide": "swap"},
        {"posMode": "hedge_mode", "tradeSide": ""},
        {"posMode": "both"},
        {"side": "long"},
        {"baseVolume": "0"},
        {"price": "-1"},
        {"price": 60000.0},
        {"feeDetail": []},
        {"feeDetail": None},
        {"cTime": None},
        {"tradeId": ""},
    ],
)
def test_a_fill_that_leaves_a_doubt_is_not_read(odd: dict[str, Any]) -> None:
    for parse in (shapes.fill, shapes.streamed_fill):
        with pytest.raises(ODD):
            parse(FILL | odd, symbol=BTC)


def test_a_fee_paid_in_the_venues_coin_and_one_given_back() -> None:
    paid = FILL | {"feeDetail": [{"deduction": "yes", "feeCoin": "BGB", "totalFee": "-0.017118519726"}]}
    assert (shapes.fill(paid, symbol=BTC).fee, shapes.fill(paid, symbol=BTC).fee_asset) == (
        Decimal("0.017118519726"),
        "BGB",
    )
    rebate = FILL | {"feeDetail": [{"feeCoin": "USDT", "totalFee": "0.01"}], "tradeScope": "maker"}
    assert shapes.fill(rebate, symbol=BTC).fee == Decimal("-0.01")


def test_orders_of_perpetuals() -> None:
    order = shapes.order(ORDER, symbol=BTC)
    assert (order.venue_order_id, order.client_order_id, order.status) == ("1006", "cp-1", VenueOrderStatus.FILLED)
    assert (order.fee, order.fee_asset, order.average_price) == (Decimal("0.6"), "USDT", Decimal(60000))
    resting = {"state": None, "status": "live", "priceAvg": "", "baseVolume": "", "fee": ""}
    order = shapes.order(ORDER | resting, symbol=BTC)
    assert (order.status, order.filled, order.average_price, order.fee) == (VenueOrderStatus.OPEN, 0, None, None)
    closing = {"posMode": "hedge_mode", "side": "buy", "tradeSide": "close", "posSide": "long"}
    assert shapes.order(ORDER | closing, symbol=BTC).side is Side.SELL
    with pytest.raises(ODD):
        shapes.order(ORDER | {"state": "thinking"}, symbol=BTC)


def test_an_acknowledgement_speaks_of_our_order_or_is_odd() -> None:
    request = OrderRequest(BTC, Side.BUY, Decimal("0.02"), OrderKind.MARKET, "cp-1")
    body = {"requestTime": 1700000000000, "data": {"orderId": "1006", "clientOid": "cp-1"}}
    order = shapes.acknowledged(body, request=request)
    assert (order.venue_order_id, order.status, order.filled, order.venue_time) == (
        "1006",
        VenueOrderStatus.OPEN,
        0,
        AT,
    )
    for data in ({"orderId": "1006", "clientOid": "cp-2"}, {"orderId": None, "clientOid": "cp-1"}, None):
        with pytest.raises(ODD):
            shapes.acknowledged(body | {"data": data}, request=request)


def test_positions_are_signed_and_tell_their_leverage() -> None:
    row = {"symbol": "BTCUSDT", "holdSide": "short", "total": "0.035", "openPriceAvg": "60000", "markPrice": "60100"}
    row |= {"unrealizedPL": "-3.5", "leverage": "10", "liquidationPrice": "0", "posMode": "one_way_mode"}
    found = shapes.position(row, symbol=BTC)
    assert (found.quantity, found.position_side, found.leverage, found.liquidation_price) == (
        Decimal("-0.035"),
        NET,
        10,
        None,
    )
    hedged = shapes.position(row | {"posMode": "hedge_mode", "leverage": 10, "markPrice": ""}, symbol=BTC)
    assert (hedged.position_side, hedged.mark_price) == (SHORT, 0)


def test_the_equity_of_a_futures_account_is_that_of_its_usdt() -> None:
    usdt = {"marginCoin": "USDT", "accountEquity": "1005", "unrealizedPL": "5", "crossedMaxAvailable": "900"}
    found = shapes.equity([{"marginCoin": "USDC", "accountEquity": "7"}, usdt], read_at=AT)
    assert (found.total, found.wallet, found.unrealized_pnl, found.available) == (1005, 1000, 5, 900)
    assert shapes.equity([usdt | {"unrealizedPL": ""}], read_at=AT).wallet == 1005
    assert shapes.equity([], read_at=AT).total == 0
    with pytest.raises(ODD):
        shapes.equity([usdt | {"accountEquity": None}], read_at=AT)


def test_a_bill_books_profit_and_fee_apart() -> None:
    row = {"billId": "7", "symbol": "BTCUSDT", "amount": "12.5", "fee": "-0.3", "businessType": "close_long"}
    row |= {"coin": "USDT", "cTime": "1700000000000", "balance": "1"}
    profit, fee = bills.of_bill(row, symbol=BTC)
    assert (profit.entry_id, profit.kind, profit.amount) == ("7", EntryKind.REALIZED_PNL, Decimal("12.5"))
    assert (fee.entry_id, fee.kind, fee.amount) == ("7:fee", EntryKind.FEE, Decimal("-0.3"))
    kinds = {
        "contract_settle_fee": EntryKind.FUNDING,
        "trans_from_exchange": EntryKind.TRANSFER,
        "trans_to_otc": EntryKind.TRANSFER,
        "burst_long_loss_query": EntryKind.REALIZED_PNL,
        "force_sell": EntryKind.REALIZED_PNL,
        "cash_gift_issue": EntryKind.OTHER,
    }
    for business, kind in kinds.items():
        (entry,) = bills.of_bill(row | {"businessType": business, "fee": ""}, symbol="")
        assert entry.kind is kind
    assert bills.of_bill(row | {"amount": "0", "fee": "0"}, symbol=BTC) == []


def test_spot_fills_of_list_and_stream() -> None:
    for detail in (SPOT_FILL["feeDetail"], [SPOT_FILL["feeDetail"]]):
        fill = spot_shapes.fill(SPOT_FILL | {"feeDetail": detail}, symbol=SPOT)
        assert (fill.side, fill.quantity, fill.price, fill.position_side) == (
            Side.SELL,
            Decimal("0.005"),
            Decimal(60000),
            NET,
        )
        assert (fill.fee, fill.fee_asset) == (Decimal("0.3"), "USDT")


def test_the_fee_of_a_spot_order_is_exact_though_its_text_holds_a_number() -> None:
    order = spot_shapes.order(SPOT_ORDER, symbol=SPOT)
    assert (order.fee, order.fee_asset, order.filled, order.quantity) == (
        Decimal("0.00001"),
        "BTC",
        Decimal("0.01"),
        Decimal(600),
    )
    both = '{"USDT": {"feeCoinCode": "USDT", "totalFee": -1}, "BTC": {"feeCoinCode": "BTC", "totalFee": -2}}'
    assert spot_shapes.order(SPOT_ORDER | {"feeDetail": both}, symbol=SPOT).fee_asset == "BTC"
    assert spot_shapes.order(SPOT_ORDER | {"feeDetail": ""}, symbol=SPOT).fee is None
    with pytest.raises(ODD):
        spot_shapes.order(SPOT_ORDER | {"feeDetail": "{"}, symbol=SPOT)


def test_a_balance_counts_what_is_held_back() -> None:
    row = {"coin": "btc", "available": "1", "frozen": "0.5", "locked": "0.25", "limitAvailable": "0"}
    found = spot_shapes.balance(row)
    assert (found.asset, found.free, found.total) == ("BTC", Decimal(1), Decimal("1.75"))


@pytest.mark.parametrize(
    ("group", "business", "size", "kind", "amount"),
    [
        ("deposit", "DEPOSIT", "1", EntryKind.TRANSFER, "1"),
        ("withdraw", "withdraw", "1", EntryKind.TRANSFER, "-1"),
        ("transfer", "transfer-out", "-1", EntryKind.TRANSFER, "-1"),
        ("transfer", "TRANSFER_IN", "1", EntryKind.TRANSFER, "1"),
        ("other", "AIRDROP_REWARDS", "1", EntryKind.OTHER, "1"),
    ],
)
def test_spot_bills_have_a_sign(group: str, business: str, size: str, kind: EntryKind, amount: str) -> None:
    row = {"billId": "1291", "coin": "usdt", "groupType": group, "businessType": business, "size": size}
    entry = spot_shapes.entry(row | {"cTime": "1700000000000"})
    assert (entry.kind, entry.amount, entry.asset) == (kind, Decimal(amount), "USDT")


def test_rules_are_read_from_the_venues_strings() -> None:
    info: dict[str, Any] = {"sizeMultiplier": "0.001", "priceEndStep": "5", "pricePlace": "1", "minTradeNum": "0.001"}
    info |= {"minTradeUSDT": "5", "buyLimitPriceRatio": "0.01", "sellLimitPriceRatio": "0.02", "maxLever": "125"}
    market = {"symbol": BTC, "base": "BTC", "quote": "USDT", "info": info | {"symbolStatus": "normal"}}
    rules = shapes.market_rules(market)
    assert (rules.price_tick, rules.quantity_step, rules.min_notional) == (Decimal("0.5"), Decimal("0.001"), 5)
    assert (rules.price_band_up, rules.price_band_down, rules.max_leverage) == (Decimal("1.01"), Decimal("0.98"), 125)
    assert not shapes.market_rules(market | {"info": info | {"symbolStatus": "limit_open"}}).is_active


SPOT_RIGHTS, MIX_RIGHTS = ["stow"], ["coow", "cpow"]


@pytest.mark.parametrize(
    ("market", "codes", "read", "trade", "withdraw", "transfer"),
    [
        (Market.SPOT, SPOT_RIGHTS, True, True, False, False),
        (Market.SPOT, ["stor"], True, False, False, False),
        (Market.SPOT, MIX_RIGHTS, False, False, False, False),
        (Market.PERPETUAL, MIX_RIGHTS, True, True, False, False),
        (Market.PERPETUAL, ["coor", "cpor"], True, False, False, False),
        (Market.PERPETUAL, ["coow"], False, False, False, False),
        (Market.PERPETUAL, ["coow", "cpor"], True, False, False, False),
        (Market.SPOT, ["stow", "wwow"], True, True, True, False),
        (Market.SPOT, ["stow", "wtow"], True, True, False, True),
        (Market.SPOT, ["stow", "p2p"], True, True, False, True),
        (Market.SPOT, ["stow", "wtor"], True, True, False, False),
        (Market.SPOT, ["stow", "zzzz"], True, True, None, None),
        (Market.SPOT, ["stow", "wwow", "zzzz"], True, True, True, None),
        (Market.SPOT, [], False, False, False, False),
    ],
)
def test_rights_are_read_code_by_code(
    market: Market, codes: list[str], read: bool, trade: bool, withdraw: bool | None, transfer: bool | None
) -> None:
    found = rights.permissions({"userId": "100", "ips": "", "authorities": codes}, market=market)
    assert (found.may_read, found.may_trade) == (read, trade)
    assert (found.may_withdraw, found.may_transfer) == (withdraw, transfer)
    assert (found.uid, found.ip_restricted, found.expires_at) == ("100", False, None)


def test_a_trader_of_the_venues_own_copy_trading_is_slow() -> None:
    for told, expected in (("trader", 1), ("not_trader", None), (None, None)):
        info = {"authorities": ["stow"], "traderType": told}
        assert rights.permissions(info, market=Market.SPOT).orders_per_s == expected


def test_rights_that_are_not_told_are_refused() -> None:
    for told in ({}, {"authorities": None}, {"authorities": "stow"}):
        found = rights.permissions(told, market=Market.SPOT)
        assert (found.may_read, found.may_trade, found.may_withdraw, found.may_transfer) == (None,) * 4
    assert rights.permissions({"authorities": [], "ips": "1.2.3.4"}, market=Market.SPOT).ip_restricted is True


@pytest.mark.parametrize(
    ("side", "held", "expected"),
    [
        (Side.BUY, NET, {"side": "buy"}),
        (Side.BUY, LONG, {"side": "buy", "tradeSide": "open"}),
        (Side.SELL, LONG, {"side": "buy", "tradeSide": "close", "reduceOnly": "YES"}),
        (Side.SELL, SHORT, {"side": "sell", "tradeSide": "open"}),
        (Side.BUY, SHORT, {"side": "sell", "tradeSide": "close", "reduceOnly": "YES"}),
    ],
)
def test_an_order_names_the_direction_of_its_position(side: Side, held: PositionSide, expected: dict[str, str]) -> None:
    request = OrderRequest(BTC, side, Decimal("0.020"), OrderKind.MARKET, "cp-1", position_side=held)
    fields = requests.perpetual_order(request, venue_symbol="BTCUSDT", margin_mode=MarginMode.ISOLATED)
    common = {"productType": "USDT-FUTURES", "marginCoin": "USDT", "marginMode": "isolated", "symbol": "BTCUSDT"}
    common |= {"orderType": "market", "force": "gtc", "clientOid": "cp-1", "size": "0.02"}
    assert fields == common | expected


def test_a_limit_order_has_a_price_and_a_market_buy_a_size_in_money() -> None:
    request = OrderRequest(SPOT, Side.BUY, Decimal("0.01"), OrderKind.LIMIT_IOC, "cp-1", price=Decimal("60000.10"))
    fields = requests.spot_order(request, venue_symbol="BTCUSDT", size=Decimal("0.01"))
    assert (fields["price"], fields["force"], fields["size"]) == ("60000.1", "ioc", "0.01")
    bare = OrderRequest(SPOT, Side.BUY, Decimal("0.01"), OrderKind.LIMIT, "cp-1")
    with pytest.raises(ValueError, match="no price"):
        requests.spot_order(bare, venue_symbol="BTCUSDT", size=Decimal("0.01"))
    assert requests.quote_size(bare, ask=Decimal("60000.01")) == Decimal("600.0001")
    assert requests.quote_size(request, ask=Decimal(70000)) == Decimal("600.001")
