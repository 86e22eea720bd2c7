"""What Binance's user-data and market streams say."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.binance import public, wire
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, INSTRUMENTS, PERPETUALS, QUOTE, Instrument
from copytrade.sandbox.exchange.market import Candle
from copytrade.sandbox.exchange.orders import Fill, Order
from copytrade.sandbox.exchange.values import money, text

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance


def order_update(order: Order, execution: str, fill: Fill | None, now: int) -> dict[str, Any]:
    instrument = INSTRUMENTS[order.instrument]
    decimals = instrument.quantity_decimals
    kind = wire.order_type(order.type)
    at = fill.time if fill else order.updated
    content: dict[str, Any] = {
        "s": instrument.symbol,
        "c": order.client_id,
        "S": wire.side(order.side),
        "o": kind,
        "f": order.time_in_force,
        "q": text(order.steps, decimals),
        "p": text(order.price, instrument.price_decimals) if order.price else "0",
        "ap": wire.average(order.quote, order.executed, instrument),
        "sp": "0",
        "x": execution,
        "X": order.status,
        "i": order.id,
        "l": text(fill.steps if fill else 0, decimals),
        "z": text(order.executed, decimals),
        "L": text(fill.price, instrument.price_decimals) if fill else "0",
        "T": at,
        "t": fill.id if fill else 0,
        "b": "0",
        "a": "0",
        "m": fill.maker if fill else False,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": kind,
        "ps": order.position_side,
        "cp": False,
        "rp": money(fill.realized if fill else 0),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
    }
    if fill:
        content |= {"n": money(fill.fee), "N": QUOTE}
    return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": at, "o": content}


def trade_lite(order: Order, fill: Fill, now: int) -> dict[str, Any]:
    """Return the short form of a fill, which comes before the long one."""
    instrument = INSTRUMENTS[order.instrument]
    decimals = instrument.quantity_decimals
    return {
        "e": "TRADE_LITE",
        "E": now,
        "T": fill.time,
        "s": instrument.symbol,
        "q": text(order.steps, decimals),
        "p": text(order.price, instrument.price_decimals) if order.price else "0",
        "m": fill.maker,
        "c": order.client_id,
        "S": wire.side(order.side),
        "L": text(fill.price, instrument.price_decimals),
        "l": text(fill.steps, decimals),
        "t": fill.id,
        "i": order.id,
    }


def account_update(account: Account, reason: str, change: int, positions: list[Position], now: int) -> dict[str, Any]:
    aside = sum(row.isolated_wallet for row in account.positions.values()) if account.isolated else 0
    balance = {"a": QUOTE, "wb": money(account.wallet), "cw": money(account.wallet - aside), "bc": money(change)}
    rows = [_position(account, position) for position in positions]
    return {"e": "ACCOUNT_UPDATE", "E": now, "T": account.updated, "a": {"m": reason, "B": [balance], "P": rows}}


def _position(account: Account, position: Position) -> dict[str, Any]:
    instrument = INSTRUMENTS[position.instrument]
    entry = wire.average(position.cost, abs(position.steps), instrument) if position.steps else "0"
    return {
        "s": instrument.symbol,
        "pa": text(position.steps, instrument.quantity_decimals),
        "ep": entry,
        "bep": entry,
        "cr": money(position.realized),
        "up": "0",
        "mt": "isolated" if position.instrument in account.isolated else "cross",
        "iw": money(position.isolated_wallet),
        "ps": position.side,
        "ma": QUOTE,
    }


def leverage_update(account: Account, instrument: int, now: int) -> dict[str, Any]:
    change = {"s": INSTRUMENTS[instrument].symbol, "l": account.leverage_of(instrument)}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ac": change}


def market_messages(venue: "Binance", stream: str) -> list[dict[str, Any]]:
    """Return what a market stream says at this moment; nothing when there is no such stream."""
    symbol, _, channel = stream.partition("@")
    channel = channel.partition("@")[0]
    if symbol in ("!bookTicker", "!markPrice", "!ticker"):
        return [_market(venue, instrument, symbol[1:]) for instrument in PERPETUALS]
    instrument = BY_SYMBOL.get(symbol.upper())
    message = _market(venue, instrument, channel) if instrument is not None else {}
    return [message] if message else []


def _market(venue: "Binance", instrument: Instrument, channel: str) -> dict[str, Any]:
    now, symbol = venue.exchange.clock.now(), instrument.symbol
    if channel == "bookTicker":
        row = public.book_ticker(venue, instrument)
        prices = {"b": row["bidPrice"], "B": row["bidQty"], "a": row["askPrice"], "A": row["askQty"]}
        return {"e": "bookTicker", "u": now, "s": symbol, **prices, "T": now, "E": now}
    if channel == "markPrice":
        row = public.mark_price(venue, instrument)
        funding = {"r": row["lastFundingRate"], "T": row["nextFundingTime"]}
        mark = row["markPrice"]
        return {"e": "markPriceUpdate", "E": now, "s": symbol, "p": mark, "i": mark, "P": mark, **funding}
    if channel in ("aggTrade", "trade"):
        price = text(venue.exchange.market.price(instrument.index), instrument.price_decimals)
        size = text(max(1, instrument.depth_steps // 100), instrument.quantity_decimals)
        ids = {"a": now, "f": now, "l": now} if channel == "aggTrade" else {"t": now}
        return {"e": channel, "E": now, "s": symbol, **ids, "p": price, "q": size, "T": now, "m": now % 2 == 0}
    if channel in ("ticker", "miniTicker"):
        return _ticker(venue, instrument, now, mini=channel == "miniTicker")
    if channel in ("depth5", "depth10", "depth20"):
        book = public.depth(venue, instrument, int(channel[5:]))
        ids = {"U": now - 1, "u": now, "pu": now - 1}
        return {"e": "depthUpdate", "E": now, "T": now, "s": symbol, **ids, "b": book["bids"], "a": book["asks"]}
    if channel.startswith("kline_"):
        return kline(venue, instrument, channel[6:], row_of=wire.kline)
    return {}


def kline(
    venue: "Binance", instrument: Instrument, name: str, *, row_of: Callable[[Candle, Instrument, int], list[Any]]
) -> dict[str, Any]:
    """Return what the stream of a candle says of the one that is not over; `row_of` writes it as lists do."""
    now, interval = venue.exchange.clock.now(), public.INTERVALS.get(name)
    if interval is None:
        return {}
    opened = now // interval * interval
    found = venue.exchange.market.candles(instrument.index, interval=interval, start=opened, end=now, limit=1)
    if not found:
        return {}
    row = row_of(found[0], instrument, interval)
    names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
    candle = {**dict(zip(names, row, strict=True)), "s": instrument.symbol, "i": name, "f": 1, "L": row[8], "x": False}
    return {"e": "kline", "E": now, "s": instrument.symbol, "k": candle}


def _ticker(venue: "Binance", instrument: Instrument, now: int, *, mini: bool) -> dict[str, Any]:
    row = public.day_ticker(venue, instrument)
    change = {"p": row["priceChange"], "P": row["priceChangePercent"], "w": row["weightedAvgPrice"]}
    prices = {"c": row["lastPrice"], "Q": row["lastQty"], "o": row["openPrice"], "h": row["highPrice"]}
    rest = {"l": row["lowPrice"], "v": row["volume"], "q": row["quoteVolume"], "O": row["openTime"], "C": now}
    if mini:
        kept = {**prices, "l": row["lowPrice"], "v": row["volume"], "q": row["quoteVolume"]}
        kept.pop("Q")
        return {"e": "24hrMiniTicker", "E": now, "s": instrument.symbol, **kept}
    ids = {"F": row["firstId"], "L": row["lastId"], "n": row["count"]}
    return {"e": "24hrTicker", "E": now, "s": instrument.symbol, **change, **prices, **rest, **ids}
