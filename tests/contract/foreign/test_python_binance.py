"""python-binance, unmodified but for its addresses, against the sandbox: a second reading of Binance's documents."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Generator
from decimal import Decimal
from typing import Any

import pytest

from copytrade.sandbox.client import Control
from tests.conftest import Sandbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of websockets' older interface, which the client imports
    from binance import AsyncClient, BinanceSocketManager, Client
    from binance.exceptions import BinanceAPIException
    from binance.ws.reconnecting_websocket import ReconnectingWebsocket

BTC = "BTCUSDT"


class Addresses:
    """Where the client finds the venue: one base, told apart by path."""

    def __init_subclass__(cls, *, base: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        sockets = base.replace("http", "ws", 1)
        cls.API_URL = f"{base}/api"
        cls.MARGIN_API_URL = f"{base}/sapi"
        cls.FUTURES_URL = f"{base}/fapi"
        cls.WS_API_URL = f"{sockets}/ws-api/v3"
        cls.STREAM_URL = cls.FSTREAM_URL = f"{sockets}/"


@pytest.fixture
def base(sandbox: Sandbox) -> str:
    return f"{sandbox.url}/binance"


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    sandbox.control.limits(venue="binance")
    sandbox.control.set_price(BTC, 60000)
    return sandbox.control


@pytest.fixture
def account(control: Control) -> dict[str, Any]:
    return control.create_account("alice", deposit=100_000, coins={"USDT": 100_000, "BTC": 2})


@pytest.fixture
def loop() -> Generator[None]:
    """The event loop that the client makes itself where there is none, and never closes."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield
    asyncio.set_event_loop(None)
    made.close()


@pytest.fixture
def client(base: str, account: dict[str, Any], loop: None) -> Generator[Any]:
    class Here(Addresses, Client, base=base):
        pass

    made = Here(account["api_key"], account["api_secret"])
    yield made
    made.close_connection()


def in_loop(base: str, account: dict[str, Any], use: Callable[[Any, Any], Coroutine[Any, Any, None]]) -> None:
    """Run `use` with an asynchronous client and its socket manager."""

    class Here(Addresses, AsyncClient, base=base):
        pass

    class Sockets(Addresses, BinanceSocketManager, base=base):
        pass

    async def main() -> None:
        client = await Here.create(account["api_key"], account["api_secret"])
        try:
            await use(client, Sockets(client))
        finally:
            await client.close_connection()

    asyncio.run(main())


async def heard(receive: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            message = await receive()
            if wanted(message):
                return message


def test_spot_orders_are_placed_found_and_cancelled(client: Any, control: Control, account: dict[str, Any]) -> None:
    bought = client.order_market_buy(symbol=BTC, quantity="0.1", newClientOrderId="mine-1")
    assert (bought["status"], Decimal(bought["executedQty"])) == ("FILLED", Decimal("0.1"))
    assert sum(Decimal(one["qty"]) for one in bought["fills"]) == Decimal("0.1")
    spent = client.order_market_buy(symbol=BTC, quoteOrderQty="600")
    assert abs(Decimal(spent["cummulativeQuoteQty"]) - 600) < 1
    resting = client.order_limit_sell(symbol=BTC, quantity="0.2", price="63000.00")
    assert [one["orderId"] for one in client.get_open_orders(symbol=BTC)] == [resting["orderId"]]
    assert client.get_order(symbol=BTC, origClientOrderId="mine-1")["orderId"] == bought["orderId"]
    cancelled = client.cancel_order(symbol=BTC, orderId=resting["orderId"])
    assert (cancelled["status"], cancelled["origClientOrderId"]) == ("CANCELED", resting["clientOrderId"])
    assert [one["status"] for one in client.get_all_orders(symbol=BTC)] == ["FILLED", "FILLED", "CANCELED"]
    held = Decimal(control.coins(account["account_id"])["BTC"])
    balance = client.get_asset_balance(asset="BTC")
    assert Decimal(balance["free"]) + Decimal(balance["locked"]) == held


def test_spot_trades_prices_and_rules_are_read(client: Any, control: Control, account: dict[str, Any]) -> None:
    order = client.order_market_sell(symbol=BTC, quantity="0.5")
    trades = client.get_my_trades(symbol=BTC)
    mine = {row["orderId"] for row in trades}
    assert mine == {order["orderId"]}
    assert [row["id"] for row in trades] == [row["id"] for row in control.fills(account["account_id"])]
    assert not any(row["isBuyer"] for row in trades)
    assert client.get_my_trades(symbol=BTC, fromId=trades[-1]["id"] + 1) == []
    assert len(client.get_exchange_info()["symbols"]) == 30
    filters = {one["filterType"] for one in client.get_symbol_info(BTC)["filters"]}
    assert {"PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL"} <= filters
    assert abs(Decimal(client.get_symbol_ticker(symbol=BTC)["price"]) - 60000) < 100
    book = client.get_order_book(symbol=BTC)
    assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0])
    assert len(client.get_klines(symbol=BTC, interval="1h", limit=5)) == 5
    assert client.get_account_api_permissions()["enableSpotAndMarginTrading"] is True


def test_spot_refusals_carry_the_venues_codes(client: Any) -> None:
    refused = (
        ({"symbol": BTC, "quantity": "3"}, -2010),
        ({"symbol": BTC, "quantity": "0.00000001"}, -1013),
        ({"symbol": "NOTHING", "quantity": "1"}, -1121),
    )
    for order, code in refused:
        with pytest.raises(BinanceAPIException) as raised:
            client.order_market_sell(**order)
        assert raised.value.code == code
    with pytest.raises(BinanceAPIException) as raised:
        client.get_order(symbol=BTC, origClientOrderId="nothing")
    assert raised.value.code == -2013


