"""Binance's error codes, their texts and HTTP statuses."""

from copytrade.sandbox.exchange.orders import Reason, Refused


class ApiError(Exception):
    """An answer that is a refusal."""

    def __init__(self, code: int, message: str, *, status: int = 400, retry_after: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after


_REASONS: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.QUANTITY_MALFORMED: (-1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
    Reason.QUANTITY_PRECISION: (-1111, "Precision is over the maximum defined for this asset."),
    Reason.QUANTITY_ZERO: (-4003, "Quantity less than or equal to zero."),
    Reason.QUANTITY_TOO_LARGE: (-4005, "Quantity greater than max quantity."),
    Reason.PRICE_MALFORMED: (-1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
    Reason.PRICE_TICK: (-4014, "Price not increased by tick size."),
    Reason.PRICE_ZERO: (-4001, "Price less than 0."),
    Reason.PRICE_TOO_HIGH: (-4016, "Limit price can't be higher than {limit}."),
    Reason.PRICE_TOO_LOW: (-4024, "Limit price can't be lower than {limit}."),
    Reason.BOOK_TOO_FAR: (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit."),
    Reason.NOTIONAL_TOO_SMALL: (
        -4164,
        "Order's notional must be no smaller than {notional} (unless you choose reduce only).",
    ),
    Reason.MARGIN: (-2019, "Margin is insufficient."),
    Reason.BALANCE: (-2010, "Account has insufficient balance for requested action."),
    Reason.POSITION_TOO_LARGE: (-2027, "Exceeded the maximum allowable position at current leverage."),
    Reason.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Reason.POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
    Reason.DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
    Reason.WOULD_TAKE: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history",
    ),
    Reason.WOULD_NOT_FILL: (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected. "
        "The order will not be recorded in the order history",
    ),
    Reason.TOO_MANY_OPEN: (-2025, "Reach max open order limit."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.TRADING_HALTED: (-4140, "Invalid symbol status for opening position."),
    Reason.LEVERAGE: (-4028, "Leverage is not valid."),
    Reason.MARGIN_MODE_SAME: (-4046, "No need to change margin type."),
    Reason.MARGIN_MODE_ORDERS: (-4047, "Margin type cannot be changed if there exists open orders."),
    Reason.MARGIN_MODE_POSITION: (-4048, "Margin type cannot be changed if there exists position."),
    Reason.POSITION_MODE_SAME: (-4059, "No need to change position side."),
    Reason.POSITION_MODE_ORDERS: (-4067, "Position side cannot be changed if there exists open orders."),
    Reason.POSITION_MODE_POSITION: (-4068, "Position side cannot be changed if there exists position."),
}


_LOT_SIZE = (-1013, "Filter failure: LOT_SIZE")
_PERCENT_PRICE = (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")
_SPOT_REASONS: dict[Reason, tuple[int, str]] = _REASONS | {
    Reason.QUANTITY_PRECISION: _LOT_SIZE,
    Reason.QUANTITY_ZERO: (-1013, "Invalid quantity."),
    Reason.QUANTITY_TOO_LARGE: _LOT_SIZE,
    Reason.PRICE_TICK: (-1013, "Filter failure: PRICE_FILTER"),
    Reason.PRICE_ZERO: (-1013, "Invalid price."),
    Reason.PRICE_TOO_HIGH: _PERCENT_PRICE,
    Reason.PRICE_TOO_LOW: _PERCENT_PRICE,
    Reason.NOTIONAL_TOO_SMALL: (-1013, "Filter failure: NOTIONAL"),
    Reason.DUPLICATE_CLIENT_ID: (-2010, "Duplicate order sent."),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.TOO_MANY_OPEN: (-1013, "Filter failure: MAX_NUM_ORDERS"),
    Reason.TRADING_HALTED: (-1013, "Market is closed."),
}


def refused(refusal: Refused, *, is_spot: bool) -> ApiError:
    """Say in Binance's words why the engine refused."""
    code, message = (_SPOT_REASONS if is_spot else _REASONS)[refusal.reason]
    return ApiError(code, message.format(**refusal.facts))


def missing(parameter: str) -> ApiError:
    return ApiError(-1102, f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.")


def illegal(parameter: str, rule: str) -> ApiError:
    return ApiError(-1100, f"Illegal characters found in parameter '{parameter}'; legal range is '{rule}'.")


def signature() -> ApiError:
    return ApiError(-1022, "Signature for this request is not valid.")


def outside_window(*, ahead: bool) -> ApiError:
    if ahead:
        return ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    return ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def bad_key() -> ApiError:
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def malformed_key() -> ApiError:
    return ApiError(-2014, "API-key format invalid.", status=401)


def unknown_order() -> ApiError:
    return ApiError(-2013, "Order does not exist.")


def too_much_weight(limit: int, wait_ms: int, *, banned_until: int) -> ApiError:
    seconds = -(-wait_ms // 1000)
    if banned_until:
        text = f"Way too much request weight used; IP banned until {banned_until}. Please use the websocket for live "
        return ApiError(-1003, text + "updates to avoid bans.", status=418, retry_after=seconds)
    text = f"Too many requests; current limit of IP is {limit} requests per minute."
    return ApiError(-1003, text, status=429, retry_after=seconds)


def too_many_orders(wait_ms: int) -> ApiError:
    return ApiError(-1015, "Too many new orders.", status=429, retry_after=-(-wait_ms // 1000))
