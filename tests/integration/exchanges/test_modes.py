"""Where clients of each venue and market go in live and testnet mode: seen by a proxy that lets nothing through."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import pytest

from copytrade.domain.instruments import Market, Venue
from copytrade.errors import Unavailable
from copytrade.exchanges import egress
from copytrade.exchanges.budget import Budget
from copytrade.exchanges.gate import Gate
from copytrade.exchanges.ground import Ground
from copytrade.exchanges.pool import Pool, client_of
from copytrade.exchanges.port import AccountRef, Credentials, ExchangeClient
from copytrade.exchanges.streaming import Frames
from copytrade.exchanges.venues import facts
from copytrade.exchanges.wire import Wire
from tests.integration.exchanges.conftest import Configured
from tests.integration.exchanges.proxying import Proxy, running_proxy

KEY = Credentials("k" * 20, "s" * 20, "p" * 8)
REST = {
    (Venue.BINANCE, Market.SPOT, "live"): "api.binance.com",
    (Venue.BINANCE, Market.PERPETUAL, "live"): "fapi.binance.com",
    (Venue.BINANCE, Market.SPOT, "testnet"): "demo-api.binance.com",
    (Venue.BINANCE, Market.PERPETUAL, "testnet"): "demo-fapi.binance.com",
    (Venue.BYBIT, Market.SPOT, "live"): "api.bybit.com",
    (Venue.BYBIT, Market.PERPETUAL, "live"): "api.bybit.com",
    (Venue.BYBIT, Market.SPOT, "testnet"): "api-demo.bybit.com",
    (Venue.BYBIT, Market.PERPETUAL, "testnet"): "api-demo.bybit.com",
    (Venue.BITGET, Market.SPOT, "live"): "api.bitget.com",
    (Venue.BITGET, Market.PERPETUAL, "live"): "api.bitget.com",
    (Venue.BITGET, Market.SPOT, "testnet"): "api.bitget.com",
    (Venue.BITGET, Market.PERPETUAL, "testnet"): "api.bitget.com",
}
STREAMS = {
    # the perpetuals of Binance ask for a listen key by REST first, so nothing is dialled here
    (Venue.BINANCE, Market.SPOT, "live"): "ws-api.binance.com",
    (Venue.BINANCE, Market.SPOT, "testnet"): "demo-ws-api.binance.com",
    (Venue.BYBIT, Market.SPOT, "live"): "stream.bybit.com",
    (Venue.BYBIT, Market.PERPETUAL, "live"): "stream.bybit.com",
    (Venue.BYBIT, Market.SPOT, "testnet"): "stream-demo.bybit.com",
    (Venue.BYBIT, Market.PERPETUAL, "testnet"): "stream-demo.bybit.com",
    (Venue.BITGET, Market.SPOT, "live"): "ws.bitget.com",
    (Venue.BITGET, Market.PERPETUAL, "live"): "ws.bitget.com",
    (Venue.BITGET, Market.SPOT, "testnet"): "wspap.bitget.com",
    (Venue.BITGET, Market.PERPETUAL, "testnet"): "wspap.bitget.com",
}
MODES = json.dumps(["live", "testnet", "sandbox"])


@asynccontextmanager
async def unconnected(
    venue: Venue, market: Market, mode: str, *, proxy: Proxy, configured: Configured
) -> AsyncGenerator[tuple[ExchangeClient, Ground]]:
    """Give a client whose every request ends at the proxy, and its ground, whose markets nobody could load."""
    configured(egress_proxies=json.dumps([proxy.url]), exchange_modes=MODES)
    way = egress.first_way(mode=mode)
    budget, tls = Budget(""), ssl.create_default_context()
    gate = Gate(facts=facts(venue), mode=mode, way=way, budget=budget)
    build, rules_of = client_of(venue, market)
    async with aiohttp.ClientSession() as session:
        ground = Ground(venue=venue, market=market, mode=mode, session=session, tls=tls, rules_of=rules_of, gate=gate)
        ref = AccountRef(uuid4(), venue, market, mode, way.name)
        yield build(ref=ref, wire=Wire(ground=ground, gate=gate, credentials=KEY, account="test")), ground


@pytest.mark.parametrize(("venue", "market", "mode"), sorted(REST))
def test_requests_go_where_the_mode_says(venue: Venue, market: Market, mode: str, configured: Configured) -> None:
    async def main() -> set[str]:
        async with (
            running_proxy(lets_through=False) as proxy,
            unconnected(venue, market, mode, proxy=proxy, configured=configured) as (client, _),
        ):
            for call in (client.server_time, client.balances, client.permissions):
                with pytest.raises(Unavailable):
                    await call()
            return {line.split()[1].partition(":")[0] for line in proxy.seen}

    hosts = asyncio.run(main())
    rights = {"api.binance.com"} if (venue, mode) == (Venue.BINANCE, "live") else set[str]()
    assert hosts == {REST[venue, market, mode]} | rights


@pytest.mark.parametrize(("venue", "market", "mode"), sorted(STREAMS))
def test_streams_go_where_the_mode_says(venue: Venue, market: Market, mode: str, configured: Configured) -> None:
    async def main() -> str:
        async with (
            running_proxy(lets_through=False) as proxy,
            unconnected(venue, market, mode, proxy=proxy, configured=configured) as (client, _),
            client.stream(),
        ):
            async with asyncio.timeout(10):
                await proxy.asked.wait()
            return proxy.seen[0]

    assert asyncio.run(main()).startswith(f"CONNECT {STREAMS[venue, market, mode]}:")


def test_demo_requests_of_bitget_say_so(configured: Configured) -> None:
    async def main(mode: str) -> dict[str, str]:
        async with (
            running_proxy(lets_through=False) as proxy,
            unconnected(Venue.BITGET, Market.SPOT, mode, proxy=proxy, configured=configured) as (_, ground),
        ):
            exchange = ground.rest(KEY, way=egress.first_way(mode=mode))
            return exchange.sign("v2/spot/account/assets", ["private", "spot"], "GET", {})["headers"]

    assert asyncio.run(main("testnet"))["PAPTRADING"] == "1"
    assert "PAPTRADING" not in asyncio.run(main("live"))


def test_perpetuals_of_binance_dial_their_own_hosts(configured: Configured) -> None:
    async def main(mode: str) -> str:
        async with (
            running_proxy(lets_through=False) as proxy,
            unconnected(Venue.BINANCE, Market.PERPETUAL, mode, proxy=proxy, configured=configured) as (_, ground),
        ):
            exchange = ground.streaming(Frames, KEY, way=egress.first_way(mode=mode))
            return exchange.get_private_ws_url("linear", "key")

    assert asyncio.run(main("live")).startswith("wss://fstream.binance.com/")
    assert asyncio.run(main("testnet")).startswith("wss://fstream.binancefuture.com/")


def test_a_mode_that_settings_do_not_allow_is_not_served(configured: Configured) -> None:
    async def main() -> None:
        pool = Pool(lambda account_id: KEY, redis_url="")
        try:
            with pytest.raises(Unavailable, match="not served"):
                await pool.get(AccountRef(uuid4(), Venue.BYBIT, Market.SPOT, "live"))
        finally:
            await pool.close()

    asyncio.run(main())
