"""The paper exchange as a process of its own, fed by the sandbox's public streams on the real wire."""

import signal
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contract.sandbox.paper_served import VENUES, PaperServer
from tests.contract.sandbox.served import Raw, SandboxServer
from tests.waiting import wait_until

D = Decimal


@pytest.fixture(scope="module")
def papers(server: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, PaperServer]]:
    """Give a paper exchange of each venue."""
    begun = [PaperServer(tmp_path_factory.mktemp(venue), venue, feed=server.url).begin() for venue in VENUES]
    yield {running.venue: running.wait() for running in begun}
    for running in begun:
        assert running.end() == 0, running.log()
        assert "Traceback" not in running.log(), running.log()


@pytest.fixture
def paper(papers: dict[str, PaperServer]) -> PaperServer:
    return papers["binance"]


def _prices(papers: dict[str, PaperServer]) -> dict[str, Decimal]:
    """Return the price of BTC that each venue and market tells on paper."""
    binance, bybit, bitget = (papers[venue].get for venue in VENUES)
    mark = binance("/binance/fapi/v1/premiumIndex", symbol="BTCUSDT")
    book = binance("/binance/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    linear, spot = (
        bybit("/bybit/v5/market/tickers", category=category, symbol="BTCUSDT")["result"]["list"][0]
        for category in ("linear", "spot")
    )
    mix = bitget("/bitget/api/v2/mix/market/ticker", symbol="BTCUSDT", productType="USDT-FUTURES")["data"][0]
    coin = bitget("/bitget/api/v2/spot/market/tickers", symbol="BTCUSDT")["data"][0]
    told = (
        mark["markPrice"],
        book["bidPrice"],
        linear["markPrice"],
        spot["bid1Price"],
        mix["markPrice"],
        coin["bidPr"],
    )
    names = [f"{venue} {market}" for venue in VENUES for market in ("perpetual", "spot")]
    return dict(zip(names, map(D, told), strict=True))


def _mark(paper: PaperServer) -> Decimal:
    return D(paper.get("/binance/fapi/v1/premiumIndex", symbol="BTCUSDT")["markPrice"])


def test_its_prices_follow_the_public_streams_of_every_venue_and_market(
    server: SandboxServer, papers: dict[str, PaperServer]
) -> None:
    for price in (61_000, 58_500):
        server.control.set_price("BTCUSDT", price)
        server.control.set_price("BTCUSDT", price, market="spot")
        wait_until(
            lambda price=price: set(_prices(papers).values()) == {D(price)},
            what=f"{price} everywhere (it is {_prices(papers)})",
        )


def test_an_order_on_paper_is_filled_at_the_price_of_the_stream_and_keeps_its_worth(
    server: SandboxServer, paper: PaperServer
) -> None:
    server.control.set_price("BTCUSDT", 60_000)
    wait_until(lambda: _mark(paper) == 60_000, what="60,000 on paper")
    account = paper.open("perpetual").json()
    raw = Raw(paper.url, account)
    filled = raw.order(quantity="0.1").body
    assert (filled["status"], D(filled["executedQty"])) == ("FILLED", D("0.1"))
    assert D(filled["avgPrice"]) == D("60000.1")
    server.control.set_price("BTCUSDT", 61_000)

    def unrealized() -> Decimal:
        return D(raw.signed("GET", "/fapi/v2/account").body["totalUnrealizedProfit"])

    wait_until(lambda: unrealized() == D("99.99"), what=f"the gain of the move (it is {unrealized()})")
    raw.close()


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("market", ["perpetual", "spot"])
def test_an_account_is_opened_once_by_its_name(papers: dict[str, PaperServer], venue: str, market: str) -> None:
    paper, name = papers[venue], str(uuid4())
    first, again = (paper.open(market, name=name).json() for _ in range(2))
    assert first == again
    assert bool(first["passphrase"]) == (venue == "bitget")
    assert paper.open(market).json() != first


def test_nobody_opens_an_account_without_the_token_or_with_nonsense(paper: PaperServer) -> None:
    assert paper.open("spot", token="another").status_code == 401
    assert paper.open("spot", token="").status_code == 401
    for nonsense in ({"name": "x"}, {"funds": "1000001"}, {"funds": "-5"}, {"funds": "many"}):
        assert paper.open("spot", **nonsense).status_code == 400
    assert paper.open("options").status_code == 400


