"""User-data streams through ccxt.pro and through a bare websocket, and what may go wrong with them."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt.pro
import pytest

from tests.contract.sandbox.clients import BTC, client
from tests.contract.sandbox.served import Raw, SandboxServer
from tests.contract.sandbox.test_faults import ONLY_LINEAR
from tests.waiting import wait_until


@asynccontextmanager
async def listening(server: SandboxServer, raw: Raw) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
    key = raw.send("POST", "/fapi/v1/listenKey").body["listenKey"]
    url = f"{server.url}/binance/private/ws?listenKey={key}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield socket


async def heard(exchange: Any) -> None:
    """Wait until the client listens on its private stream."""
    while True:
        for socket in exchange.clients.values():
            if "listenKey" in socket.url and socket.connected.done() and socket.futures:
                return
        await asyncio.sleep(0.01)


async def until(socket: aiohttp.ClientWebSocketResponse, event: str, count: int = 1) -> list[dict[str, Any]]:
    """Return the messages up to the `count`th of this event."""
    messages: list[dict[str, Any]] = []
    while sum(row["e"] == event for row in messages) < count:
        messages.append(await socket.receive_json(timeout=5))
    return messages


def test_pro_watches_trades_orders_balance_positions(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice, options={**ONLY_LINEAR, "defaultType": "swap"}) as exchange:
            await exchange.load_markets()
            watches = [
                asyncio.create_task(exchange.watch_my_trades(BTC)),
                asyncio.create_task(exchange.watch_orders(BTC)),
                asyncio.create_task(exchange.watch_balance()),
                asyncio.create_task(exchange.watch_positions([BTC])),
            ]
            await heard(exchange)
            placed = await exchange.create_order(BTC, "market", "buy", 0.1)
            trades, orders, balance, positions = await asyncio.wait_for(asyncio.gather(*watches), 10)
            assert trades[0]["order"] == placed["id"] == orders[0]["id"]
            fill = server.control.fills(alice["account_id"])[0]
            assert trades[0]["id"] == str(fill["id"]), "the same id as REST tells"
            assert trades[0]["fee"]["cost"] == pytest.approx(float(fill["commission"]))
            assert balance["USDT"]["total"] == pytest.approx(100_000 - float(fill["commission"]))
            assert positions[0]["contracts"] == 0.1

    asyncio.run(run())


def test_a_burst_of_twenty_fills_is_delivered_whole(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice, options={**ONLY_LINEAR, "defaultType": "swap"}) as exchange:
            await exchange.load_markets()
            watch = asyncio.create_task(exchange.watch_my_trades(BTC))
            await heard(exchange)
            for _ in range(20):
                await asyncio.to_thread(server.control.place, alice["account_id"], "BTCUSDT", "BUY", "0.01")
            await asyncio.wait_for(watch, 5)
            # what comes between two calls is kept in ccxt's list; the next call would wait for one more
            await asyncio.to_thread(wait_until, lambda: len({row["id"] for row in exchange.myTrades}) == 20)
            assert sum(row["amount"] for row in exchange.myTrades) == pytest.approx(0.2)

    asyncio.run(run())


def test_an_abort_is_noticed_and_the_gap_is_found_by_rest(server: SandboxServer, alice: dict[str, Any]) -> None:
    async def run() -> None:
        async with client(server.url, alice, options={**ONLY_LINEAR, "defaultType": "swap"}) as exchange:
            await exchange.load_markets()
            watch = asyncio.create_task(exchange.watch_my_trades(BTC))
            await heard(exchange)
            assert server.control.cut_streams(alice["account_id"]) == 1
            with pytest.raises(ccxt.NetworkError):
                await asyncio.wait_for(watch, 5)
            missed = server.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01")
            again = asyncio.create_task(exchange.watch_my_trades(BTC))
            await heard(exchange)
            later = server.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.02")
            rows = await asyncio.wait_for(again, 5)
            assert [row["order"] for row in rows] == [str(later["orderId"])]
            assert [row["order"] for row in await exchange.fetch_my_trades(BTC)] == [
                str(missed["orderId"]),
                str(later["orderId"]),
            ]

    asyncio.run(run())


def test_messages_come_in_order_with_the_position_after_each_fill(
    server: SandboxServer, alice: dict[str, Any], raw: Raw
) -> None:
    async def run() -> None:
        async with listening(server, raw) as socket:
            server.control.place(alice["account_id"], "BTCUSDT", "BUY", "4", client_id="mine")
            messages = await until(socket, "ORDER_TRADE_UPDATE", 3)
            while messages[-1].get("o", {}).get("X") != "FILLED":
                messages += await until(socket, "ORDER_TRADE_UPDATE")
            updates = [row["o"] for row in messages if row["e"] == "ORDER_TRADE_UPDATE"]
            assert [row["x"] for row in updates] == ["NEW"] + ["TRADE"] * (len(updates) - 1)
            assert all(row["c"] == "mine" for row in updates)
            held = Decimal(0)
            for before, row in itertools.pairwise(messages):
                if row["e"] == "ORDER_TRADE_UPDATE" and row["o"]["x"] == "TRADE":
                    held += Decimal(row["o"]["l"])
                    assert before["e"] == "ACCOUNT_UPDATE"
                    assert Decimal(before["a"]["P"][0]["pa"]) == held
            assert held == 4

    asyncio.run(run())


def test_leverage_transfer_and_liquidation_are_told(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    async def run() -> None:
        async with listening(server, raw) as socket:
            server.control.set_modes(alice["account_id"], leverage={"BTCUSDT": 7})
            assert (await until(socket, "ACCOUNT_CONFIG_UPDATE"))[-1]["ac"] == {"s": "BTCUSDT", "l": 7}
            server.control.transfer(alice["account_id"], 5)
            told = (await until(socket, "ACCOUNT_UPDATE"))[-1]["a"]
            assert (told["m"], Decimal(told["B"][0]["bc"])) == ("DEPOSIT", 5)
            server.control.place(alice["account_id"], "BTCUSDT", "SELL", "0.1")
            assert server.control.liquidate(alice["account_id"], "BTCUSDT") == 1
            messages: list[dict[str, Any]] = []
            while not messages or messages[-1].get("o", {}).get("x") != "CALCULATED":
                messages += await until(socket, "ORDER_TRADE_UPDATE")
            last = messages[-1]["o"]
            assert last["c"].startswith("autoclose-")
            assert (last["S"], last["X"], last["o"], last["f"]) == ("BUY", "FILLED", "LIMIT", "IOC")
            trade = raw.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT").body[-1]
            assert trade["id"] == last["t"], "REST tells of it too"

    asyncio.run(run())


def test_lost_doubled_and_late_messages(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    account = alice["account_id"]

    async def fills(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[int]:
        found: list[int] = []
        while len(found) < count:
            message = await socket.receive_json(timeout=5)
            if message["e"] == "ORDER_TRADE_UPDATE" and message["o"]["x"] == "TRADE":
                found.append(message["o"]["t"])
        return found

    async def run() -> None:
        async with listening(server, raw) as socket:
            server.control.stream_fault("lose", account=account, count=3)
            server.control.place(account, "BTCUSDT", "BUY", "0.01")
            heard = server.control.place(account, "BTCUSDT", "BUY", "0.01")
            assert (await until(socket, "ORDER_TRADE_UPDATE"))[-1]["o"]["i"] == heard["orderId"]
            await fills(socket, 1)
            server.control.stream_fault("double", account=account, event="ORDER_TRADE_UPDATE", count=2)
            server.control.place(account, "BTCUSDT", "BUY", "0.01")
            first, second = await fills(socket, 2)
            assert first == second
            server.control.stream_fault("delay", account=account, event="ORDER_TRADE_UPDATE", count=2, delay_ms=300)
            server.control.place(account, "BTCUSDT", "BUY", "0.01")
            server.control.place(account, "BTCUSDT", "BUY", "0.01")
            early, late = await fills(socket, 2)
            assert early > late, "the later one overtook"

    asyncio.run(run())


def test_an_expired_listen_key_goes_silent(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    async def run() -> None:
        async with listening(server, raw) as socket:
            server.control.expire_listen_key(alice["account_id"])
            assert (await until(socket, "listenKeyExpired"))[-1]["e"] == "listenKeyExpired"
            server.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01")
            assert raw.send("PUT", "/fapi/v1/listenKey").code == -1125
            with pytest.raises(TimeoutError):
                await socket.receive_json(timeout=0.3)
            assert raw.send("POST", "/fapi/v1/listenKey").status == 200

    asyncio.run(run())


def test_listen_keys_are_kept_made_and_dropped_any_number_of_times(raw: Raw) -> None:
    key = raw.send("POST", "/fapi/v1/listenKey").body["listenKey"]
    assert raw.send("POST", "/fapi/v1/listenKey").body["listenKey"] == key
    assert [raw.send("PUT", "/fapi/v1/listenKey").status for _ in range(2)] == [200, 200]
    assert [raw.send("DELETE", "/fapi/v1/listenKey").status for _ in range(2)] == [200, 200]
    assert raw.send("PUT", "/fapi/v1/listenKey").code == -1125


def test_silenced_streams_stay_open(server: SandboxServer, alice: dict[str, Any], raw: Raw) -> None:
    async def run() -> None:
        async with listening(server, raw) as socket:
            server.control.silence_streams(alice["account_id"])
            server.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01")
            with pytest.raises(TimeoutError):
                await socket.receive_json(timeout=0.3)

    asyncio.run(run())
    server.control.silence_streams(alice["account_id"], silent=False)


def test_market_streams_through_pro(server: SandboxServer) -> None:
    server.control.set_price("BTCUSDT", 60_000)

    async def run() -> None:
        async with client(server.url, options={**ONLY_LINEAR, "defaultType": "swap"}) as exchange:
            await exchange.load_markets()
            quotes, mark, ticker, trades = await asyncio.wait_for(
                asyncio.gather(
                    exchange.watch_bids_asks([BTC]),
                    exchange.watch_mark_price(BTC),
                    exchange.watch_ticker(BTC),
                    exchange.watch_trades(BTC),
                ),
                10,
            )
            assert (quotes[BTC]["bid"], quotes[BTC]["ask"]) == (60_000, 60_000.1)
            assert mark["markPrice"] == ticker["last"] == trades[0]["price"] == 60_000

    asyncio.run(run())


def test_a_listen_key_may_be_subscribed_by_name_beside_markets(
    server: SandboxServer, alice: dict[str, Any], raw: Raw
) -> None:
    async def run() -> None:
        key = raw.send("POST", "/fapi/v1/listenKey").body["listenKey"]
        url = f"{server.url}/binance/market/stream"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            await socket.send_json({"method": "SUBSCRIBE", "params": [key, "btcusdt@markPrice"], "id": 1})
            assert await socket.receive_json(timeout=5) == {"result": None, "id": 1}
            server.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01")
            heard: dict[str, str] = {}
            while len(heard) < 2:
                row = await socket.receive_json(timeout=5)
                heard[row["stream"]] = row["data"]["e"]
            assert heard["btcusdt@markPrice"] == "markPriceUpdate"
            assert key in heard
            await socket.send_json({"method": "UNSUBSCRIBE", "params": [key], "id": 2})
            while "id" not in (row := await socket.receive_json(timeout=5)):
                assert row["stream"] in heard
            assert not server.control.streams()["users"].get(str(alice["account_id"]))

    asyncio.run(run())
