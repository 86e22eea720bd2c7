"""Orders: placing, looking up, cancelling; and the trades they made."""

import re
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.binance import errors, wire
from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.exchange import trading
from copytrade.sandbox.exchange.engine import OrderRequest
from copytrade.sandbox.exchange.instruments import Instrument
from copytrade.sandbox.exchange.orders import BUY, SELL, Order, OrderType, PositionSide, Reason, Refused, TimeInForce
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import Malformed, TooPrecise, parse

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
LONGEST_WINDOW_MS = 7 * DAY_MS
KEPT_MS = 180 * DAY_MS
_SIDES = {"BUY": BUY, "SELL": SELL}
_TYPES = {"LIMIT": OrderType.LIMIT, "MARKET": OrderType.MARKET}


def request_of(call: Call) -> OrderRequest:
    """Read what order a call asks for."""
    instrument = call.instrument()
    side = _SIDES.get(call.need("side"))
    if side is None:
        raise errors.ApiError(-1117, "Invalid side.")
    kind = _TYPES.get(call.need("type"))
    if kind is None:
        raise errors.ApiError(-1116, "Invalid orderType.")
    force = TimeInForce.GTC
    price = 0
    if kind is OrderType.LIMIT:
        force = call.choice("timeInForce", TimeInForce)
        price = _price(call, instrument)
    elif "price" in call.params:
        raise errors.ApiError(-1106, "Parameter 'price' sent when not required.")
    client_id = call.params.get("newClientOrderId", "")
    if client_id and not CLIENT_ID.fullmatch(client_id):
        raise errors.illegal("newClientOrderId", "^[\\.A-Z\\:/a-z0-9_-]{1,36}$")
    position_side = call.choice("positionSide", PositionSide, "BOTH")
    if call.account.hedge and "reduceOnly" in call.params:
        raise errors.ApiError(-1106, "Parameter 'reduceonly' sent when not required.")
    return OrderRequest(
        *(instrument.index, side, kind, _quantity(call, instrument), price, force, call.flag("reduceOnly")),
        *(position_side, client_id),
    )


def _price(call: Call, instrument: Instrument) -> int:
    try:
        return parse(call.need("price"), instrument.price_decimals)
    except Malformed:
        raise errors.missing("price") from None
    except TooPrecise:
        raise Refused(Reason.PRICE_TICK) from None


def _quantity(call: Call, instrument: Instrument) -> int:
    try:
        return parse(call.need("quantity"), instrument.quantity_decimals)
    except Malformed:
        raise errors.missing("quantity") from None
    except TooPrecise:
        raise Refused(Reason.QUANTITY_PRECISION) from None


def place(venue: "Binance", call: Call) -> dict[str, Any]:
    """Place the order a call asks for, and answer as it wishes."""
    allowance = venue.limits.count_order(call.account.id)
    if allowance.wait_ms:
        raise errors.too_many_orders(allowance.wait_ms)
    order = trading.place(venue.exchange, call.account, request_of(call))
    if call.params.get("newOrderRespType", "ACK") == "RESULT":
        return wire.order(order)
    return wire.order(order) | {"status": "NEW", "executedQty": "0", "cumQty": "0", "cumQuote": "0", "avgPrice": "0.00"}


def _find(call: Call, instrument: Instrument) -> Order | None:
    number = call.integer("orderId")
    client_id = call.params.get("origClientOrderId", "")
    if number is not None:
        order = call.account.orders.get(number)
        return order if order is not None and order.instrument == instrument.index else None
    if not client_id:
        raise errors.ApiError(-1102, "Either 'origClientOrderId' or 'orderId' must be sent.")
    return call.account.by_client.get((instrument.index, client_id))


def _seen(venue: "Binance", call: Call, order: Order | None) -> Order:
    """Return an order that look-ups may see already."""
    lag = venue.faults.lag(call.account.id)
    if order is None or (lag and venue.exchange.clock.now() - order.created < lag):
        raise errors.unknown_order()
    return order


def _get(venue: "Binance", call: Call) -> dict[str, Any]:
    return wire.order(_seen(venue, call, _find(call, call.instrument())))


