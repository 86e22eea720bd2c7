"""What a venue lists, asked of its public REST interface and written down: steps, minimums, largest orders, turnover.

The place in the file is the index of the symbol for ever: what is listed later comes after, what is gone stays.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from copytrade.settings import Settings

MONEY_DECIMALS, QUOTE = 8, "USDT"
"""As in exchange.values and exchange.instruments, which must not be imported before the list is there."""
TRIES, PAUSE_S, WITHIN_S = 5, 2.0, 20.0
Row = dict[str, Any]
Ask = Callable[[str], Awaitable[Any]]
_HOSTS = {
    ("binance", False): "https://fapi.binance.com",
    ("binance", True): "https://api.binance.com",
    ("bybit", False): "https://api.bybit.com",
    ("bybit", True): "https://api.bybit.com",
    ("bitget", False): "https://api.bitget.com",
    ("bitget", True): "https://api.bitget.com",
}
VENUES = ("binance", "bybit", "bitget")
_USUAL_LEVERAGE = 75
"""Of a venue that tells it only to those who have an account there."""


class NoListing(Exception):
    """The venue did not tell what it lists, and there is no list of an earlier start."""


async def refresh(venue: str, config: Settings) -> Path:
    """Bring the file of a venue's list up to date and return it; what is there stays where the venue is away."""
    file = config.var / "paper" / venue / "listing.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    known: list[Row] = orjson.loads(file.read_bytes()) if file.exists() else []
    for attempt in range(TRIES):
        try:
            told = await _told(venue, config)
            break
        except (aiohttp.ClientError, TimeoutError, KeyError, TypeError, ValueError, InvalidOperation) as error:
            sys.stdout.write(f"paper: {venue} did not tell what it lists ({type(error).__name__})\n")
            sys.stdout.flush()
            if known:
                return file
            await asyncio.sleep(PAUSE_S * (attempt + 1))
    else:
        raise NoListing(f"{venue} did not tell what it lists")
    fresh = file.with_suffix(".new")
    fresh.write_bytes(orjson.dumps(_merged(known, told)))
    fresh.replace(file)
    return file


def _merged(known: Iterable[Row], told: Iterable[Row]) -> list[Row]:
    rows = {(row["is_spot"], row["base"]): row for row in known}
    # A dictionary keeps the place of what is in it already.
    rows |= {(row["is_spot"], row["base"]): row for row in told}
    return list(rows.values())


