"""Binance spot's bodies as they were recorded, read into our types."""

from decimal import Decimal
from typing import Any

import pytest

from copytrade.domain.instruments import Side
from copytrade.domain.orders import OrderKind, OrderRequest, VenueOrderStatus
from copytrade.exchanges.binance import spot_shapes
from copytrade.exchanges.binance.facts import BINANCE
from copytrade.exchanges.binance.requests import new_order, new_spot_order
from copytrade.exchanges.guard import answer_of
from copytrade.exchanges.judge import failure_of, refusal_of
from tests.unit.exchanges.venue_rows import AT, KINDS, SPOT

ROWS = {name: kind.row for name, kind in KINDS}
ORDER = ROWS["binance spot order"]
EVENT = ROWS["binance spot streamed fill"]


def read(**change: Any) -> Any:
    return spot_shapes.order(ORDER | change, symbol=SPOT)


def paid(asset: str, amount: str) -> dict[str, str]:
    return {"price": "60000", "qty": "0.01", "commission": amount, "commissionAsset": asset}


def test_the_average_price_is_what_was_spent_for_what_was_filled() -> None:
    order = read(executedQty="0.004", cummulativeQuoteQty="240.2")
    assert (order.filled, order.average_price, order.quantity) == (Decimal("0.004"), 60050, Decimal("0.01"))
    assert read(executedQty="0", cummulativeQuoteQty="0", fills=[]).average_price is None


def test_the_fee_is_told_where_the_fills_are_and_in_base_where_several_assets_paid() -> None:
    assert (read().fee, read().fee_asset) == (Decimal("0.00001"), "BTC")
    two = read(fills=[paid("BNB", "0.1"), paid("BTC", "0.00002"), paid("BTC", "0.00003")])
    assert (two.fee, two.fee_asset) == (Decimal("0.00005"), "BTC")
    third = read(fills=[paid("BNB", "0.1"), paid("BNB", "0.2")])
    assert (third.fee, third.fee_asset) == (Decimal("0.3"), "BNB")
    looked_up = {name: value for name, value in ORDER.items() if name != "fills"}
    order = spot_shapes.order(looked_up, symbol=SPOT)
    assert (order.fee, order.fee_asset) == (None, "")


def test_a_cancellation_names_the_order_beside_itself() -> None:
    order = read(status="CANCELED", clientOrderId="a-new-one", origClientOrderId="cp-1")
    assert (order.client_order_id, order.status) == ("cp-1", VenueOrderStatus.CANCELLED)
    cancelled = spot_shapes.streamed_order(EVENT | {"X": "CANCELED", "C": "cp-9", "c": "web-1"}, symbol=SPOT)
    assert cancelled.client_order_id == "cp-9"


def test_an_order_by_quote_amount_is_told_as_one() -> None:
    fill = spot_shapes.streamed_fill(EVENT | {"Q": "600", "q": "0.01"}, symbol=SPOT)
    assert (fill.order_quantity, fill.order_unit_is_quote) == (600, True)
    fill = spot_shapes.streamed_fill(EVENT, symbol=SPOT)
    assert (fill.order_quantity, fill.order_unit_is_quote) == (Decimal("0.01"), False)


def test_money_that_came_back_or_has_not_come_is_no_entry() -> None:
    sent = ROWS["binance withdrawal"]
    gone = spot_shapes.withdrawal(sent, at_ms=AT)
    assert gone is not None
    assert gone.amount == Decimal("-1.5004")
    assert [spot_shapes.withdrawal(sent | {"status": status}, at_ms=AT) for status in (1, 3, 5)] == [None] * 3
    came = ROWS["binance deposit"]
    assert [spot_shapes.deposit(came | {"status": status}) for status in (0, 2, 7, 8)] == [None] * 4
    assert spot_shapes.deposit(came | {"status": 6}) is not None
    moved = ROWS["binance transfer"]
    assert spot_shapes.wallet_transfer(moved | {"status": "FAILED"}) is None
    out, back = (spot_shapes.wallet_transfer(moved | {"type": kind}) for kind in ("MAIN_MARGIN", "MARGIN_MAIN"))
    assert out is not None
    assert back is not None
    assert (out.amount, back.amount) == (-5, 5)


def test_filters_may_be_missing_or_empty() -> None:
    market = {
        "symbol": SPOT,
        "base": "BTC",
        "quote": "USDT",
        "info": {
            "status": "BREAK",
            "filters": [
                {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001000"},
                {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "askMultiplierDown": "0.2"},
            ],
        },
    }
    rules = spot_shapes.market_rules(market)
    assert (rules.is_active, rules.min_notional, rules.max_leverage) == (False, 0, 1)
    assert (rules.max_market_quantity, str(rules.quantity_step)) == (9000, "0.00001")
    assert (rules.price_band_up, rules.price_band_down) == (5, Decimal("0.2"))


def test_a_spot_order_is_asked_for() -> None:
    asked = OrderRequest(SPOT, Side.BUY, Decimal("0.0200"), OrderKind.LIMIT_IOC, "cp1", price=Decimal(60000))
    assert new_spot_order(asked, venue_symbol="BTCUSDT") == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.02",
        "newClientOrderId": "cp1",
        "price": "60000",
        "timeInForce": "IOC",
        "newOrderRespType": "FULL",
    }
    resting = OrderRequest(SPOT, Side.BUY, Decimal(1), OrderKind.LIMIT, "cp1")
    for ask in (new_order, new_spot_order):
        with pytest.raises(ValueError, match="price"):
            ask(resting, venue_symbol="BTCUSDT")


@pytest.mark.parametrize(
    ("code", "told", "refusal"),
    [
        (-1013, "Market is closed.", "market_closed"),
        (-1013, "Filter failure: NOTIONAL", "min_notional"),
        (-1013, "Filter failure: MARKET_LOT_SIZE", "quantity"),
        (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", "price"),
        (-2010, "Account has insufficient balance for requested action.", "funds"),
        (-2010, "This action is disabled on this account.", "other"),
    ],
)
def test_one_code_for_many_reasons_is_told_apart_by_its_text(code: int, told: str, refusal: str) -> None:
    answer = answer_of(400, {}, "", {"code": code, "msg": told}, codes=BINANCE.codes)
    assert answer is not None
    assert refusal_of(failure_of(answer, departed=True), codes=BINANCE.codes) == refusal
