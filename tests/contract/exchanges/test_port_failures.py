"""The contract, part 4: what goes wrong on the way, and what each place makes of it."""

from datetime import timedelta
from typing import Any

import pytest

from copytrade import clock
from copytrade.domain.orders import OutcomeKind, Refusal
from copytrade.errors import Unavailable
from copytrade.exchanges import ground, guard
from copytrade.exchanges.port import Credentials, ExchangeClient
from copytrade.settings import settings
from tests.contract.exchanges.places import BANNING, Account, all_fills, eventually, named, soon

LOST_ANSWERS = ["drop", "truncated", "html", "broken_json", "garbage", "bad_gzip"]


async def look_up(client: ExchangeClient, alice: Account, client_order_id: str) -> Any:
    return await client.look_up(alice.symbol, client_order_id)


@pytest.mark.parametrize("answer", LOST_ANSWERS)
def test_60_executed_without_an_answer_that_tells_is_unknown_and_found(alice: Account, answer: str) -> None:
    """Worked example 14: one order at the exchange, and the look-up finds it."""
    alice.fault(path=alice.orders_path, method="POST", execute="yes", answer=answer)
    request = alice.sell()
    outcome = alice.place(request)
    assert (outcome.kind, outcome.sent_at is not None) == (OutcomeKind.UNKNOWN, True)
    found = alice.run(lambda client: eventually(lambda: look_up(client, alice, request.client_order_id)))
    assert found.filled == request.quantity
    assert len(alice.orders()) == 1


@pytest.mark.parametrize("answer", LOST_ANSWERS)
def test_61_lost_before_it_was_executed_is_unknown_too(alice: Account, answer: str) -> None:
    alice.fault(path=alice.orders_path, method="POST", execute="no", answer=answer)
    request = alice.sell()
    assert alice.place(request).kind is OutcomeKind.UNKNOWN
    assert alice.run(lambda client: look_up(client, alice, request.client_order_id)) is None
    assert alice.orders() == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("execute", ["yes", "no"])
def test_62_an_error_of_the_server_proves_nothing(alice: Account, status: int, execute: str) -> None:
    alice.fault(path=alice.orders_path, execute=execute, answer="status", status=status)
    request = alice.sell()
    assert alice.place(request).kind is OutcomeKind.UNKNOWN
    assert len(alice.orders()) == (execute == "yes")


def test_63_a_forbidding_page_proves_what_the_venue_means_by_it(alice: Account) -> None:
    alice.fault(path=alice.orders_path, execute="no", answer="status", status=403)
    assert alice.place(alice.sell(), alone=True).kind is alice.manners.forbidding_page


def test_64_an_error_that_the_venue_itself_cannot_explain_is_unknown(alice: Account) -> None:
    for said in alice.manners.unclear:
        alice.fault(path=alice.orders_path, **{**said.fault(), "execute": "yes"})
        request = alice.sell()
        outcome = alice.place(request)
        assert outcome.kind is OutcomeKind.UNKNOWN, said
    assert len(alice.orders()) == len(alice.manners.unclear)


def test_65_too_often_was_not_sent_and_the_wait_is_told(alice: Account) -> None:
    for said in alice.manners.too_often:
        alice.fault(path=alice.orders_path, retry_after=3, **said.fault())
        outcome = alice.place(alice.sell(), alone=True)
        assert (outcome.kind, outcome.retry_after) == (OutcomeKind.NOT_SENT, 3.0), said
    assert alice.orders() == []


