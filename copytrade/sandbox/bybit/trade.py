"""Orders at Bybit: placed and cancelled. What is accepted is only acknowledged; the rest is told later."""

import re
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bybit import errors, ids, wire
from copytrade.sandbox.bybit.history import named
from copytrade.sandbox.bybit.request import Access, Request, Route
from copytrade.sandbox.exchange import trading
from copytrade.sandbox.exchange.engine import OrderRequest
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, Instrument
from copytrade.sandbox.exchange.orders import (
    BUY,
    OPEN,
    SELL,
    Order,
    OrderType,
    PositionSide,
    Reason,
    Refused,
    TimeInForce,
)
from copytrade.sandbox.exchange.values import MONEY_DECIMALS, Malformed, TooPrecise, parse

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

CLIENT_ID = re.compile(r"[a-zA-Z0-9_-]{1,36}")
_SIDES = {"Buy": BUY, "Sell": SELL}
_TYPES = {"Market": OrderType.MARKET, "Limit": OrderType.LIMIT}
_TIMES = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.GTX,
}
_NOT_SERVED = ("triggerPrice", "takeProfit", "stopLoss", "isLeverage", "closeOnTrigger", "slippageTolerance")
_INDEXES = {0: PositionSide.BOTH, 1: PositionSide.LONG, 2: PositionSide.SHORT}


def _number(request: Request, name: str, *, decimals: int, malformed: Reason, precise: Reason) -> int:
    try:
        return parse(request.need(name), decimals)
    except Malformed:
        raise Refused(malformed) from None
    except TooPrecise:
        raise Refused(precise) from None


def steps_of(request: Request, one: Instrument) -> int:
    """Return the quantity of a request."""
    reasons = {"malformed": Reason.QUANTITY_MALFORMED, "precise": Reason.QUANTITY_PRECISION}
    return _number(request, "qty", decimals=one.quantity_decimals, **reasons)


def price_of(request: Request, one: Instrument) -> int:
    """Return the price of a request."""
    reasons = {"malformed": Reason.PRICE_MALFORMED, "precise": Reason.PRICE_TICK}
    return _number(request, "price", decimals=one.price_decimals, **reasons)


def _by_value(request: Request, *, side: int, kind: OrderType) -> bool:
    """Tell whether `qty` is money: a spot market order says so, and a buy that does not say means it."""
    if not request.is_spot or kind is not OrderType.MARKET:
        return False
    unit = request.text("marketUnit") or ("quoteCoin" if side == BUY else "baseCoin")
    if unit not in ("baseCoin", "quoteCoin"):
        raise errors.bad_parameter("marketUnit")
    return unit == "quoteCoin"


def _position_side(request: Request) -> PositionSide:
    index = request.integer("positionIdx") or 0
    if index not in _INDEXES or (request.is_spot and index):
        raise errors.bad_parameter("positionIdx")
    return _INDEXES[index]


def _client_id(request: Request) -> str:
    client_id = request.text("orderLinkId")
    if client_id and not CLIENT_ID.fullmatch(client_id):
        raise errors.bad_parameter("orderLinkId")
    return client_id


def _check_served(request: Request) -> None:
    """Refuse what would make another order of it than the sandbox can place."""
    found = [name for name in _NOT_SERVED if request.params.get(name) not in (None, "", "0", 0, False)]
    if found:
        raise errors.ApiError(10001, f"params error: {found[0]} is not served here")


