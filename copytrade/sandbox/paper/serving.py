"""The paper exchange, put together: one exchange a venue, its protocol in front, its streams beside; nothing else.

No controls, no faults, no Stripe, no mail, no clock but the real one: whoever reaches it can trade, and that is all.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass

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
from copytrade.sandbox.paper.opening import Desk
from copytrade.sandbox.paper.prices import Prices
from copytrade.sandbox.paper.sources import Line, lines
from copytrade.sandbox.protocol import Call, VenueSide
from copytrade.sandbox.web import Written
from copytrade.settings import Settings

TICK_S = 0.25
KEEP_EVERY = 8
"""Ticks between two times that the prices are written down."""
FIRST_PRICES_S = 10.0
"""How long the start waits for prices before it serves what it has."""


@dataclass(frozen=True, slots=True)
class Place:
    """One venue: its protocol, its exchange, its prices and where these come from."""

    side: VenueSide
    exchange: Exchange
    prices: Prices
    lines: tuple[Line, ...]


class PaperExchange:
    """All venues in one process."""

    def __init__(self, config: Settings) -> None:
        self._config = config
        self._places = {name: _place(name, config) for name in ("binance", "bybit", "bitget")}
        exchanges = {name: place.exchange for name, place in self._places.items()}
        self._desk = Desk(exchanges, token=config.paper_token.get_secret_value())

    async def run(self, ended: asyncio.Event) -> None:
        """Serve until told to end; the door opens when the prices are there."""
        async with aiohttp.ClientSession(trust_env=True) as session, asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(Stream(line, place.prices).follow(session))
                for place in self._places.values()
                for line in place.lines
            ]
            await self._first_prices(ended)
            runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1.0)
            await runner.setup()
            await web.TCPSite(runner, self._config.paper_host, self._config.paper_port, backlog=4096).start()
            _say(f"ready at http://{self._config.paper_host}:{self._config.paper_port}, {self._told()}")
            tasks.append(group.create_task(self._tick()))
            await ended.wait()
            for task in tasks:
                task.cancel()
            for place in self._places.values():
                place.side.streams.cut()
            await runner.cleanup()
        for place in self._places.values():
            place.prices.keep()
            place.exchange.keep_time()
            place.exchange.commit()

    async def _first_prices(self, ended: asyncio.Event) -> None:
        whole = asyncio.gather(*(place.prices.complete.wait() for place in self._places.values()))
        ending = asyncio.ensure_future(ended.wait())
        await asyncio.wait((whole, ending), timeout=FIRST_PRICES_S, return_when=asyncio.FIRST_COMPLETED)
        for waiting in (whole, ending):
            waiting.cancel()
        await asyncio.gather(whole, ending, return_exceptions=True)
        for place in self._places.values():
            if place.prices.fed:  # else the venue itself is away, and its list of symbols is not shorter for that
                place.prices.leave_out()

    def _told(self) -> str:
        return ", ".join(f"{name}: {place.prices.fed} symbols" for name, place in self._places.items())

    async def _tick(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(TICK_S)
            count += 1
            for place in self._places.values():
                place.prices.look()
                ticking.tick(place.exchange)
                if count % 4 == 0:
                    place.side.streams.tick()
                if count % KEEP_EVERY == 0:
                    place.prices.keep()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        first = path.split("/", 2)[1]
        place = self._places.get(first)
        if place is not None:
            return await _venue(place, request, path[len(first) + 1 :], query)
        if first == "paper":
            return await self._desk.handle(request)
        if path == "/":
            return web.json_response({"paper": "ready", "symbols": {n: p.prices.fed for n, p in self._places.items()}})
        return web.json_response({"error": f"nothing is served at {path}"}, status=404)


def _place(name: str, config: Settings) -> Place:
    folder = config.var / "paper" / name
    folder.mkdir(parents=True, exist_ok=True)
    exchange = Exchange(seed=config.sandbox_seed, folder=folder, now=real_ms())
    exchange.begin()
    # The time in between is over: nothing is made up for it, what waits is met by the first prices.
    exchange.ticked = exchange.clock.now()
    exchange.funded = max(exchange.funded, exchange.clock.now())
    streams = lines(name, perpetuals=list(BY_SYMBOL), spots=list(SPOT_BY_SYMBOL), base=config.paper_feed_url)
    return Place(_side(name, exchange, config), exchange, Prices(exchange, folder / "last.json"), tuple(streams))


def _side(name: str, exchange: Exchange, config: Settings) -> VenueSide:
    faults, wider = Faults(), config.paper_limits_factor
    sides: Mapping[str, VenueSide] = {
        "binance": Binance(exchange, faults, LimitRules.widened(wider)),
        "bybit": Bybit(exchange, faults, BybitRules.widened(wider)),
        "bitget": Bitget(exchange, faults, BitgetRules.widened(wider)),
    }
    return sides[name]


async def _venue(place: Place, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await place.side.streams.serve(request, path)
    body = (await request.read()).decode("utf-8", "replace")
    api_key = place.side.key_of(request.headers)
    arrived = place.exchange.clock.server_time()
    call = Call(request.method, path, query, body, request.headers, api_key, request.remote or "", arrived)
    return Written(place.side.answer(call), request)


def _say(text: str) -> None:
    sys.stdout.write(f"paper: {text}\n")
    sys.stdout.flush()
