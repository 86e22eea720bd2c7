"""What anybody may ask: time, rules, prices, candles, the book, funding."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.binance import errors, wire
from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.exchange.instruments import PERPETUALS, QUOTE, Instrument
from copytrade.sandbox.exchange.market import FUNDING_MS, Candle
from copytrade.sandbox.exchange.orders import BUY, SELL
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import money, text

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

_MINUTE = 60_000
INTERVALS = {
    **{f"{n}m": n * _MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * 60 * _MINUTE for n in (1, 2, 4, 6, 8, 12)},
    **{f"{n}d": n * DAY_MS for n in (1, 3)},
}


def time(venue: "Binance", call: Call) -> dict[str, int]:
    """Return the venue's time."""
    return {"serverTime": venue.exchange.clock.server_time()}


def ping(venue: "Binance", call: Call) -> dict[str, int]:
    """Return nothing: it is there."""
    return {}


def exchange_info(venue: "Binance", call: Call) -> dict[str, Any]:
    rules = venue.rules
    return {
        "timezone": "UTC",
        "serverTime": venue.exchange.clock.server_time(),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            limit_row("REQUEST_WEIGHT", "MINUTE", 1, rules.weight_per_minute),
            limit_row("ORDERS", "MINUTE", 1, rules.orders_per_minute),
            limit_row("ORDERS", "SECOND", 10, rules.orders_per_10s),
        ],
        "exchangeFilters": [],
        "assets": [{"asset": QUOTE, "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(row, venue) for row in PERPETUALS if row.index not in venue.exchange.market.delisted],
    }


def limit_row(kind: str, interval: str, count: int, limit: int) -> dict[str, Any]:
    """Return one of the limits that the rules tell."""
    return {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": limit}


def _symbol(instrument: Instrument, venue: "Binance") -> dict[str, Any]:
    tick = text(1, instrument.price_decimals)
    step = text(1, instrument.quantity_decimals)
    up = text(1_000_000 + instrument.band_ppm, 6)
    down = text(1_000_000 - instrument.band_ppm, 6)
    largest = text(instrument.max_steps, instrument.quantity_decimals)
    largest_market = text(instrument.max_market_steps, instrument.quantity_decimals)
    return {
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "PENDING_TRADING" if instrument.index in venue.exchange.market.halted else "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": QUOTE,
        "marginAsset": QUOTE,
        "pricePrecision": instrument.price_decimals,
        "quantityPrecision": instrument.quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": text(instrument.band_ppm, 6),
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": largest, "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": largest_market, "stepSize": step},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": money(instrument.min_notional).partition(".")[0]},
            {"filterType": "PERCENT_PRICE", "multiplierUp": up, "multiplierDown": down, "multiplierDecimal": "4"},
        ],
    }


def interval_of(call: Call) -> int:
    """Return the milliseconds of the interval asked for."""
    interval = INTERVALS.get(call.need("interval"))
    if interval is None:
        raise errors.ApiError(-1120, "Invalid interval.")
    return interval


def candles(venue: "Binance", call: Call, instrument: Instrument, interval: int, *, limit: int) -> list[Candle]:
    """Return the candles of the time asked for, without it the last ones."""
    now = venue.exchange.clock.now()
    start, end = call.integer("startTime"), call.integer("endTime")
    last = now if end is None else min(end, now)
    first = last - interval * limit + 1 if start is None else start
    return venue.exchange.market.candles(instrument.index, interval=interval, start=first, end=last, limit=limit)


def _klines(venue: "Binance", call: Call) -> list[list[Any]]:
    instrument, interval = call.instrument(), interval_of(call)
    rows = candles(venue, call, instrument, interval, limit=call.limit(500, 1500))
    return [wire.kline(row, instrument, interval) for row in rows]


