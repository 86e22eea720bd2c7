"""Spot on Binance, where fills are told symbol by symbol: what nobody named is found, what is no trade is told."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from copytrade.capture import polling, queries
from copytrade.capture.models import CaptureState
from copytrade.capture.trouble import Trouble
from copytrade.db.session import reading
from copytrade.domain.instruments import Market, Venue
from copytrade.sandbox.client import Control
from tests.integration.capture.conftest import Lead
from tests.integration.capture.test_places import lead_at
from tests.waiting import wait_until
from workers.loop import WarmLoop

BTC, ETH = "BTC/USDT", "ETH/USDT"


@pytest.fixture
def alice(committed: object, control: Control) -> Lead:
    return lead_at(control, Venue.BINANCE, Market.SPOT)


def wait_for_rest(alice: Lead, *, after: CaptureState | None = None) -> None:
    """Wait until fills and ledger were held against all balances."""
    before = after.balances if after else {}
    wait_until(lambda: alice.state().balances != before, timeout=25, what="a moment of rest")


def entries(alice: Lead) -> dict[str, Decimal]:
    with reading() as session:
        since = alice.state().created_at - timedelta(hours=1)
        booked = queries.entries(session, account_id=alice.ref.id, since=since)
    return {f"{entry.kind} {entry.asset}": entry.amount for entry in booked}


def test_a_coin_that_was_sent_is_booked_and_not_bought(alice: Lead, both: WarmLoop) -> None:
    alice.wait_for_baseline()
    wait_until(lambda: alice.state().stream_connected_at, timeout=15, what="stream connected")
    alice.control.transfer(alice.number, 2, asset="BTC", market="spot")
    wait_until(lambda: entries(alice).get("transfer BTC") == 2, timeout=15, what="the transfer in the ledger")
    assert alice.held() == {ETH: Decimal(10)}
    alice.trade("SELL", "1.5")
    planned = alice.wait_until_planned(len(alice.venue_trades()))
    assert {(change.before, change.after) for change in planned} == {(0, 0)}
    assert alice.state().problem == ""


def test_a_round_trip_that_the_stream_lost_in_a_symbol_never_seen_is_found(alice: Lead, both: WarmLoop) -> None:
    alice.wait_for_baseline()
    wait_for_rest(alice)
    alice.control.silence_streams(alice.number)
    alice.trade("BUY", "10", "SOLUSDT")
    alice.trade("SELL", "9.99", "SOLUSDT")
    assert "SOL" not in alice.control.coins(alice.number) or not Decimal(alice.control.coins(alice.number)["SOL"])
    wait_until(lambda: {fill.trade_id for fill in alice.stored()} == alice.venue_trades(), timeout=40)
    alice.control.silence_streams(alice.number, silent=False)
    planned = alice.wait_until_planned(2)
    assert planned[-1].after == 0
    assert alice.state().problem == ""


def test_a_coin_that_came_from_nowhere_is_told(alice: Lead, run_parts: Callable[..., WarmLoop]) -> None:
    run_parts(polling.run)
    alice.wait_for_baseline()
    wait_for_rest(alice)
    rested = alice.state()
    hidden = alice.control.fault(account=alice.number, path="/deposit/hisrec", count=-1, remove=["*"])
    alice.control.transfer(alice.number, 3, asset="SOL", market="spot")
    wait_for_rest(alice, after=rested)
    alice.control.call("DELETE", f"/faults/{hidden}")
    assert entries(alice)["other SOL"] == 3
    assert alice.state().problem == Trouble.UNEXPLAINED
    assert alice.held() == {ETH: Decimal(10)}


def test_fees_in_a_third_coin_lower_what_is_held_of_it(committed: object, control: Control, both: WarmLoop) -> None:
    alice = lead_at(control, Venue.BINANCE, Market.SPOT, coins={"USDT": 1_000_000, "BNB": 5}, fee_asset="BNB")
    alice.wait_for_baseline()
    alice.trade("BUY", "1")
    alice.wait_until_planned(2 * len(alice.venue_trades()))
    fee = sum((fill.fee for fill in alice.stored()), Decimal(0))
    assert alice.held() == {BTC: Decimal(1), "BNB/USDT": 5 - fee}
    assert {change.fill_id for change in alice.planned} == {fill.id for fill in alice.stored()}
    assert Decimal(alice.control.coins(alice.number)["BNB"]) == 5 - fee
