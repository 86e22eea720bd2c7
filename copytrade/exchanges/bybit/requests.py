"""What Bybit wants to hear when an order is placed. Pure."""

from typing import Any

from copytrade.domain.instruments import Market, PositionSide
from copytrade.domain.orders import OrderKind, OrderRequest
from copytrade.exchanges.bybit.shapes import CATEGORIES, POSITION_INDEXES
from copytrade.exchanges.holdings import check_request
from copytrade.exchanges.values import plain

_TIMES_IN_FORCE = {OrderKind.LIMIT_IOC: "IOC", OrderKind.LIMIT: "GTC"}


def new_order(request: OrderRequest, *, market: Market, venue_symbol: str) -> dict[str, Any]:
    """Return the fields of one order; quantities are in the base asset, on spot that has to be said."""
    fields: dict[str, Any] = {
        "category": CATEGORIES[market],
        "symbol": venue_symbol,
        "side": request.side.value.capitalize(),
        "orderType": "Market" if request.kind is OrderKind.MARKET else "Limit",
        "qty": plain(request.quantity),
        "orderLinkId": request.client_order_id,
    }
    if request.kind is not OrderKind.MARKET:
        if request.price is None:
            raise ValueError("a limit order had no price")
        fields |= {"price": plain(request.price), "timeInForce": _TIMES_IN_FORCE[request.kind]}
    if market is Market.SPOT:
        return _on_spot(request, fields)
    if request.position_side is not PositionSide.NET:
        fields["positionIdx"] = POSITION_INDEXES[request.position_side]
    if request.reduce_only:
        fields["reduceOnly"] = True
    return fields


def _on_spot(request: OrderRequest, fields: dict[str, Any]) -> dict[str, Any]:
    check_request(request)
    return fields | {"marketUnit": "baseCoin"} if request.kind is OrderKind.MARKET else fields
