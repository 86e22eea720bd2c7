"""What other clients than ours like to ask: the public tape, forced orders, counts of orders, states that are good."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from copytrade.sandbox.binance import errors, spot_wire, trade, wire
from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.exchange import spot
from copytrade.sandbox.exchange.checks import check
from copytrade.sandbox.exchange.instruments import PERPETUALS, SPOTS, Instrument
from copytrade.sandbox.exchange.market import FUNDING_MS
from copytrade.sandbox.exchange.orders import BY_VENUE, OrderType, Refused
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import money, text

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

Handler = Callable[["Binance", Call], Any]
_FORCED = {"LIQUIDATION": OrderType.LIQUIDATION, "ADL": OrderType.ADL}
_TAPE_S = 60
_LARGEST_BATCH = 5


def _tape(venue: "Binance", call: Call) -> list[tuple[int, Instrument, int, int]]:
    """Return the market's last trades as time, instrument, ticks and steps: one each second."""
    instrument, limit = call.instrument(), call.limit(500, 1000)
    now, small = venue.exchange.clock.now() // 1000 * 1000, max(1, instrument.depth_steps // 100)
    times = [now - second * 1000 for second in range(min(limit, _TAPE_S))][::-1]
    return [(at, instrument, venue.exchange.market.price_at(instrument.index, at), small) for at in times]


def _numbers(call: Call, instrument: Instrument, ticks: int, steps: int) -> tuple[str, str]:
    if call.is_spot:
        return spot_wire.price(instrument, ticks), spot_wire.size(instrument, steps)
    return text(ticks, instrument.price_decimals), text(steps, instrument.quantity_decimals)