def book(venue: "Binance", instrument: Instrument, limit: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return bids and asks (ticks, steps): the market's levels and what rests in the book, put together."""

    def rows(side: int) -> list[tuple[int, int]]:
        sums: dict[int, int] = {}
        for price, steps in venue.exchange.market.levels(instrument.index, -side):
            sums[price] = sums.get(price, 0) + steps
        for order in venue.exchange.resting[instrument.index].orders(side):
            sums[order.price] = sums.get(order.price, 0) + order.remaining
        return [(price, sums[price]) for price in sorted(sums, reverse=side == BUY)[:limit]]

    return rows(BUY), rows(SELL)


def depth(venue: "Binance", instrument: Instrument, limit: int) -> dict[str, Any]:
    """Return the book."""
    bids, asks = book(venue, instrument, limit)

    def rows(side: list[tuple[int, int]]) -> list[list[str]]:
        decimals = instrument.price_decimals, instrument.quantity_decimals
        return [[text(price, decimals[0]), text(steps, decimals[1])] for price, steps in side]

    now = venue.exchange.clock.now()
    return {"lastUpdateId": now, "E": now, "T": now, "bids": rows(bids), "asks": rows(asks)}


def _depth(venue: "Binance", call: Call) -> dict[str, Any]:
    return depth(venue, call.instrument(), call.limit(500, 1000))


def book_ticker(venue: "Binance", instrument: Instrument) -> dict[str, Any]:
    book = depth(venue, instrument, 1)
    bid = book["bids"][0] if book["bids"] else ["0", "0"]
    ask = book["asks"][0] if book["asks"] else ["0", "0"]
    row = {"symbol": instrument.symbol, "bidPrice": bid[0], "bidQty": bid[1], "askPrice": ask[0], "askQty": ask[1]}
    return {**row, "time": book["E"], "lastUpdateId": book["E"]}


def _price(venue: "Binance", instrument: Instrument) -> dict[str, Any]:
    price = text(venue.exchange.market.price(instrument.index), instrument.price_decimals)
    return {"symbol": instrument.symbol, "price": price, "time": venue.exchange.clock.now()}


def day_ticker(venue: "Binance", instrument: Instrument) -> dict[str, Any]:
    day = venue.exchange.market.day(instrument.index)
    decimals = instrument.price_decimals
    now = venue.exchange.clock.now()
    change = day.close - day.open
    percent = change * 100_000 // day.open
    return {
        "symbol": instrument.symbol,
        "priceChange": text(change, decimals),
        "priceChangePercent": text(percent, 3),
        "weightedAvgPrice": text((day.open + day.high + day.low + day.close) // 4, decimals),
        "lastPrice": text(day.close, decimals),
        "lastQty": text(instrument.depth_steps, instrument.quantity_decimals),
        "openPrice": text(day.open, decimals),
        "highPrice": text(day.high, decimals),
        "lowPrice": text(day.low, decimals),
        "volume": text(day.volume, instrument.quantity_decimals),
        "quoteVolume": money(day.turnover),
        "openTime": now - DAY_MS,
        "closeTime": now,
        "firstId": 1,
        "lastId": day.trades,
        "count": day.trades,
    }


def mark_price(venue: "Binance", instrument: Instrument) -> dict[str, Any]:
    market = venue.exchange.market
    price = text(market.price(instrument.index), instrument.price_decimals)
    now = venue.exchange.clock.now()
    return {
        "symbol": instrument.symbol,
        "markPrice": price,
        "indexPrice": price,
        "estimatedSettlePrice": price,
        "lastFundingRate": text(market.funding_rate(instrument.index, now), 8),
        "interestRate": "0.00010000",
        "nextFundingTime": market.next_funding(),
        "time": now,
    }


def _each(show: Callable[["Binance", Instrument], dict[str, Any]]) -> Callable[["Binance", Call], Any]:
    def handler(venue: "Binance", call: Call) -> Any:
        rows = [show(venue, instrument) for instrument in call.instruments()]
        return rows[0] if call.params.get("symbol") else rows

    return handler


def _funding_rates(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    instrument, market = call.instrument(), venue.exchange.market
    now, limit = venue.exchange.clock.now(), call.limit(100, 1000)
    end = min(call.integer("endTime") or now, now)
    start = max(call.integer("startTime") or end - limit * FUNDING_MS, market.path.genesis)
    times = range(-(-start // FUNDING_MS) * FUNDING_MS, end + 1, FUNDING_MS)
    return [
        {
            "symbol": instrument.symbol,
            "fundingTime": at,
            "fundingRate": text(market.funding_rate(instrument.index, at), 8),
            "markPrice": text(market.price_at(instrument.index, at), instrument.price_decimals),
        }
        for at in list(times)[:limit]
    ]


def _by_symbol(one: int, every: int) -> Callable[[Call], int]:
    return lambda call: one if call.params.get("symbol") else every


def _klines_weight(call: Call) -> int:
    limit = call.limit(500, 1500)
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10


def _depth_weight(call: Call) -> int:
    limit = call.limit(500, 1000)
    return 2 if limit <= 50 else 5 if limit <= 100 else 10 if limit <= 500 else 20


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    served: dict[str, tuple[Callable[[Binance, Call], Any], int | Callable[[Call], int]]] = {
        "/fapi/v1/ping": (ping, 1),
        "/fapi/v1/time": (time, 1),
        "/fapi/v1/exchangeInfo": (exchange_info, 1),
        "/fapi/v1/klines": (_klines, _klines_weight),
        "/fapi/v1/depth": (_depth, _depth_weight),
        "/fapi/v1/ticker/bookTicker": (_each(book_ticker), _by_symbol(2, 5)),
        "/fapi/v1/ticker/price": (_each(_price), _by_symbol(1, 2)),
        "/fapi/v2/ticker/price": (_each(_price), _by_symbol(1, 2)),
        "/fapi/v1/ticker/24hr": (_each(day_ticker), _by_symbol(1, 40)),
        "/fapi/v1/premiumIndex": (_each(mark_price), _by_symbol(1, 10)),
        "/fapi/v1/fundingRate": (_funding_rates, 1),
    }
    return {("GET", path): Route(handler, Access.PUBLIC, weight) for path, (handler, weight) in served.items()}
