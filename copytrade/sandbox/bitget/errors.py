"""Bitget's error codes, their texts and HTTP statuses."""

from copytrade.sandbox.exchange.orders import Reason, Refused


class ApiError(Exception):
    """An answer that is a refusal."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


_BOTH: dict[Reason, tuple[str, str]] = {
    Reason.UNKNOWN_SYMBOL: ("40034", "Parameter symbol does not exist"),
    Reason.QUANTITY_MALFORMED: ("40020", "Parameter size error"),
    Reason.QUANTITY_PRECISION: ("40808", "Parameter verification exception size checkBDScale error"),
    Reason.PRICE_MALFORMED: ("40020", "Parameter price error"),
    Reason.PRICE_TICK: ("40808", "Parameter verification exception price checkBDScale error"),
    Reason.PRICE_ZERO: ("40020", "Parameter price error"),
    Reason.NOTIONAL_TOO_SMALL: ("45110", "less than the minimum amount {notional} USDT"),
    Reason.WOULD_TAKE: ("40020", "Parameter force error"),
    Reason.WOULD_NOT_FILL: ("40020", "Parameter force error"),
    Reason.BOOK_TOO_FAR: ("22008", "market price > risk price"),
    Reason.UNKNOWN_ORDER: ("43001", "The order does not exist"),
}
_MIX = _BOTH | {
    Reason.QUANTITY_ZERO: ("45111", "less than the minimum order quantity"),
    Reason.QUANTITY_TOO_LARGE: ("45112", "more than the maximum order quantity"),
    Reason.PRICE_TOO_HIGH: ("22006", "limit price > risk price {limit}"),
    Reason.PRICE_TOO_LOW: ("22007", "limit price < risk price {limit}"),
    Reason.MARGIN: ("40762", "The order amount exceeds the balance"),
    Reason.POSITION_TOO_LARGE: ("45113", "maximum order value limit triggered"),
    Reason.REDUCE_ONLY: ("22002", "No position to close"),
    Reason.POSITION_SIDE: (
        "40774",
        "The order type for unilateral position must also be the unilateral position type.",
    ),
    Reason.DUPLICATE_CLIENT_ID: ("40786", "Duplicate clientOid"),
    Reason.TOO_MANY_OPEN: ("45118", "Reached the upper limit of the order of transactions"),
    Reason.TRADING_HALTED: ("40308", "The contract is being temporarily maintained"),
    Reason.LEVERAGE: ("40797", "Exceeded the maximum settable leverage"),
    Reason.MARGIN_MODE_ORDERS: ("45117", "Currently holding positions or orders, the margin mode cannot be adjusted"),
    Reason.MARGIN_MODE_POSITION: ("45117", "Currently holding positions or orders, the margin mode cannot be adjusted"),
    Reason.POSITION_MODE_ORDERS: ("40920", "Position or order exists, the position mode cannot be switched"),
    Reason.POSITION_MODE_POSITION: ("40920", "Position or order exists, the position mode cannot be switched"),
}
_SPOT = _BOTH | {
    Reason.BALANCE: ("43012", "Insufficient balance"),
    Reason.QUANTITY_ZERO: ("43006", "The number of orders is less than the minimum number of orders"),
    Reason.QUANTITY_TOO_LARGE: ("43007", "The number of orders exceeds the maximum number of orders"),
    Reason.PRICE_TOO_HIGH: ("43008", "The current order price cannot exceed {limit}"),
    Reason.PRICE_TOO_LOW: ("43009", "The current order price cannot be lower than {limit}"),
    Reason.DUPLICATE_CLIENT_ID: ("43118", "clientOrderId duplicate"),
    Reason.TOO_MANY_OPEN: ("43005", "Exceed the maximum number of orders"),
    Reason.TRADING_HALTED: ("43115", "The current trading pair is opening soon, please try again later"),
}


def refused(refusal: Refused, *, is_spot: bool) -> ApiError:
    """Say in Bitget's words why the engine refused."""
    code, message = (_SPOT if is_spot else _MIX)[refusal.reason]
    return ApiError(code, message.format(**refusal.facts))


def missing(parameter: str) -> ApiError:
    return ApiError("40019", f"Parameter {parameter} cannot be empty")


def wrong(parameter: str) -> ApiError:
    return ApiError("40020", f"Parameter {parameter} error")


def no_right() -> ApiError:
    return ApiError("40014", "Incorrect permissions, need the authority of this action")


def too_often() -> ApiError:
    return ApiError("429", "Too Many Requests", status=429)


def not_found(path: str) -> ApiError:
    return ApiError("40404", f"Request URL NOT FOUND {path}", status=404)


def classic_only() -> ApiError:
    return ApiError("40084", "You are in Classic Account mode, and the Unified Account API is not supported")


def unified_only() -> ApiError:
    return ApiError("40085", "You are in Unified Account mode, and the Classic Account API is not supported")
