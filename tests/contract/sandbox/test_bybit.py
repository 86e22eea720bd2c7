"""The sandbox's Bybit as its documents say: signatures, time, rights, limits, and lists with windows and cursors."""

from collections.abc import Callable, Generator
from decimal import Decimal
from typing import Any

import pytest

from copytrade.sandbox.bybit import sign
from tests.contract.sandbox.bybit_raw import Raw
from tests.contract.sandbox.served import SandboxServer

DAY_MS = 86_400_000
Open = Callable[..., Raw]


@pytest.fixture(autouse=True)
def _fresh(server: SandboxServer) -> None:
    server.control.limits(venue="bybit", requests_per_5s=100_000, orders_per_s=1000, reads_per_s=1000)
    server.control.set_price("BTCUSDT", 60_000)


@pytest.fixture
def account(server: SandboxServer) -> dict[str, Any]:
    return server.control.create_account("alice", venue="bybit", deposit=100_000, coins={"BTC": 2, "MNT": 50})


@pytest.fixture
def opener(server: SandboxServer) -> Generator[Open]:
    opened: list[Raw] = []

    def open_raw(account: dict[str, Any] | None = None, **facts: Any) -> Raw:
        found = account or server.control.create_account("bob", venue="bybit", **{"deposit": 100_000, **facts})
        opened.append(Raw(server.url, found))
        return opened[-1]

    yield open_raw
    for one in opened:
        one.close()


@pytest.fixture
def raw(opener: Open, account: dict[str, Any]) -> Raw:
    return opener(account)


@pytest.mark.parametrize(
    ("origin", "signature"),
    [
        (
            '1700000000000k-f15000{"category":"spot","symbol":"BTCUSDT"}',
            "db55ba698021782aa35948ff5019653dcca51c40b95523f88adcaac2bb706b46",
        ),
        (
            "1700000000000k-f15000category=linear&symbol=BTCUSDT",
            "51e66a92eb045225595f144ff9f7c6338f3fc80a800b4c5dad6ba39df0bfc1ec",
        ),
        ("GET/realtime1700000010000", "aa69703597f5433628e0c43ec7c8e18ed64fff92e332301a858d775c1969ab65"),
    ],
)
def test_signatures_of_real_clients_are_known(origin: str, signature: str) -> None:
    assert sign.matches(signature, secret="s-f1", origin=origin)
    assert not sign.matches(signature, secret="s-f2", origin=origin)


def test_what_is_not_signed_by_the_key_or_out_of_time_is_refused(raw: Raw, server: SandboxServer) -> None:
    now = int(raw.get("/v5/market/time").body["time"])
    ask = "/v5/user/query-api?"
    assert raw.send("GET", ask).code == 10001
    assert raw.send("GET", ask, headers=raw.signed("x=1")).code == 10004
    assert raw.send("GET", ask, headers=raw.signed("", at=now - 5100)).code == 10002
    assert raw.send("GET", ask, headers=raw.signed("", at=now + 2000)).code == 10002
    assert raw.send("GET", ask, headers=raw.signed("", at=now - 4000)).code == 0
    unknown = raw.signed("") | {"X-BAPI-API-KEY": "nobody's"}
    assert raw.send("GET", ask, headers=unknown).code == 10003
    assert raw.send("GET", "/v5/nothing?").status == 404
    binance = server.control.create_account("carol", deposit=1)
    elsewhere = Raw(server.url, binance)
    assert elsewhere.get("/v5/user/query-api").code == 10003
    elsewhere.close()


