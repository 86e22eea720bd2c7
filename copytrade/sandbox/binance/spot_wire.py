"""The shapes in which Binance writes what is of spot: all numbers with eight decimals."""

from typing import Any

from copytrade.sandbox.exchange import spot
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, Instrument
from copytrade.sandbox.exchange.market import Candle
from copytrade.sandbox.exchange.orders import BUY, OPEN, Fill, Order, Status, TimeInForce
from copytrade.sandbox.exchange.values import money, text


def price(instrument: Instrument, ticks: int) -> str:
    """Write a price."""
    return text(ticks * 10 ** (8 - instrument.price_decimals), 8)


def size(instrument: Instrument, steps: int) -> str:
    """Write a quantity."""
    return money(steps * instrument.lot)


def side(sign: int) -> str:
    return "BUY" if sign == BUY else "SELL"


def order_type(order: Order) -> str:
    return "LIMIT_MAKER" if order.time_in_force is TimeInForce.GTX else order.type.value


def time_in_force(order: Order) -> str:
    return "GTC" if order.time_in_force is TimeInForce.GTX else order.time_in_force.value


def wanted(order: Order) -> int:
    """Return the steps ordered; an order given in money has none until it is done."""
    return 0 if order.budget and order.status in OPEN else order.steps


def _body(order: Order) -> dict[str, Any]:
    instrument = INSTRUMENTS[order.instrument]
    return {
        "symbol": instrument.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": price(instrument, order.price),
        "origQty": size(instrument, wanted(order)),
        "executedQty": size(instrument, order.executed),
        "origQuoteOrderQty": money(order.budget),
        "cummulativeQuoteQty": money(order.quote),
        "status": order.status.value,
        "timeInForce": time_in_force(order),
        "type": order_type(order),
        "side": side(order.side),
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def order(order: Order) -> dict[str, Any]:
    """Write an order as look-ups and lists do."""
    times = {"time": order.created, "updateTime": order.updated, "workingTime": order.created}
    return {**_body(order), "stopPrice": "0.00000000", "icebergQty": "0.00000000", "isWorking": True, **times}


def placed(order: Order, fills: list[Fill], kind: str) -> dict[str, Any]:
    """Write the answer to a new order: ACK, RESULT or FULL."""
    names = ("symbol", "orderId", "orderListId", "clientOrderId")
    body = _body(order)
    if kind == "ACK":
        return {**{name: body[name] for name in names}, "transactTime": order.created}
    body |= {"transactTime": order.updated, "workingTime": order.created}
    return body | {"fills": [_part(fill) for fill in fills]} if kind == "FULL" else body


def _part(fill: Fill) -> dict[str, Any]:
    instrument = INSTRUMENTS[fill.instrument]
    return {
        "price": price(instrument, fill.price),
        "qty": size(instrument, fill.steps),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.id,
    }


def cancelled(order: Order, client_id: str) -> dict[str, Any]:
    """Write the answer to a cancellation, which has a client id of its own."""
    return _body(order) | {
        "origClientOrderId": order.client_id,
        "clientOrderId": client_id or f"cancel{order.id}",
        "transactTime": order.updated,
    }


def trade(fill: Fill) -> dict[str, Any]:
    """Write one of an account's trades."""
    instrument = INSTRUMENTS[fill.instrument]
    return {
        "symbol": instrument.symbol,
        "id": fill.id,
        "orderId": fill.order,
        "orderListId": -1,
        "price": price(instrument, fill.price),
        "qty": size(instrument, fill.steps),
        "quoteQty": money(fill.price * fill.steps * instrument.unit),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time,
        "isBuyer": fill.side == BUY,
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


def balance(account: Account, asset: str) -> dict[str, str]:
    """Write what there is of an asset."""
    held = spot.locked(account, asset)
    return {"asset": asset, "free": money(spot.coin(account, asset) - held), "locked": money(held)}


def report(order: Order, execution: str, fill: Fill | None, now: int) -> dict[str, Any]:
    """Write what the user stream says of an order."""
    instrument = INSTRUMENTS[order.instrument]
    ended = execution if execution in ("NEW", "TRADE") else Status(execution).value
    last = fill.price * fill.steps * instrument.unit if fill else 0
    return {
        "e": "executionReport",
        "E": now,
        "s": instrument.symbol,
        "c": order.client_id,
        "S": side(order.side),
        "o": order_type(order),
        "f": time_in_force(order),
        "q": size(instrument, wanted(order)),
        "p": price(instrument, order.price),
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": order.client_id if execution == "CANCELED" else "",
        "x": ended,
        "X": order.status.value,
        "r": "NONE",
        "i": order.id,
        "l": size(instrument, fill.steps if fill else 0),
        "z": size(instrument, order.executed),
        "L": price(instrument, fill.price if fill else 0),
        "n": money(fill.fee) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": fill.time if fill else order.updated,
        "t": fill.id if fill else -1,
        "I": fill.id if fill else order.id,
        "w": order.status in OPEN and fill is None,
        "m": fill.maker if fill else False,
        "M": False,
        "O": order.created,
        "Z": money(order.quote),
        "Y": money(last),
        "Q": money(order.budget),
        "W": order.created,
        "V": "EXPIRE_MAKER",
    }


def balances(account: Account, assets: list[str], now: int) -> dict[str, Any]:
    """Write what the user stream says of balances that have changed."""
    rows = [balance(account, asset) for asset in assets]
    content = [{"a": row["asset"], "f": row["free"], "l": row["locked"]} for row in rows]
    return {"e": "outboundAccountPosition", "E": now, "u": account.updated, "B": content}


def movement(asset: str, change: int, now: int) -> dict[str, Any]:
    """Write what the user stream says of a deposit, a withdrawal or a transfer."""
    return {"e": "balanceUpdate", "E": now, "a": asset, "d": money(change), "T": now}


def kline(candle: Candle, instrument: Instrument, interval: int) -> list[Any]:
    """Write one candle."""
    prices = (candle.open, candle.high, candle.low, candle.close)
    return [
        candle.open_time,
        *(price(instrument, ticks) for ticks in prices),
        size(instrument, candle.volume),
        candle.open_time + interval - 1,
        money(candle.turnover),
        candle.trades,
        size(instrument, candle.volume // 2),
        money(candle.turnover // 2),
        "0",
    ]
