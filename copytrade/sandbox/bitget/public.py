"""What anybody may ask: time, rules, prices, candles, the book, funding."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bitget import errors, wire
from copytrade.sandbox.bitget.call import Access, Asked, Handler, Route
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import (
    BY_SYMBOL,
    INSTRUMENTS,
    MAKER_PPM,
    QUOTE,
    SPOT_BY_SYMBOL,
    TAKER_PPM,
    Instrument,
)
from copytrade.sandbox.exchange.orders import BUY, SELL
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.spot import FEE_PPM
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
_OTHER_PRODUCTS = frozenset({"COIN-FUTURES", "USDC-FUTURES", "SUSDT-FUTURES", "SCOIN-FUTURES", "SUSDC-FUTURES"})


def _time(venue: "Bitget", asked: Asked) -> dict[str, str]:
    return {"serverTime": str(venue.exchange.clock.server_time())}


def _coins(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    names = dict.fromkeys([QUOTE, *(pair.base for pair in SPOT_BY_SYMBOL.values())])
    wanted = asked.params.get("coin", "").upper()
    return [
        {"coinId": str(number), "coin": name, "transfer": "true", "chains": []}
        for number, name in enumerate(names, start=1)
        if not wanted or name == wanted
    ]


def _symbols(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    pairs = [asked.pair()] if asked.params.get("symbol") else _listed(venue, SPOT_BY_SYMBOL)
    return [_symbol(venue, pair) for pair in pairs]


def _symbol(venue: "Bitget", pair: Instrument) -> dict[str, Any]:
    band = text(pair.band_ppm, 6)
    return {
        "symbol": pair.symbol,
        "baseCoin": pair.base,
        "quoteCoin": QUOTE,
        "minTradeAmount": text(1, pair.quantity_decimals),
        "maxTradeAmount": text(pair.max_steps, pair.quantity_decimals),
        "takerFeeRate": text(FEE_PPM, 6),
        "makerFeeRate": text(FEE_PPM, 6),
        "pricePrecision": str(pair.price_decimals),
        "quantityPrecision": str(pair.quantity_decimals),
        "quotePrecision": "8",
        "minTradeUSDT": _plain(pair.min_notional),
        "status": "halt" if pair.index in venue.exchange.market.halted else "online",
        "buyLimitPriceRatio": band,
        "sellLimitPriceRatio": band,
        "areaSymbol": "no",
        "orderQuantity": "200",
        "openTime": "1532454360000",
        "offTime": "",
    }


def _plain(amount: int) -> str:
    return money(amount).rstrip("0").rstrip(".")


def _contracts(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    if asked.need("productType").upper() in _OTHER_PRODUCTS:
        return []
    asked.product()
    rows = [asked.contract()] if asked.params.get("symbol") else _listed(venue, BY_SYMBOL)
    return [_contract(venue, row) for row in rows]


def _contract(venue: "Bitget", row: Instrument) -> dict[str, Any]:
    band = text(row.band_ppm, 6)
    step = text(1, row.quantity_decimals)
    return {
        "symbol": row.symbol,
        "baseCoin": row.base,
        "quoteCoin": QUOTE,
        "buyLimitPriceRatio": band,
        "sellLimitPriceRatio": band,
        "feeRateUpRatio": "0.005",
        "makerFeeRate": text(MAKER_PPM, 6),
        "takerFeeRate": text(TAKER_PPM, 6),
        "openCostUpRatio": "0.01",
        "supportMarginCoins": [QUOTE],
        "minTradeNum": step,
        "priceEndStep": "1",
        "volumePlace": str(row.quantity_decimals),
        "pricePlace": str(row.price_decimals),
        "sizeMultiplier": step,
        "symbolType": "perpetual",
        "minTradeUSDT": _plain(row.min_notional),
        "maxSymbolOrderNum": "200",
        "maxProductOrderNum": "400",
        "maxPositionNum": "150",
        "maxMarketOrderQty": text(row.max_market_steps, row.quantity_decimals),
        "maxOrderQty": text(row.max_steps, row.quantity_decimals),
        "symbolStatus": "maintain" if row.index in venue.exchange.market.halted else "normal",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryPeriod": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": str(row.max_leverage),
        "posLimit": "0.05",
        "maintainTime": "",
        "openTime": "",
    }


def _listed(venue: "Bitget", table: dict[str, Instrument]) -> list[Instrument]:
    return [row for row in table.values() if row.index not in venue.exchange.market.delisted]


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
    pairs = [asked.pair()] if asked.params.get("symbol") else _listed(venue, SPOT_BY_SYMBOL)
    return [ticker(venue.exchange, pair) for pair in pairs]


def _mix_ticker(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    return [ticker(venue.exchange, asked.contract())]


def _mix_tickers(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    asked.product()
    return [ticker(venue.exchange, row) for row in _listed(venue, BY_SYMBOL)]


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
        start = max(start, end - _LONGEST_MS) if interval < DAY_MS else start
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


def _margin_currencies(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    return []


def _levels(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    row = asked.contract()
    return [
        {
            "symbol": row.symbol,
            "level": str(number),
            "startUnit": _plain(bracket.floor),
            "endUnit": _plain(bracket.cap),
            "leverage": str(bracket.leverage),
            "keepMarginRate": text(bracket.maintenance_ppm, 6),
        }
        for number, bracket in enumerate(INSTRUMENTS[row.index].brackets, start=1)
    ]


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    spot, mix = "/api/v2/spot", "/api/v2/mix/market"
    served: dict[str, Handler] = {
        "/api/v2/public/time": _time,
        f"{spot}/public/coins": _coins,
        f"{spot}/public/symbols": _symbols,
        f"{spot}/market/tickers": _spot_tickers,
        f"{spot}/market/merge-depth": _depth(Asked.pair),
        f"{spot}/market/orderbook": _depth(Asked.pair),
        f"{spot}/market/candles": _candles(Asked.pair, _SPOT_GRAINS),
        f"{spot}/market/fills": _spot_trades,
        "/api/v2/margin/currencies": _margin_currencies,
        f"{mix}/contracts": _contracts,
        f"{mix}/ticker": _mix_ticker,
        f"{mix}/tickers": _mix_tickers,
        f"{mix}/symbol-price": _symbol_price,
        f"{mix}/merge-depth": _depth(Asked.contract),
        f"{mix}/candles": _candles(Asked.contract, _MIX_GRAINS),
        f"{mix}/current-fund-rate": _fund_rate,
        f"{mix}/query-position-lever": _levels,
    }
    return {("GET", path): Route(handler, Access.PUBLIC) for path, handler in served.items()}
