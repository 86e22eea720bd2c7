"""The venues' public streams as data: where they are, what is asked of them, and what their frames tell of prices."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

Frame = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a frame tells of one symbol, as decimal text; empty: nothing."""

    symbol: str
    bid: str = ""
    ask: str = ""
    mark: str = ""
    rate: str = ""
    """Of the coming funding, as a fraction."""


@dataclass(frozen=True, slots=True)
class Line:
    """One websocket of a venue: its address, what is asked on it, what keeps it alive, and how it is read."""

    venue: str
    is_spot: bool
    url: str
    asked: tuple[str, ...]
    read: Callable[[Frame], Iterator[Told]]
    ping: str = ""


def lines(venue: str, *, perpetuals: Sequence[str], spots: Sequence[str], base: str = "") -> list[Line]:
    """Return the websockets that tell the prices of these symbols; `base` (http://…) stands for the venue's hosts."""
    made = _LINES[venue](perpetuals, spots)
    if not base:
        return made
    root = f"{base.rstrip('/').replace('http', 'ws', 1)}/{venue}"
    return [
        Line(line.venue, line.is_spot, root + urlsplit(line.url).path, line.asked, line.read, line.ping)
        for line in made
    ]


def _binance(perpetuals: Sequence[str], spots: Sequence[str]) -> list[Line]:
    def asked(symbols: Sequence[str], channel: str) -> tuple[str, ...]:
        names = [f"{symbol.lower()}@{channel}" for symbol in symbols]
        return tuple(
            _json({"method": "SUBSCRIBE", "params": some, "id": number})
            for number, some in enumerate(_by(names, 100), start=1)
        )

    futures = "wss://fstream.binance.com"
    return [
        Line("binance", False, f"{futures}/public/ws", asked(perpetuals, "bookTicker"), _binance_frame),
        Line("binance", False, f"{futures}/market/ws", asked(perpetuals, "markPrice@1s"), _binance_frame),
        Line("binance", True, "wss://stream.binance.com:9443/ws", asked(spots, "bookTicker"), _binance_frame),
    ]


def _binance_frame(frame: Frame) -> Iterator[Told]:
    if frame.get("e") == "markPriceUpdate":
        yield Told(frame["s"], mark=frame["p"], rate=frame["r"])
    elif "b" in frame and "a" in frame:  # spot says bookTicker without its name
        yield Told(frame["s"], bid=frame["b"], ask=frame["a"])


def _bybit(perpetuals: Sequence[str], spots: Sequence[str]) -> list[Line]:
    def asked(channel: str, symbols: Sequence[str]) -> tuple[str, ...]:
        # Spot takes ten a message.
        return tuple(
            _json({"op": "subscribe", "args": some}) for some in _by([f"{channel}.{name}" for name in symbols], 10)
        )

    root, ping = "wss://stream.bybit.com/v5/public", _json({"op": "ping"})
    return [
        Line("bybit", False, f"{root}/linear", asked("tickers", perpetuals), _bybit_ticker, ping),
        Line("bybit", True, f"{root}/spot", asked("orderbook.1", spots), _bybit_book, ping),
    ]


def _bybit_ticker(frame: Frame) -> Iterator[Told]:
    # After the first one only what has changed is told.
    if str(frame.get("topic", "")).startswith("tickers."):
        row = frame["data"]
        values = (row.get(name) or "" for name in ("bid1Price", "ask1Price", "markPrice", "fundingRate"))
        yield Told(row["symbol"], *values)


def _bybit_book(frame: Frame) -> Iterator[Told]:
    if str(frame.get("topic", "")).startswith("orderbook.1."):
        row = frame["data"]
        bid, ask = (side[0][0] if side else "" for side in (row["b"], row["a"]))
        yield Told(row["s"], bid, ask)


def _bitget(perpetuals: Sequence[str], spots: Sequence[str]) -> list[Line]:
    def asked(kind: str, symbols: Sequence[str]) -> tuple[str, ...]:
        names = [{"instType": kind, "channel": "ticker", "instId": symbol} for symbol in symbols]
        return tuple(_json({"op": "subscribe", "args": some}) for some in _by(names, 50))

    url = "wss://ws.bitget.com/v2/ws/public"
    return [
        Line("bitget", False, url, asked("USDT-FUTURES", perpetuals), _bitget_frame, "ping"),
        Line("bitget", True, url, asked("SPOT", spots), _bitget_frame, "ping"),
    ]


def _bitget_frame(frame: Frame) -> Iterator[Told]:
    for row in frame.get("data") or ():
        yield Told(row["instId"], row["bidPr"], row["askPr"], row.get("markPrice", ""), row.get("fundingRate", ""))


_LINES: Mapping[str, Callable[[Sequence[str], Sequence[str]], list[Line]]] = {
    "binance": _binance,
    "bybit": _bybit,
    "bitget": _bitget,
}


def _json(message: Any) -> str:
    return orjson.dumps(message).decode()


def _by(these: Sequence[Any], count: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(these), count):
        yield these[start : start + count]
