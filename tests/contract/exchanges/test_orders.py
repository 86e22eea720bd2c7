"""One order, sent once: what the sandbox did with it and what we make of the answer, fault by fault."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from copytrade import clock
from copytrade.domain.instruments import Side
from copytrade.domain.orders import OrderKind, OutcomeKind, Refusal, VenueOrderStatus
from copytrade.exchanges import ground
from copytrade.exchanges.port import Credentials, ExchangeClient
from copytrade.sandbox.client import Control
from copytrade.settings import settings
from tests.contract.exchanges.conftest import BTC, PLACE, Account, account, buy, soon
from tests.waiting import wait_until


def test_a_market_order_is_placed_and_told_as_filled(alice: Account) -> None:
    request = buy("0.5")
    before = clock.real_now()
    outcome = alice.place(request)
    assert outcome.kind is OutcomeKind.PLACED
    assert outcome.order is not None
    assert outcome.order.client_order_id == request.client_order_id
    assert (outcome.order.filled, outcome.order.status) == (Decimal("0.5"), VenueOrderStatus.FILLED)
    assert outcome.sent_at is not None
    assert outcome.acknowledged_at is not None
    assert before <= outcome.sent_at <= outcome.acknowledged_at
    assert alice.control.position(alice.number, "BTCUSDT") == Decimal("0.5")


def test_a_limit_that_finds_nothing_expires_with_what_it_filled(alice: Account) -> None:
    alice.control.set_book("BTCUSDT", bids=[(59990, 1)], asks=[(60000, "0.1"), (60400, 5)])
    ioc = buy("1", kind=OrderKind.LIMIT_IOC, price=Decimal(60300))
    outcome = alice.place(ioc)
    alice.control.clear_book("BTCUSDT")
    assert outcome.order is not None
    assert (outcome.order.status, outcome.order.filled) == (VenueOrderStatus.EXPIRED, Decimal("0.1"))
    assert outcome.order.average_price == 60000
    found = alice.run(lambda client: client.look_up(BTC, ioc.client_order_id))
    assert found is not None
    assert (found.filled, found.has_ended) == (Decimal("0.1"), True)


def test_a_reduce_only_order_with_nothing_to_reduce_is_a_reading(alice: Account) -> None:
    outcome = alice.place(buy("0.1", side=Side.SELL, reduce_only=True))
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.NOTHING_TO_REDUCE)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"quantity": Decimal(1)}, Refusal.FUNDS),
        ({"quantity": Decimal("0.0001")}, Refusal.QUANTITY),
        ({"symbol": "DOGE/USDT:USDT", "quantity": Decimal(1)}, Refusal.MIN_NOTIONAL),
        ({"kind": OrderKind.LIMIT_IOC, "price": Decimal("60000.05")}, Refusal.PRICE),
        ({"kind": OrderKind.LIMIT_IOC, "price": Decimal(70000)}, Refusal.PRICE),
    ],
)
def test_what_the_rules_forbid_is_refused_for_certain(alice: Account, change: dict[str, Any], refusal: Refusal) -> None:
    alice.control.transfer(alice.number, -999_500)
    outcome = alice.place(replace(buy(), **change))
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, refusal)
    assert alice.orders() == []


@pytest.mark.parametrize("answer", ["drop", "truncated", "html", "broken_json", "garbage", "bad_gzip"])
def test_executed_without_an_answer_that_tells_is_unknown_and_found_by_look_up(alice: Account, answer: str) -> None:
    """Worked example 14: one order at the exchange, and the look-up finds it."""
    alice.control.fault(execute="yes", answer=answer, account=alice.number, path=PLACE, method="POST")
    request = buy()
    outcome = alice.place(request)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert outcome.sent_at is not None
    found = alice.run(lambda client: client.look_up(BTC, request.client_order_id))
    assert found is not None
    assert found.filled == request.quantity
    assert len(alice.orders()) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("execute", ["yes", "no"])
def test_an_error_of_the_server_is_unknown_whether_it_executed_or_not(
    alice: Account, status: int, execute: str
) -> None:
    alice.control.fault(execute=execute, answer="status", status=status, account=alice.number, path=PLACE)
    request = buy()
    assert alice.place(request).kind is OutcomeKind.UNKNOWN
    found = alice.run(lambda client: client.look_up(BTC, request.client_order_id))
    assert (found is not None) == (execute == "yes")


def test_a_forbidding_page_is_unknown(alice: Account) -> None:
    alice.control.fault(execute="no", answer="status", status=403, account=alice.number, path=PLACE)
    assert alice.place(buy()).kind is OutcomeKind.UNKNOWN


def test_status_unknown_in_the_venues_own_words_is_unknown(alice: Account) -> None:
    alice.control.fault(
        execute="yes", answer="status", status=408, code=-1007, message="Send status unknown", account=alice.number
    )
    assert alice.place(buy()).kind is OutcomeKind.UNKNOWN
    assert len(alice.orders()) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(429, -1003), (429, -1015), (418, -1003), (503, -1008), (400, -1021), (429, 0)]
)
def test_turned_away_before_the_engine_was_not_sent(alice: Account, status: int, code: int) -> None:
    alice.control.fault(
        execute="no", answer="status", status=status, code=code, message="no", retry_after=3, account=alice.number
    )
    outcome = alice.place(buy())
    assert outcome.kind is OutcomeKind.NOT_SENT
    assert outcome.retry_after in (3.0, None)
    assert alice.orders() == []


def test_no_answer_in_time_is_unknown_and_the_late_execution_is_found(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = settings().model_copy(update={"request_timeout_ms": 300})
    monkeypatch.setattr(ground, "settings", lambda: hasty)
    alice.control.fault(execute="late", late_ms=600, answer="hang", account=alice.number, path=PLACE)
    request = buy()
    outcome = alice.place(request)
    assert (outcome.kind, outcome.message) == (OutcomeKind.UNKNOWN, "no answer in time")
    wait_until(lambda: alice.run(lambda client: client.look_up(BTC, request.client_order_id)))
    assert len(alice.orders()) == 1


def test_a_refused_connection_was_not_sent(alice: Account) -> None:
    async def use(client: ExchangeClient) -> Any:
        client._wire._exchange.urls["api"]["fapiPrivate"] = "http://127.0.0.1:9/fapi/v1"  # pyright: ignore
        return await client.place(buy(), not_after=soon())

    outcome = alice.run(use)
    assert outcome.kind is OutcomeKind.NOT_SENT
    assert outcome.sent_at is None


def test_nothing_is_sent_after_its_time(alice: Account) -> None:
    outcome = alice.place(buy(), not_after=clock.real_now())
    assert (outcome.kind, outcome.sent_at) == (OutcomeKind.NOT_SENT, None)
    assert alice.orders() == []


def test_a_skewed_clock_is_not_sent_and_the_next_order_passes(alice: Account) -> None:
    async def use(client: ExchangeClient) -> list[OutcomeKind]:
        alice.control.skew(-4000)
        first = await client.place(buy(), not_after=soon())
        again = await client.place(buy(), not_after=soon())
        return [first.kind, again.kind]

    assert alice.run(use) == [OutcomeKind.NOT_SENT, OutcomeKind.PLACED]
    assert len(alice.orders()) == 1


def test_an_id_is_a_duplicate_only_while_its_order_is_open(alice: Account) -> None:
    resting = buy("0.01", kind=OrderKind.LIMIT, price=Decimal(59000))
    assert alice.place(resting).kind is OutcomeKind.PLACED
    assert alice.place(resting).kind is OutcomeKind.DUPLICATE
    cancelled = alice.run(lambda client: client.cancel(BTC, resting.client_order_id))
    assert cancelled is not None
    assert cancelled.status is VenueOrderStatus.CANCELLED
    filled = buy()
    assert [alice.place(filled).kind, alice.place(filled).kind] == [OutcomeKind.PLACED, OutcomeKind.PLACED]


def test_look_up_of_nothing_is_none_and_of_a_late_show_too(alice: Account) -> None:
    request = buy()
    assert alice.run(lambda client: client.look_up(BTC, request.client_order_id)) is None
    alice.control.read_lag(60_000, account=alice.number)
    assert alice.place(request).kind is OutcomeKind.PLACED
    assert alice.run(lambda client: client.look_up(BTC, request.client_order_id)) is None
    alice.control.read_lag(0, account=alice.number)
    assert alice.run(lambda client: client.look_up(BTC, request.client_order_id)) is not None


@pytest.mark.parametrize("key", [{"read_only": True}, {"futures": False}])
def test_a_key_without_the_right_is_refused(control: Control, key: dict[str, Any]) -> None:
    outcome = account(control, **key).place(buy())
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.CREDENTIALS)


def test_a_wrong_secret_and_a_revoked_key_are_refused(alice: Account) -> None:
    forged = replace(alice, credentials=Credentials(alice.api_key, "not the secret"))
    assert forged.place(buy()).refusal is Refusal.CREDENTIALS

    async def use(client: ExchangeClient) -> Any:
        assert (await client.place(buy(), not_after=soon())).kind is OutcomeKind.PLACED
        alice.control.revoke_key(alice.api_key)
        return await client.place(buy(), not_after=soon())

    outcome = alice.run(use)
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.CREDENTIALS)


def test_orders_of_a_symbol_and_fills_of_an_order_are_listed(alice: Account) -> None:
    request = buy("1")
    outcome = alice.place(request)
    assert outcome.order is not None
    order_id = outcome.order.venue_order_id
    since = clock.now() - timedelta(minutes=1)
    listed = alice.run(lambda client: client.recent_orders(BTC, since=since))
    assert [order.client_order_id for order in listed] == [request.client_order_id]
    fills = alice.run(lambda client: client.order_fills(BTC, order_id))
    assert sum(fill.quantity for fill in fills) == 1
    assert {fill.order_id for fill in fills} == {order_id}


def test_no_secret_is_in_what_can_be_printed(alice: Account) -> None:
    alice.control.fault(execute="no", answer="drop", account=alice.number, path=PLACE)
    outcome = alice.place(buy())
    assert alice.api_key not in repr(outcome)
    assert "signature" not in repr(outcome)
    assert alice.credentials.api_secret not in repr(alice.credentials)
