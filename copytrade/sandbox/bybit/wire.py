"""The shapes in which Bybit writes things."""

from typing import Any

from copytrade.sandbox.bybit.ids import execution_id, order_id
from copytrade.sandbox.bybit.trail import Step
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, Instrument
from copytrade.sandbox.exchange.market import Candle
from copytrade.sandbox.exchange.orders import BUY, Fill, Order, OrderType, PositionSide, Status, TimeInForce
from copytrade.sandbox.exchange.values import MONEY_DECIMALS, divide, text

POSITION_INDEX = {PositionSide.BOTH: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2}
_TIMES_IN_FORCE = {TimeInForce.GTX: "PostOnly"}
_CREATED = {OrderType.LIQUIDATION: "CreateByLiq", OrderType.ADL: "CreateByAdl_PassThrough"}
_EXECUTED = {OrderType.LIQUIDATION: "BustTrade", OrderType.ADL: "AdlTrade"}
_STATUSES = {
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELED: "Cancelled",
    Status.EXPIRED: "Cancelled",
}


def side(sign: int) -> str:
    return "Buy" if sign == BUY else "Sell"


def short(number: str) -> str:
    """Write a decimal without zeros at its end."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def price(instrument: Instrument, ticks: int) -> str:
    return text(ticks, instrument.price_decimals)


def quantity(instrument: Instrument, steps: int) -> str:
    return short(text(steps, instrument.quantity_decimals))


def amount(units: int) -> str:
    return short(text(units, MONEY_DECIMALS))


def average(instrument: Instrument, *, quote: int, steps: int) -> str:
    """Write the price at which steps moved an amount of money; empty where nothing was moved."""
    return short(text(divide(quote * 10**instrument.quantity_decimals, steps), 8)) if steps else ""


def category(instrument: Instrument) -> str:
    return "spot" if instrument.is_spot else "linear"


def instrument(one: Instrument, *, is_halted: bool) -> dict[str, Any]:
    tick, step = text(1, one.price_decimals), text(1, one.quantity_decimals)
    most, market = quantity(one, one.max_steps), quantity(one, one.max_market_steps)
    least = amount(one.min_notional)
    row = {
        **{"symbol": one.symbol, "baseCoin": one.base, "quoteCoin": one.quote},
        "status": "PreLaunch" if is_halted else "Trading",
    }
    if one.is_spot:
        lot = {"basePrecision": step, "quotePrecision": "0.00000001", "minOrderQty": step, "maxOrderQty": most}
        lot |= {"minOrderAmt": least, "maxOrderAmt": "8000000", "maxLimitOrderQty": most, "maxMarketOrderQty": market}
        margin = {"innovation": "0", "marginTrading": "none", "stTag": "0"}
        risk = {"priceLimitRatioX": text(one.band_ppm, 6), "priceLimitRatioY": text(one.band_ppm, 6)}
        return {**row, **margin, "lotSizeFilter": lot, "priceFilter": {"tickSize": tick}, "riskParameters": risk}
    lot = {"maxOrderQty": most, "minOrderQty": step, "qtyStep": step, "postOnlyMaxOrderQty": most}
    return {
        **row,
        **{"contractType": "LinearPerpetual", "launchTime": "1584230400000", "deliveryTime": "0"},
        **{"deliveryFeeRate": "", "priceScale": str(one.price_decimals), "settleCoin": one.quote},
        "leverageFilter": {"minLeverage": "1", "maxLeverage": f"{one.max_leverage}.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
        "lotSizeFilter": lot | {"maxMktOrderQty": market, "minNotionalValue": least},
        **{"unifiedMarginTrade": True, "fundingInterval": 480, "copyTrading": "both", "isPreListing": False},
        **{"upperFundingRate": "0.0075", "lowerFundingRate": "-0.0075", "preListingInfo": None},
        "riskParameters": {"priceLimitRatioX": text(one.band_ppm, 6), "priceLimitRatioY": text(one.band_ppm, 6)},
    }


def candle(row: Candle, one: Instrument) -> list[str]:
    prices = [price(one, ticks) for ticks in (row.open, row.high, row.low, row.close)]
    return [str(row.open_time), *prices, quantity(one, row.volume), amount(row.turnover)]


def status(order: Order) -> str:
    """Return an order's state; only spot tells apart the ones that were cancelled with something executed."""
    told = _STATUSES[order.status]
    is_part = told == "Cancelled" and order.executed and INSTRUMENTS[order.instrument].is_spot
    return "PartiallyFilledCanceled" if is_part else told


def order_type(order: Order) -> str:
    return "Market" if order.type is not OrderType.LIMIT else "Limit"


def create_type(order: Order) -> str:
    return _CREATED.get(order.type, "CreateByUser")


def execution_type(order: Order) -> str:
    return _EXECUTED.get(order.type, "Trade")


