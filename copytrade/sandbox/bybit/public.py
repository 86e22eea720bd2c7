"""What anybody may ask of Bybit: time, rules, prices, candles, the book, funding."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bybit import errors, wire
from copytrade.sandbox.bybit.paging import page
from copytrade.sandbox.bybit.request import LINEAR, Access, Request, Route
from copytrade.sandbox.exchange.instruments import Instrument
from copytrade.sandbox.exchange.market import FUNDING_MS
from copytrade.sandbox.exchange.orders import BUY, SELL
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import money, text

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

_MINUTE = 60_000
INTERVALS = {
    **{str(minutes): minutes * _MINUTE for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": DAY_MS,
    "W": 7 * DAY_MS,
}
_SCATTER = 2_654_435_761


def _time(venue: "Bybit", request: Request) -> dict[str, str]:
    now = venue.exchange.clock.server_time()
    return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}


def _instruments(venue: "Bybit", request: Request) -> dict[str, Any]:
    wanted = request.wanted()
    status = request.text("status")
    if status and status != "Trading":
        wanted = []
    halted, delisted = venue.exchange.market.halted, venue.exchange.market.delisted
    rows = sorted((one for one in wanted if one.index not in delisted), key=lambda one: -one.index)
    limit = request.limit(default=500, most=1000)
    shown, cursor = page(rows, cursor=request.text("cursor"), limit=limit, key=lambda one: one.index)
    told = [wire.instrument(one, is_halted=one.index in halted) for one in shown]
    return {"category": request.category(), "list": told, "nextPageCursor": cursor}


def book(venue: "Bybit", instrument: Instrument, *, limit: int) -> dict[str, Any]:
    """Return the book: the market's levels and what rests in it, put together."""

    def rows(side: int) -> list[list[str]]:
        sums: dict[int, int] = {}
        for price, steps in venue.exchange.market.levels(instrument.index, -side):
            sums[price] = sums.get(price, 0) + steps
        for order in venue.exchange.resting[instrument.index].orders(side):
            sums[order.price] = sums.get(order.price, 0) + order.remaining
        ordered = sorted(sums, reverse=side == BUY)[:limit]
        return [[wire.price(instrument, price), wire.quantity(instrument, sums[price])] for price in ordered]

    now = venue.exchange.clock.now()
    return {
        **{"s": instrument.symbol, "b": rows(BUY), "a": rows(SELL)},
        **{"ts": now, "u": now // 20, "seq": now, "cts": now},
    }


def _orderbook(venue: "Bybit", request: Request) -> dict[str, Any]:
    default = 25 if request.category() == LINEAR else 1
    return book(venue, request.instrument(), limit=request.limit(default=default, most=1000))


def ticker(venue: "Bybit", instrument: Instrument) -> dict[str, Any]:
    """Return best prices and the last day of an instrument."""
    market, now = venue.exchange.market, venue.exchange.clock.now()
    day = market.day(instrument.index)
    best = book(venue, instrument, limit=1)
    bid, ask = (best["b"] or [["", ""]])[0], (best["a"] or [["", ""]])[0]
    last = wire.price(instrument, market.price(instrument.index))
    row = {
        "symbol": instrument.symbol,
        "lastPrice": last,
        "prevPrice24h": wire.price(instrument, day.open),
        "price24hPcnt": text((day.close - day.open) * 10_000 // day.open, 4),
        "highPrice24h": wire.price(instrument, day.high),
        "lowPrice24h": wire.price(instrument, day.low),
        "turnover24h": money(day.turnover),
        "volume24h": wire.quantity(instrument, day.volume),
        **{"bid1Price": bid[0], "bid1Size": bid[1], "ask1Price": ask[0], "ask1Size": ask[1]},
    }
    if instrument.is_spot:
        return {**row, "usdIndexPrice": last}
    hour_ago = market.price_at(instrument.index, now - 3_600_000)
    return {
        **row,
        **{"indexPrice": last, "markPrice": last, "prevPrice1h": wire.price(instrument, hour_ago)},
        "openInterest": wire.quantity(instrument, day.volume // 3),
        "openInterestValue": money(day.turnover // 3),
        "fundingRate": text(market.funding_rate(instrument.index, now), 8),
        "nextFundingTime": str(market.next_funding()),
        **{"predictedDeliveryPrice": "", "basisRate": "", "deliveryFeeRate": "", "deliveryTime": "0", "basis": ""},
        "curPreListingPhase": "",
        "preOpenPrice": "",
    }


def _tickers(venue: "Bybit", request: Request) -> dict[str, Any]:
    rows = [ticker(venue, instrument) for instrument in request.wanted()]
    return {"category": request.category(), "list": rows}


def _kline(venue: "Bybit", request: Request) -> dict[str, Any]:
    category = request.category(default=LINEAR)
    request.params = {**request.params, "category": category}
    instrument = request.instrument()
    interval = request.choice("interval", INTERVALS)
    limit, now = request.limit(default=200, most=1000), venue.exchange.clock.now()
    start, end = request.integer("start"), request.integer("end")
    last = now if end is None else min(end, now)
    # where more candles were asked for than fit, the newest of them are told
    first = max(last // interval - limit + 1, 0) * interval
    first = first if start is None else max(start, first)
    rows = venue.exchange.market.candles(instrument.index, interval=interval, start=first, end=last, limit=limit)
    told = [wire.candle(row, instrument) for row in reversed(rows)]
    return {"category": category, "symbol": instrument.symbol, "list": told}


def trades(venue: "Bybit", instrument: Instrument, *, count: int) -> list[dict[str, Any]]:
    """Return what was traded last by the market itself."""
    market, now = venue.exchange.market, venue.exchange.clock.now()
    rows: list[dict[str, Any]] = []
    for back in range(count):
        at = now // 1000 * 1000 - back * 1000
        dice = at // 1000 * _SCATTER >> 7
        size = max(1, instrument.depth_steps // 100 * (1 + dice % 9))
        rows.append(
            {
                "execId": str(at * 10 + instrument.index),
                "symbol": instrument.symbol,
                "price": wire.price(instrument, market.price_at(instrument.index, at)),
                "size": wire.quantity(instrument, size),
                "side": wire.side(BUY if dice % 2 else SELL),
                "time": str(at),
                "isBlockTrade": False,
                "isRPITrade": False,
                "seq": str(at),
            }
        )
    return rows


def _recent_trades(venue: "Bybit", request: Request) -> dict[str, Any]:
    most = 60 if request.is_spot else 1000
    rows = trades(venue, request.instrument(), count=request.limit(default=min(500, most), most=most))
    return {"category": request.category(), "list": rows}


def _funding(venue: "Bybit", request: Request) -> dict[str, Any]:
    if request.category() != LINEAR:
        raise errors.bad_parameter("category")
    instrument, market = request.instrument(), venue.exchange.market
    now, limit = venue.exchange.clock.now(), request.limit(default=200, most=200)
    start, end = request.integer("startTime"), request.integer("endTime")
    if start is not None and end is None:
        raise errors.bad_parameter("endTime")
    last = min(now if end is None else end, now)
    first = max(market.path.genesis, 0 if start is None else start)
    times = range(last // FUNDING_MS * FUNDING_MS, first - 1, -FUNDING_MS)
    rows = [
        {
            "symbol": instrument.symbol,
            "fundingRate": text(market.funding_rate(instrument.index, at), 8),
            "fundingRateTimestamp": str(at),
        }
        for at in list(times)[:limit]
    ]
    return {"category": request.category(), "list": rows}


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    served = {
        "/v5/market/time": _time,
        "/v5/market/instruments-info": _instruments,
        "/v5/market/orderbook": _orderbook,
        "/v5/market/tickers": _tickers,
        "/v5/market/kline": _kline,
        "/v5/market/recent-trade": _recent_trades,
        "/v5/market/funding/history": _funding,
    }
    return {("GET", path): Route(handler, Access.PUBLIC) for path, handler in served.items()}
