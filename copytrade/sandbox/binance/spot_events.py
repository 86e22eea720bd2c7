"""What the market streams of spot say."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.binance import events, spot_public, spot_wire
from copytrade.sandbox.exchange.instruments import SPOT_BY_SYMBOL, SPOTS, Instrument

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

_DAY = {
    **{"p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "x": "prevClosePrice"},
    **{"c": "lastPrice", "Q": "lastQty", "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty"},
    **{"o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume", "q": "quoteVolume", "O": "openTime"},
    **{"C": "closeTime", "F": "firstId", "L": "lastId", "n": "count"},
}
_MINI = ("c", "o", "h", "l", "v", "q")


def market_messages(venue: "Binance", stream: str) -> list[dict[str, Any]]:
    """Return what a market stream says at this moment; nothing when there is no such stream."""
    symbol, _, channel = stream.partition("@")
    channel = channel.partition("@")[0]
    if symbol in ("!ticker", "!miniTicker"):
        return [message for row in SPOTS if (message := _market(venue, row, symbol[1:]))]
    instrument = SPOT_BY_SYMBOL.get(symbol.upper())
    message = _market(venue, instrument, channel) if instrument is not None else {}
    return [message] if message else []


def _market(venue: "Binance", instrument: Instrument, channel: str) -> dict[str, Any]:
    now, symbol = venue.exchange.clock.now(), instrument.symbol
    if instrument.index in venue.exchange.market.delisted:
        return {}
    if channel == "bookTicker":
        row = spot_public.book_ticker(venue, instrument)
        return {
            "u": now,
            "s": symbol,
            "b": row["bidPrice"],
            "B": row["bidQty"],
            "a": row["askPrice"],
            "A": row["askQty"],
        }
    if channel in ("aggTrade", "trade"):
        price = spot_wire.price(instrument, venue.exchange.market.price(instrument.index))
        size = spot_wire.size(instrument, max(1, instrument.depth_steps // 100))
        ids = {"a": now, "f": now, "l": now} if channel == "aggTrade" else {"t": now}
        return {
            "e": channel,
            "E": now,
            "s": symbol,
            **ids,
            "p": price,
            "q": size,
            "T": now,
            "m": now % 2 == 0,
            "M": True,
        }
    if channel in ("ticker", "miniTicker"):
        row = spot_public.day_ticker(venue, instrument)
        shown = {name: row[field] for name, field in _DAY.items() if channel == "ticker" or name in _MINI}
        return {"e": "24hrTicker" if channel == "ticker" else "24hrMiniTicker", "E": now, "s": symbol, **shown}
    if channel in ("depth5", "depth10", "depth20"):
        return spot_public.depth(venue, instrument, int(channel[5:]))
    if channel == "avgPrice":
        price = spot_wire.price(instrument, venue.exchange.market.price(instrument.index))
        return {"e": "avgPrice", "E": now, "s": symbol, "i": "5m", "w": price, "T": now}
    if channel.startswith("kline_"):
        return events.kline(venue, instrument, channel[6:], row_of=spot_wire.kline)
    return {}
