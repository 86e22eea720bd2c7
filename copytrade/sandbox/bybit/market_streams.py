"""What Bybit's public streams say: tickers, the book, trades."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bybit import public
from copytrade.sandbox.bybit.request import LINEAR, SPOT
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, SPOT_BY_SYMBOL, Instrument

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

CATEGORIES = {"/v5/public/spot": SPOT, "/v5/public/linear": LINEAR}
_INSTRUMENTS = {SPOT: SPOT_BY_SYMBOL, LINEAR: BY_SYMBOL}
_DEPTHS = ("1", "50", "200", "500", "1000")


def known(topic: str, *, category: str) -> bool:
    """Tell whether a category has this topic."""
    return _read(f"{category} {topic}") is not None


def _read(name: str) -> tuple[str, int, Instrument] | None:
    """Return channel, depth and instrument of a category's topic."""
    category, _, topic = name.partition(" ")
    channel, *between, symbol = topic.split(".")
    found = _INSTRUMENTS[category].get(symbol)
    depth = between[0] if between else ""
    if found is None or channel not in ("tickers", "publicTrade", "orderbook"):
        return None
    if (channel == "orderbook") != bool(depth) or (depth and depth not in _DEPTHS):
        return None
    return channel, int(depth or 0), found


def messages(venue: "Bybit", name: str) -> list[dict[str, Any]]:
    """Return what a category's topic says at this moment."""
    read = _read(name)
    if read is None:
        return []
    channel, depth, found = read
    now = venue.exchange.clock.now()
    told = {"topic": name.partition(" ")[2], "type": "snapshot", "ts": now}
    match channel:
        case "tickers":
            return [{**told, "cs": now, "data": public.ticker(venue, found)}]
        case "orderbook":
            book = public.book(venue, found, limit=depth)
            return [{**told, "cts": now, "data": {part: book[part] for part in ("s", "b", "a", "u", "seq")}}]
        case _:
            rows = public.trades(venue, found, count=1)
            return [{**told, "data": [_trade(row) for row in rows]}]


def _trade(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{"T": int(row["time"]), "s": row["symbol"], "S": row["side"], "v": row["size"], "p": row["price"]},
        **{"L": "PlusTick", "i": row["execId"], "BT": False, "RPI": False, "seq": int(row["seq"])},
    }
