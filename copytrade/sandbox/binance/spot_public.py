"""What anybody may ask about spot: rules, prices, candles, the book."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from copytrade.sandbox.binance import errors, public, spot_wire
from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.exchange.instruments import SPOTS, Instrument
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.spot import MAX_OPEN
from copytrade.sandbox.exchange.values import money, text

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET"]
_DAY_FIELDS = ("symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume")


def _wanted(venue: "Binance", call: Call) -> list[Instrument]:
    """Return what `symbol` or `symbols` names, or everything that is listed."""
    listed = [row for row in SPOTS if row.index not in venue.exchange.market.delisted]
    if call.params.get("symbol"):
        return [_listed(venue, call)]
    if not call.params.get("symbols"):
        return listed
    try:
        names = set(orjson.loads(call.params["symbols"]))
    except (orjson.JSONDecodeError, TypeError):
        raise errors.illegal("symbols", '^\\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\\]$') from None
    found = [row for row in listed if row.symbol in names]
    if len(found) != len(names):
        raise errors.ApiError(-1121, "Invalid symbol.")
    return found


def _listed(venue: "Binance", call: Call) -> Instrument:
    instrument = call.instrument()
    if instrument.index in venue.exchange.market.delisted:
        raise errors.ApiError(-1121, "Invalid symbol.")
    return instrument


def exchange_info(venue: "Binance", call: Call) -> dict[str, Any]:
    """Return the rules of what is listed."""
    rules = venue.rules
    return {
        "timezone": "UTC",
        "serverTime": venue.exchange.clock.server_time(),
        "rateLimits": [
            public.limit_row("REQUEST_WEIGHT", "MINUTE", 1, rules.spot_weight_per_minute),
            public.limit_row("ORDERS", "SECOND", 10, rules.spot_orders_per_10s),
            public.limit_row("ORDERS", "DAY", 1, rules.spot_orders_per_day),
        ],
        "exchangeFilters": [],
        "symbols": [_symbol(instrument, venue) for instrument in _wanted(venue, call)],
    }


def _symbol(instrument: Instrument, venue: "Binance") -> dict[str, Any]:
    tick, step = spot_wire.price(instrument, 1), spot_wire.size(instrument, 1)
    precision = ("baseAssetPrecision", "quotePrecision", "quoteAssetPrecision")
    commissions = ("baseCommissionPrecision", "quoteCommissionPrecision")
    return {
        "symbol": instrument.symbol,
        "status": "HALT" if instrument.index in venue.exchange.market.halted else "TRADING",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        **dict.fromkeys((*precision, *commissions), 8),
        "orderTypes": ORDER_TYPES,
        "icebergAllowed": False,
        "ocoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            _lots("LOT_SIZE", step, spot_wire.size(instrument, instrument.max_steps)),
            _lots("MARKET_LOT_SIZE", "0.00000000", spot_wire.size(instrument, instrument.max_market_steps)),
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                **{f"{one}Multiplier{way}": "5" if way == "Up" else "0.2" for one in ("bid", "ask") for way in _WAYS},
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": money(instrument.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MAX_OPEN},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


_WAYS = ("Up", "Down")


def _lots(name: str, step: str, largest: str) -> dict[str, str]:
    return {"filterType": name, "minQty": step, "maxQty": largest, "stepSize": step}


def _klines(venue: "Binance", call: Call) -> list[list[Any]]:
    instrument, interval = _listed(venue, call), public.interval_of(call)
    rows = public.candles(venue, call, instrument, interval, limit=call.limit(500, 1000))
    return [spot_wire.kline(row, instrument, interval) for row in rows]


def depth(venue: "Binance", instrument: Instrument, limit: int) -> dict[str, Any]:
    """Return the book."""
    bids, asks = public.book(venue, instrument, limit)

    def rows(side: list[tuple[int, int]]) -> list[list[str]]:
        return [[spot_wire.price(instrument, ticks), spot_wire.size(instrument, steps)] for ticks, steps in side]

    return {"lastUpdateId": venue.exchange.clock.now(), "bids": rows(bids), "asks": rows(asks)}


def _depth(venue: "Binance", call: Call) -> dict[str, Any]:
    return depth(venue, _listed(venue, call), call.limit(100, 5000))


def book_ticker(venue: "Binance", instrument: Instrument) -> dict[str, Any]:
    """Return the best prices."""
    book = depth(venue, instrument, 1)
    bid = book["bids"][0] if book["bids"] else ["0.00000000", "0.00000000"]
    ask = book["asks"][0] if book["asks"] else ["0.00000000", "0.00000000"]
    row = {"symbol": instrument.symbol, "bidPrice": bid[0], "bidQty": bid[1]}
    return {**row, "askPrice": ask[0], "askQty": ask[1]}


def _price(venue: "Binance", instrument: Instrument) -> dict[str, Any]:
    ticks = venue.exchange.market.price(instrument.index)
    return {"symbol": instrument.symbol, "price": spot_wire.price(instrument, ticks)}


def day_ticker(venue: "Binance", instrument: Instrument) -> dict[str, Any]:
    """Return the last 24 hours."""
    day, now = venue.exchange.market.day(instrument.index), venue.exchange.clock.now()
    change = day.close - day.open
    mean = (day.open + day.high + day.low + day.close) // 4
    prices = {"weightedAvgPrice": mean, "prevClosePrice": day.open, "lastPrice": day.close, "openPrice": day.open}
    prices |= {"highPrice": day.high, "lowPrice": day.low}
    return {
        "symbol": instrument.symbol,
        "priceChange": spot_wire.price(instrument, change),
        "priceChangePercent": text(change * 100_000 // day.open, 3),
        **{name: spot_wire.price(instrument, ticks) for name, ticks in prices.items()},
        "lastQty": spot_wire.size(instrument, 1),
        **book_ticker(venue, instrument),
        "volume": spot_wire.size(instrument, day.volume),
        "quoteVolume": money(day.turnover),
        "openTime": now - DAY_MS,
        "closeTime": now,
        "firstId": 1,
        "lastId": day.trades,
        "count": day.trades,
    }


def _average(venue: "Binance", call: Call) -> dict[str, Any]:
    row = _price(venue, _listed(venue, call))
    return {"mins": 5, "price": row["price"], "closeTime": venue.exchange.clock.now()}


def _each(show: Callable[["Binance", Instrument], dict[str, Any]]) -> Callable[["Binance", Call], Any]:
    def handler(venue: "Binance", call: Call) -> Any:
        rows = [show(venue, instrument) for instrument in _wanted(venue, call)]
        return rows[0] if call.params.get("symbol") else rows

    return handler


def _by_symbol(one: int, every: int) -> Callable[[Call], int]:
    return lambda call: one if call.params.get("symbol") else every


def _depth_weight(call: Call) -> int:
    limit = call.limit(100, 5000)
    return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1000 else 250


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    served: dict[str, tuple[Callable[[Binance, Call], Any], int | Callable[[Call], int]]] = {
        "ping": (public.ping, 1),
        "time": (public.time, 1),
        "exchangeInfo": (exchange_info, 20),
        "klines": (_klines, 2),
        "uiKlines": (_klines, 2),
        "depth": (_depth, _depth_weight),
        "avgPrice": (_average, 2),
        "ticker/24hr": (_each(day_ticker), _by_symbol(2, 80)),
        "ticker/price": (_each(_price), _by_symbol(2, 4)),
        "ticker/bookTicker": (_each(book_ticker), _by_symbol(2, 4)),
    }
    return {("GET", f"/api/v3/{path}"): Route(handler, Access.PUBLIC, w) for path, (handler, w) in served.items()}
