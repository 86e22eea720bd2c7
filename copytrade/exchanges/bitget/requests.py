"""What Bitget wants to hear when an order is placed. Pure."""

from decimal import ROUND_DOWN, Decimal
from typing import Any

from copytrade.domain.instruments import MarginMode, PositionSide, Side
from copytrade.domain.orders import OrderKind, OrderRequest
from copytrade.exchanges.values import plain

PRODUCT = {"productType": "USDT-FUTURES"}
COIN = {"marginCoin": "USDT"}
MARGIN_WORDS = {MarginMode.CROSS: "crossed", MarginMode.ISOLATED: "isolated"}
_FORCES = {OrderKind.LIMIT_IOC: "ioc", OrderKind.LIMIT: "gtc", OrderKind.MARKET: "gtc"}
_QUOTE_STEP = Decimal("0.000001")


def perpetual_order(request: OrderRequest, *, venue_symbol: str, margin_mode: MarginMode) -> dict[str, Any]:
    """Return the fields of a new order of perpetuals; ValueError where a limit order has no price."""
    fields = {
        **PRODUCT,
        **COIN,
        "marginMode": MARGIN_WORDS[margin_mode],
        **_common(request, venue_symbol=venue_symbol),
        "size": plain(request.quantity),
    }
    if request.position_side is PositionSide.NET:
        return fields | ({"reduceOnly": "YES"} if request.reduce_only else {})
    # hedged: the side names the position's direction, not the transaction's
    is_long = request.position_side is PositionSide.LONG
    fields |= {"side": "buy" if is_long else "sell"}
    if (request.side is Side.BUY) == is_long:
        return fields | {"tradeSide": "open"}
    # in an account that became one-way the trade side is not heard, and a close would open the other way
    return fields | {"tradeSide": "close", "reduceOnly": "YES"}


def spot_order(request: OrderRequest, *, venue_symbol: str, size: Decimal) -> dict[str, Any]:
    """Return the fields of a new spot order; `size` is in quote for a market buy, else in base."""
    return {**_common(request, venue_symbol=venue_symbol), "size": plain(size)}


def quote_size(request: OrderRequest, *, ask: Decimal) -> Decimal:
    """Return what a market buy of a base quantity may cost: at the ask, never above the request's own price."""
    price = ask if request.price is None else min(ask, request.price)
    return (request.quantity * price).quantize(_QUOTE_STEP, rounding=ROUND_DOWN)


def _common(request: OrderRequest, *, venue_symbol: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "symbol": venue_symbol,
        "side": request.side.value,
        "orderType": "market" if request.kind is OrderKind.MARKET else "limit",
        "force": _FORCES[request.kind],
        "clientOid": request.client_order_id,
    }
    if request.kind is OrderKind.MARKET:
        return fields
    if request.price is None:
        raise ValueError("a limit order had no price")
    return fields | {"price": plain(request.price)}
