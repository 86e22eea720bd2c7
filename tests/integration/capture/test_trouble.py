"""What goes wrong on the way of a lead's fills, and that none is lost, doubled or turned around."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
from sqlmodel import Session, select

from copytrade.accounts import queries as accounts
from copytrade.capture import polling, queries, streaming
from copytrade.capture.models import CaptureLease
from copytrade.db.session import reading
from copytrade.domain.changes import ChangeKind
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.exchanges.venues import facts
from copytrade.sandbox.client import Control
from tests.integration.capture.conftest import BTC, Lead, link
from tests.waiting import wait_until
from workers.loop import WarmLoop


def wait_for_stream(alice: Lead) -> None:
    wait_until(lambda: alice.state().stream_connected_at, timeout=15, what="stream connected")


def assert_complete(alice: Lead, *, position: str) -> None:
    """Each trade of the venue is stored once, planned once, and P is the venue's position."""
    stored = alice.stored()
    assert sorted(fill.trade_id for fill in stored) == sorted(alice.venue_trades())
    planned = [change for change in alice.planned if change.fill_id is not None]
    assert sorted(str(change.fill_id) for change in planned) == sorted(str(fill.id) for fill in stored)
    assert alice.planned[-1].after == Decimal(position)
    before = Decimal(0)
    for change in alice.planned:
        assert change.before == before
        before = change.after


def test_lost_stream_messages_are_found_by_the_poll(alice: Lead, both: WarmLoop) -> None:
    alice.wait_for_baseline()
    wait_for_stream(alice)
    alice.control.stream_fault("lose", account=alice.number, count=4)
    alice.trade("BUY", "0.5")
    alice.trade("SELL", "0.2")
    alice.wait_until_planned(len(alice.venue_trades()))
    assert_complete(alice, position="0.3")


def test_a_lost_buy_and_a_heard_sell_short_nothing(alice: Lead, both: WarmLoop) -> None:
    """Worked example 17: the sell waits for the buy that the poll brings."""
    alice.wait_for_baseline()
    wait_for_stream(alice)
    fault = alice.control.stream_fault("lose", account=alice.number, count=-1)
    alice.trade("BUY", "0.01")
    alice.control.call("DELETE", f"/faults/{fault}")
    alice.trade("SELL", "0.01")
    alice.wait_until_planned(len(alice.venue_trades()))
    assert_complete(alice, position="0")
    assert all(change.before >= 0 and change.after >= 0 for change in alice.planned)


def test_doubled_and_late_messages_change_nothing(alice: Lead, both: WarmLoop) -> None:
    alice.wait_for_baseline()
    wait_for_stream(alice)
    alice.control.stream_fault("double", account=alice.number, count=6)
    alice.trade("BUY", "0.5")
    alice.control.stream_fault("delay", account=alice.number, count=3, delay_ms=700)
    alice.trade("BUY", "0.1")
    alice.trade("SELL", "0.6")
    alice.wait_until_planned(len(alice.venue_trades()))
    assert_complete(alice, position="0")


def test_a_cut_stream_comes_back_and_the_gap_is_filled(alice: Lead, both: WarmLoop) -> None:
    alice.wait_for_baseline()
    wait_for_stream(alice)
    connected = alice.state().stream_connected_at
    alice.control.cut_streams(alice.number)
    alice.trade("BUY", "0.4")
    wait_until(lambda: alice.state().stream_connected_at != connected, timeout=15, what="stream connected again")
    alice.trade("SELL", "0.1")
    alice.wait_until_planned(len(alice.venue_trades()))
    assert_complete(alice, position="0.3")


def test_an_expired_listen_key_rebuilds_the_stream(alice: Lead, both: WarmLoop) -> None:
    alice.wait_for_baseline()
    wait_for_stream(alice)
    connected = alice.state().stream_connected_at
    alice.control.expire_listen_key(alice.number)
    wait_until(lambda: alice.state().stream_connected_at != connected, timeout=15, what="stream connected again")
    alice.trade("BUY", "0.1")
    alice.wait_until_planned(1)
    assert_complete(alice, position="0.1")


