"""What anybody may ask of the venue itself: time, coins, pairs, contracts."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bitget.call import Access, Asked, Handler, Route, listed
from copytrade.sandbox.exchange.instruments import (
    BY_SYMBOL,
    INSTRUMENTS,
    MAKER_PPM,
    QUOTE,
    SPOT_BY_SYMBOL,
    TAKER_PPM,
    Instrument,
)
from copytrade.sandbox.exchange.spot import FEE_PPM
from copytrade.sandbox.exchange.values import money, text

if TYPE_CHECKING:
    from copytrade.sandbox.bitget.rest import Bitget

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
    pairs = [asked.pair()] if asked.params.get("symbol") else listed(venue, SPOT_BY_SYMBOL)
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
    rows = [asked.contract()] if asked.params.get("symbol") else listed(venue, BY_SYMBOL)
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
    served: dict[str, Handler] = {
        "/api/v2/public/time": _time,
        "/api/v2/spot/public/coins": _coins,
        "/api/v2/spot/public/symbols": _symbols,
        "/api/v2/margin/currencies": _margin_currencies,
        "/api/v2/mix/market/contracts": _contracts,
        "/api/v2/mix/market/query-position-lever": _levels,
    }
    return {("GET", path): Route(handler, Access.PUBLIC) for path, handler in served.items()}
