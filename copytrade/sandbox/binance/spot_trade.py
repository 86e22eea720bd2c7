"""Spot orders: placing, looking up, cancelling; and the trades they made."""

import re
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.binance import errors, spot_wire
from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.exchange import trading
from copytrade.sandbox.exchange.checks import check
from copytrade.sandbox.exchange.engine import OrderRequest
from copytrade.sandbox.exchange.instruments import FIRST_SPOT, Instrument
from copytrade.sandbox.exchange.orders import BUY, SELL, Fill, Order, OrderType, Reason, Refused, Status, TimeInForce
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import MONEY_DECIMALS, Malformed, TooPrecise, parse

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

CLIENT_ID = re.compile(r"[a-zA-Z0-9_-]{1,36}")
_SIDES = {"BUY": BUY, "SELL": SELL}
_TYPES = {"LIMIT": OrderType.LIMIT, "MARKET": OrderType.MARKET, "LIMIT_MAKER": OrderType.LIMIT}
_ANSWERS = ("ACK", "RESULT", "FULL")


def _request(call: Call) -> OrderRequest:
    instrument = call.instrument()
    side, name = _SIDES.get(call.need("side")), call.need("type")
    if side is None:
        raise errors.ApiError(-1117, "Invalid side.")
    kind = _TYPES.get(name)
    if kind is None:
        raise errors.ApiError(-1116, "Invalid orderType.")
    client_id = call.params.get("newClientOrderId", "")
    if client_id and not CLIENT_ID.fullmatch(client_id):
        raise errors.illegal("newClientOrderId", "^[a-zA-Z0-9-_]{1,36}$")
    force = TimeInForce.GTX if name == "LIMIT_MAKER" else TimeInForce.GTC
    if name == "LIMIT":
        force = call.choice("timeInForce", TimeInForce)
        if force is TimeInForce.GTX:
            raise errors.ApiError(-1115, "Invalid timeInForce.")
    for odd in ("price", "timeInForce") if kind is OrderType.MARKET else ():
        if call.params.get(odd):
            raise errors.ApiError(-1106, f"Parameter '{odd}' sent when not required.")
    price = _price(call, instrument) if kind is OrderType.LIMIT else 0
    steps, budget = _amounts(call, instrument, kind)
    return OrderRequest(instrument.index, side, kind, steps, price, force, client_id=client_id, budget=budget)