def test_keys_are_held_to_their_rights_addresses_and_time(opener: Open, server: SandboxServer) -> None:
    reader = opener(read_only=True)
    assert reader.get("/v5/account/wallet-balance", accountType="UNIFIED").code == 0
    assert reader.order().code == 10005
    rights = reader.get("/v5/user/query-api").result
    assert (rights["readOnly"], rights["permissions"]["Spot"]) == (1, ["SpotTrade"])
    assert opener(spot=False).order(category="spot", marketUnit="baseCoin").code == 10005
    assert opener(futures=False).order().code == 10005
    assert opener(addresses=["10.0.0.1"]).get("/v5/user/query-api").code == 10010
    assert opener(expires_in_s=-1).get("/v5/user/query-api").code == 33004
    mover = opener(withdrawals=True, internal_transfer=True).get("/v5/user/query-api").result
    assert mover["permissions"]["Wallet"] == ["Withdraw", "AccountTransfer"]
    revoked = opener()
    server.control.revoke_key(revoked.key)
    assert revoked.get("/v5/user/query-api").code == 10003


def test_a_classic_account_only_tells_what_it_is(opener: Open) -> None:
    classic = opener(unified=False)
    assert classic.get("/v5/user/query-api").result["uta"] == 0
    assert classic.get("/v5/account/info").result["unifiedMarginStatus"] == 1
    assert classic.get("/v5/account/wallet-balance", accountType="UNIFIED").code == 10028
    assert classic.order().code == 10028


def test_a_user_who_asks_too_often_is_told_until_when(raw: Raw, opener: Open, server: SandboxServer) -> None:
    server.control.limits(venue="bybit", reads_per_s=3)
    answers = [raw.get("/v5/account/info") for _ in range(4)]
    assert [one.code for one in answers] == [0, 0, 0, 10006]
    assert answers[0].headers["X-Bapi-Limit"] == "3"
    assert answers[2].headers["X-Bapi-Limit-Status"] == "0"
    now = int(answers[3].body["time"])
    assert 0 < int(answers[3].headers["X-Bapi-Limit-Reset-Timestamp"]) - now <= 1000
    assert raw.get("/v5/order/realtime", category="linear", symbol="BTCUSDT").code == 0  # each path on its own
    assert opener().get("/v5/account/info").code == 0  # each user on its own


def test_an_address_that_asks_too_often_is_shut_out(raw: Raw, server: SandboxServer) -> None:
    server.control.limits(venue="bybit", requests_per_5s=5)
    answers = [raw.send("GET", "/v5/market/time") for _ in range(7)]
    assert [one.status for one in answers] == [200] * 5 + [403] * 2
    assert answers[-1].body == "403, access too frequent"
    server.control.limits(venue="bybit")
    assert raw.send("GET", "/v5/market/time").status == 200


def test_a_number_that_is_no_text_is_refused(raw: Raw) -> None:
    assert raw.order(qty=0.01).code == 10001
    assert raw.order(qty="1e-2").code == 10001
    assert raw.order(category="option").code == 10001
    assert raw.order(orderLinkId="with blanks").code == 10001
    assert raw.order(triggerPrice="61000", triggerDirection=1).code == 10001  # never a plain order instead
    assert raw.send("POST", "/v5/order/create", content="{", headers=raw.signed("{")).code == 10001


def test_a_client_id_is_taken_for_ever_in_its_market_alone(raw: Raw) -> None:
    assert raw.order(orderLinkId="cp-1").code == 0
    assert raw.order(orderLinkId="cp-1", symbol="ETHUSDT").code == 110072
    spot = {"category": "spot", "marketUnit": "baseCoin", "orderLinkId": "cp-1"}
    assert raw.order(**spot).code == 0
    assert raw.order(**spot).code == 170141


def test_executions_are_newest_first_in_windows_of_a_week(raw: Raw, server: SandboxServer) -> None:
    for _ in range(5):
        raw.order()
    times = [int(row["execTime"]) for row in raw.executions()]
    assert times == sorted(times, reverse=True)
    assert raw.get("/v5/execution/list", category="linear", limit=500).code == 0  # more than a page: a page
    start = times[-1] - 8 * DAY_MS
    too_long = raw.get("/v5/execution/list", category="linear", startTime=start, endTime=times[0])
    assert too_long.code == 10001
    assert raw.executions(startTime=start) == []  # a week from there
    assert len(raw.executions(startTime=times[0], endTime=times[0])) >= 1


