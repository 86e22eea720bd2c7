"""What unmodified ccxt is able to do on the sandbox: the acceptance list of the wire page, perpetuals."""

import asyncio
from typing import Any

import ccxt
import pytest

from tests.contract.sandbox.clients import BTC, client
from tests.contract.sandbox.served import SandboxServer


def test_markets_load_with_default_options_and_keys(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice) as exchange:
            markets = await exchange.load_markets()
            market = markets[BTC]
            assert len(markets) >= 6
            assert market["linear"]
            assert market["precision"]["price"] == 0.1
            assert market["precision"]["amount"] == 0.001
            assert market["limits"]["cost"]["min"] == 5
            asked = server.control.requests()
            for path in ("/api/v3", "/fapi/v1", "/dapi/v1"):
                assert asked[f"GET {path}/exchangeInfo"] >= 1
            assert asked["GET /sapi/v1/capital/config/getall"] >= 1

    asyncio.run(run())


def test_time_balance_and_key_rights(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice) as exchange:
            assert abs(await exchange.load_time_difference()) < 1000
            balance = await exchange.fetch_balance({"type": "swap"})
            assert balance["USDT"] == {"free": 100_000.0, "used": 0.0, "total": 100_000.0}
            assert (await exchange.fetch_balance({"type": "spot"}))["USDT"]["total"] == 0
            rights = await exchange.sapi_get_account_apirestrictions()
            assert rights["enableFutures"] is True
            assert rights["enableWithdrawals"] is False
            assert rights["ipRestrict"] is False

    asyncio.run(run())


def test_a_market_order_fills_against_depth(server: SandboxServer, alice: dict[str, Any]) -> None:
    server.control.set_price("BTCUSDT", 60_000)

    async def run() -> None:
        async with client(server.url, alice) as exchange:
            order = await exchange.create_order(BTC, "market", "buy", 3, None, {"clientOrderId": "cp-1"})
            assert (order["status"], order["filled"], order["clientOrderId"]) == ("closed", 3.0, "cp-1")
            assert 60_000 < order["average"] < 60_060
            fills = await exchange.fetch_my_trades(BTC)
            assert len(fills) >= 2
            assert sum(fill["amount"] for fill in fills) == pytest.approx(3)
            assert all(fill["order"] == order["id"] for fill in fills)
            position = (await exchange.fetch_positions([BTC]))[0]
            assert (position["side"], position["contracts"]) == ("long", 3.0)
            found = await exchange.fetch_order(None, BTC, {"origClientOrderId": "cp-1"})
            assert found["id"] == order["id"]
            with pytest.raises(ccxt.OrderNotFound):
                await exchange.fetch_order(None, BTC, {"origClientOrderId": "cp-2"})

    asyncio.run(run())


def test_a_limit_order_rests_is_found_and_cancelled_once(server: SandboxServer, alice: dict[str, Any]) -> None:
    server.control.set_price("BTCUSDT", 60_000)

    async def run() -> None:
        async with client(server.url, alice) as exchange:
            order = await exchange.create_order(BTC, "limit", "buy", 0.01, 58_000)
            assert [row["id"] for row in await exchange.fetch_open_orders(BTC)] == [order["id"]]
            assert (await exchange.cancel_order(order["id"], BTC))["status"] == "canceled"
            assert await exchange.fetch_open_orders(BTC) == []
            with pytest.raises(ccxt.OrderNotFound):
                await exchange.cancel_order(order["id"], BTC)
            assert [row["status"] for row in await exchange.fetch_orders(BTC)] == ["canceled"]

    asyncio.run(run())


def test_leverage_and_margin_mode(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice) as exchange:
            assert (await exchange.set_leverage(10, BTC))["leverage"] == 10
            assert (await exchange.set_leverage(10, BTC))["leverage"] == 10
            assert (await exchange.fetch_leverage(BTC))["longLeverage"] == 10
            with pytest.raises(ccxt.MarginModeAlreadySet):
                await exchange.set_margin_mode("cross", BTC)
            await exchange.set_margin_mode("isolated", BTC)
            assert (await exchange.fetch_margin_mode(BTC))["marginMode"] == "isolated"
            await exchange.set_margin_mode("cross", BTC)

    asyncio.run(run())


def test_hedge_mode_opens_and_closes_both_sides(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice) as exchange:
            await exchange.load_markets()
            with pytest.raises(ccxt.ExchangeError, match="-4059"):
                await exchange.set_position_mode(False, BTC)
            await exchange.set_position_mode(True, BTC)
            assert (await exchange.fetch_position_mode(BTC))["hedged"] is True
            for side in ("buy", "sell"):
                await exchange.create_order(BTC, "market", side, 0.02, None, {"hedged": True})
            sides = {row["side"]: row["contracts"] for row in await exchange.fetch_positions([BTC])}
            assert sides == {"long": 0.02, "short": 0.02}
            await exchange.create_order(BTC, "market", "sell", 0.02, None, {"hedged": True, "reduceOnly": True})
            assert [row["side"] for row in await exchange.fetch_positions([BTC])] == ["short"]
            with pytest.raises(ccxt.ExchangeError, match="-4061"):
                await exchange.create_order(BTC, "market", "buy", 0.02)
            with pytest.raises(ccxt.ExchangeError, match="-1106"):
                await exchange.create_order(BTC, "market", "buy", 0.02, None, {"hedged": True, "reduceOnly": False})

    asyncio.run(run())


def test_history_reads_candles_funding_ledger(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice) as exchange:
            await exchange.create_order(BTC, "market", "buy", 0.5)
            server.control.advance(9 * 3600)
            await exchange.create_order(BTC, "market", "sell", 0.5, None, {"reduceOnly": True})
            funding = await exchange.fetch_funding_history(BTC)
            assert 1 <= len(funding) <= 2
            kinds = {row["info"]["incomeType"] for row in await exchange.fetch_ledger("USDT", params={"type": "swap"})}
            assert kinds == {"TRANSFER", "COMMISSION", "REALIZED_PNL", "FUNDING_FEE"}
            candles = await exchange.fetch_ohlcv(BTC, "1h", limit=6)
            assert len(candles) == 6
            assert all(low <= min(first, last) <= max(first, last) <= high for _, first, high, low, last, _ in candles)
            assert [row[1] for row in candles[1:]] == [row[4] for row in candles[:-1]]
            assert (await exchange.fetch_ticker(BTC))["last"] == pytest.approx(candles[-1][4], rel=0.01)
            book = await exchange.fetch_order_book(BTC, limit=20)
            assert book["bids"][0][0] < book["asks"][0][0]
            assert (await exchange.fetch_mark_price(BTC))["markPrice"] > 0
            assert len(await exchange.fetch_funding_rate_history(BTC, limit=2)) == 2

    asyncio.run(run())


def test_a_wrong_clock_is_refused_and_recovers(server: SandboxServer, alice: dict[str, Any]) -> None:
    server.control.skew(-5_000)

    async def run() -> None:
        async with client(server.url, alice) as exchange:
            with pytest.raises(ccxt.InvalidNonce):
                await exchange.fetch_balance({"type": "swap"})
            await exchange.load_time_difference()
            assert (await exchange.fetch_balance({"type": "swap"}))["USDT"]["total"] == 100_000

    asyncio.run(run())
