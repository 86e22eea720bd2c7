"""Binance's bodies as they were recorded, read into our types."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from copytrade.domain.fills import EntryKind, Position
from copytrade.domain.instruments import PositionSide, Side
from copytrade.domain.orders import OrderKind, OrderRequest, VenueOrderStatus
from copytrade.exchanges.binance import shapes
from copytrade.exchanges.binance.chain import Chain
from copytrade.exchanges.binance.requests import new_order
from copytrade.exchanges.venues import rebased

BTC = "BTC/USDT:USDT"
AT = 1700000000000

TRADE: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "id": 1007,
    "orderId": 1006,
    "price": "60000",
    "qty": "0.02",
    "quoteQty": "1200",
    "commission": "0.6",
    "commissionAsset": "USDT",
    "time": AT,
    "side": "BUY",
    "realizedPnl": "0",
    "marginAsset": "USDT",
    "positionSide": "BOTH",
    "buyer": True,
    "maker": False,
}
ORDER: dict[str, Any] = {
    "orderId": 1006,
    "symbol": "BTCUSDT",
    "status": "FILLED",
    "clientOrderId": "cp-sw-buy-1",
    "price": "0",
    "avgPrice": "60000",
    "origQty": "0.02",
    "executedQty": "0.02",
    "cumQuote": "1200",
    "type": "MARKET",
    "side": "BUY",
    "positionSide": "BOTH",
    "time": AT,
    "updateTime": AT,
}


def execution(quantity: str, *, trade: int, at: int = AT, side: str = "BUY", kind: str = "TRADE", order: str = "1"):
    row = {
        "s": "BTCUSDT", "c": "cid", "S": side, "o": "MARKET", "f": "GTC", "q": order, "p": "0", "ap": "60000",
        "sp": "0", "x": kind, "X": "FILLED", "i": 1001, "l": quantity, "z": quantity, "L": "60000", "n": "0.3",
        "N": "USDT", "T": at, "t": trade, "m": False, "R": False, "ps": "BOTH", "rp": "0",
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": at, "T": at, "o": row}


def update(quantity: str, *, at: int = AT, reason: str = "ORDER", change: str = "0"):
    position = {"s": "BTCUSDT", "pa": quantity, "ep": "60000", "cr": "0", "up": "0", "mt": "cross", "ps": "BOTH"}
    balance = {"a": "USDT", "wb": "10000", "cw": "10000", "bc": change}
    return {"e": "ACCOUNT_UPDATE", "E": at, "T": at, "a": {"m": reason, "B": [balance], "P": [position]}}


def chain(*, held: str | None = "0") -> Chain:
    started = Chain({"BTCUSDT": BTC}.__getitem__)
    position = Position(BTC, Decimal(held or 0), Decimal(0), Decimal(0), Decimal(0))
    started.start(None if held is None else [position])
    return started


def positions_after(of: Chain, *events: dict[str, Any]) -> list[Decimal | None]:
    messages = [message for event in events for message in of.messages(event)]
    assert not [message for message in messages if message.spoiled]
    return [message.fill.position_after for message in messages if message.fill is not None]


def test_a_trade_is_read() -> None:
    fill = shapes.fill(TRADE, symbol=BTC)
    assert (fill.trade_id, fill.order_id, fill.signed, fill.price) == ("1007", "1006", Decimal("0.02"), 60000)
    assert (fill.fee, fill.fee_asset, fill.position_side) == (Decimal("0.6"), "USDT", PositionSide.NET)
    assert fill.venue_time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [{"qty": "0"}, {"qty": None}, {"qty": "NaN"}, {"price": "-1"}, {"price": 60000.1}, {"time": None}, {"side": "UP"}],
)
def test_a_trade_that_cannot_be_true_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, ArithmeticError)):
        shapes.fill(TRADE | change, symbol=BTC)


def test_an_order_is_read() -> None:
    order = shapes.order(ORDER, symbol=BTC)
    assert (order.filled, order.average_price, order.status) == (Decimal("0.02"), 60000, VenueOrderStatus.FILLED)
    expired = shapes.order(ORDER | {"status": "EXPIRED", "executedQty": "0", "avgPrice": "0.00"}, symbol=BTC)
    assert (expired.status, expired.average_price, expired.has_ended) == (VenueOrderStatus.EXPIRED, None, True)


def test_rights_that_are_not_told_stay_unknown() -> None:
    rights = shapes.permissions({"ipRestrict": True, "enableReading": True, "enableFutures": True})
    assert (rights.may_trade, rights.may_withdraw, rights.may_transfer) == (True, None, None)
    told = {"enableWithdrawals": False, "enableInternalTransfer": True, "permitsUniversalTransfer": False}
    assert shapes.permissions(told).may_transfer is True


def test_income_is_read_and_its_ids_are_apart_by_kind() -> None:
    row = {"symbol": "BTCUSDT", "incomeType": "FUNDING_FEE", "income": "-1.5", "asset": "USDT", "time": AT}
    funding = shapes.entry(row | {"tranId": 9, "tradeId": ""}, symbol=BTC)
    fee = shapes.entry(row | {"tranId": 9, "tradeId": "7", "incomeType": "COMMISSION"}, symbol=BTC)
    assert (funding.kind, funding.amount) == (EntryKind.FUNDING, Decimal("-1.5"))
    assert fee.entry_id != funding.entry_id


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            OrderRequest(BTC, Side.BUY, Decimal("0.020"), OrderKind.LIMIT_IOC, "cp1", price=Decimal("60000.0")),
            {"side": "BUY", "type": "LIMIT", "quantity": "0.02", "price": "60000", "timeInForce": "IOC"},
        ),
        (
            OrderRequest(BTC, Side.SELL, Decimal("1E+2"), OrderKind.MARKET, "cp1", reduce_only=True),
            {"side": "SELL", "type": "MARKET", "quantity": "100", "reduceOnly": "true"},
        ),
        (
            OrderRequest(
                BTC, Side.SELL, Decimal(1), OrderKind.MARKET, "cp1", reduce_only=True, position_side=PositionSide.LONG
            ),
            {"side": "SELL", "type": "MARKET", "quantity": "1", "positionSide": "LONG"},
        ),
    ],
)
def test_an_order_is_asked_for(request_: OrderRequest, expected: dict[str, str]) -> None:
    common = {"symbol": "BTCUSDT", "newClientOrderId": "cp1", "newOrderRespType": "RESULT"}
    assert new_order(request_, venue_symbol="BTCUSDT") == common | expected


def test_each_fill_with_its_own_update_knows_its_position() -> None:
    told = positions_after(chain(), update("0.6"), execution("0.6", trade=1), update("1"), execution("0.4", trade=2))
    assert told == [Decimal("0.6"), Decimal(1)]


def test_fills_that_share_an_update_claim_nothing() -> None:
    assert positions_after(chain(), update("1"), execution("0.6", trade=1), execution("0.4", trade=2)) == [None, None]


def test_a_fill_before_its_update_claims_nothing() -> None:
    assert positions_after(chain(), execution("1", trade=1), update("1")) == [None]


def test_an_update_of_another_moment_is_not_taken() -> None:
    assert positions_after(chain(), update("1", at=AT - 1), execution("1", trade=1)) == [None]


def test_a_jump_that_the_fill_does_not_explain_is_not_taken() -> None:
    assert positions_after(chain(), update("-1"), execution("1", trade=1, side="SELL")) == [Decimal(-1)]
    assert positions_after(chain(), update("0"), execution("1", trade=1, side="SELL")) == [None]


def test_without_a_known_start_the_first_fill_claims_nothing_and_the_second_does() -> None:
    told = positions_after(
        chain(held=None),
        update("3"),
        execution("1", trade=1),
        update("4", at=AT + 5),
        execution("1", trade=2, at=AT + 5),
    )
    assert told == [None, Decimal(4)]


def test_a_liquidation_is_a_fill() -> None:
    messages = chain(held="1").messages(execution("1", trade=3, side="SELL", kind="CALCULATED"))
    fill = next(message.fill for message in messages if message.fill is not None)
    assert fill.is_liquidation


def test_a_transfer_is_told() -> None:
    messages = chain().messages(update("0", reason="WITHDRAW", change="-50"))
    assert [message.transfer.amount for message in messages if message.transfer] == [Decimal(-50)]


@pytest.mark.parametrize(
    "event",
    [
        execution("0", trade=1),
        {"e": "ORDER_TRADE_UPDATE", "T": AT, "o": {"s": "BTCUSDT"}},
        {**execution("1", trade=1), "o": {**execution("1", trade=1)["o"], "s": "NEWUSDT"}},
        {"e": "ACCOUNT_UPDATE", "T": None, "a": {}},
        "pong",
    ],
)
def test_an_event_that_cannot_be_read_is_kept(event: Any) -> None:
    messages = chain().messages(event)
    assert [bool(message.spoiled) for message in messages] == [True]


def test_addresses_are_moved_with_their_paths() -> None:
    urls = {"public": "https://fapi.binance.com/fapi/v1", "ws": {"linear": "wss://fstream.binance.com/ws"}, "n": 1}
    assert rebased(urls, base="http://127.0.0.1:9/binance") == {
        "public": "http://127.0.0.1:9/binance/fapi/v1",
        "ws": {"linear": "ws://127.0.0.1:9/binance/ws"},
        "n": 1,
    }