def test_pages_share_no_execution_and_leave_none_out(raw: Raw, account: dict[str, Any], server: SandboxServer) -> None:
    for _ in range(7):
        raw.order()
    told: list[str] = []
    cursor = ""
    for _ in range(4):
        more = {"cursor": cursor} if cursor else {}
        page = raw.get("/v5/execution/list", category="linear", limit=2, **more).result
        told += [row["execId"] for row in page["list"]]
        cursor = page["nextPageCursor"]
    assert (told, cursor) == ([row["id"] for row in reversed(server.control.fills(account["account_id"]))], "")
    assert raw.get("/v5/execution/list", category="linear", cursor="nonsense").code == 10001


def test_the_fills_of_one_order_in_one_moment_share_a_sequence(raw: Raw, server: SandboxServer) -> None:
    server.control.set_book("BTCUSDT", asks=[(60_000, "0.1"), (60_001, "0.1"), (60_002, "5")], bids=[(59_999, 5)])
    raw.order(qty="0.3")
    raw.order(side="Sell", qty="0.2")
    server.control.clear_book("BTCUSDT")
    sold, *bought = raw.executions()
    assert len({row["seq"] for row in bought}) == 1
    assert [row["leavesQty"] for row in bought] == ["0", "0.1", "0.2"]
    assert sold["seq"] > bought[0]["seq"]
    assert (sold["closedSize"], bought[0]["closedSize"]) == ("0.2", "0")
    (held,) = raw.get("/v5/position/list", category="linear", symbol="BTCUSDT").rows
    assert held["seq"] == sold["seq"]


def test_what_the_venue_closes_is_no_plain_trade(raw: Raw, account: dict[str, Any], server: SandboxServer) -> None:
    raw.order(qty="0.4")
    server.control.deleverage(account["account_id"], "BTCUSDT", "0.1")
    server.control.liquidate(account["account_id"], "BTCUSDT")
    assert [row["execType"] for row in raw.executions()] == ["BustTrade", "AdlTrade", "Trade"]
    assert [row["execType"] for row in raw.executions(execType="Trade")] == ["Trade"]
    log = raw.get("/v5/account/transaction-log", accountType="UNIFIED", category="linear").rows
    assert {row["type"] for row in log} == {"LIQUIDATION", "ADL", "TRADE"}


def test_funding_is_an_execution_and_a_settlement(raw: Raw, server: SandboxServer) -> None:
    raw.order(qty="0.5")
    server.control.advance(8 * 3600, step_s=600)  # one funding lies in any eight hours
    (funding,) = raw.executions(execType="Funding")
    assert (funding["symbol"], funding["orderType"], funding["execQty"]) == ("BTCUSDT", "UNKNOWN", "0.5")
    rows = raw.get("/v5/account/transaction-log", accountType="UNIFIED", type="SETTLEMENT").rows
    assert Decimal(rows[0]["funding"]) == -Decimal(funding["execFee"])


def test_orders_end_where_the_venue_says_so(raw: Raw) -> None:
    placed = raw.order(orderType="Limit", price="59000").result["orderId"]
    live = raw.get("/v5/order/realtime", category="linear", settleCoin="USDT").rows
    assert [(row["orderId"], row["orderStatus"]) for row in live] == [(placed, "New")]
    assert raw.get("/v5/order/history", category="linear", orderId=placed).rows == []
    cancel = {"category": "linear", "symbol": "BTCUSDT", "orderId": placed}
    assert raw.post("/v5/order/cancel", **cancel).code == 0
    assert raw.post("/v5/order/cancel", **cancel).code == 110001
    assert raw.get("/v5/order/realtime", category="linear", settleCoin="USDT").rows == []
    (past,) = raw.get("/v5/order/history", category="linear", orderId=placed).rows
    assert (past["orderStatus"], past["cancelType"]) == ("Cancelled", "CancelByUser")
    assert raw.get("/v5/order/realtime", category="linear").code == 10001  # which symbol or coin?