def fees(account: Account, order: Order) -> dict[str, str]:
    """Return what an order has paid by asset."""
    paid: dict[str, int] = {}
    for fill in reversed(account.fills_of.get(order.instrument, ())):
        if fill.time < order.created:
            break
        if fill.order == order.id:
            paid[fill.fee_asset] = paid.get(fill.fee_asset, 0) + fill.fee
    return {asset: amount(units) for asset, units in paid.items()}


def _ended_because(order: Order) -> tuple[str, str]:
    """Return how an order was cancelled and why it was refused after all."""
    if order.status is Status.EXPIRED or (
        order.status is Status.CANCELED and order.time_in_force is not TimeInForce.GTC
    ):
        took = order.time_in_force is TimeInForce.GTX
        return "UNKNOWN", "EC_PostOnlyWillTakeLiquidity" if took else "EC_NoImmediateQtyToFill"
    return ("CancelByUser", "EC_PerCancelRequest") if order.status is Status.CANCELED else ("UNKNOWN", "EC_NoError")


def order(account: Account, order: Order) -> dict[str, Any]:
    one = INSTRUMENTS[order.instrument]
    paid = fees(account, order)
    cancelled, refused = _ended_because(order)
    is_open = status(order) in ("New", "PartiallyFilled")
    left = order.remaining if is_open else 0
    row = {
        "orderId": order_id(order.id, is_spot=one.is_spot),
        "orderLinkId": "" if order.client_id.startswith("auto") else order.client_id,
        "blockTradeId": "",
        "symbol": one.symbol,
        "price": price(one, order.price) if order.price else "0",
        "qty": _asked(one, order),
        "side": side(order.side),
        "isLeverage": "0" if one.is_spot else "",
        "positionIdx": POSITION_INDEX[order.position_side],
        "orderStatus": status(order),
        **{"cancelType": cancelled, "rejectReason": refused},
        "avgPrice": average(one, quote=order.quote, steps=order.executed),
        "leavesQty": quantity(one, left),
        "leavesValue": amount(left * order.price * one.unit),
        "cumExecQty": quantity(one, order.executed),
        "cumExecValue": amount(order.quote),
        "cumExecFee": next(iter(paid.values()), "0"),
        "timeInForce": "IOC" if order_type(order) == "Market" else _in_force(order),
        "orderType": order_type(order),
        "stopOrderType": "",
        **dict.fromkeys(("orderIv", "triggerPrice", "takeProfit", "stopLoss", "tpTriggerBy", "slTriggerBy"), ""),
        **{"triggerDirection": 0, "triggerBy": "", "lastPriceOnCreated": "", "reduceOnly": order.reduce_only},
        **{"closeOnTrigger": False, "smpType": "None", "smpGroup": 0, "smpOrderId": "", "placeType": ""},
        "createdTime": str(order.created),
        "updatedTime": str(order.updated),
        "cumFeeDetail": paid,
        "category": category(one),
    }
    if one.is_spot:
        unit = "quoteCoin" if order.budget else "baseCoin"
        return {**row, "marketUnit": unit if order_type(order) == "Market" else "", "basePrice": ""}
    return {**row, "tpslMode": "", "createType": create_type(order)}


def _asked(one: Instrument, order: Order) -> str:
    """Write an order's quantity in the unit in which it was given."""
    return amount(order.budget) if order.budget else quantity(one, order.steps)


def _in_force(order: Order) -> str:
    return _TIMES_IN_FORCE.get(order.time_in_force, order.time_in_force.value)


def execution(order: Order, fill: Fill, step: Step) -> dict[str, Any]:
    one = INSTRUMENTS[fill.instrument]
    value = fill.price * fill.steps * one.unit
    row = {
        "category": category(one),
        "symbol": one.symbol,
        "orderId": order_id(fill.order, is_spot=one.is_spot),
        "orderLinkId": "" if order.client_id.startswith("auto") else order.client_id,
        "side": side(fill.side),
        "orderPrice": price(one, order.price or fill.price),
        "orderQty": _asked(one, order),
        "leavesQty": quantity(one, step.left),
        "orderType": order_type(order),
        "stopOrderType": "" if one.is_spot else "UNKNOWN",
        "execFee": amount(fill.fee),
        "execId": execution_id(fill.id, is_spot=one.is_spot),
        "execPrice": price(one, fill.price),
        "execQty": quantity(one, fill.steps),
        "execType": execution_type(order),
        "execValue": amount(value),
        "execTime": str(fill.time),
        "feeCurrency": fill.fee_asset,
        "isMaker": fill.maker,
        "feeRate": short(text(divide(fill.fee * 10**8, value), 8)) if value and fill.fee_asset == one.quote else "",
        **dict.fromkeys(("markPrice", "indexPrice", "tradeIv", "markIv", "underlyingPrice", "blockTradeId"), ""),
        "closedSize": "" if one.is_spot else quantity(one, step.closed),
        "seq": step.sequence,
        "extraFees": "",
    }
    return row if one.is_spot else {**row, "createType": create_type(order)}
