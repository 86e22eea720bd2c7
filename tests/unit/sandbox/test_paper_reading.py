"""What the paper exchange makes of its venue's frames and lists: what is odd is passed over, an index stays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, FIRST_SPOT, INSTRUMENTS, SPOT_BY_SYMBOL
from copytrade.sandbox.exchange.orders import BUY, SELL
from copytrade.sandbox.paper import listing
from copytrade.sandbox.paper.prices import Prices
from copytrade.sandbox.paper.sources import Line, Told, lines

BTC, SPOT_BTC = BY_SYMBOL["BTCUSDT"].index, SPOT_BY_SYMBOL["BTCUSDT"].index


def line(venue: str, *, is_spot: bool = False, number: int = 0) -> Line:
    found = [one for one in lines(venue, perpetuals=["BTCUSDT"], spots=["BTCUSDT"]) if one.is_spot is is_spot]
    return found[number]


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    return Prices(Exchange(seed=1, is_fed=True), tmp_path / "last.json", streams=1)


TICKER = {"e": "bookTicker", "s": "BTCUSDT", "b": "1.0", "B": "2", "a": "1.1", "A": "3"}
SPOT_TICKER = {"u": 1, "s": "BTCUSDT", "b": "1.0", "B": "2", "a": "1.1", "A": "3"}
MARK = {"e": "markPriceUpdate", "s": "BTCUSDT", "p": "1.05", "r": "0.0001"}
DELTA = {"topic": "tickers.BTCUSDT", "type": "delta", "data": {"symbol": "BTCUSDT", "ask1Price": "1.1"}}
BOOK = {"topic": "orderbook.1.BTCUSDT", "data": {"s": "BTCUSDT", "b": [["1.0", "2"]], "a": []}}
COIN = {"instId": "BTCUSDT", "bidPr": "1", "askPr": "2"}
CONTRACT = COIN | {"markPrice": "1.5", "fundingRate": "0"}


@pytest.mark.parametrize(
    ("venue", "is_spot", "frame", "told"),
    [
        ("binance", False, TICKER, ("1.0", "1.1", "", "")),
        ("binance", False, MARK, ("", "", "1.05", "0.0001")),
        ("binance", True, SPOT_TICKER, ("1.0", "1.1", "", "")),
        ("bybit", False, DELTA, ("", "1.1", "", "")),
        ("bybit", True, BOOK, ("1.0", "", "", "")),
        ("bitget", False, {"arg": {}, "data": [CONTRACT]}, ("1", "2", "1.5", "0")),
        ("bitget", True, {"arg": {}, "data": [COIN]}, ("1", "2", "", "")),
    ],
)
def test_each_venues_frames_are_read(
    venue: str, is_spot: bool, frame: Mapping[str, Any], told: tuple[str, ...]
) -> None:
    assert list(line(venue, is_spot=is_spot).read(frame)) == [Told("BTCUSDT", *told)]


@pytest.mark.parametrize(
    "frame",
    [
        {"result": None, "id": 1},
        {"success": True, "op": "subscribe"},
        {"op": "pong"},
        {"event": "subscribe", "arg": {}},
    ],
)
def test_what_is_no_price_tells_nothing(frame: Mapping[str, Any]) -> None:
    for venue in listing.VENUES:
        for one in lines(venue, perpetuals=["BTCUSDT"], spots=["BTCUSDT"]):
            assert list(one.read(frame)) == []


def test_another_address_takes_the_venues_place_and_the_path_stays() -> None:
    made = lines("bybit", perpetuals=["BTCUSDT"], spots=[], base="http://127.0.0.1:8430/")
    assert [one.url for one in made] == [
        "ws://127.0.0.1:8430/bybit/v5/public/linear",
        "ws://127.0.0.1:8430/bybit/v5/public/spot",
    ]


def test_nothing_is_traded_before_its_price_is_whole(prices: Prices) -> None:
    market, futures = prices._exchange.market, line("binance")
    assert market.halted == {row.index for row in INSTRUMENTS}
    prices.hear(futures, Told("BTCUSDT", bid="60000.04", ask="60000.11"))
    assert BTC in market.halted
    prices.hear(futures, Told("BTCUSDT", mark="60000.06", rate="-0.00012345"))
    assert market.halted == {row.index for row in INSTRUMENTS} - {BTC}
    # A bid is rounded down and an ask up: nobody is filled better than the venue would.
    assert (market.best(BTC), market.price(BTC), market.funding_rate(BTC, 0)) == ((600_000, 600_002), 600_001, -12_345)
    assert next(market.levels(BTC, BUY))[0] == 600_002
    assert next(market.levels(BTC, SELL))[0] == 600_000


def test_spot_is_worth_the_middle_of_its_best_prices_and_is_no_perpetual(prices: Prices) -> None:
    market = prices._exchange.market
    prices.hear(line("binance", is_spot=True), Told("BTCUSDT", bid="60000.10", ask="60000.20"))
    assert market.price(SPOT_BTC) == 6_000_015
    assert SPOT_BTC not in market.halted
    assert BTC in market.halted
    assert BTC < FIRST_SPOT <= SPOT_BTC


@pytest.mark.parametrize("bid", ["", "0", "-1", "nonsense", "NaN", "Infinity", "60001"])
def test_a_price_that_is_none_or_crosses_the_ask_changes_nothing(prices: Prices, bid: str) -> None:
    market, futures = prices._exchange.market, line("binance")
    prices.hear(futures, Told("BTCUSDT", "60000.0", "60000.1", "60000.0"))
    prices.hear(futures, Told("BTCUSDT", bid=bid))
    prices.hear(futures, Told("NOSUCHUSDT", "1", "2", "1"))
    assert market.best(BTC) == (600_000, 600_001)


def test_prices_are_kept_for_the_next_start(tmp_path: Path) -> None:
    before = Prices(Exchange(seed=1, is_fed=True), tmp_path / "last.json", streams=1)
    before.hear(line("binance"), Told("BTCUSDT", "60000.0", "60000.1", "60000.0"))
    before.keep()
    after = Exchange(seed=1, is_fed=True)
    Prices(after, tmp_path / "last.json", streams=1)
    assert after.market.price(BTC) == 600_000
    assert BTC in after.market.halted


def rows(base: str, **changes: Any) -> list[listing.Row]:
    facts = {"tick": "0.10", "step": "0.001", "least": "5", "most": ("1000", "120"), **changes}
    return list(listing._row(f"{base}USDT", base, False, ("60000", "1000"), **facts))


def test_a_listed_symbol_is_counted_in_ticks_and_steps() -> None:
    (row,) = rows("BTC")
    assert (row["price_decimals"], row["quantity_decimals"], row["min_notional"]) == (1, 3, 5 * 10**8)
    assert (row["max_steps"], row["max_market_steps"], row["max_leverage"]) == (1_000_000, 120_000, 75)
    (coarse,) = rows("ETH", tick="0.05", step="10", leverage="50.00")
    assert (coarse["price_decimals"], coarse["quantity_decimals"], coarse["max_leverage"]) == (2, 0, 50)


def test_what_cannot_be_counted_exactly_is_cut_or_left_out() -> None:
    (cut,) = rows("SHIB", tick="0.00000001", step="0.1")
    assert (cut["price_decimals"], cut["quantity_decimals"]) == (8, 0)
    assert rows("TINY", tick="0.0000000001") == []
    assert list(listing._row("BTC_PERP", "BTC", False, ("1", "1"), tick="1", step="1", least="5", most=("1", ""))) == []


def test_the_place_of_a_symbol_is_its_own_for_ever() -> None:
    first = [*rows("BTC"), *rows("ETH")]
    later = [*rows("SOL"), *rows("ETH", least="20")]
    merged = listing._merged(orjson.loads(orjson.dumps(first)), later)
    assert [row["base"] for row in merged] == ["BTC", "ETH", "SOL"]
    assert merged[1]["min_notional"] == 20 * 10**8