def test_a_resting_order_is_amended_under_its_id(raw: Raw) -> None:
    placed = raw.order(orderType="Limit", price="59000", qty="0.5").result["orderId"]
    order = {"category": "linear", "symbol": "BTCUSDT", "orderId": placed}
    assert raw.post("/v5/order/amend", **order).code == 10001  # to what?
    assert raw.post("/v5/order/amend", **order, qty="90").code == 110007
    assert raw.post("/v5/order/amend", **order, price="58500", qty="0.4").code == 0
    (live,) = raw.get("/v5/order/realtime", category="linear", settleCoin="USDT").rows
    assert (live["orderId"], live["price"], live["qty"]) == (placed, "58500.0", "0.4")
    (wallet,) = raw.get("/v5/account/wallet-balance", accountType="UNIFIED").rows
    assert Decimal(wallet["totalInitialMargin"]) == Decimal("58500") * Decimal("0.4") / 20
    assert raw.post("/v5/order/amend", **order, price="60100").code == 0  # reaches the market
    (ended,) = raw.get("/v5/order/history", **order).rows
    assert (ended["orderStatus"], ended["cumExecQty"]) == ("Filled", "0.4")
    assert raw.post("/v5/order/amend", **order, qty="0.3").code == 110001
    spot = raw.order(category="spot", side="Sell", orderType="Limit", price="61000", qty="1").result["orderId"]
    order = {"category": "spot", "symbol": "BTCUSDT", "orderId": spot}
    assert raw.post("/v5/order/amend", **order, qty="3").code == 170131
    assert raw.post("/v5/order/amend", **order, qty="2").code == 0


def test_orders_of_a_batch_have_each_its_own_fate(raw: Raw) -> None:
    order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Market"}
    answer = raw.post(
        "/v5/order/create-batch",
        category="linear",
        request=[order | {"qty": "0.01", "orderLinkId": "b1"}, order | {"qty": "99"}, "nonsense"],
    )
    assert [row["orderLinkId"] for row in answer.rows] == ["b1", "", ""]
    assert [fate["code"] for fate in answer.body["retExtInfo"]["list"]] == [0, 110007, 10001]
    assert len(raw.executions()) == 1
    assert raw.post("/v5/order/create-batch", category="linear", request=[]).code == 10001


def test_orders_that_cannot_trade_are_taken_and_end_empty(raw: Raw) -> None:
    taker = raw.order(orderType="Limit", price="60100", timeInForce="PostOnly", orderLinkId="po")
    assert taker.code == 0
    whole = raw.order(orderType="Limit", price="59990", timeInForce="FOK", orderLinkId="fok")
    assert whole.code == 0
    for name, reason in (("po", "EC_PostOnlyWillTakeLiquidity"), ("fok", "EC_NoImmediateQtyToFill")):
        (ended,) = raw.get("/v5/order/realtime", category="linear", orderLinkId=name).rows
        assert (ended["orderStatus"], ended["cumExecQty"], ended["rejectReason"]) == ("Cancelled", "0", reason)


def test_one_wallet_pays_for_spot_and_perpetuals(raw: Raw) -> None:
    raw.order(category="spot", qty="1", marketUnit="baseCoin")
    raw.order(qty="1")
    (wallet,) = raw.get("/v5/account/wallet-balance", accountType="UNIFIED").rows
    coins = {row["coin"]: row for row in wallet["coin"]}
    assert Decimal(coins["USDT"]["walletBalance"]) < 40_000
    assert Decimal(coins["BTC"]["walletBalance"]) == Decimal("2.999")
    assert Decimal(wallet["totalMarginBalance"]) == Decimal(coins["USDT"]["equity"])
    assert raw.order(qty="40").code == 110007
    assert raw.order(category="spot", qty="1", marketUnit="baseCoin").code == 170131