@pytest.mark.parametrize("place", BANNING, indirect=True, ids=named)
def test_66_a_ban_stops_reads_and_orders(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        assert alice.manners.ban is not None
        alice.fault(path=alice.orders_path, retry_after=60, **alice.manners.ban.fault())
        assert (await client.place(alice.sell(), not_after=soon())).kind is OutcomeKind.NOT_SENT
        alice.control.forget_requests()
        outcome = await client.place(alice.sell(), not_after=soon())
        assert (outcome.kind, outcome.sent_at) == (OutcomeKind.NOT_SENT, None)
        assert 50 < (outcome.retry_after or 0) <= 60
        with pytest.raises(Unavailable):
            await client.equity()
        assert alice.control.requests() == {}

    alice.run(use, alone=True)


def test_67_after_too_many_requests_nothing_is_read_for_as_long_as_the_venue_says(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        alice.fault(retry_after=60, **alice.manners.too_often[0].fault())
        with pytest.raises(Unavailable) as first:
            await client.equity()
        assert first.value.retry_after == 60
        alice.control.forget_requests()
        with pytest.raises(Unavailable) as second:
            await client.equity()
        assert 50 < (second.value.retry_after or 0) <= 60
        assert alice.control.requests() == {}
        assert (await client.place(alice.sell(), not_after=soon())).kind is OutcomeKind.PLACED

    alice.run(use, alone=True)


def test_68_the_clock_is_measured_again_and_the_next_order_passes(alice: Account) -> None:
    async def use(client: ExchangeClient) -> list[OutcomeKind]:
        alice.control.skew(-60_000)
        first = await client.place(alice.sell(), not_after=soon())
        again = await client.place(alice.sell(), not_after=soon())
        return [first.kind, again.kind]

    assert alice.run(use, alone=True) == [OutcomeKind.NOT_SENT, OutcomeKind.PLACED]
    assert len(alice.orders()) == 1


def test_69_a_read_survives_a_skewed_clock(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        alice.control.skew(-60_000)
        assert (await client.equity()).total > 0

    alice.run(use, alone=True)


def test_70_the_venues_word_about_the_clock_is_not_sent(alice: Account) -> None:
    alice.fault(path=alice.orders_path, **alice.manners.clock.fault())
    assert alice.place(alice.sell(), alone=True).kind is OutcomeKind.NOT_SENT


def test_71_no_answer_in_time_is_unknown_and_the_late_execution_is_found(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = settings().model_copy(update={"request_timeout_ms": 300})
    for reader in (ground, guard):
        monkeypatch.setattr(reader, "settings", lambda: hasty)
    alice.fault(path=alice.orders_path, execute="late", late_ms=500, answer="hang")
    request = alice.sell()
    outcome = alice.place(request, alone=True)
    assert (outcome.kind, outcome.message) == (OutcomeKind.UNKNOWN, "no answer in time")
    found = alice.run(lambda client: eventually(lambda: look_up(client, alice, request.client_order_id)))
    assert found.filled == request.quantity
    assert len(alice.orders()) == 1


def test_72_a_refused_connection_was_not_sent(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(client: ExchangeClient) -> Any:
        from copytrade.exchanges.venues import rebased

        exchange: Any = client._wire._exchange  # pyright: ignore
        exchange.urls = {**exchange.urls, "api": rebased(exchange.urls["api"], base="http://127.0.0.1:9")}
        return await client.place(alice.sell(), not_after=soon())

    outcome = alice.run(use, alone=True)
    assert (outcome.kind, outcome.sent_at) == (OutcomeKind.NOT_SENT, None)


def test_73_a_wrong_secret_and_a_revoked_key_are_refused(alice: Account) -> None:
    right = alice.credentials
    alice.bench.credentials[alice.ref.id] = Credentials(right.api_key, "not the secret", right.passphrase)
    assert alice.place(alice.sell(), alone=True).refusal is Refusal.CREDENTIALS
    alice.bench.credentials[alice.ref.id] = right
    assert alice.place(alice.sell()).kind is OutcomeKind.PLACED
    alice.control.revoke_key(alice.api_key)
    outcome = alice.place(alice.sell())
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REFUSED, Refusal.CREDENTIALS)
    assert len(alice.orders()) == 1


@pytest.mark.parametrize("answer", LOST_ANSWERS)
def test_74_a_read_without_an_answer_that_tells_is_unavailable(alice: Account, answer: str) -> None:
    async def use(client: ExchangeClient) -> None:
        for read in (client.equity, client.balances, client.positions, client.state):
            # it lasts: a GET on a connection that died is sent once more by the HTTP client itself
            alice.fault(execute="no", answer=answer, count=-1, method="GET")
            with pytest.raises(Unavailable):
                await read()
            alice.control.clear_faults()
        alice.fault(execute="no", answer=answer, count=-1, method="GET")
        with pytest.raises(Unavailable):
            await client.fills(alice.symbol, cursor="", since=clock.now() - timedelta(minutes=1))

    alice.run(use)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_75_a_read_of_a_failing_server_is_unavailable(alice: Account, status: int) -> None:
    alice.fault(execute="no", answer="status", status=status, count=1)
    with pytest.raises(Unavailable):
        alice.run(lambda client: client.equity())
    for said in alice.manners.unclear:
        alice.fault(**said.fault())
        with pytest.raises(Unavailable):
            alice.run(lambda client: client.equity())


def test_76_a_setting_that_nobody_knows_the_end_of_is_unavailable(alice: Account) -> None:
    if alice.is_spot:
        alice.control.forget_requests()
        alice.run(lambda client: client.set_leverage(alice.symbol, 5))
        assert alice.control.requests() == {}  # nothing is asked that could fail
        return
    for said in alice.manners.unclear[:2]:
        alice.fault(method="POST", **said.fault())
        with pytest.raises(Unavailable):
            alice.run(lambda client: client.set_leverage(alice.symbol, 5))


def test_77_nothing_secret_is_in_what_can_be_printed(alice: Account) -> None:
    alice.fault(execute="no", answer="drop", path=alice.orders_path)
    outcome = alice.place(alice.sell())
    for secret in (alice.api_key, alice.credentials.api_secret, "signature"):
        assert secret not in repr(outcome)
        assert secret not in repr(alice.credentials)
    alice.fault(execute="no", answer="drop", count=2)
    with pytest.raises(Unavailable) as raised:
        alice.run(lambda client: client.equity())
    assert alice.api_key not in str(raised.value)
    assert raised.value.__context__ is None


def test_78_pages_go_on_where_a_page_failed(alice: Account) -> None:
    alice.trade("SELL", "0.1")
    alice.fault(execute="no", answer="html", count=2, method="GET")
    with pytest.raises(Unavailable):
        alice.run(lambda client: all_fills(client, alice.symbol))
    alice.control.clear_faults()
    found, _ = alice.run(lambda client: all_fills(client, alice.symbol))
    assert [fill.trade_id for fill in found] == alice.filled_ids()
