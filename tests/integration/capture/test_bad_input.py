"""What a venue should not send: nothing is lost, each trouble is counted once, the account is marked where it matters.

One lead for each scenario, all captured by the same loops; each also trades in a way that only good capture survives.
"""

import json
from collections.abc import Generator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlmodel import col, select

from copytrade.capture import polling, storing, streaming
from copytrade.capture.models import SpoiledRow
from copytrade.capture.trouble import Trouble
from copytrade.db.session import reading
from copytrade.domain.instruments import Market, Venue
from copytrade.engines import Engines
from copytrade.sandbox.client import Control
from tests import engines as test_engines
from tests.conftest import Sandbox
from tests.integration.capture.conftest import Lead, link, opened
from tests.waiting import wait_until
from workers.loop import WarmLoop

LEADS = 25
EVENT = "ORDER_TRADE_UPDATE"


@pytest.fixture(scope="module")
def leads(database: Engines, sandbox: Sandbox) -> Generator[Iterator[Lead]]:
    """Leads with a baseline and a stream, one to take for each test."""
    control = sandbox.control
    control.clear_faults()
    control.limits(weight_per_minute=1_000_000)
    made = [opened(control, venue=Venue.BINANCE, market=Market.PERPETUAL) for _ in range(LEADS)]
    found = [Lead(*link(control, made=one), control) for one in made]
    loop = WarmLoop((polling.run, streaming.run))
    loop.start()
    for lead in found:
        lead.wait_for_baseline()
        wait_until(lambda lead=lead: lead.state().stream_connected_at, timeout=15, what="stream connected")
    yield iter(found)
    loop.stop()
    test_engines.wipe(database)


@pytest.fixture
def alice(leads: Iterator[Lead], sandbox: Sandbox) -> Generator[Lead]:
    yield next(leads)
    sandbox.control.clear_faults()


def troubles(kind: Trouble) -> float:
    return REGISTRY.get_sample_value("copytrade_capture_troubles_total", {"kind": kind.value}) or 0.0


def spoiled(alice: Lead) -> list[str]:
    with reading() as session:
        rows = select(SpoiledRow.content).where(col(SpoiledRow.exchange_account_id) == alice.ref.id)
        return list(session.exec(rows))


def assert_nothing_is_lost(alice: Lead, *, beside: set[str] = frozenset()) -> None:  # pyright: ignore[reportArgumentType]
    """Each trade of the venue is stored once and planned, and P is the venue's position."""
    wait_until(lambda: {fill.trade_id for fill in alice.stored()} - beside == alice.venue_trades(), timeout=20)
    position = alice.control.position(alice.number, "BTCUSDT")
    wait_until(lambda: alice.plan() or alice.held().get("BTC/USDT:USDT", Decimal(0)) == position, timeout=15)
    assert len(alice.stored()) == len(alice.venue_trades() | beside)


def change(control: Control, alice: Lead, **facts: Any) -> None:
    control.stream_fault("change", account=alice.number, event=EVENT, count=2, **facts)  # NEW and TRADE


@pytest.mark.parametrize("frame", ["no json at all", "[]", "null", '{"e": 7', '{"e": "ORDER_TRADE_UPDATE", "o": {}}'])
def test_a_frame_that_is_garbage_is_kept_once(alice: Lead, frame: str) -> None:
    before = troubles(Trouble.UNREADABLE)
    alice.control.tell_raw(alice.number, frame)
    wait_until(lambda: len(spoiled(alice)) == 1, what="the frame kept")
    alice.control.tell_raw(alice.number, frame)
    alice.trade("BUY", "0.2")
    assert_nothing_is_lost(alice)
    assert len(spoiled(alice)) == 1
    assert troubles(Trouble.UNREADABLE) - before == 1
    assert alice.state().problem == Trouble.UNREADABLE


def test_a_fill_that_cannot_be_taken_from_the_stream_comes_by_the_poll(leads: Iterator[Lead], control: Control) -> None:
    odd: list[dict[str, Any]] = [
        {"o.l": "0"}, {"o.L": None}, {"o.l": "1E+400000"}, {"o.c": "\x00nul"}, {"o.X": "HALF_DONE"}, {"o.T": "soon"},
    ]  # fmt: skip
    before = troubles(Trouble.UNREADABLE)
    hit = list(zip(odd, leads, strict=False))
    for replaced, alice in hit:
        change(control, alice, replace=replaced)
        alice.trade("BUY", "0.2")
        alice.trade("SELL", "0.1")
    for _, alice in hit:
        assert_nothing_is_lost(alice)
        assert spoiled(alice)
    assert troubles(Trouble.UNREADABLE) - before == sum(len(spoiled(alice)) for _, alice in hit)


