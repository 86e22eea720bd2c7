"""Bybit's codes and their texts. Nearly every refusal is an answer with HTTP status 200."""

from copytrade.sandbox.exchange.orders import Reason, Refused


class ApiError(Exception):
    """An answer that is a refusal."""

    def __init__(self, code: int, message: str, *, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


_LINEAR: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (10001, "params error: symbol invalid"),
    Reason.QUANTITY_MALFORMED: (10001, "params error: qty invalid"),
    Reason.QUANTITY_PRECISION: (10001, "Qty invalid"),
    Reason.QUANTITY_ZERO: (10001, "The number of contracts is below the minimum allowed"),
    Reason.QUANTITY_TOO_LARGE: (10001, "The number of contracts exceeds maximum limit allowed: too large"),
    Reason.PRICE_MALFORMED: (10001, "params error: price invalid"),
    Reason.PRICE_TICK: (10001, "params error: price invalid"),
    Reason.PRICE_ZERO: (10001, "params error: price invalid"),
    Reason.PRICE_TOO_HIGH: (30208, "The order price is higher than the maximum buying price."),
    Reason.PRICE_TOO_LOW: (30209, "The order price is lower than the minimum selling price."),
    Reason.NOTIONAL_TOO_SMALL: (110094, "Order does not meet minimum order value {notional}USDT"),
    Reason.MARGIN: (110007, "ab not enough for new order"),
    Reason.POSITION_TOO_LARGE: (110090, "Order placement failed as your position may exceed the max limit."),
    Reason.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.POSITION_SIDE: (10001, "position idx not match position mode"),
    Reason.DUPLICATE_CLIENT_ID: (110072, "OrderLinkedID is duplicate"),
    Reason.TOO_MANY_OPEN: (110020, "Not allowed to have more than 500 active orders."),
    Reason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.TRADING_HALTED: (110074, "This contract is not live"),
    Reason.LEVERAGE: (110013, "cannot set leverage due to risk limit level"),
    Reason.MARGIN_MODE_SAME: (110026, "Cross/isolated margin mode is not modified"),
    Reason.MARGIN_MODE_ORDERS: (110073, "Set margin mode failed"),
    Reason.MARGIN_MODE_POSITION: (110073, "Set margin mode failed"),
    Reason.POSITION_MODE_SAME: (110025, "Position mode is not modified"),
    Reason.POSITION_MODE_ORDERS: (110028, "You have existing open orders, so the position mode cannot be switched."),
    Reason.POSITION_MODE_POSITION: (110024, "You have an existing position, so the position mode cannot be switched."),
}
_SPOT: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (170121, "Invalid symbol."),
    Reason.QUANTITY_MALFORMED: (170130, "Data sent for paramter 'qty' is not valid."),
    Reason.QUANTITY_PRECISION: (170137, "Order quantity has too many decimals."),
    Reason.QUANTITY_ZERO: (170136, "Order quantity exceeded lower limit."),
    Reason.QUANTITY_TOO_LARGE: (170135, "Order quantity exceeded upper limit."),
    Reason.PRICE_MALFORMED: (170130, "Data sent for paramter 'price' is not valid."),
    Reason.PRICE_TICK: (170134, "Order price has too many decimals."),
    Reason.PRICE_ZERO: (170133, "Order price exceeded lower limit."),
    Reason.PRICE_TOO_HIGH: (170193, "Buy order price cannot be higher than {limit}USDT."),
    Reason.PRICE_TOO_LOW: (170194, "Sell order price cannot be lower than {limit}USDT."),
    Reason.NOTIONAL_TOO_SMALL: (170140, "Order value exceeded lower limit."),
    Reason.BALANCE: (170131, "Insufficient balance."),
    Reason.MARGIN: (170131, "Insufficient balance."),
    Reason.DUPLICATE_CLIENT_ID: (170141, "Duplicate clientOrderId."),
    Reason.TOO_MANY_OPEN: (170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders."),
    Reason.UNKNOWN_ORDER: (170213, "Order does not exist."),
    Reason.TRADING_HALTED: (170151, "The trading pair is not open yet"),
}
_SHARED = (10001, "Request parameter error.")


def refused(refusal: Refused, *, is_spot: bool) -> ApiError:
    """Say in Bybit's words why the engine refused."""
    code, message = (_SPOT if is_spot else _LINEAR).get(refusal.reason, _SHARED)
    return ApiError(code, message.format(**refusal.facts))


def bad_parameter(name: str) -> ApiError:
    return ApiError(10001, f"params error: {name} invalid")


def expired(*, sent: int, window: int, now: int) -> ApiError:
    said = f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]"
    text = "invalid request, please check your server timestamp or recv_window param."
    return ApiError(10002, f"{text} {said}")


def bad_key() -> ApiError:
    return ApiError(10003, "API key is invalid.")


def bad_signature(origin: str) -> ApiError:
    return ApiError(10004, f"error sign! origin_string[{origin}]")


def no_right() -> ApiError:
    return ApiError(10005, "Permission denied, please check your API key permissions.")


def too_many() -> ApiError:
    return ApiError(10006, "Too many visits. Exceeded the API Rate Limit.")


def no_authentication() -> ApiError:
    return ApiError(10001, "empty value: apiTimestamp[] apiKey[] apiSignature[]")


def wrong_address() -> ApiError:
    return ApiError(10010, "Unmatched IP, please check your API key's bound IP addresses.")


def no_such_path() -> ApiError:
    return ApiError(10017, "Route not found.", status=404)


def not_unified() -> ApiError:
    return ApiError(10028, "The API can only be accessed by unified account users.")


def key_expired() -> ApiError:
    return ApiError(33004, "Your api key has expired.")
