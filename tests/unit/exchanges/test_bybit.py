"""Bybit's bodies and requests as its documents show them: what is easily read wrong."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from copytrade.domain.fills import EntryKind
from copytrade.domain.instruments import Market, PositionSide, Side
from copytrade.domain.orders import OrderKind, OrderRequest, Outcome, OutcomeKind, Refusal, VenueOrderStatus
from copytrade.exchanges.bybit import paging, reading, shapes
from copytrade.exchanges.bybit.facts import BYBIT
from copytrade.exchanges.bybit.requests import new_order
from copytrade.exchanges.bybit.rights import permissions
from copytrade.exchanges.judge import Failure, judge

SWAP, SPOT = "BTC/USDT:USDT", "BTC/USDT"
AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
MS = "1700000000000"


def execution(**facts: Any) -> dict[str, Any]:
    row = {"category": "linear", "symbol": "BTCUSDT", "orderId": "o1", "orderLinkId": "cp-1", "side": "Buy"}
    row |= {"orderQty": "0.3", "leavesQty": "0", "execFee": "0.3", "execId": "e1", "execPrice": "60000"}
    row |= {"execQty": "0.1", "execType": "Trade", "execTime": MS, "feeCurrency": "", "isMaker": False, "seq": 7}
    return row | facts


def fill(symbol: str = SWAP, **facts: Any) -> Any:
    return shapes.fill(execution(**facts), symbol=symbol, position_side=PositionSide.NET)


def request(**facts: Any) -> OrderRequest:
    told: dict[str, Any] = {"symbol": SWAP, "side": Side.SELL, "quantity": Decimal("0.5"), "kind": OrderKind.MARKET}
    return OrderRequest(**{**told, "client_order_id": "cp-1", **facts})


def test_the_fee_is_in_what_the_venue_says_or_else_in_what_is_received() -> None:
    assert fill().fee_asset == "USDT"
    assert fill(SPOT, feeCurrency="MNT").fee_asset == "MNT"
    assert fill(SPOT).fee_asset == "BTC"
    assert fill(SPOT, side="Sell").fee_asset == "USDT"
    assert fill(execFee="-0.012").fee == Decimal("-0.012")  # a maker may earn


def test_the_fills_of_one_moment_are_told_apart_by_what_was_left() -> None:
    first, second, last = (fill(leavesQty=left).sequence for left in ("0.2", "0.1", "0"))
    assert first < second < last < fill(seq=8, leavesQty="0.3").sequence
    assert fill(seq=140612148849382).sequence < 2**63
    assert fill(seq=None).sequence == 0
    assert fill(leavesQty="5").sequence == 7 * 4096  # of an order in money: nothing is claimed


@pytest.mark.parametrize("kind", ["AdlTrade", "BustTrade"])
def test_closings_by_the_venue_are_liquidations(kind: str) -> None:
    assert fill(execType=kind).is_liquidation
    assert not fill().is_liquidation


def test_an_order_tells_its_fee_and_an_average_only_when_filled() -> None:
    row = {"orderId": "o1", "orderLinkId": "cp-1", "qty": "1", "side": "Buy", "orderStatus": "PartiallyFilledCanceled"}
    row |= {"cumExecQty": "0.4", "avgPrice": "60000", "updatedTime": MS, "createdTime": MS}
    order = shapes.order(row | {"cumFeeDetail": {"MNT": "2", "BTC": "0.0004"}}, symbol=SPOT)
    assert (order.status, order.filled) == (VenueOrderStatus.CANCELLED, Decimal("0.4"))
    assert (order.fee, order.fee_asset) == (Decimal("0.0004"), "BTC")
    assert shapes.order(row, symbol=SPOT).fee is None
    empty = shapes.order(row | {"cumExecQty": "", "avgPrice": "", "orderStatus": "New"}, symbol=SPOT)
    assert (empty.status, empty.filled, empty.average_price) == (VenueOrderStatus.OPEN, 0, None)
    with pytest.raises(KeyError):
        shapes.order(row | {"orderStatus": "Teleported"}, symbol=SPOT)


def test_an_acknowledgement_of_another_order_is_none() -> None:
    body = {"retCode": 0, "result": {"orderId": "o1", "orderLinkId": "cp-1"}, "time": 1700000000000}
    order = shapes.acknowledged(body, request())
    assert (order.status, order.filled, order.venue_time) == (VenueOrderStatus.OPEN, 0, AT)
    with pytest.raises(ValueError, match="another order"):
        shapes.acknowledged(body, request(client_order_id="cp-2"))


def test_a_flat_position_has_no_side() -> None:
    row = {"positionIdx": 2, "symbol": "BTCUSDT", "side": "", "size": "0", "avgPrice": "0", "leverage": "10"}
    flat = shapes.position(row | {"markPrice": "60000", "liqPrice": "", "unrealisedPnl": ""}, symbol=SWAP)
    assert (flat.quantity, flat.position_side, flat.liquidation_price) == (0, PositionSide.SHORT, None)
    short = shapes.position(row | {"side": "Sell", "size": "0.5"}, symbol=SWAP)
    assert short.quantity == Decimal("-0.5")


LOG = {"id": "1_BTCUSDT_9", "symbol": "BTCUSDT", "category": "linear", "side": "Buy", "transactionTime": MS}
LOG |= {"type": "TRADE", "currency": "USDT", "funding": "", "fee": "0.6", "cashFlow": "12", "tradeId": "c1"}


def kinds(**facts: Any) -> list[tuple[EntryKind, Decimal]]:
    return [(entry.kind, entry.amount) for entry in shapes.entries({**LOG, **facts}, symbol=SWAP)]


def test_a_row_of_the_log_is_fee_and_profit_funding_or_transfer() -> None:
    assert kinds() == [(EntryKind.FEE, Decimal("-0.6")), (EntryKind.REALIZED_PNL, Decimal(12))]
    funding = kinds(type="SETTLEMENT", funding="-0.003", fee="0", cashFlow="0")
    assert funding == [(EntryKind.FUNDING, Decimal("-0.003"))]
    moved = {"fee": "0", "tradeId": "", "symbol": "", "category": ""}
    assert kinds(type="TRANSFER_OUT", cashFlow="-5", **moved) == [(EntryKind.TRANSFER, Decimal(-5))]
    assert kinds(type="INTEREST", cashFlow="-1", **moved) == [(EntryKind.OTHER, Decimal(-1))]
    assert {kind for kind, _ in kinds(category="spot")} == {EntryKind.OTHER}


def test_rows_that_share_the_venues_id_are_different_entries() -> None:
    rows = [LOG, {**LOG, "tradeId": "c2"}, {**LOG, "currency": "BTC"}, {**LOG, "type": "SETTLEMENT", "funding": "1"}]
    ids = [entry.entry_id for row in rows for entry in shapes.entries(row, symbol=SWAP)]
    assert len(set(ids)) == len(ids) > len(rows)


def test_what_is_sent_for_an_order() -> None:
    spot = new_order(request(symbol=SPOT, quantity=Decimal("1E-5")), market=Market.SPOT, venue_symbol="BTCUSDT")
    assert (spot["qty"], spot["marketUnit"], spot["category"]) == ("0.00001", "baseCoin", "spot")
    limit = request(kind=OrderKind.LIMIT_IOC, price=Decimal("6E+4"), reduce_only=True, position_side=PositionSide.LONG)
    swap = new_order(limit, market=Market.PERPETUAL, venue_symbol="BTCUSDT")
    assert (swap["price"], swap["timeInForce"], swap["positionIdx"], swap["reduceOnly"]) == ("60000", "IOC", 1, True)
    assert not {"marketUnit", "price"} & new_order(request(), market=Market.PERPETUAL, venue_symbol="X").keys()
    with pytest.raises(ValueError, match="reduce"):
        new_order(request(reduce_only=True), market=Market.SPOT, venue_symbol="BTCUSDT")
    with pytest.raises(ValueError, match="no price"):
        new_order(request(kind=OrderKind.LIMIT), market=Market.PERPETUAL, venue_symbol="BTCUSDT")


def rights(**facts: Any) -> Any:
    told = {"readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"], "Spot": [], "Wallet": []}}
    told |= {"ips": ["10.0.0.1"], "expiredAt": "2027-05-15T03:21:05Z", "uta": 1, "userID": 5}
    return permissions({"result": told | facts}, market=Market.PERPETUAL)


def test_rights_are_none_where_they_are_not_told() -> None:
    assert (rights().may_trade, rights().may_withdraw, rights().may_transfer) == (True, False, False)
    silent = rights(permissions={})
    assert (silent.may_trade, silent.may_withdraw, silent.may_transfer) == (None, None, None)
    assert rights(readOnly=None).may_trade is None
    assert rights(readOnly=1).may_trade is False
    half = {"ContractTrade": ["Order"], "Wallet": ["SubMemberTransferList"]}
    assert (rights(permissions=half).may_trade, rights(permissions=half).may_transfer) == (False, True)
    assert (rights(ips=["*"]).ip_restricted, rights(ips=None).ip_restricted) == (False, None)
    assert (rights(uta=0).unfit, rights(uta=None).unfit, rights().unfit) == ("not_unified", "not_unified", "")


def test_a_key_ends_when_the_venue_says_so_or_never() -> None:
    assert rights().expires_at == datetime(2027, 5, 15, 3, 21, 5, tzinfo=UTC)
    assert rights(expiredAt="2027-05-15 03:21:05").expires_at == datetime(2027, 5, 15, 3, 21, 5, tzinfo=UTC)
    assert rights(expiredAt="1970-01-01T00:00:00Z").expires_at is None
    assert rights(expiredAt="").expires_at is None


def test_an_account_in_isolated_margin_has_the_worth_of_its_usdt() -> None:
    coin = {"coin": "USDT", "equity": "90", "walletBalance": "100", "unrealisedPnl": "-10", "totalPositionIM": "30"}
    told = {"totalMarginBalance": "", "totalAvailableBalance": "", "totalPerpUPL": "", "coin": [coin]}
    equity = reading.margin_equity(told, read_at=AT)
    assert (equity.total, equity.wallet, equity.unrealized_pnl, equity.available) == (90, 100, -10, 70)
    nothing = reading.margin_equity({"coin": []}, read_at=AT)
    assert (nothing.total, nothing.available) == (0, 0)


def judged(code: str, text: str = "", *, status: int = 200) -> Outcome:
    failure = Failure(left=True, text=text, status=status, code=code)
    return judge(failure, codes=BYBIT.codes, sent_at=AT, answered_at=AT)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("10000", OutcomeKind.UNKNOWN),
        ("10016", OutcomeKind.UNKNOWN),
        ("170007", OutcomeKind.UNKNOWN),
        ("10014", OutcomeKind.UNKNOWN),
        ("999999", OutcomeKind.UNKNOWN),
        ("10006", OutcomeKind.NOT_SENT),
        ("10429", OutcomeKind.NOT_SENT),
        ("10002", OutcomeKind.NOT_SENT),
        ("110072", OutcomeKind.DUPLICATE),
        ("170141", OutcomeKind.DUPLICATE),
        ("110007", OutcomeKind.REFUSED),
    ],
)
def test_what_codes_prove_of_an_order(code: str, kind: OutcomeKind) -> None:
    assert judged(code).kind is kind


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("position idx not match position mode", Refusal.POSITION_MODE),
        ("params error: symbol invalid BTCUSDTX", Refusal.MARKET_CLOSED),
        ("Qty invalid", Refusal.QUANTITY),
        ("The number of contracts exceeds maximum limit allowed: too large", Refusal.QUANTITY),
        ("params error: price invalid", Refusal.PRICE),
        ("something else", Refusal.OTHER),
    ],
)
def test_the_text_tells_which_parameter_was_wrong(text: str, refusal: Refusal) -> None:
    assert judged("10001", text).refusal is refusal


def test_no_code_means_two_things() -> None:
    codes = BYBIT.codes
    meanings = [
        codes.not_executed,
        codes.clock,
        codes.duplicate,
        codes.unclear,
        codes.unchanged,
        frozenset(codes.refused),
    ]
    for one, other in combinations(meanings, 2):
        assert not one & other
    assert set(codes.credentials) <= {code for code, why in codes.refused.items() if why is Refusal.CREDENTIALS}


def test_a_cursor_remembers_how_much_fits() -> None:
    cursor = paging._cursor(AT, width=timedelta(hours=3))  # pyright: ignore[reportPrivateUsage]
    assert paging._where(cursor, since=None, oldest=AT) == (AT, timedelta(hours=3))  # pyright: ignore[reportPrivateUsage]
    plain = paging._cursor(AT, width=paging.WINDOW)  # pyright: ignore[reportPrivateUsage]
    assert paging._where(plain, since=None, oldest=AT) == (AT, paging.WINDOW)  # pyright: ignore[reportPrivateUsage]
    later = AT + timedelta(days=1)
    assert paging._where("", since=later, oldest=AT)[0] == later  # pyright: ignore[reportPrivateUsage]
    assert paging._where("", since=None, oldest=AT)[0] == AT  # pyright: ignore[reportPrivateUsage]