def test_it_lists_what_its_venue_lists_with_the_same_steps_and_minimums(
    server: SandboxServer, papers: dict[str, PaperServer]
) -> None:
    def rules(base: str, path: str, *within: str) -> dict[str, Any]:
        told = httpx.get(base + path, trust_env=False).json()
        for name in within:
            told = told[name]
        return {row["symbol"]: row for row in told}

    places = [
        ("binance", "/binance/fapi/v1/exchangeInfo", ("symbols",), ("filters", "baseAsset", "pricePrecision")),
        ("binance", "/binance/api/v3/exchangeInfo", ("symbols",), ("filters", "baseAsset")),
        ("bybit", "/bybit/v5/market/instruments-info?category=linear", ("result", "list"), _BYBIT_LINEAR),
        (
            "bybit",
            "/bybit/v5/market/instruments-info?category=spot",
            ("result", "list"),
            ("lotSizeFilter", "priceFilter"),
        ),
        ("bitget", "/bitget/api/v2/mix/market/contracts?productType=USDT-FUTURES", ("data",), _BITGET_MIX),
        ("bitget", "/bitget/api/v2/spot/public/symbols", ("data",), _BITGET_SPOT),
    ]
    for venue, path, within, kept in places:
        real, told = rules(server.url, path, *within), rules(papers[venue].url, path, *within)
        assert set(told) == set(real), path
        for symbol, row in real.items():
            assert {name: told[symbol][name] for name in kept} == {name: row[name] for name in kept}, path


_BYBIT_LINEAR = ("lotSizeFilter", "priceFilter", "leverageFilter")
_BITGET_MIX = ("pricePlace", "sizeMultiplier", "minTradeUSDT", "maxLever", "maxOrderQty", "maxMarketOrderQty")
_BITGET_SPOT = ("pricePrecision", "quantityPrecision", "minTradeUSDT", "maxTradeAmount")


def test_it_has_no_controls_no_stripe_and_no_mail(paper: PaperServer) -> None:
    for path in ("/control/accounts", "/stripe/v1/customers", "/mail/"):
        assert httpx.get(paper.url + path, trust_env=False).status_code == 404


def test_without_a_token_it_does_not_start(tmp_path: Path, server: SandboxServer) -> None:
    lonely = PaperServer(tmp_path, feed=server.url, PAPER_TOKEN="")
    assert lonely.spawn().wait(timeout=20) == 1
    assert "needs a token" in lonely.log()


def test_a_kill_loses_nothing_and_no_position_is_valued_by_a_guess(server: SandboxServer, tmp_path: Path) -> None:
    server.control.set_price("BTCUSDT", 60_000)
    running = PaperServer(tmp_path, feed=server.url).start()
    wait_until(lambda: _mark(running) == 60_000, what="60,000 on paper")
    raw = Raw(running.url, running.open("perpetual").json())
    raw.order(quantity="0.1")
    wait_until((tmp_path / "paper" / "binance" / "last.json").exists, timeout=20, what="kept prices")
    before = raw.signed("GET", "/fapi/v2/account").body["totalMarginBalance"]
    running.end(signal.SIGKILL)
    running.start()
    after = raw.signed("GET", "/fapi/v2/account").body["totalMarginBalance"]
    assert D(after) == D(before)
    raw.close()
    assert running.end() == 0


def test_a_venue_that_is_away_halts_its_symbols_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    source = SandboxServer(tmp_path / "sandbox").start()
    running = PaperServer(tmp_path, feed=source.url).start()
    raw = Raw(running.url, running.open("perpetual").json())
    assert raw.order(quantity="0.1").status == 200
    source.end(signal.SIGKILL)
    wait_until(lambda: raw.order(quantity="0.1").status == 400, timeout=30, every=0.5, what="a halt")
    source.start()
    wait_until(lambda: raw.order(quantity="0.1").status == 200, timeout=40, every=0.5, what="trading again")
    raw.close()
    assert running.end() == 0
    source.end()