def _amounts(call: Call, instrument: Instrument, kind: OrderType) -> tuple[int, int]:
    """Return the steps, or the money of a market order that is given in quote."""
    in_quote = call.params.get("quoteOrderQty", "")
    if in_quote and kind is not OrderType.MARKET:
        raise errors.ApiError(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    if in_quote and call.params.get("quantity"):
        raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
    if in_quote:
        budget = call.decimal("quoteOrderQty", MONEY_DECIMALS)
        if not budget:
            raise Refused(Reason.QUANTITY_ZERO)
        return 0, budget
    if kind is OrderType.MARKET and not call.params.get("quantity"):
        text = "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"
        raise errors.ApiError(-1102, text)
    try:
        return parse(call.need("quantity"), instrument.quantity_decimals), 0
    except Malformed:
        raise errors.ApiError(-1100, "Illegal characters found in parameter 'quantity'.") from None
    except TooPrecise:
        raise _too_precise(call, "quantity") or Refused(Reason.QUANTITY_PRECISION) from None


def _price(call: Call, instrument: Instrument) -> int:
    try:
        return parse(call.need("price"), instrument.price_decimals)
    except Malformed:
        raise errors.ApiError(-1100, "Illegal characters found in parameter 'price'.") from None
    except TooPrecise:
        raise _too_precise(call, "price") or Refused(Reason.PRICE_TICK) from None


def _too_precise(call: Call, name: str) -> errors.ApiError | None:
    """Return the error of a number with more than eight decimals; fewer break only the symbol's filter."""
    if len(call.params[name].rstrip("0").partition(".")[2]) <= MONEY_DECIMALS:
        return None
    return errors.ApiError(-1111, f"Parameter '{name}' has too much precision.")


def _place(venue: "Binance", call: Call) -> dict[str, Any]:
    allowance = venue.limits.count_spot_order(call.account.id)
    if allowance.wait_ms:
        raise errors.too_many_orders(allowance.wait_ms)
    kind = call.params.get("newOrderRespType", "FULL")
    if kind not in _ANSWERS:
        raise errors.ApiError(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    order = trading.place(venue.exchange, call.account, _request(call))
    if order.status is Status.FILLED:
        venue.limits.forgive_spot_order(call.account.id)
    return spot_wire.placed(order, _fills(call, order), kind)


def _fills(call: Call, order: Order) -> list[Fill]:
    found: list[Fill] = []
    for fill in reversed(call.account.fills):
        if fill.order == order.id:
            found.append(fill)
        elif fill.id < order.id:
            break
    return found[::-1]


def _test(venue: "Binance", call: Call) -> dict[str, Any]:
    check(venue.exchange, call.account, _request(call))
    return {}


def _find(call: Call, instrument: Instrument) -> Order | None:
    number, client_id = call.integer("orderId"), call.params.get("origClientOrderId", "")
    if number is not None:
        order = call.account.orders.get(number)
        return order if order is not None and order.instrument == instrument.index else None
    if not client_id:
        text = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        raise errors.ApiError(-1102, text)
    return call.account.by_client.get((instrument.index, client_id))


def _get(venue: "Binance", call: Call) -> dict[str, Any]:
    order = _find(call, call.instrument())
    lag = venue.faults.lag(call.account.id)
    if order is None or (lag and venue.exchange.clock.now() - order.created < lag):
        raise errors.unknown_order()
    return spot_wire.order(order)


def _cancel(venue: "Binance", call: Call) -> dict[str, Any]:
    order = _find(call, call.instrument())
    if order is None:
        raise Refused(Reason.UNKNOWN_ORDER)
    trading.cancel(venue.exchange, call.account, order)
    return spot_wire.cancelled(order, call.params.get("newClientOrderId", ""))


def _cancel_all(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    instrument = call.instrument()
    found = [order for order in call.account.open.values() if order.instrument == instrument.index]
    if not found:
        raise Refused(Reason.UNKNOWN_ORDER)
    return [spot_wire.cancelled(trading.cancel(venue.exchange, call.account, order), "") for order in found]


def _open_orders(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    index = call.instrument().index if call.params.get("symbol") else None
    newest = venue.exchange.clock.now() - venue.faults.lag(call.account.id)
    rows = [order for order in call.account.open.values() if order.instrument >= FIRST_SPOT and order.created <= newest]
    return [spot_wire.order(order) for order in rows if index is None or order.instrument == index]


def _window(call: Call) -> tuple[int, int] | None:
    """Return the span of time asked for, a day at most; None when nothing was said of time."""
    start, end = call.integer("startTime"), call.integer("endTime")
    if start is None and end is None:
        return None
    first = start if start is not None else (end or 0) - DAY_MS
    last = end if end is not None else first + DAY_MS
    if last < first:
        raise errors.ApiError(-1023, "Start time is greater than end time.")
    if last - first > DAY_MS:
        raise errors.ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return first, last


def _all_orders(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    instrument, limit = call.instrument(), call.limit(500, 1000)
    newest = venue.exchange.clock.now() - venue.faults.lag(call.account.id)
    orders = [order for order in call.account.orders_of.get(instrument.index, ()) if order.created <= newest]
    number, window = call.integer("orderId"), _window(call)
    if number is not None:
        rows = [order for order in orders if order.id >= number][:limit]
    elif window is None:
        rows = orders[-limit:]
    else:
        rows = [order for order in orders if window[0] <= order.created <= window[1]][:limit]
    return [spot_wire.order(order) for order in rows]


def _my_trades(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    instrument, limit = call.instrument(), call.limit(500, 1000)
    from_id, order, window = call.integer("fromId"), call.integer("orderId"), _window(call)
    if window is not None and (from_id is not None or order is not None):
        raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
    newest = venue.exchange.clock.now() - venue.faults.lag(call.account.id)
    first, last = window or (0, newest)
    rows = [
        fill
        for fill in call.account.fills_of.get(instrument.index, ())
        if first <= fill.time <= min(last, newest)
        and (from_id is None or fill.id >= from_id)
        and (order is None or fill.order == order)
    ]
    return [spot_wire.trade(fill) for fill in (rows[-limit:] if from_id is None and window is None else rows[:limit])]


def _open_weight(call: Call) -> int:
    return 6 if call.params.get("symbol") else 80


def _trades_weight(call: Call) -> int:
    return 5 if call.params.get("orderId") else 20


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    order, every = "/api/v3/order", "/api/v3/openOrders"
    return {
        ("POST", order): Route(_place, Access.SPOT, 1, is_order=True),
        ("POST", "/api/v3/order/test"): Route(_test, Access.SPOT, 1),
        ("GET", order): Route(_get, Access.READ, 4),
        ("DELETE", order): Route(_cancel, Access.SPOT, 1),
        ("GET", every): Route(_open_orders, Access.READ, _open_weight),
        ("DELETE", every): Route(_cancel_all, Access.SPOT, 1),
        ("GET", "/api/v3/allOrders"): Route(_all_orders, Access.READ, 20),
        ("GET", "/api/v3/myTrades"): Route(_my_trades, Access.READ, _trades_weight),
    }
