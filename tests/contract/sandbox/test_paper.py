"""The paper exchange as a process of its own, fed by the sandbox's public streams on the real wire."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contract.sandbox.served import Raw, SandboxServer
from tests.waiting import wait_for_http, wait_until
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free

TOKEN = "a token of this test"
D = Decimal


class PaperServer:
    """`python -m copytrade.sandbox.paper` with its state in `folder`, following the venues at `feed`."""

    def __init__(self, folder: Path, *, feed: str, **environment: str) -> None:
        self.folder = folder
        self.port = any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {"PAPER_FEED_URL": feed, "PAPER_TOKEN": TOKEN, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "PaperServer":
        """Start, and wait until it answers."""
        process = self._process = self.spawn()
        wait_for_http(f"{self.url}/", alive=lambda: process.poll() is None, log=self.folder / "paper.log")
        return self

    def spawn(self) -> subprocess.Popen[bytes]:
        chosen = {"VAR": str(self.folder), "PAPER_PORT": str(self.port), "ENVIRONMENT": "production"}
        environment = os.environ | {f"COPYTRADE_{name}": value for name, value in (chosen | self._environment).items()}
        with (self.folder / "paper.log").open("ab") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "copytrade.sandbox.paper"],
                env=environment,
                stdout=sink,
                stderr=sink,
                preexec_fn=end_with_parent,
            )

    def end(self, sign: int = signal.SIGTERM) -> int:
        assert self._process is not None
        self._process.send_signal(sign)
        return self._process.wait(timeout=20)

    def log(self) -> str:
        return (self.folder / "paper.log").read_text()

    def open(self, venue: str, market: str, *, name: str = "", funds: str = "10000", token: str = TOKEN) -> Any:
        asked = {"name": name or str(uuid4()), "venue": venue, "market": market, "funds": funds}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.post(f"{self.url}/paper/accounts", json=asked, headers=headers, trust_env=False)

    def get(self, path: str, **params: str) -> Any:
        return httpx.get(self.url + path, params=params, trust_env=False).json()


@pytest.fixture(scope="module")
def paper(server: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[PaperServer]:
    running = PaperServer(tmp_path_factory.mktemp("paper"), feed=server.url).start()
    yield running
    assert running.end() == 0, running.log()
    assert "Traceback" not in running.log(), running.log()


def _prices(paper: PaperServer) -> dict[str, Decimal]:
    """Return the price of BTC that each venue and market of the paper exchange tells."""
    return {
        "binance": D(paper.get("/binance/fapi/v1/premiumIndex", symbol="BTCUSDT")["markPrice"]),
        "binance spot": D(paper.get("/binance/api/v3/ticker/bookTicker", symbol="BTCUSDT")["bidPrice"]),
        "bybit": D(
            paper.get("/bybit/v5/market/tickers", category="linear", symbol="BTCUSDT")["result"]["list"][0]["markPrice"]
        ),
        "bybit spot": D(
            paper.get("/bybit/v5/market/tickers", category="spot", symbol="BTCUSDT")["result"]["list"][0]["bid1Price"]
        ),
        "bitget": D(
            paper.get("/bitget/api/v2/mix/market/ticker", symbol="BTCUSDT", productType="USDT-FUTURES")["data"][0][
                "markPrice"
            ]
        ),
        "bitget spot": D(paper.get("/bitget/api/v2/spot/market/tickers", symbol="BTCUSDT")["data"][0]["bidPr"]),
    }


def test_its_prices_follow_the_public_streams_of_every_venue_and_market(
    server: SandboxServer, paper: PaperServer
) -> None:
    for price in (61_000, 58_500):
        server.control.set_price("BTCUSDT", price)
        server.control.set_price("BTCUSDT", price, market="spot")
        wait_until(
            lambda price=price: set(_prices(paper).values()) == {D(price)},
            what=f"{price} everywhere (it is {_prices(paper)})",
        )


def test_an_order_on_paper_is_filled_at_the_price_of_the_stream_and_keeps_its_worth(
    server: SandboxServer, paper: PaperServer
) -> None:
    server.control.set_price("BTCUSDT", 60_000)
    wait_until(lambda: _prices(paper)["binance"] == 60_000, what="60,000 on paper")
    account = paper.open("binance", "perpetual").json()
    raw = Raw(paper.url, account)
    filled = raw.order(quantity="0.1").body
    assert (filled["status"], D(filled["executedQty"])) == ("FILLED", D("0.1"))
    assert D(filled["avgPrice"]) == D("60000.1")
    server.control.set_price("BTCUSDT", 61_000)

    def unrealized() -> Decimal:
        return D(raw.signed("GET", "/fapi/v2/account").body["totalUnrealizedProfit"])

    wait_until(lambda: unrealized() == D("99.99"), what=f"the gain of the move (it is {unrealized()})")
    raw.close()


@pytest.mark.parametrize("venue", ["binance", "bybit", "bitget"])
@pytest.mark.parametrize("market", ["perpetual", "spot"])
def test_an_account_is_opened_once_by_its_name(paper: PaperServer, venue: str, market: str) -> None:
    name = str(uuid4())
    first, again = (paper.open(venue, market, name=name).json() for _ in range(2))
    assert first == again
    assert bool(first["passphrase"]) == (venue == "bitget")
    assert paper.open(venue, market).json() != first


def test_nobody_opens_an_account_without_the_token_or_with_nonsense(paper: PaperServer) -> None:
    assert paper.open("binance", "spot", token="another").status_code == 401
    assert paper.open("binance", "spot", token="").status_code == 401
    for nonsense in ({"name": "x"}, {"funds": "1000001"}, {"funds": "-5"}, {"funds": "many"}):
        assert paper.open("binance", "spot", **nonsense).status_code == 400
    assert paper.open("mtgox", "spot").status_code == 400
    assert paper.open("binance", "options").status_code == 400


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
    wait_until(lambda: _prices(running)["binance"] == 60_000, what="60,000 on paper")
    raw = Raw(running.url, running.open("binance", "perpetual").json())
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
    raw = Raw(running.url, running.open("binance", "perpetual").json())
    assert raw.order(quantity="0.1").status == 200
    source.end(signal.SIGKILL)
    wait_until(lambda: raw.order(quantity="0.1").status == 400, timeout=30, every=0.5, what="a halt")
    source.start()
    wait_until(lambda: raw.order(quantity="0.1").status == 200, timeout=40, every=0.5, what="trading again")
    raw.close()
    assert running.end() == 0
    source.end()