async def _told(venue: str, config: Settings) -> list[Row]:
    timeout = aiohttp.ClientTimeout(total=WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        found: list[Row] = []
        for is_spot in (False, True):
            base = config.paper_feed_url.rstrip("/")
            root = f"{base}/{venue}" if base else _HOSTS[venue, is_spot]
            rows = await _READERS[venue](_asking(session, root), is_spot)
            largest = sorted(rows, key=lambda row: float(row["price"]) * float(row["volume"]), reverse=True)
            found += largest[: config.paper_symbols]
        return found


def _asking(session: aiohttp.ClientSession, root: str) -> Ask:
    async def ask(path: str) -> Any:
        async with session.get(root + path, raise_for_status=True) as answer:
            return orjson.loads(await answer.read())

    return ask


async def _binance(ask: Ask, is_spot: bool) -> list[Row]:
    api = "/api/v3" if is_spot else "/fapi/v1"
    listed, tickers = await ask(f"{api}/exchangeInfo"), await ask(f"{api}/ticker/24hr")
    day = {row["symbol"]: (row["lastPrice"], row["volume"]) for row in tickers}
    rows: list[Row] = []
    for one in listed["symbols"]:
        is_wanted = one["status"] == "TRADING" and (is_spot or one["contractType"] == "PERPETUAL")
        if not is_wanted or one["quoteAsset"] != QUOTE or one["symbol"] not in day:
            continue
        filters: dict[str, Mapping[str, str]] = {row["filterType"]: row for row in one["filters"]}
        lot, market = filters["LOT_SIZE"], filters.get("MARKET_LOT_SIZE", {})
        least = filters.get("NOTIONAL", {}).get("minNotional") or filters.get("MIN_NOTIONAL", {}).get("notional", "5")
        rows += _row(
            *(one["symbol"], one["baseAsset"], is_spot, day[one["symbol"]]),
            tick=filters["PRICE_FILTER"]["tickSize"],
            step=lot["stepSize"],
            least=least,
            most=(lot["maxQty"], market.get("maxQty", "")),
        )
    return rows


async def _bybit(ask: Ask, is_spot: bool) -> list[Row]:
    category = "spot" if is_spot else "linear"
    tickers = (await ask(f"/v5/market/tickers?category={category}"))["result"]["list"]
    day = {row["symbol"]: (row["lastPrice"], row["volume24h"]) for row in tickers}
    rows: list[Row] = []
    cursor = ""
    while True:
        page = await ask(f"/v5/market/instruments-info?category={category}&limit=1000&cursor={cursor}")
        for one in page["result"]["list"]:
            is_wanted = one["status"] == "Trading" and (is_spot or one["contractType"] == "LinearPerpetual")
            if not is_wanted or one["quoteCoin"] != QUOTE or one["symbol"] not in day:
                continue
            lot = one["lotSizeFilter"]
            rows += _row(
                *(one["symbol"], one["baseCoin"], is_spot, day[one["symbol"]]),
                tick=one["priceFilter"]["tickSize"],
                step=lot.get("qtyStep") or lot["basePrecision"],
                least=lot.get("minNotionalValue") or lot.get("minOrderAmt") or "5",
                most=(lot["maxOrderQty"], lot.get("maxMktOrderQty") or lot.get("maxMarketOrderQty", "")),
                leverage=one.get("leverageFilter", {}).get("maxLeverage", ""),
            )
        cursor = page["result"].get("nextPageCursor") or ""
        if not cursor:
            return rows


async def _bitget(ask: Ask, is_spot: bool) -> list[Row]:
    mix = "/api/v2/mix/market"
    listed = await ask("/api/v2/spot/public/symbols" if is_spot else f"{mix}/contracts?productType=USDT-FUTURES")
    tickers = await ask("/api/v2/spot/market/tickers" if is_spot else f"{mix}/tickers?productType=USDT-FUTURES")
    day = {row["symbol"]: (row["lastPr"], row["baseVolume"]) for row in tickers["data"]}
    rows: list[Row] = []
    for one in listed["data"]:
        is_wanted = one["status"] == "online" if is_spot else one["symbolStatus"] == "normal"
        if not is_wanted or one["quoteCoin"] != QUOTE or one["symbol"] not in day:
            continue
        places = one["pricePrecision"] if is_spot else one["pricePlace"]
        end = Decimal(1) if is_spot else Decimal(one["priceEndStep"])
        rows += _row(
            *(one["symbol"], one["baseCoin"], is_spot, day[one["symbol"]]),
            tick=str(end.scaleb(-int(places))),
            step=str(Decimal(1).scaleb(-int(one["quantityPrecision"]))) if is_spot else one["sizeMultiplier"],
            least=one["minTradeUSDT"],
            most=(one.get("maxTradeAmount") or one.get("maxOrderQty") or "", one.get("maxMarketOrderQty", "")),
            leverage=one.get("maxLever", ""),
        )
    return rows


_READERS: Mapping[str, Callable[[Ask, bool], Awaitable[list[Row]]]] = {
    "binance": _binance,
    "bybit": _bybit,
    "bitget": _bitget,
}


def _row(
    symbol: str,
    base: str,
    is_spot: bool,
    day: tuple[str, str],
    *,
    tick: str,
    step: str,
    least: str,
    most: tuple[str, str],
    leverage: str = "",
) -> Iterable[Row]:
    """Give the row of a symbol; none for what the exchange cannot count: names apart, or too many decimals."""
    price_decimals, quantity_decimals = _decimals(tick), _decimals(step)
    quantity_decimals = min(quantity_decimals, MONEY_DECIMALS - price_decimals)
    if symbol != base + QUOTE or quantity_decimals < 0 or not Decimal(day[0]) > 0:
        return
    usual = str(Decimal(20_000_000) / Decimal(day[0]))
    largest = _steps(most[0] or usual, quantity_decimals) or _steps(usual, quantity_decimals)
    yield {
        **{"base": base, "is_spot": is_spot},
        **{"price_decimals": price_decimals, "quantity_decimals": quantity_decimals},
        "min_notional": int(Decimal(least).scaleb(MONEY_DECIMALS).to_integral_value(ROUND_CEILING)),
        "max_steps": largest,
        "max_market_steps": _steps(most[1] or "0", quantity_decimals) or largest,
        "max_leverage": int(Decimal(leverage)) if leverage else _USUAL_LEVERAGE,
        **{"price": day[0], "volume": day[1]},
    }


def _decimals(step: str) -> int:
    """Return how many decimals a step has: what is no power of ten is counted finer than its venue does."""
    exponent = Decimal(step).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _steps(quantity: str, decimals: int) -> int:
    return int(Decimal(quantity).scaleb(decimals))
