"""What anybody may ask of the market: prices, candles, the book, trades, funding."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bitget import errors, wire
from copytrade.sandbox.bitget.call import Access, Asked, Handler, Route, listed
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, SPOT_BY_SYMBOL, Instrument
from copytrade.sandbox.exchange.orders import BUY, SELL
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import money, text

if TYPE_CHECKING:
    from copytrade.sandbox.bitget.rest import Bitget

_MINUTE, _HOUR = 60_000, 3_600_000
_MIX_GRAINS = {
    **{f"{n}m": n * _MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}H": n * _HOUR for n in (1, 2, 4, 6, 12)},
    **{f"{n}D": n * DAY_MS for n in (1, 3)},
    **{f"{n}Hutc": n * _HOUR for n in (6, 12)},
    **{f"{n}Dutc": n * DAY_MS for n in (1, 3)},
}
_SPOT_GRAINS = {
    **{f"{n}min": n * _MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * _HOUR for n in (1, 4, 6, 12)},
    **{f"{n}day": n * DAY_MS for n in (1, 3)},
    **{f"{n}Hutc": n * _HOUR for n in (6, 12)},
    **{f"{n}Dutc": n * DAY_MS for n in (1, 3)},
}
_MOST_CANDLES = 1000
_LONGEST_MS = 90 * DAY_MS


def depth(exchange: Exchange, instrument: Instrument, limit: int) -> dict[str, Any]:
    """Return the book: the market's levels and what rests in it, put together."""

    def rows(side: int) -> list[list[str]]:
        sums: dict[int, int] = {}
        for price, steps in exchange.market.levels(instrument.index, -side):
            sums[price] = sums.get(price, 0) + steps
        for order in exchange.resting[instrument.index].orders(side):
            sums[order.price] = sums.get(order.price, 0) + order.remaining
        ordered = sorted(sums, reverse=side == BUY)[:limit]
        decimals = instrument.price_decimals, instrument.quantity_decimals
        return [[text(price, decimals[0]), text(sums[price], decimals[1])] for price in ordered]

    return {"asks": rows(SELL), "bids": rows(BUY), "ts": str(exchange.clock.now()), "scale": "0"}


def _depth(instrument: Callable[[Asked], Instrument]) -> Handler:
    def handler(venue: "Bitget", asked: Asked) -> dict[str, Any]:
        wanted = asked.params.get("limit", "100")
        return depth(
            venue.exchange, instrument(asked), 150 if wanted == "max" else min(asked.integer("limit", 100) or 100, 150)
        )

    return handler


