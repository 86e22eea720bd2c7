"""What all clients of one venue, market and mode share in a process: session, TLS, clock offset, markets and rules."""

import asyncio
import contextlib
import copy
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import structlog

from copytrade.domain.instruments import Market, MarketRules, Venue
from copytrade.errors import Unavailable
from copytrade.exchanges import ladder, modes
from copytrade.exchanges.egress import Way
from copytrade.exchanges.facts import QUOTE, VenueFacts
from copytrade.exchanges.gate import Gate
from copytrade.exchanges.guard import guarded
from copytrade.exchanges.judge import failure_of
from copytrade.exchanges.limits import Lane
from copytrade.exchanges.port import Credentials
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.venues import facts, rebased
from copytrade.settings import settings

log = structlog.get_logger()
_RELOAD_AFTER_S = 45 * 60
_RELOAD_UNKNOWN_AFTER_S = 60
_CLOCK_AFTER_S = 10 * 60
_CLOCK_ANSWER_MS, _CLOCK_READINGS = 500, 3


class Ground:
    """Shared by the clients of a (venue, market, mode); belongs to one event loop."""

    def __init__(
        self,
        *,
        venue: Venue,
        market: Market,
        mode: str,
        session: aiohttp.ClientSession,
        tls: ssl.SSLContext,
        rules_of: Callable[[Mapping[str, Any]], MarketRules],
        gate: Gate,
    ) -> None:
        self.facts: VenueFacts = facts(venue)
        self.market = market
        self.mode = mode
        self.session = session
        self._tls = tls
        self._rules_of = rules_of
        self._gate = gate
        self._offset_ms = 0
        self._clock_read_at = float("-inf")
        self._clock_lock = asyncio.Lock()
        self._loaded_at: float | None = None
        self._lock = asyncio.Lock()
        self._template: Any = None
        self._streaming: dict[type[Any], Any] = {}
        self._refresh: asyncio.Task[None] | None = None
        self.rules: dict[str, MarketRules] = {}
        self.ids: dict[str, str] = {}
        self.symbols: dict[str, str] = {}

    async def ready(self) -> None:
        """Load the markets once; later calls return at once and start a reload when they are old."""
        if self._loaded_at is None:
            async with self._lock:
                if self._loaded_at is None:
                    await self._load()
        elif time.monotonic() - self._loaded_at > _RELOAD_AFTER_S and (self._refresh is None or self._refresh.done()):
            self._refresh = asyncio.create_task(self._reload())

    def reload_soon(self) -> None:
        """Load the markets again in the background, since a symbol was unknown; at most once a minute."""
        is_old = self._loaded_at is not None and time.monotonic() - self._loaded_at > _RELOAD_UNKNOWN_AFTER_S
        if is_old and (self._refresh is None or self._refresh.done()):
            self._refresh = asyncio.create_task(self._reload())

    async def close(self) -> None:
        """Stop reloading."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.gather(self._refresh, return_exceptions=True)

    def rest(self, credentials: Credentials, *, way: Way) -> Any:
        """Return a ccxt object for an account: a shallow copy of the template, so that it costs next to nothing."""
        exchange = copy.copy(self._base())
        exchange.httpProxy = way.url or None
        exchange.options = dict(exchange.options)
        exchange.apiKey, exchange.secret = credentials.api_key, credentials.api_secret
        exchange.password = credentials.passphrase
        return exchange

    def streaming(self, mixin: type[Any], credentials: Credentials, *, way: Way) -> Any:
        """Return a fresh ccxt.pro object with `mixin`'s handlers."""
        import ccxt.pro  # pyright: ignore[reportMissingTypeStubs] # here: only stream processes need its 110 MB

        # As in `rest` a shallow copy, one template a dialect: building one takes 5 ms and 0.25 MB.
        if mixin not in self._streaming:
            self._streaming[mixin] = guarded((mixin, getattr(ccxt.pro, self.facts.ccxt_id)))(self._config())
            self._settle(self._streaming[mixin])
        exchange = copy.copy(self._streaming[mixin])
        exchange.options = {
            name: dict(value) if isinstance(value, dict) else value  # pyright: ignore[reportUnknownArgumentType]
            for name, value in exchange.options.items()
        }
        exchange.httpProxy = exchange.wsProxy = way.url or None
        exchange.apiKey, exchange.secret = credentials.api_key, credentials.api_secret
        exchange.password = credentials.passphrase
        exchange.clients = {}
        exchange.timeout_on_exit = 0
        exchange.streaming = {**exchange.streaming, "keepAlive": int(settings().stream_heartbeat_s * 1000 / 3)}
        exchange.markets, exchange.markets_by_id = self._base().markets, self._base().markets_by_id
        return exchange

    async def measure_clock(self, *, since: float | None = None) -> None:
        """Measure how far this machine is ahead of the venue, unless that was done after `since` (monotonic)."""
        since = time.monotonic() - _CLOCK_AFTER_S if since is None else since
        async with self._clock_lock:
            if self._clock_read_at > since:
                return
            self._base()  # made the first time, which takes a second that is none of the way to the venue
            readings = [await self._read_clock()]
            with contextlib.suppress(Unavailable):
                # The offset is uncertain by half of what the answer took; the venue allows a second or less.
                while readings[-1][0] > _CLOCK_ANSWER_MS and len(readings) < _CLOCK_READINGS:
                    readings.append(await self._read_clock())
            self._offset_ms = min(readings)[1]
            self._clock_read_at = time.monotonic()

    async def _read_clock(self) -> tuple[int, int]:
        """Return how long the venue took to tell its time, and how far ahead of it this machine is then, in ms."""
        before = time.time_ns() // 1_000_000
        theirs = await self.venue_ms()
        after = time.time_ns() // 1_000_000
        return after - before, (before + after) // 2 - theirs

    async def venue_ms(self) -> int:
        """Return the venue's clock in ms."""
        told = await self.shared_read(self._base(), "fetch_time")
        if told is None:
            raise Unavailable(f"{self.facts.venue.value}: no time in its answer", venue=self.facts.venue.value)
        return int(told)

    def offset_ms(self) -> int:
        """Return how far this machine's clock is ahead of the venue's."""
        return self._offset_ms

    async def shared_read(self, exchange: Any, method: str, *arguments: Any) -> Any:
        """Return what a public ccxt call says; Unavailable where it fails or the venue wants to be left alone."""
        wait = self._gate.closed_for() or await self._gate.pass_through(
            self._gate.shared_charges(method, market=self.market), lane=Lane.ENTRY, patience=settings().read_patience_s
        )
        if wait:
            raise Unavailable(f"{self.facts.venue.value}: not asked", venue=self.facts.venue.value, retry_after=wait)
        try:
            return await getattr(exchange, method)(*arguments)
        except Exception as error:  # noqa: BLE001 - ccxt raises anything from its own errors to TypeError on odd bodies
            failure = failure_of(error, departed=True)
        raise ladder.read_error(failure, venue=self.facts.venue, codes=self.facts.codes)

    def _base(self) -> Any:
        """Return the ccxt object that has the markets and that all others are copies of."""
        if self._template is None:
            import ccxt.async_support  # pyright: ignore[reportMissingTypeStubs] # here: 0.7 s that others save

            self._template = guarded((getattr(ccxt.async_support, self.facts.ccxt_id),))(self._config())
            self._settle(self._template)
            self._template.httpProxy = self._gate.way.url or None
        return self._template

    async def _load(self) -> None:
        await self.measure_clock()
        markets: Mapping[str, Any] = await self.shared_read(self._base(), "load_markets", True)
        wanted = [market for market in markets.values() if _belongs(market, kind=self.market)]
        if not wanted:
            # An answer that says nothing: with it nothing would be traded until the next reload.
            raise Unavailable(f"{self.facts.venue.value}: no markets in its answer", venue=self.facts.venue.value)
        quoted = [market for market in wanted if market.get("quote") == QUOTE]
        rules, spoiled = read_rows(quoted, self._rules_of)
        if spoiled:
            log.warning("markets.spoiled", venue=self.facts.venue.value, count=len(spoiled), first=spoiled[0][:200])
        self.rules = {one.symbol: one for one in rules}
        self.ids = {market["symbol"]: market["id"] for market in wanted}
        self.symbols = {market["id"]: market["symbol"] for market in wanted}
        self._loaded_at = time.monotonic()

    async def _reload(self) -> None:
        try:
            await self._load()
        except Unavailable as error:
            log.warning("markets.not_reloaded", venue=self.facts.venue.value, reason=error.message)

    def _config(self) -> dict[str, Any]:
        return {
            "session": self.session,
            "enableRateLimit": False,
            "timeout": settings().request_timeout_ms,
            "options": {
                **self.facts.market_options[self.market],
                "recvWindow": settings().order_receive_window_ms,
                "maxRetriesOnFailure": 0,
            },
        }

    def _settle(self, exchange: Any) -> None:
        exchange.clock_offset_ms = self.offset_ms
        exchange.error_codes = self.facts.codes
        exchange.ssl_context = self._tls
        exchange.enableLastHttpResponse = exchange.enableLastJsonResponse = exchange.enableLastResponseHeaders = False
        if base := modes.base_url(self.mode, venue=self.facts.venue):
            ours = base + self.facts.path_of_sandbox
            exchange.urls = {**exchange.urls, "api": rebased(exchange.urls["api"], base=ours)}
        elif self.mode == modes.TESTNET:
            exchange.enable_demo_trading(True)


def _belongs(market: Mapping[str, Any], *, kind: Market) -> bool:
    if kind is Market.SPOT:
        return bool(market.get("spot"))
    return bool(market.get("swap") and market.get("linear") and market.get("settle") == QUOTE)
