"""Warm clients of one event loop: one HTTP session and TLS context, markets shared, the least used client let go."""

import asyncio
import logging
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import aiohttp
import certifi

from copytrade.domain.instruments import Market, MarketRules, Venue
from copytrade.errors import Unavailable
from copytrade.exchanges import modes
from copytrade.exchanges.binance import shapes as binance_shapes
from copytrade.exchanges.binance import spot_shapes as binance_spot_shapes
from copytrade.exchanges.binance.perpetual import BinancePerpetual
from copytrade.exchanges.binance.spot import BinanceSpot
from copytrade.exchanges.bitget import shapes as bitget_shapes
from copytrade.exchanges.bitget import spot_shapes as bitget_spot_shapes
from copytrade.exchanges.bitget.perpetual import BitgetPerpetual
from copytrade.exchanges.bitget.spot import BitgetSpot
from copytrade.exchanges.budget import Budget
from copytrade.exchanges.bybit.client import BybitAccount
from copytrade.exchanges.bybit.shapes import market_rules as bybit_market_rules
from copytrade.exchanges.egress import Way, first_way, way_of
from copytrade.exchanges.gate import Alarm, Gate
from copytrade.exchanges.ground import Ground
from copytrade.exchanges.port import AccountRef, Credentials, ExchangeClient, SecretOpener
from copytrade.exchanges.venues import facts
from copytrade.exchanges.wire import Wire
from copytrade.settings import settings

_CLIENTS: Mapping[
    tuple[Venue, Market], tuple[Callable[..., ExchangeClient], Callable[[Mapping[str, Any]], MarketRules]]
] = {
    (Venue.BINANCE, Market.SPOT): (BinanceSpot, binance_spot_shapes.market_rules),
    (Venue.BINANCE, Market.PERPETUAL): (BinancePerpetual, binance_shapes.market_rules),
    (Venue.BYBIT, Market.SPOT): (BybitAccount, bybit_market_rules),
    (Venue.BYBIT, Market.PERPETUAL): (BybitAccount, bybit_market_rules),
    (Venue.BITGET, Market.SPOT): (BitgetSpot, bitget_spot_shapes.market_rules),
    (Venue.BITGET, Market.PERPETUAL): (BitgetPerpetual, bitget_shapes.market_rules),
}


def client_of(
    venue: Venue, market: Market
) -> tuple[Callable[..., ExchangeClient], Callable[[Mapping[str, Any]], MarketRules]]:
    """Return what builds the clients of a place, and what reads its market rules."""
    return _CLIENTS[venue, market]


class Pool:
    """The process's clients of one event loop; secrets live only in the clients."""

    def __init__(
        self,
        opener: SecretOpener,
        *,
        alarm: Alarm | None = None,
        redis_url: str | None = None,
        limits_factor: float = 1.0,
    ) -> None:
        self._opener = opener
        self._alarm = alarm
        self._limits_factor = limits_factor
        self._budget = Budget(settings().redis_url if redis_url is None else redis_url)
        self._gates: dict[tuple[Venue, str, str], Gate] = {}
        self._clients: OrderedDict[UUID, ExchangeClient] = OrderedDict()
        self._making: dict[UUID, asyncio.Task[ExchangeClient]] = {}
        self._grounds: dict[tuple[Venue, Market, str], Ground] = {}
        self._session: aiohttp.ClientSession | None = None
        self._tls: ssl.SSLContext | None = None

    async def get(self, ref: AccountRef) -> ExchangeClient:
        """Return the warm client of an account, made now where there is none; Unavailable when markets do not load."""
        client = self._clients.get(ref.id)
        if client is not None and client.ref == ref:
            self._clients.move_to_end(ref.id)
            return client
        making = self._making.get(ref.id)
        if making is None:
            making = self._making[ref.id] = asyncio.create_task(self._make(ref))
            making.add_done_callback(lambda _: self._making.pop(ref.id, None))
        return await asyncio.shield(making)

    async def trial(self, ref: AccountRef, credentials: Credentials) -> ExchangeClient:
        """Return a client of a key that is tried out and not kept; Unavailable when markets do not load."""
        ground = self._ground(ref)
        await ground.ready()
        return self._built(ref, ground, credentials)

    async def forget(self, account_id: UUID) -> None:
        """Let the client of an account go, and its secret with it."""
        self._clients.pop(account_id, None)

    async def close(self) -> None:
        """Let everything go."""
        for making in list(self._making.values()):
            making.cancel()
        self._clients.clear()
        for ground in self._grounds.values():
            await ground.close()
        self._grounds.clear()
        for gate in self._gates.values():
            await gate.close()
        self._gates.clear()
        await self._budget.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _make(self, ref: AccountRef) -> ExchangeClient:
        ground = self._ground(ref)
        await ground.ready()
        credentials = await asyncio.to_thread(self._opener, ref.id)
        client = self._clients[ref.id] = self._built(ref, ground, credentials)
        while len(self._clients) > settings().warm_clients:
            self._clients.popitem(last=False)
        return client

    def _built(self, ref: AccountRef, ground: Ground, credentials: Credentials) -> ExchangeClient:
        build, _ = client_of(ref.venue, ref.market)
        way = way_of(ref.egress, mode=ref.mode, otherwise=ref.id)
        gate = self._gate(ref.venue, ref.mode, way)
        return build(ref=ref, wire=Wire(ground=ground, gate=gate, credentials=credentials, account=str(ref.id)))

    def _gate(self, venue: Venue, mode: str, way: Way) -> Gate:
        key = (venue, mode, way.name)
        if key not in self._gates:
            self._gates[key] = Gate(
                facts=facts(venue),
                mode=mode,
                way=way,
                budget=self._budget,
                alarm=self._alarm,
                account_factor=self._limits_factor,
            )
        return self._gates[key]

    def _ground(self, ref: AccountRef) -> Ground:
        key = (ref.venue, ref.market, ref.mode)
        if not modes.is_served(ref.mode) or (ref.venue, ref.market) not in _CLIENTS:
            raise Unavailable(
                f"{ref.venue.value} {ref.market.value} in mode {ref.mode} is not served here", venue=ref.venue.value
            )
        if key not in self._grounds:
            self._grounds[key] = Ground(
                venue=ref.venue,
                market=ref.market,
                mode=ref.mode,
                session=self._opened_session(),
                tls=self._context(),
                rules_of=client_of(ref.venue, ref.market)[1],
                gate=self._gate(ref.venue, ref.mode, first_way(mode=ref.mode)),
            )
        return self._grounds[key]

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=certifi.where())
        return self._tls

    def _opened_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # ccxt writes requests with their signatures at DEBUG
            logging.getLogger("ccxt").setLevel(logging.WARNING)
            connector = aiohttp.TCPConnector(
                ssl=self._context(), limit=0, keepalive_timeout=60, ttl_dns_cache=300, enable_cleanup_closed=True
            )
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session