def test_the_listen_key_is_renewed_in_time(
    alice: Lead, run_parts: Callable[..., WarmLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = facts(Venue.BINANCE).market_options[Market.PERPETUAL]
    monkeypatch.setitem(cast("dict[str, object]", options), "listenKeyRefreshRate", 300)
    alice.control.forget_requests()
    run_parts(polling.run, streaming.run)
    alice.wait_for_baseline()
    wait_for_stream(alice)

    def renewals() -> int:
        return sum(count for path, count in alice.control.requests().items() if path == "PUT /fapi/v1/listenKey")

    wait_until(lambda: renewals() >= 2, timeout=10, what=f"two renewals in {alice.control.requests()}")
    alice.trade("BUY", "0.01")
    wait_until(lambda: {fill.trade_id for fill in alice.stored()} == alice.venue_trades(), what="the fill heard")


def test_what_happened_while_nothing_ran_is_captured_at_the_start(
    alice: Lead, both: WarmLoop, run_parts: Callable[..., WarmLoop]
) -> None:
    alice.wait_for_baseline()
    both.stop()
    alice.trade("BUY", "1")
    alice.trade("BUY", "3", "ETHUSDT")
    alice.trade("SELL", "3", "ETHUSDT")
    alice.trade("SELL", "0.5")
    run_parts(polling.run)
    alice.wait_until_planned(len(alice.venue_trades()))
    stored = alice.stored()
    assert sorted(fill.trade_id for fill in stored) == sorted(alice.venue_trades())
    with reading() as session:
        holdings = queries.lead_positions(session, account_id=alice.ref.id)
    assert [(one.instrument.symbol, one.quantity) for one in holdings] == [(BTC, Decimal("0.5"))]


def test_a_position_held_before_linking_is_the_baseline(
    committed: object, control: Control, run_parts: Callable[..., WarmLoop]
) -> None:
    ref, number = link(control)
    alice = Lead(ref, number, control)
    alice.trade("BUY", "2")
    run_parts(polling.run)
    alice.wait_for_baseline()
    alice.trade("SELL", "0.5")
    wait_until(lambda: {fill.trade_id for fill in alice.stored()} == alice.venue_trades(), what="all trades stored")
    wait_until(lambda: alice.plan() or alice.planned)
    assert alice.planned[0].before == 2
    assert alice.planned[-1].after == Decimal("1.5")
    assert {fill.is_history for fill in alice.stored() if fill.side == "buy"} == {True}


def test_a_liquidation_that_nobody_tells_closes_and_its_late_trade_changes_nothing(alice: Lead, both: WarmLoop) -> None:
    """Worked example 18."""
    alice.wait_for_baseline()
    wait_for_stream(alice)
    alice.trade("BUY", "1")
    count = len(alice.wait_until_planned(len(alice.venue_trades())))
    alice.control.stream_fault("lose", account=alice.number, count=-1)
    alice.control.read_lag(4000, account=alice.number)
    alice.control.liquidate(alice.number)
    alice.wait_until_planned(count + 1)
    assert alice.planned[-1].kind is ChangeKind.REBASE_REDUCE
    assert alice.planned[-1].after == 0
    alice.control.clear_faults()
    wait_until(lambda: {fill.trade_id for fill in alice.stored()} == alice.venue_trades(), timeout=20)
    wait_until(lambda: not alice.plan() and all(fill.planned_at or fill.is_history for fill in alice.stored()))
    assert alice.planned[-1].after == 0
    assert len(alice.planned) == count + 1
    wait_until(lambda: [fill.is_liquidation for fill in alice.stored() if fill.side == "sell"] == [True], timeout=20)


def test_two_processes_share_the_streams_and_one_takes_over(
    committed: object, control: Control, run_parts: Callable[..., WarmLoop]
) -> None:
    leads = [Lead(*link(control), control) for _ in range(4)]

    def owners() -> list[int]:
        with reading() as session:
            return sorted(_holders(session))

    first = run_parts(streaming.run)
    wait_until(lambda: owners() == [4], timeout=20, what="all at the first")
    run_parts(streaming.run)
    wait_until(lambda: owners() == [2, 2], timeout=20, what="shared out")
    first.stop()
    wait_until(lambda: owners() == [4], timeout=20, what="taken over")
    assert len(leads) == 4


def _holders(session: Session) -> list[int]:
    rows = session.exec(select(CaptureLease.owner).where(CaptureLease.kind == "stream")).all()
    return [rows.count(owner) for owner in set(rows)]


def test_a_subscribers_own_trades_are_stored_and_never_planned(
    committed: object, control: Control, run_parts: Callable[..., WarmLoop]
) -> None:
    ref, number = link(control, role=Role.COPY)
    bob = Lead(ref, number, control)
    run_parts(polling.run)
    bob.trade("BUY", "0.2")
    wait_until(lambda: {fill.trade_id for fill in bob.stored()} == bob.venue_trades(), timeout=20)
    assert all(fill.is_history for fill in bob.stored())
    assert bob.plan() == []


def test_a_stream_that_stays_open_and_says_nothing_is_built_anew(
    alice: Lead, both: WarmLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "REBUILD_AT_MOST_EVERY", timedelta(seconds=1))
    alice.wait_for_baseline()
    wait_for_stream(alice)
    alice.control.silence_streams(alice.number)
    connected = alice.state().stream_connected_at

    def is_rebuilt() -> bool:
        alice.trade("BUY", "0.01")
        return alice.state().stream_connected_at != connected

    wait_until(is_rebuilt, timeout=30, every=0.5, what="a new connection")
    alice.control.silence_streams(alice.number, silent=False)
    alice.wait_until_planned(len(alice.venue_trades()))


def test_polling_alone_learns_what_the_orders_tell(alice: Lead, run_parts: Callable[..., WarmLoop]) -> None:
    run_parts(polling.run)
    alice.wait_for_baseline()
    alice.control.place(alice.number, "BTCUSDT", "BUY", "1", client_id="web_mine")
    planned = alice.wait_until_planned(len(alice.venue_trades()), timeout=25)
    assert sum(change.order_share or 0 for change in planned) == 1
    assert {fill.client_order_id for fill in alice.stored()} == {"web_mine"}


def test_a_transfer_is_booked_and_the_equity_read_at_once(alice: Lead, both: WarmLoop) -> None:
    alice.wait_for_baseline()
    wait_for_stream(alice)

    def equity() -> Decimal:
        with reading() as session:
            return accounts.equities(session, [alice.ref.id])[alice.ref.id].total

    alice.control.transfer(alice.number, -400_000)
    wait_until(lambda: equity() == 600_000, timeout=10, what="the equity after the transfer")
    with reading() as session:
        booked = queries.entries(session, account_id=alice.ref.id, since=alice.state().created_at - timedelta(hours=1))
    assert [entry.amount for entry in booked if entry.kind == "transfer"] == [1_000_000, -400_000]