def test_futures_orders_positions_and_balances(client: Any, control: Control, account: dict[str, Any]) -> None:
    assert client.futures_change_leverage(symbol=BTC, leverage=7)["leverage"] == 7
    bought = client.futures_create_order(
        symbol=BTC, side="BUY", type="MARKET", quantity="0.5", newClientOrderId="mine-2", newOrderRespType="RESULT"
    )
    assert (bought["status"], Decimal(bought["executedQty"])) == ("FILLED", Decimal("0.5"))
    (position,) = [row for row in client.futures_position_information(symbol=BTC) if Decimal(row["positionAmt"])]
    assert Decimal(position["positionAmt"]) == control.position(account["account_id"], BTC) == Decimal("0.5")
    assert client.futures_get_order(symbol=BTC, origClientOrderId="mine-2")["orderId"] == bought["orderId"]
    trades = client.futures_account_trades(symbol=BTC)
    assert {row["orderId"] for row in trades} == {bought["orderId"]}
    fees = [row for row in client.futures_income_history(symbol=BTC) if row["incomeType"] == "COMMISSION"]
    assert -sum(Decimal(row["income"]) for row in fees) == sum(Decimal(row["commission"]) for row in trades)
    (usdt,) = [row for row in client.futures_account_balance() if row["asset"] == "USDT"]
    assert Decimal(usdt["balance"]) == 100_000 - sum(Decimal(row["commission"]) for row in trades)
    assert Decimal(client.futures_account()["totalWalletBalance"]) == Decimal(usdt["balance"])
    resting = client.futures_create_order(
        symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.1", price="59000"
    )
    assert client.futures_cancel_order(symbol=BTC, orderId=resting["orderId"])["status"] == "CANCELED"
    closed = client.futures_create_order(symbol=BTC, side="SELL", type="MARKET", quantity="0.5", reduceOnly="true")
    assert control.position(account["account_id"], BTC) == 0
    assert closed["orderId"] > bought["orderId"]


def test_futures_hedge_mode_and_refusals(client: Any) -> None:
    client.futures_change_position_mode(dualSidePosition="true")
    assert client.futures_get_position_mode()["dualSidePosition"] is True
    for side, position in (("BUY", "LONG"), ("SELL", "SHORT")):
        client.futures_create_order(symbol=BTC, side=side, type="MARKET", quantity="0.1", positionSide=position)
    held = {row["positionSide"]: Decimal(row["positionAmt"]) for row in client.futures_position_information(symbol=BTC)}
    assert {side: amount for side, amount in held.items() if amount} == {
        "LONG": Decimal("0.1"),
        "SHORT": Decimal("-0.1"),
    }
    for order, code in (
        ({"side": "BUY", "quantity": "0.1"}, -4061),
        ({"side": "BUY", "quantity": "100", "positionSide": "LONG"}, -2019),
    ):
        with pytest.raises(BinanceAPIException) as raised:
            client.futures_create_order(symbol=BTC, type="MARKET", **order)
        assert raised.value.code == code


def test_a_wrong_secret_is_refused(base: str, account: dict[str, Any], loop: None) -> None:
    class Here(Addresses, Client, base=base):
        pass

    forged = Here(account["api_key"], "forged")
    for read in (forged.get_account, forged.futures_account):
        with pytest.raises(BinanceAPIException) as raised:
            read()
        assert raised.value.code == -1022
    forged.close_connection()


def test_the_spot_user_stream_tells_fills_and_balances(
    base: str, account: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReconnectingWebsocket, "TIMEOUT", 2)  # so long it waits for a last message when it is closed

    async def use(client: Any, sockets: Any) -> None:
        async with sockets.user_socket() as stream:
            order = await client.order_market_buy(symbol=BTC, quantity="0.1", newClientOrderId="mine-3")
            told = await heard(stream.recv, lambda one: one.get("e") == "executionReport" and one["x"] == "TRADE")
            assert (told["c"], told["i"], told["t"]) == ("mine-3", order["orderId"], order["fills"][0]["tradeId"])
            assert (told["N"], Decimal(told["n"])) == ("BTC", Decimal(order["fills"][0]["commission"]))
            balances = await heard(stream.recv, lambda one: one.get("e") == "outboundAccountPosition")
            assert {"BTC", "USDT"} <= {row["a"] for row in balances["B"]}

    in_loop(base, account, use)


def test_the_futures_user_stream_tells_fills_and_positions(base: str, account: dict[str, Any]) -> None:
    async def use(client: Any, sockets: Any) -> None:
        async with sockets.futures_user_socket() as stream:
            order = await client.futures_create_order(symbol=BTC, side="SELL", type="MARKET", quantity="0.2")
            seen: list[dict[str, Any]] = []

            async def both() -> dict[str, Any]:
                seen.append(await stream.recv())
                return seen[-1]

            await heard(both, lambda _: {one.get("e") for one in seen} >= {"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"})
            (position,) = next(one for one in seen if one["e"] == "ACCOUNT_UPDATE")["a"]["P"]
            assert (position["s"], Decimal(position["pa"])) == (BTC, Decimal("-0.2"))
            told = next(one for one in seen if one["e"] == "ORDER_TRADE_UPDATE")["o"]
            assert told["i"] == order["orderId"]

    in_loop(base, account, use)
