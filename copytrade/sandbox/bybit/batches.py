"""Orders in batches: each is taken or refused by itself, and its fate stands beside the answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from copytrade.sandbox.bybit import errors, trade
from copytrade.sandbox.bybit.request import Access, Request, Route
from copytrade.sandbox.exchange.orders import Refused

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

_MOST = {"linear": 20, "spot": 10}


def _each(handler: Callable[["Bybit", Request], dict[str, str]]) -> Callable[["Bybit", Request], dict[str, Any]]:
    def batch(venue: "Bybit", request: Request) -> dict[str, Any]:
        category, wanted = request.category(), request.params.get("request")
        if not isinstance(wanted, list) or not 0 < len(cast("list[Any]", wanted)) <= _MOST.get(category, 0):
            raise errors.bad_parameter("request")
        told: list[dict[str, Any]] = []
        fates: list[dict[str, Any]] = []
        for fields in cast("list[Any]", wanted):
            row, fate = _one(venue, request, handler, fields)
            told.append(row)
            fates.append(fate)
        request.beside = {"list": fates}
        return {"list": told}

    return batch


def _one(
    venue: "Bybit", request: Request, handler: Callable[["Bybit", Request], dict[str, str]], fields: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    own = {**fields, "category": request.params["category"]} if isinstance(fields, dict) else {}
    single = Request(request.call, own, request.key, request.holder)
    row = {"category": request.params["category"], "symbol": str(own.get("symbol", ""))}
    row |= {"orderId": "", "orderLinkId": str(own.get("orderLinkId", ""))}
    try:
        return row | handler(venue, single), {"code": 0, "msg": "OK"}
    except Refused as refusal:
        error = errors.refused(refusal, is_spot=request.is_spot)
    except errors.ApiError as refusal:
        error = refusal
    return row, {"code": error.code, "msg": error.message}


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    return {
        ("POST", "/v5/order/create-batch"): Route(_each(trade.create), Access.TRADE),
        ("POST", "/v5/order/cancel-batch"): Route(_each(trade.cancel), Access.TRADE),
    }
