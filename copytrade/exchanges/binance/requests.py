"""What Binance wants to hear when an order is placed. Pure."""

from typing import Any

from copytrade.domain.instruments import PositionSide
from copytrade.domain.orders import OrderKind, OrderRequest
from copytrade.exchanges.holdings import check_request
from copytrade.exchanges.values import plain

_TIMES_IN_FORCE = {OrderKind.LIMIT_IOC: "IOC", OrderKind.LIMIT: "GTC"}


def new_order(request: OrderRequest, *, venue_symbol: str) -> dict[str, Any]:
    """Return the fields of POST /fapi/v1/order; ValueError where a limit order has no price."""
    fields = _common(request, venue_symbol=venue_symbol) | {"newOrderRespType": "RESULT"}
    if request.position_side is not PositionSide.NET:
        fields["positionSide"] = request.position_side.value.upper()  # the venue refuses reduceOnly beside it
    elif request.reduce_only:
        fields["reduceOnly"] = "true"
    return fields


def new_spot_order(request: OrderRequest, *, venue_symbol: str) -> dict[str, Any]:
    """Return the fields of POST /api/v3/order; ValueError where it asks for what spot does not have."""
    check_request(request)
    return _common(request, venue_symbol=venue_symbol) | {"newOrderRespType": "FULL"}


def _common(request: OrderRequest, *, venue_symbol: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "symbol": venue_symbol,
        "side": request.side.value.upper(),
        "type": "MARKET" if request.kind is OrderKind.MARKET else "LIMIT",
        "quantity": plain(request.quantity),
        "newClientOrderId": request.client_order_id,
    }
    if request.kind is not OrderKind.MARKET:
        if request.price is None:
            raise ValueError("a limit order had no price")
        fields |= {"price": plain(request.price), "timeInForce": _TIMES_IN_FORCE[request.kind]}
    return fields
