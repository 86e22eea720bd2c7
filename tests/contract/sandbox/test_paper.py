"""The paper exchange as a process of its own, fed by the sandbox's public streams on the real wire."""

import asyncio
import signal
from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from copytrade import clock
from copytrade.domain.instruments import Market, Side, Venue
from copytrade.domain.orders import OrderKind, OrderRequest, OutcomeKind
from copytrade.engines import Engines
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import AccountRef, Credentials
from copytrade.settings import settings
from tests.contract.sandbox.paper_served import VENUES, PaperServer
from tests.contract.sandbox.served import Raw, SandboxServer
from tests.waiting import wait_until

D = Decimal
PLACES = [(venue, market) for venue in Venue for market in Market]


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


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_our_own_clients_trade_on_paper(
    server: SandboxServer,
    papers: dict[str, PaperServer],
    engines: Engines,
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[Venue, Market],
) -> None:
    venue, market = place
    server.control.set_price("BTCUSDT", 60_000)
    server.control.set_price("BTCUSDT", 60_000, market="spot")
    wait_until(lambda: set(_prices(papers).values()) == {D(60_000)}, what="60,000 everywhere")
    monkeypatch.setenv("COPYTRADE_PAPER_EXCHANGE_URL", papers[venue].url)
    settings.cache_clear()
    try:
        asyncio.run(_bought(place, papers[venue].open(market).json()))
    finally:
        monkeypatch.undo()
        settings.cache_clear()


async def _bought(place: tuple[Venue, Market], key: dict[str, str]) -> None:
    """Buy a little BTC by our own client, and find it there."""

    def opened(account_id: UUID) -> Credentials:
        return Credentials(**key)

    pool = Pool(opened, limits_factor=1000)
    try:
        client = await pool.get(AccountRef(uuid4(), *place, "paper"))
        symbol = "BTC/USDT" if place[1] is Market.SPOT else "BTC/USDT:USDT"
        rules, equity = (await client.rules())[symbol], await client.equity()
        assert equity.total == 10_000
        quote = await client.quote(symbol)
        price = (quote.ask * D("1.002")).quantize(rules.price_tick)
        name = f"cp-{uuid4().hex[:20]}"
        request = OrderRequest(symbol, Side.BUY, D("0.02"), OrderKind.LIMIT_IOC, name, price)
        outcome = await client.place(request, not_after=clock.real_now() + timedelta(seconds=10))
        assert outcome.kind is OutcomeKind.PLACED
        found = await client.look_up(symbol, name)
        assert found is not None
        assert found.filled == D("0.02")
        assert found.average_price is not None
        assert quote.ask <= found.average_price <= price
        (position,) = await client.positions()
        assert abs(position.quantity - D("0.02")) <= D("0.00002")  # spot takes its fee of what came in
    finally:
        await pool.close()


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


def test_a_kill_loses_nothing_and_a_venue_that_is_away_halts_its_symbols(tmp_path: Path) -> None:
    source = SandboxServer(tmp_path).start()
    source.control.set_price("BTCUSDT", 61_000)
    running = PaperServer(tmp_path, feed=source.url).start()
    wait_until(lambda: _mark(running) == 61_000, what="61,000 on paper")
    raw = Raw(running.url, running.open("perpetual").json())
    assert raw.order(quantity="0.1").status == 200
    before = raw.signed("GET", "/fapi/v2/account").body["totalMarginBalance"]
    wait_until((tmp_path / "paper" / "binance" / "last.json").exists, timeout=20, what="kept prices")
    running.end(signal.SIGKILL)
    source.end(signal.SIGKILL)

    # Nobody tells a price now: the position is worth what it was, and nothing is traded.
    running.start()
    assert D(raw.signed("GET", "/fapi/v2/account").body["totalMarginBalance"]) == D(before)
    assert raw.order(quantity="0.1").status == 400

    source.start()
    wait_until(lambda: raw.order(quantity="0.1").status == 200, timeout=40, every=0.2, what="trading again")
    source.end(signal.SIGKILL)
    wait_until(lambda: raw.order(quantity="0.1").status == 400, timeout=30, every=0.2, what="a halt")
    raw.close()
    assert running.end() == 0
