"""The sandbox is killed and started again: whatever was answered is there, and it goes on."""

import json
import os
import signal
import threading
import time
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from copytrade.sandbox.exchange.engine import Exchange
from tests.contract.sandbox.served import Raw, SandboxServer
from tests.waiting import wait_until


@pytest.fixture
def own(tmp_path: Path) -> SandboxServer:
    return SandboxServer(tmp_path)


def test_no_answered_order_is_lost_by_a_kill(own: SandboxServer) -> None:
    own.start()
    own.control.limits(orders_per_10s=10**6, orders_per_minute=10**6)
    alice = own.control.create_account("alice", deposit=1_000_000)
    answered: list[tuple[int, str]] = []
    raw = Raw(own.url, alice)

    def trade() -> None:
        try:
            while True:
                side = "BUY" if len(answered) % 2 else "SELL"
                order = raw.order(side=side, quantity="0.013", newClientOrderId=f"cp-{len(answered)}").body
                answered.append((order["orderId"], order["executedQty"]))
        except httpx.TransportError:
            return

    trading = threading.Thread(target=trade)
    trading.start()
    wait_until(lambda: len(answered) > 60)
    own.end(signal.SIGKILL)
    trading.join(timeout=10)
    own.start()
    found = {row["orderId"]: row["executedQty"] for row in own.control.orders(alice["account_id"])}
    assert [found.get(number) for number, _ in answered] == [quantity for _, quantity in answered]
    assert len(found) <= len(answered) + 1, "at most the one that was on its way"
    fills = own.control.fills(alice["account_id"])
    account = own.control.account(alice["account_id"])
    held = sum(Decimal(row["qty"]) * (1 if row["side"] == "BUY" else -1) for row in fills)
    assert own.control.position(alice["account_id"], "BTCUSDT") == held
    assert Decimal(account["wallet"]) == sum(Decimal(row["income"]) for row in own.control.incomes(alice["account_id"]))
    again = raw.order(newClientOrderId="cp-after")
    assert again.body["orderId"] > max(found)
    raw.close()
    assert own.end() == 0


def test_everything_set_is_there_after_a_kill(own: SandboxServer) -> None:
    own.start()
    facts = {"leverage": {"BTCUSDT": 7}, "isolated": {"ETHUSDT": True}}
    alice = own.control.create_account("alice", deposit="1234.56789", addresses=["127.0.0.1"], **facts)
    bob = own.control.create_account("bob", deposit=10, hedge=True)
    own.control.revoke_key(bob["api_key"])
    own.control.set_price("BTCUSDT", 61_234)
    own.control.set_book("ETHUSDT", bids=[(2900, 1)], asks=[(3100, 2)])
    own.control.halt("SOLUSDT")
    own.control.limits(weight_per_minute=4321)
    resting = own.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01", price=60_000)
    moved = own.control.advance(86_400)
    raw = Raw(own.url, alice)
    key = raw.send("POST", "/fapi/v1/listenKey").body["listenKey"]
    before = [own.control.account(account) for account in (alice["account_id"], bob["account_id"])]
    own.end(signal.SIGKILL)

    own.start()
    after = [own.control.account(account) for account in (alice["account_id"], bob["account_id"])]
    assert after == before
    market = {row["symbol"]: row for row in own.control.market()}
    assert market["BTCUSDT"]["mark"] == "61234.0"
    assert (market["ETHUSDT"]["bid"], market["ETHUSDT"]["ask"]) == ("2900.00", "3100.00")
    assert market["SOLUSDT"]["halted"]
    assert own.control.time()["now"] >= moved["now"]
    assert raw.send("POST", "/fapi/v1/listenKey").body["listenKey"] == key
    assert raw.send("GET", "/fapi/v1/exchangeInfo").body["rateLimits"][0]["limit"] == 4321
    assert Raw.signed(raw, "GET", "/fapi/v1/openOrders").body[0]["orderId"] == resting["orderId"]
    own.control.set_price("BTCUSDT", 59_900)
    order = raw.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=resting["orderId"]).body
    assert order["status"] == "FILLED"
    raw.close()
    assert own.end() == 0


def test_accounts_of_all_places_are_there_after_a_kill(own: SandboxServer) -> None:
    own.start()
    own.control.set_price("BTCUSDT", 60_000)
    numbers: list[int] = []
    for venue in ("binance", "bybit", "bitget"):
        coins = {"USDT": 5_000, "LTC": 3}
        made = own.control.create_account(f"alice {venue}", venue=venue, deposit=5_000, coins=coins)
        numbers.append(made["account_id"])
        own.control.place(numbers[-1], "BTCUSDT", "BUY", "0.01")
        own.control.place(numbers[-1], "BTCUSDT", "BUY", market="spot", quote_quantity=500)
        own.control.place(numbers[-1], "LTCUSDT", "SELL", "1", market="spot", price=200)
    own.control.delist("SUIUSDT", market="spot")

    def truth() -> list[object]:
        controls = (own.control.account, own.control.coins, own.control.orders, own.control.fills, own.control.incomes)
        return [[read(number) for read in controls] for number in numbers]

    before = truth()
    own.end(signal.SIGKILL)
    own.start()
    assert truth() == before
    assert [row["symbol"] for row in own.control.market(market="spot") if row["delisted"]] == ["SUIUSDT"]
    own.control.set_price("LTCUSDT", 210, market="spot")
    wait_until(lambda: [len(own.control.fills(number)) for number in numbers] == [3, 3, 3], timeout=5)
    assert own.end() == 0