def ticker(exchange: Exchange, row: Instrument) -> dict[str, Any]:
    """Return the last day, the best prices and, of a perpetual, mark and funding."""
    market = exchange.market
    day, book, now = market.day(row.index), depth(exchange, row, 1), exchange.clock.now()
    bid = book["bids"][0] if book["bids"] else ["0", "0"]
    ask = book["asks"][0] if book["asks"] else ["0", "0"]
    decimals = row.price_decimals
    last = text(day.close, decimals)
    shown = {
        "symbol": row.symbol,
        "lastPr": last,
        "askPr": ask[0],
        "bidPr": bid[0],
        "askSz": ask[1],
        "bidSz": bid[1],
        "high24h": text(day.high, decimals),
        "low24h": text(day.low, decimals),
        "ts": str(now),
        "change24h": text((day.close - day.open) * 100_000 // max(1, day.open), 5),
        "baseVolume": text(day.volume, row.quantity_decimals),
        "quoteVolume": money(day.turnover),
        "usdtVolume": money(day.turnover),
        "openUtc": text(market.price_at(row.index, now // DAY_MS * DAY_MS), decimals),
        "changeUtc24h": "0",
    }
    if row.is_spot:
        return shown | {"open": text(day.open, decimals)}
    rate = text(market.funding_rate(row.index, now), 8)
    mark = text(market.price(row.index), decimals)
    contract = {"indexPrice": mark, "markPrice": mark, "fundingRate": rate, "holdingAmount": "0"}
    return shown | contract | {"open24h": text(day.open, decimals), "deliveryStartTime": "", "deliveryTime": ""}


def _spot_tickers(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    pairs = [asked.pair()] if asked.params.get("symbol") else listed(venue, SPOT_BY_SYMBOL)
    return [ticker(venue.exchange, pair) for pair in pairs]


def _mix_ticker(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    return [ticker(venue.exchange, asked.contract())]


def _mix_tickers(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    asked.product()
    return [ticker(venue.exchange, row) for row in listed(venue, BY_SYMBOL)]


def _symbol_price(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    row = asked.contract()
    price = text(venue.exchange.market.price(row.index), row.price_decimals)
    now = str(venue.exchange.clock.now())
    return [{"symbol": row.symbol, "price": price, "indexPrice": price, "markPrice": price, "ts": now}]


def _candles(instrument: Callable[[Asked], Instrument], grains: dict[str, int]) -> Handler:
    def handler(venue: "Bitget", asked: Asked) -> list[list[str]]:
        row = instrument(asked)
        interval = grains.get(asked.need("granularity"))
        if interval is None:
            raise errors.ApiError("40812", "The condition granularity is not met")
        limit, now = asked.limit(100, _MOST_CANDLES), venue.exchange.clock.now()
        end = min(asked.integer("endTime", now), now)
        start = max(asked.integer("startTime", end - interval * limit + 1), end - interval * limit + 1)
        start = max(start, end - _LONGEST_MS)
        found = venue.exchange.market.candles(row.index, interval=interval, start=start, end=end, limit=limit)
        shown = [wire.candle(one, row) for one in found]
        return [[*one, one[6]] for one in shown] if row.is_spot else shown

    return handler


def _spot_trades(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    return _trades(venue, asked.pair(), asked.limit(100, 500))


def _trades(venue: "Bitget", row: Instrument, limit: int) -> list[dict[str, Any]]:
    """Return what accounts have lately traded in an instrument, newest first."""
    fills = [
        fill for account in venue.exchange.accounts.values() for fill in account.fills_of.get(row.index, ())[-limit:]
    ]
    newest = sorted(fills, key=lambda fill: fill.id, reverse=True)[:limit]
    return [
        {
            "symbol": row.symbol,
            "tradeId": str(fill.id),
            "side": wire.side(fill.side),
            "price": text(fill.price, row.price_decimals),
            "size": text(fill.steps, row.quantity_decimals),
            "ts": str(fill.time),
        }
        for fill in newest
        if not fill.maker
    ]


def _fund_rate(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    row, market = asked.contract(), venue.exchange.market
    rate = text(market.funding_rate(row.index, venue.exchange.clock.now()), 8)
    edge = {"minFundingRate": "-0.0075", "maxFundingRate": "0.0075"}
    due = {"fundingRateInterval": "8", "nextUpdate": str(market.next_funding())}
    return [{"symbol": row.symbol, "fundingRate": rate, **due, **edge}]


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    spot, mix = "/api/v2/spot/market", "/api/v2/mix/market"
    served: dict[str, Handler] = {
        f"{spot}/tickers": _spot_tickers,
        f"{spot}/merge-depth": _depth(Asked.pair),
        f"{spot}/orderbook": _depth(Asked.pair),
        f"{spot}/candles": _candles(Asked.pair, _SPOT_GRAINS),
        f"{spot}/fills": _spot_trades,
        f"{mix}/ticker": _mix_ticker,
        f"{mix}/tickers": _mix_tickers,
        f"{mix}/symbol-price": _symbol_price,
        f"{mix}/merge-depth": _depth(Asked.contract),
        f"{mix}/candles": _candles(Asked.contract, _MIX_GRAINS),
        f"{mix}/current-fund-rate": _fund_rate,
    }
    return {("GET", path): Route(handler, Access.PUBLIC) for path, handler in served.items()}
