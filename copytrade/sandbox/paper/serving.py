"""A venue's paper exchange, put together: the exchange, the protocol in front of it, the streams beside; nothing else.

No controls, no faults, no Stripe, no mail, no clock but the real one: whoever reaches it can trade, and that is all.
"""

import asyncio
import sys
from collections.abc import Callable

import aiohttp
from aiohttp import web

from copytrade.sandbox.binance.rest import Binance
from copytrade.sandbox.bitget.limits import LimitRules as BitgetRules
from copytrade.sandbox.bitget.rest import Bitget
from copytrade.sandbox.bybit.limits import Rules as BybitRules
from copytrade.sandbox.bybit.rest import Bybit
from copytrade.sandbox.exchange import ticking
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.faults import Faults
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, SPOT_BY_SYMBOL
from copytrade.sandbox.exchange.limits import LimitRules
from copytrade.sandbox.paper.feed import Stream
from copytrade.sandbox.paper.opening import PATH, Desk
from copytrade.sandbox.paper.prices import Prices
from copytrade.sandbox.paper.sources import lines
from copytrade.sandbox.protocol import Call, VenueSide
from copytrade.sandbox.web import Written
from copytrade.settings import Settings

TICK_S = 0.25
KEEP_EVERY = 8
"""Ticks between two times that the prices are written down."""
FIRST_PRICES_S = 10.0
"""How long the start waits for prices before it serves what it has."""
_SIDES: dict[str, Callable[[Exchange, Faults, float], VenueSide]] = {
    "binance": lambda exchange, faults, wider: Binance(exchange, faults, LimitRules.widened(wider)),
    "bybit": lambda exchange, faults, wider: Bybit(exchange, faults, BybitRules.widened(wider)),
    "bitget": lambda exchange, faults, wider: Bitget(exchange, faults, BitgetRules.widened(wider)),
}


class PaperExchange:
    """One venue in one process; its list of symbols was read before this was imported."""

    def __init__(self, venue: str, config: Settings) -> None:
        self._venue = venue
        self._config = config
        folder = config.var / "paper" / venue
        self._exchange = _opened(venue, config)
        self._side = _SIDES[venue](self._exchange, Faults(), config.paper_limits_factor)
        self._lines = lines(venue, perpetuals=[*BY_SYMBOL], spots=[*SPOT_BY_SYMBOL], base=config.paper_feed_url)
        self._prices = Prices(self._exchange, folder / "last.json", streams=len(self._lines))
        self._desk = Desk(self._exchange, token=config.paper_token.get_secret_value())

    async def run(self, ended: asyncio.Event) -> None:
        """Serve until told to end; the door opens when the prices are there."""
        host, port = self._config.paper_host, self._config.paper_port_of(self._venue)
        async with aiohttp.ClientSession(trust_env=True) as session, asyncio.TaskGroup() as group:
            tasks = [group.create_task(Stream(line, self._prices).follow(session)) for line in self._lines]
            await self._first_prices(ended)
            runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1.0)
            await runner.setup()
            await web.TCPSite(runner, host, port, backlog=4096).start()
            sys.stdout.write(f"paper: {self._venue} ready at http://{host}:{port}, {self._prices.fed} symbols\n")
            sys.stdout.flush()
            tasks.append(group.create_task(self._tick()))
            await ended.wait()
            for task in tasks:
                task.cancel()
            self._side.streams.cut()
            await runner.cleanup()
        self._prices.keep()
        self._exchange.keep_time()
        self._exchange.commit()

    async def _first_prices(self, ended: asyncio.Event) -> None:
        waiting = [asyncio.ensure_future(event.wait()) for event in (self._prices.settled, ended)]
        await asyncio.wait(waiting, timeout=FIRST_PRICES_S, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _tick(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(TICK_S)
            count += 1
            self._prices.look()
            ticking.tick(self._exchange)
            if count % 4 == 0:
                self._side.streams.tick()
            if count % KEEP_EVERY == 0:
                self._prices.keep()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        root = f"/{self._venue}"
        if path == root + PATH:
            return await self._desk.handle(request, venue=self._venue)
        if path.startswith(f"{root}/"):
            return await self._answer(request, path.removeprefix(root), query)
        if path == "/":
            return web.json_response({"paper": "ready", "venue": self._venue, "symbols": self._prices.fed})
        return web.json_response({"error": f"nothing is served at {path}"}, status=404)

    async def _answer(self, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._side.streams.serve(request, path)
        body = (await request.read()).decode("utf-8", "replace")
        api_key, arrived = self._side.key_of(request.headers), self._exchange.clock.server_time()
        call = Call(request.method, path, query, body, request.headers, api_key, request.remote or "", arrived)
        return Written(self._side.answer(call), request)


def _opened(venue: str, config: Settings) -> Exchange:
    folder = config.var / "paper" / venue
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # it holds keys, though only of play money
    exchange = Exchange(seed=config.sandbox_seed, folder=folder, now=real_ms(), is_fed=True)
    exchange.begin()
    # The time in between is over: nothing is made up for it, what waits is met by the first prices.
    exchange.ticked = exchange.funded = exchange.clock.now()
    return exchange
