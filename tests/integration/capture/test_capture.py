"""A lead trades on the sandbox; his fills are stored once and planned in order, whichever way they came."""

from collections.abc import Callable
from decimal import Decimal

from copytrade.capture import polling, streaming
from copytrade.capture.storing import Source
from copytrade.domain.changes import ChangeKind
from tests.integration.capture.conftest import BTC, Lead
from tests.waiting import wait_until
from workers.loop import WarmLoop


def streamed(alice: Lead) -> bool:
    return alice.state().stream_connected_at is not None


def test_the_stream_alone_captures_and_proves_fills(
    alice: Lead, run_parts: Callable[..., WarmLoop], both: WarmLoop
) -> None:
    alice.wait_for_baseline()
    both.stop()
    run_parts(streaming.run)
    before = alice.state().stream_connected_at
    wait_until(lambda: alice.state().stream_connected_at != before, timeout=15)
    alice.trade("BUY", "1")
    alice.trade("SELL", "0.4")
    planned = alice.wait_until_planned(len(alice.venue_trades()))
    assert planned[0].before == 0
    assert planned[-1].after == Decimal("0.6")
    assert {fill.source for fill in alice.stored()} == {Source.STREAM}
    assert {fill.trade_id for fill in alice.stored()} == alice.venue_trades()


def test_polling_alone_captures_and_proves_fills(alice: Lead, run_parts: Callable[..., WarmLoop]) -> None:
    run_parts(polling.run)
    alice.wait_for_baseline()
    alice.trade("BUY", "1")
    alice.trade("BUY", "2", "ETHUSDT")
    alice.trade("SELL", "1")
    planned = alice.wait_until_planned(len(alice.venue_trades()), timeout=25)
    assert {fill.source for fill in alice.stored()} == {Source.POLL}
    finals = {change.instrument.symbol: change.after for change in planned}
    assert finals == {BTC: Decimal(0), "ETH/USDT:USDT": Decimal(2)}
    assert all(change.kind is ChangeKind.FILL and not change.is_late for change in planned)


def test_both_ways_together_store_each_fill_once(alice: Lead, both: WarmLoop) -> None:
    alice.wait_for_baseline()
    wait_until(lambda: streamed(alice))
    for _ in range(10):
        alice.trade("BUY", "0.1")
        alice.trade("SELL", "0.1")
    planned = alice.wait_until_planned(len(alice.venue_trades()))
    assert sorted(fill.trade_id for fill in alice.stored()) == sorted(alice.venue_trades())
    assert len({change.fill_id for change in planned}) == len(planned) == len(alice.venue_trades())
    assert planned[-1].after == 0