def test_a_third_asset_pays_the_fee_where_the_account_says_so(opener: Open) -> None:
    payer = opener(coins={"MNT": 500}, fee_asset="MNT")
    payer.order(category="spot", marketUnit="baseCoin")
    (bought,) = payer.executions("spot")
    assert bought["feeCurrency"] == "MNT"
    (order,) = payer.get("/v5/order/realtime", category="spot", openOnly=1).rows
    assert order["cumFeeDetail"] == {"MNT": bought["execFee"]}


def test_the_margin_mode_is_the_accounts(raw: Raw) -> None:
    assert raw.post("/v5/account/set-margin-mode", setMarginMode="ISOLATED_MARGIN").code == 0
    assert raw.get("/v5/account/info").result["marginMode"] == "ISOLATED_MARGIN"
    assert raw.post("/v5/account/set-margin-mode", setMarginMode="ISOLATED_MARGIN").code == 110026
    (wallet,) = raw.get("/v5/account/wallet-balance", accountType="UNIFIED").rows
    assert wallet["totalMarginBalance"] == ""
    raw.order()
    assert raw.post("/v5/account/set-margin-mode", setMarginMode="REGULAR_MARGIN").code == 3400045


def test_hedge_mode_has_two_positions_and_wants_an_index(raw: Raw) -> None:
    assert raw.post("/v5/position/switch-mode", category="linear", coin="USDT", mode=3).code == 0
    assert raw.post("/v5/position/switch-mode", category="linear", coin="USDT", mode=3).code == 110025
    assert raw.order().code == 10001
    assert raw.order(positionIdx=1).code == 0
    assert raw.order(positionIdx=2, side="Sell").code == 0
    assert raw.post("/v5/position/switch-mode", category="linear", coin="USDT", mode=0).code == 110024
    rows = raw.get("/v5/position/list", category="linear", symbol="BTCUSDT").rows
    assert [(row["positionIdx"], row["side"], row["size"]) for row in rows] == [(1, "Buy", "0.01"), (2, "Sell", "0.01")]
    assert raw.order(positionIdx=1, side="Sell", reduceOnly=True).code == 0
    assert all("positionIdx" not in row for row in raw.executions())


def test_a_halted_and_a_delisted_symbol(raw: Raw, server: SandboxServer) -> None:
    server.control.halt("ETHUSDT")
    (row,) = raw.get("/v5/market/instruments-info", category="linear", symbol="ETHUSDT").rows
    assert row["status"] != "Trading"
    assert raw.order(symbol="ETHUSDT", qty="1").code == 110074
    server.control.halt("ETHUSDT", halted=False)
    server.control.delist("XRPUSDT")
    names = {row["symbol"] for row in raw.get("/v5/market/instruments-info", category="linear").rows}
    assert "XRPUSDT" not in names
    assert "BTCUSDT" in names
    assert raw.order(symbol="XRPUSDT", qty="100").code == 10001


def test_a_restart_changes_no_id_and_no_sequence(raw: Raw, server: SandboxServer) -> None:
    raw.order(qty="0.3")
    raw.order(side="Sell", qty="0.1", reduceOnly=True)
    raw.order(category="spot", qty="100")
    raw.order(orderLinkId="cp-before")
    before = raw.executions(), raw.executions("spot"), raw.get("/v5/account/transaction-log").rows
    server.end()
    server.start()
    assert (raw.executions(), raw.executions("spot"), raw.get("/v5/account/transaction-log").rows) == before
    ended = {"category": "linear", "orderLinkId": "cp-before"}
    assert raw.get("/v5/order/realtime", **ended).rows == []  # forgotten, but not by the history
    assert [row["orderStatus"] for row in raw.get("/v5/order/history", **ended).rows] == ["Filled"]


def test_faults_speak_the_venues_language(raw: Raw, server: SandboxServer) -> None:
    fault = {"answer": "status", "status": 200, "code": 10016, "message": "Server error."}
    server.control.fault(venue="bybit", path="/v5/order/create", **fault)
    answer = raw.order()
    assert (answer.status, answer.code, answer.body["retMsg"]) == (200, 10016, "Server error.")
    assert raw.order().code == 0