def _trades(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for at, instrument, ticks, steps in _tape(venue, call):
        price, size = _numbers(call, instrument, ticks, steps)
        facts = {"id": at // 1000, "price": price, "qty": size, "quoteQty": money(ticks * steps * instrument.unit)}
        rows.append({**facts, "time": at, "isBuyerMaker": at // 1000 % 2 == 0, "isBestMatch": True})
    return rows


def _aggregated(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for at, instrument, ticks, steps in _tape(venue, call):
        number = at // 1000
        price, size = _numbers(call, instrument, ticks, steps)
        rows.append({"a": number, "p": price, "q": size, "f": number, "l": number, "T": at, "m": number % 2 == 0})
    return [row | {"M": True} for row in rows] if call.is_spot else rows


def _forced(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    wanted = {call.choice("autoCloseType", OrderType)} if call.params.get("autoCloseType") in _FORCED else BY_VENUE
    indexes, now = {row.index for row in call.instruments()}, venue.exchange.clock.now()
    start = call.integer("startTime", now - 7 * DAY_MS) or 0
    end = call.integer("endTime", now) or 0
    found = [
        order
        for order in call.account.orders.values()
        if order.type in wanted and order.instrument in indexes and start <= order.created <= end
    ]
    return [wire.order(order) for order in found[-call.limit(50, 100) :]]


def _quantiles(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    indexes = {row.index for row in call.instruments()}
    held = [row for row in call.account.open_positions() if row.instrument in indexes]
    shown = [wire.position_v3(venue.exchange.market, call.account, row) for row in held]
    return [{"symbol": row["symbol"], "adlQuantile": {str(row["positionSide"].value): row["adl"]}} for row in shown]


def _order_counts(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    rules, names = venue.rules, ("X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1D")
    spans = [("SECOND", 10, rules.spot_orders_per_10s), ("DAY", 1, rules.spot_orders_per_day)]
    if not call.is_spot:
        spans = [("SECOND", 10, rules.orders_per_10s), ("MINUTE", 1, rules.orders_per_minute)]
        names = ("X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1M")
    used = venue.limits.order_headers(call.account.id, is_spot=call.is_spot)
    return [
        {"rateLimitType": "ORDERS", "interval": unit, "intervalNum": number, "limit": limit, "count": int(used[name])}
        for name, (unit, number, limit) in zip(names, spans, strict=True)
    ]


def _batch(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    """Place up to five orders; each is answered for itself."""
    try:
        rows: list[dict[str, Any]] = orjson.loads(call.need("batchOrders"))
        forms = [{name: str(value) for name, value in row.items()} for row in rows]
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        raise errors.ApiError(-1130, "Data sent for parameter 'batchOrders' is not valid.") from None
    if not 1 <= len(forms) <= _LARGEST_BATCH:
        raise errors.ApiError(-4082, "Invalid number of batch place orders.")
    return [_placed(venue, replace(call, params=form)) for form in forms]


def _placed(venue: "Binance", call: Call) -> dict[str, Any]:
    try:
        return trade.place(venue, call)
    except Refused as refusal:
        error = errors.refused(refusal, is_spot=False)
    except errors.ApiError as refusal:
        error = refusal
    return {"code": error.code, "msg": error.message}


def _test_order(venue: "Binance", call: Call) -> dict[str, Any]:
    check(venue.exchange, call.account, trade.request_of(call))
    return {}


def _trade_fees(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    wanted = call.params.get("symbol", "").upper()
    rate = text(spot.FEE_PPM, 6)
    rows = [row.symbol for row in SPOTS if not wanted or row.symbol == wanted]
    if not rows:
        raise errors.ApiError(-1121, "Invalid symbol.")
    return [{"symbol": symbol, "makerCommission": rate, "takerCommission": rate} for symbol in rows]


def _user_assets(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    wanted, nothing = call.params.get("asset", ""), {"freeze": "0", "withdrawing": "0", "ipoable": "0"}
    held = [asset for asset in spot.assets(call.account) if not wanted or asset == wanted]
    return [spot_wire.balance(call.account, asset) | {**nothing, "btcValuation": "0"} for asset in held]


def _open_interest(venue: "Binance", call: Call) -> dict[str, Any]:
    instrument = call.instrument()
    held = [account.positions.values() for account in venue.exchange.accounts.values()]
    steps = sum(row.steps for rows in held for row in rows if row.instrument == instrument.index and row.steps > 0)
    facts = {"symbol": instrument.symbol, "openInterest": text(steps, instrument.quantity_decimals)}
    return facts | {"time": venue.exchange.clock.now()}


def _funding_info(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    band = {"adjustedFundingRateCap": "0.00750000", "adjustedFundingRateFloor": "-0.00750000"}
    hours = FUNDING_MS // 3_600_000
    return [{"symbol": row.symbol, **band, "fundingIntervalHours": hours, "disclaimer": False} for row in PERPETUALS]


def _says(content: Any) -> Handler:
    def handler(venue: "Binance", call: Call) -> Any:
        return content

    return handler


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    free, read = Access.PUBLIC, Access.READ
    unlocked = {"isLocked": False, "plannedRecoverTime": 0, "triggerCondition": {}, "updateTime": 0}
    return {
        ("GET", "/api/v3/trades"): Route(_trades, free, 25),
        ("GET", "/api/v3/aggTrades"): Route(_aggregated, free, 4),
        ("GET", "/fapi/v1/trades"): Route(_trades, free, 5),
        ("GET", "/fapi/v1/aggTrades"): Route(_aggregated, free, 20),
        ("GET", "/fapi/v1/openInterest"): Route(_open_interest, free, 1),
        ("GET", "/fapi/v1/fundingInfo"): Route(_funding_info, free, 1),
        ("GET", "/fapi/v1/forceOrders"): Route(_forced, read, 20),
        ("GET", "/fapi/v1/adlQuantile"): Route(_quantiles, read, 5),
        ("GET", "/fapi/v1/rateLimit/order"): Route(_order_counts, read, 1),
        ("GET", "/api/v3/rateLimit/order"): Route(_order_counts, read, 40),
        ("POST", "/fapi/v1/batchOrders"): Route(_batch, Access.FUTURES, 5, is_order=True),
        ("POST", "/fapi/v1/order/test"): Route(_test_order, Access.FUTURES, 1),
        ("GET", "/fapi/v1/apiTradingStatus"): Route(_says({"indicators": {}, "updateTime": 0}), read, 1),
        ("GET", "/sapi/v1/system/status"): Route(_says({"status": 0, "msg": "normal"}), free, 1),
        ("GET", "/sapi/v1/account/status"): Route(_says({"data": "Normal"}), read, 1),
        ("GET", "/sapi/v1/account/apiTradingStatus"): Route(_says({"data": unlocked}), read, 1),
        ("GET", "/sapi/v1/asset/tradeFee"): Route(_trade_fees, read, 1),
        ("POST", "/sapi/v3/asset/getUserAsset"): Route(_user_assets, read, 5),
    }
