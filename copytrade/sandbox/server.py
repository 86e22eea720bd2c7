"""`python -m copytrade.sandbox.server`: exchanges, Stripe and mail, one process, no children."""

import asyncio
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import uvloop
from aiohttp import web

from copytrade.sandbox import mail, stripe, tls
from copytrade.sandbox.binance.rest import Binance
from copytrade.sandbox.bitget.limits import LimitRules as BitgetRules
from copytrade.sandbox.bitget.rest import Bitget
from copytrade.sandbox.bybit.limits import Rules as BybitRules
from copytrade.sandbox.bybit.rest import Bybit
from copytrade.sandbox.controls.faults import limits_name, set_rules
from copytrade.sandbox.controls.situation import Situation
from copytrade.sandbox.exchange import ticking
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import BadState, Exchange
from copytrade.sandbox.exchange.faults import Faults
from copytrade.sandbox.exchange.limits import LimitRules
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.paper.opening import Desk
from copytrade.sandbox.protocol import VenueSide
from copytrade.sandbox.traders import Traders
from copytrade.sandbox.web import Web
from copytrade.settings import Settings, settings

TICK_S = 0.5


def build_exchange(*, seed: int, folder: Path | None, days: int, trade: bool, candles: Path | None = None) -> Exchange:
    """Load the exchange from its folder, or make it with so many days of history."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    now = real_ms()
    exchange = Exchange(seed=seed, folder=folder, now=now, days=days)
    if exchange.is_new:
        if candles is not None:
            exchange.market.path.read_candles(candles)
        if days:
            Traders(exchange, running=trade).make_history(start=exchange.genesis + DAY_MS, end=now)
        exchange.begin()
    else:
        exchange.begin()
        ticking.run_to(exchange, exchange.clock.now())
    return exchange


def open_venues(exchange: Exchange, faults: Faults, config: Settings) -> dict[str, VenueSide]:
    """Put the venues' protocols in front of the exchange, with the limits they had."""
    share = config.sandbox_weight_per_minute / LimitRules().weight_per_minute
    sides: tuple[VenueSide, ...] = (
        Binance(exchange, faults, LimitRules.widened(share)),
        Bybit(exchange, faults, BybitRules.widened(share)),
        Bitget(exchange, faults, BitgetRules.widened(share)),
    )
    for side in sides:
        set_rules(side, exchange.extras.get(limits_name(side), {}))
    return {side.name: side for side in sides}


class Sandbox:
    """The parts, put together and running."""

    def __init__(self, config: Settings) -> None:
        self.config = config
        days, candles = config.sandbox_history_days, config.sandbox_candles
        folder = config.var / "sandbox" / "exchange"
        trade = config.demo_bots
        self.exchange = build_exchange(seed=config.sandbox_seed, folder=folder, days=days, trade=trade, candles=candles)
        self.traders = Traders(self.exchange, running=trade)
        faults = Faults()
        self.venues = open_venues(self.exchange, faults, config)
        situation = Situation(self.exchange, faults, self.venues, self.traders)
        # Of demo and tests: paper accounts live beside the others, at the same prices.
        desk = Desk(self.exchange, token=config.paper_token.get_secret_value())
        self.web = Web(situation, {"stripe": stripe.app, "mail": mail.app}, desk)

    async def run(self, ended: asyncio.Event) -> None:
        """Serve until told to end."""
        await stripe.start(self.config)
        await mail.start(self.config)
        runner = web.ServerRunner(web.Server(self.web.handle, access_log=None), shutdown_timeout=1.0)
        await runner.setup()
        await self._listen(runner)
        ticker = asyncio.create_task(self._tick())
        ending = asyncio.create_task(ended.wait())
        await asyncio.wait((ticker, ending), return_when=asyncio.FIRST_COMPLETED)
        for venue in self.venues.values():
            venue.streams.cut()
        await runner.cleanup()
        await stripe.stop()
        await mail.stop()
        self.exchange.keep_time()
        self.exchange.commit()
        if ticker.done():
            ticker.result()
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker

    async def _listen(self, runner: web.ServerRunner) -> None:
        host = self.config.sandbox_host
        await web.TCPSite(runner, host, self.config.sandbox_port, backlog=4096).start()
        if self.config.sandbox_tls_port:
            context = tls.server_context(self.config.var / "sandbox" / "tls")
            await web.TCPSite(runner, host, self.config.sandbox_tls_port, ssl_context=context).start()

    async def _tick(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticking.tick(self.exchange)
            self.traders.step()
            count += 1
            if count % 2 == 0:
                for venue in self.venues.values():
                    venue.streams.tick()


async def _main() -> None:
    config = settings()
    began = time.perf_counter()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, ended.set)
    sandbox = Sandbox(config)
    where = f"http://{config.sandbox_host}:{config.sandbox_port}"
    sys.stdout.write(f"sandbox: ready at {where} after {time.perf_counter() - began:.1f} s\n")
    sys.stdout.flush()
    await sandbox.run(ended)


def main() -> None:
    """Run the sandbox, unless this is a production installation."""
    if settings().is_production:
        raise SystemExit("The sandbox does not run in production (COPYTRADE_ENVIRONMENT=production).")
    try:
        uvloop.run(_main())
    except (OSError, BadState) as error:
        raise SystemExit(f"The sandbox could not run: {error}") from error


if __name__ == "__main__":
    main()