def _wanted(request: Request) -> OrderRequest:
    one, side = request.instrument(), request.choice("side", _SIDES)
    kind = request.choice("orderType", _TYPES)
    force = request.choice("timeInForce", _TIMES, default="GTC") if kind is OrderType.LIMIT else TimeInForce.IOC
    by_value = _by_value(request, side=side, kind=kind)
    reduces = request.flag("reduceOnly") and not request.is_spot
    position_side = _position_side(request)
    if reduces and not request.account.hedge and not request.account.position(one.index, position_side).steps:
        raise Refused(Reason.REDUCE_ONLY)
    money = {"malformed": Reason.QUANTITY_MALFORMED, "precise": Reason.QUANTITY_PRECISION}
    return OrderRequest(
        instrument=one.index,
        side=side,
        type=kind,
        steps=0 if by_value else steps_of(request, one),
        price=price_of(request, one) if kind is OrderType.LIMIT else 0,
        time_in_force=force,
        reduce_only=reduces and position_side is PositionSide.BOTH,
        position_side=position_side,
        client_id=_client_id(request),
        budget=_number(request, "qty", decimals=MONEY_DECIMALS, **money) if by_value else 0,
    )


def _check_band(venue: "Bybit", one: Instrument, wanted: OrderRequest) -> None:
    """Refuse a spot price on the wrong side of what is told as riskParameters; the engine has perpetuals' own."""
    if not one.is_spot or wanted.type is not OrderType.LIMIT:
        return
    mark = venue.exchange.market.price(one.index)
    bound = mark + wanted.side * mark * one.band_ppm // 1_000_000
    if (wanted.price - bound) * wanted.side > 0:
        reason = Reason.PRICE_TOO_HIGH if wanted.side == BUY else Reason.PRICE_TOO_LOW
        raise Refused(reason, limit=wire.price(one, bound))


def create(venue: "Bybit", request: Request) -> dict[str, str]:
    """Place an order and acknowledge it."""
    _check_served(request)
    wanted = _wanted(request)
    _check_band(venue, INSTRUMENTS[wanted.instrument], wanted)
    return acknowledged(request, trading.place(venue.exchange, request.account, wanted))


def acknowledged(request: Request, order: Order) -> dict[str, str]:
    """Return the ids of an order, which is all that an acknowledgement tells."""
    written = ids.order_id(order.id, is_spot=request.is_spot)
    return {"orderId": written, "orderLinkId": "" if order.client_id.startswith("auto") else order.client_id}


def cancel(venue: "Bybit", request: Request) -> dict[str, str]:
    """Cancel an order and acknowledge it."""
    request.instrument()
    if not (request.text("orderId") or request.text("orderLinkId")):
        raise errors.bad_parameter("orderId")
    order = named(request)
    if order is None or order.status not in OPEN:
        raise Refused(Reason.UNKNOWN_ORDER)
    return acknowledged(request, trading.cancel(venue.exchange, request.account, order))


def _cancel_all(venue: "Bybit", request: Request) -> dict[str, Any]:
    named_one = any(request.text(name) for name in ("symbol", "baseCoin", "settleCoin"))
    if not (request.is_spot or named_one):
        raise errors.ApiError(10001, "params error: symbol, settleCoin or baseCoin must be filled in")
    wanted = {one.index for one in request.wanted()}
    found = [order for order in request.account.open.values() if order.instrument in wanted]
    told = [acknowledged(request, trading.cancel(venue.exchange, request.account, order)) for order in found]
    return {"list": told, "success": "1"}


def _fee_rate(venue: "Bybit", request: Request) -> dict[str, Any]:
    account = request.account
    rates = {"takerFeeRate": f"{account.taker_ppm / 1e6:.6f}", "makerFeeRate": f"{account.maker_ppm / 1e6:.6f}"}
    rows = [{"symbol": one.symbol, "baseCoin": one.base, **rates} for one in request.wanted()]
    return {"category": wire.category(request.wanted()[0]), "list": rows}


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    return {
        ("POST", "/v5/order/create"): Route(create, Access.TRADE),
        ("POST", "/v5/order/cancel"): Route(cancel, Access.TRADE),
        ("POST", "/v5/order/cancel-all"): Route(_cancel_all, Access.TRADE),
        ("GET", "/v5/account/fee-rate"): Route(_fee_rate),
    }