def _get_open(venue: "Binance", call: Call) -> dict[str, Any]:
    order = _seen(venue, call, _find(call, call.instrument()))
    if order.id not in call.account.open:
        raise errors.unknown_order()
    return wire.order(order)


def _cancel(venue: "Binance", call: Call) -> dict[str, Any]:
    order = _find(call, call.instrument())
    if order is None:
        raise Refused(Reason.UNKNOWN_ORDER)
    return wire.order(trading.cancel(venue.exchange, call.account, order))


def _cancel_all(venue: "Binance", call: Call) -> dict[str, Any]:
    instrument = call.instrument()
    for order in [order for order in call.account.open.values() if order.instrument == instrument.index]:
        trading.cancel(venue.exchange, call.account, order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def _open_orders(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    wanted = {instrument.index for instrument in call.instruments()}
    oldest = venue.exchange.clock.now() - venue.faults.lag(call.account.id)
    rows = call.account.open.values()
    return [wire.order(order) for order in rows if order.instrument in wanted and order.created <= oldest]


def _window(venue: "Binance", call: Call) -> tuple[int, int] | None:
    """Return the span of time asked for: seven days at most; None when nothing was said of time."""
    start, end = call.integer("startTime"), call.integer("endTime")
    if start is None and end is None:
        return None
    if start is None:
        assert end is not None
        return end - LONGEST_WINDOW_MS, end
    if end is None:
        return start, start + LONGEST_WINDOW_MS
    if end < start:
        raise errors.ApiError(-1023, "Start time is greater than end time.")
    if end - start > LONGEST_WINDOW_MS:
        raise errors.ApiError(-4166, "Search window is restricted to recent 7 days only.")
    return start, end


def _all_orders(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    instrument, limit = call.instrument(), call.limit(500, 1000)
    newest = venue.exchange.clock.now() - venue.faults.lag(call.account.id)
    orders = [order for order in call.account.orders_of.get(instrument.index, ()) if order.created <= newest]
    number, window = call.integer("orderId"), _window(venue, call)
    if number is not None:
        return [wire.order(order) for order in orders if order.id >= number][:limit]
    if window is None:
        window = newest - LONGEST_WINDOW_MS, newest
        return [wire.order(order) for order in orders if order.created >= window[0]][-limit:]
    return [wire.order(order) for order in orders if window[0] <= order.created <= window[1]][:limit]


def _user_trades(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    instrument, limit = call.instrument(), call.limit(500, 1000)
    now = venue.exchange.clock.now()
    newest = now - venue.faults.lag(call.account.id)
    from_id, window, order = call.integer("fromId"), _window(venue, call), call.integer("orderId")
    if from_id is not None and window is not None:
        raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
    fills = call.account.fills_of.get(instrument.index, [])
    if order is not None:
        fills = [fill for fill in fills if fill.order == order]
    first, last = (window or (now - LONGEST_WINDOW_MS, now)) if from_id is None else (now - KEPT_MS, now)
    first, last = max(first, now - KEPT_MS), min(last, newest)
    rows = [fill for fill in fills if first <= fill.time <= last and (from_id is None or fill.id >= from_id)]
    return [wire.trade(fill) for fill in (rows[-limit:] if from_id is None and window is None else rows[:limit])]


def _open_weight(call: Call) -> int:
    return 1 if call.params.get("symbol") else 40


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    orders = "/fapi/v1/order"
    return {
        ("POST", orders): Route(place, Access.FUTURES, 0, is_order=True),
        ("GET", orders): Route(_get, Access.READ, 1),
        ("DELETE", orders): Route(_cancel, Access.FUTURES, 1),
        ("DELETE", "/fapi/v1/allOpenOrders"): Route(_cancel_all, Access.FUTURES, 1),
        ("GET", "/fapi/v1/openOrder"): Route(_get_open, Access.READ, 1),
        ("GET", "/fapi/v1/openOrders"): Route(_open_orders, Access.READ, _open_weight),
        ("GET", "/fapi/v1/allOrders"): Route(_all_orders, Access.READ, 5),
        ("GET", "/fapi/v1/userTrades"): Route(_user_trades, Access.READ, 5),
    }