def test_a_torn_last_line_is_dropped(own: SandboxServer) -> None:
    own.start()
    alice = own.control.create_account("alice", deposit=100_000)
    own.control.place(alice["account_id"], "BTCUSDT", "BUY", "0.01")
    own.end(signal.SIGKILL)
    state = own.folder / "sandbox" / "exchange" / "state.jsonl"
    with state.open("ab") as torn:
        torn.write(b'[["o",99,1,0,"cp-tor')
    own.start()
    own.control.place(alice["account_id"], "BTCUSDT", "SELL", "0.01")
    own.end(signal.SIGKILL)
    own.start()
    assert [row["side"] for row in own.control.orders(alice["account_id"])] == ["BUY", "SELL"]
    assert own.end() == 0


def test_history_is_made_once_and_traders_go_on_live(tmp_path: Path) -> None:
    own = SandboxServer(tmp_path, SANDBOX_HISTORY_DAYS="20", DEMO_BOTS="1").start()
    traders = {row["name"]: row for row in own.control.traders()}
    assert len(traders) == 13
    assert len({(row["venue"], row["market"]) for row in traders.values()}) == 6
    kolibri = traders["kolibri"]
    raw = Raw(own.url, {"api_key": kolibri["read_api_key"], "api_secret": kolibri["read_api_secret"]})
    assert raw.order().code == -2015
    trades = raw.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", limit=1000).body
    assert trades, "what the past days made is read through the protocol"
    own.end(signal.SIGKILL)
    began = time.monotonic()
    own.start()
    assert time.monotonic() - began < 30
    again = raw.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", limit=1000).body
    assert again[: len(trades)] == trades
    before = sum(own.control.account(row["account_id"])["orders"] for row in traders.values())
    own.control.advance(3 * 3600, traders=True)
    after = sum(own.control.account(row["account_id"])["orders"] for row in traders.values())
    assert after > before
    live = own.control.account(kolibri["account_id"])["orders"]
    wait_until(lambda: own.control.account(kolibri["account_id"])["orders"] > live, timeout=110, every=0.5)
    raw.close()
    assert own.end() == 0


def test_traders_who_are_told_to_rest_do_not_trade(tmp_path: Path) -> None:
    own = SandboxServer(tmp_path, SANDBOX_HISTORY_DAYS="3", DEMO_BOTS="0").start()
    traders = own.control.traders()
    before = [own.control.account(row["account_id"])["orders"] for row in traders]
    price = own.control.market()[0]["mark"]
    wait_until(lambda: own.control.market()[0]["mark"] != price, timeout=10)
    assert [own.control.account(row["account_id"])["orders"] for row in traders] == before
    assert own.end() == 0


def test_production_refuses_the_sandbox(tmp_path: Path) -> None:
    import subprocess
    import sys

    result = subprocess.run(
        [sys.executable, "-m", "copytrade.sandbox.server"],
        env={**os.environ, "COPYTRADE_ENVIRONMENT": "production", "COPYTRADE_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode != 0
    assert "production" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_taken_port_gives_one_sentence(own: SandboxServer, tmp_path: Path) -> None:
    own.start()
    second = SandboxServer(tmp_path / "second", SANDBOX_PORT=str(own.port))
    second.folder.mkdir()
    assert second.run_to_its_end() != 0
    assert "The sandbox could not run" in second.log()
    assert "Traceback" not in second.log()
    assert own.end() == 0


def test_a_spoiled_state_is_told_and_left_as_it_is(own: SandboxServer) -> None:
    own.start()
    own.end()
    state = own.folder / "sandbox" / "exchange" / "state.jsonl"
    spoiled = state.read_bytes() + b'[["nonsense",1]]\n'
    state.write_bytes(spoiled)
    assert own.run_to_its_end() != 0
    assert "nonsense" in own.log()
    assert "Traceback" not in own.log()
    assert state.read_bytes() == spoiled


def test_a_state_of_before_there_was_spot_is_read(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["t", 1_700_000_000_000 // 86_400_000 * 86_400_000, 0, 1_700_086_400_000, 1_700_086_400_000],
        ["a", 1_000_001, "old", 5_000_000_000, False, 500, 200, 1_700_086_400_000, [[0, 5]], [1]],
        [
            *("o", 1_000_002, 1_000_001, 0, "cp", 1, "MARKET", "GTC", 0, 1, False, "BOTH", 1_700_086_400_000, 1, 60),
            *("FILLED", 1_700_086_400_000, 0),
        ],
        ["f", 1_000_003, 1_000_002, 1_000_001, 0, 1, 600_000, 1, 30, 0, False, "BOTH", 1_700_086_400_000],
        ["i", 1_000_004, 1_000_001, "COMMISSION", -30, 0, 1_700_086_400_000, 1_000_003],
        ["key", "k" * 64, "s" * 64, 1_000_001, True, True, False, False, False, False, [], 1, 0, False],
    ]
    (tmp_path / "state.jsonl").write_text(json.dumps(rows) + "\n")
    exchange = Exchange(seed=7, folder=tmp_path)
    account = exchange.accounts[1_000_001]
    assert (account.venue, account.unified, account.coins) == ("binance", False, {})
    assert (account.leverage, account.isolated, account.wallet) == ({0: 5}, {1}, 5_000_000_000)
    assert [(fill.fee, fill.fee_asset) for fill in account.fills] == [(30, "USDT")]
    assert [(entry.amount, entry.asset, entry.spot) for entry in account.incomes] == [(-30, "USDT", False)]
    assert exchange.keys["k" * 64].passphrase == ""
    assert account.orders[1_000_002].budget == 0