def test_a_missing_field_spoils_no_other_message(alice: Lead) -> None:
    change(alice.control, alice, remove=["o.t"])
    alice.trade("BUY", "0.3")
    assert_nothing_is_lost(alice)
    assert json.loads(spoiled(alice)[0])["e"] == EVENT


def test_exponents_are_numbers(alice: Lead) -> None:
    alice.control.stream_fault("change", account=alice.number, count=-1, exponents=True)
    alice.control.fault(account=alice.number, count=-1, exponents=True)
    alice.trade("BUY", "0.25")
    alice.trade("SELL", "0.125")
    assert_nothing_is_lost(alice)
    told = {str(row["id"]): row for row in alice.control.fills(alice.number)}
    for fill in alice.stored():
        row = told[fill.trade_id]
        assert (fill.quantity, fill.price, fill.fee) == tuple(
            Decimal(row[one]) for one in ("qty", "price", "commission")
        )


def test_a_fill_of_the_future_makes_no_other_late(alice: Lead) -> None:
    before = troubles(Trouble.FUTURE)
    change(alice.control, alice, replace={"o.T": 4_102_444_800_000, "T": 4_102_444_800_000})
    alice.trade("BUY", "0.2")
    wait_until(lambda: alice.state().problem == Trouble.FUTURE, what="the account marked")
    alice.trade("BUY", "0.3")
    assert_nothing_is_lost(alice)
    assert troubles(Trouble.FUTURE) - before == 1
    assert max(fill.venue_time for fill in alice.stored()).year < 2100
    assert not any(found.is_late for found in alice.planned)


def test_a_symbol_that_the_venue_does_not_know_keeps_no_other_from_being_read(alice: Lead) -> None:
    before = troubles(Trouble.UNKNOWN_SYMBOL)
    change(alice.control, alice, replace={"o.s": "NOSUCHUSDT", "o.t": 987_654_321})
    alice.trade("BUY", "0.2")
    wait_until(lambda: alice.state().problem == Trouble.UNKNOWN_SYMBOL, timeout=20, what="the account marked")
    alice.control.silence_streams(alice.number)
    alice.trade("BUY", "0.3")
    assert_nothing_is_lost(alice, beside={"987654321"})
    alice.control.silence_streams(alice.number, silent=False)
    assert troubles(Trouble.UNKNOWN_SYMBOL) - before == 1


def test_a_delisted_symbol_keeps_no_other_from_being_read(alice: Lead) -> None:
    alice.trade("BUY", "100", "XRPUSDT")
    wait_until(lambda: len(alice.stored()) == len(alice.venue_trades()), what="the fill before")
    alice.control.delist("XRPUSDT")
    try:
        alice.control.silence_streams(alice.number)
        alice.trade("BUY", "0.3")
        assert_nothing_is_lost(alice)
    finally:
        alice.control.silence_streams(alice.number, silent=False)
        alice.control.delist("XRPUSDT", delisted=False)


def test_reads_that_bring_nothing_sensible_are_made_again(leads: Iterator[Lead], control: Control) -> None:
    answers = ("html", "empty", "truncated", "broken_json", "garbage", "bad_gzip", "large")
    hit = list(zip(answers, leads, strict=False))
    for answer, alice in hit:
        control.silence_streams(alice.number)
        for path in ("/userTrades", "/allOrders"):
            control.fault(answer=answer, account=alice.number, method="GET", path=path, count=2)
        alice.trade("BUY", "0.3")
    for _, alice in hit:
        assert_nothing_is_lost(alice)
    control.clear_faults()


def test_an_order_that_cannot_be_read_holds_up_no_fill(alice: Lead) -> None:
    alice.control.silence_streams(alice.number)
    alice.control.fault(account=alice.number, path="/allOrders", count=-1, replace={"*.status": "HALF_DONE"})
    alice.trade("BUY", "0.3")
    assert_nothing_is_lost(alice)
    alice.control.silence_streams(alice.number, silent=False)


def test_garbage_without_end_does_not_fill_the_disk(alice: Lead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "MOST_SPOILED", 5)
    for number in range(20):
        alice.control.tell_raw(alice.number, f"garbage {number}")
    alice.trade("BUY", "0.1")
    assert_nothing_is_lost(alice)
    assert len(spoiled(alice)) == 5
