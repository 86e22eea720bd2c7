"""The proof: ten thousand random spot trades over thirty symbols while the stream is cut ten times; none is missed."""

import random
from concurrent.futures import ThreadPoolExecutor
from decimal import ROUND_DOWN, ROUND_UP, Decimal

import pytest

from copytrade.capture.storing import Source
from copytrade.domain.instruments import Market, Venue
from copytrade.sandbox.client import Control
from copytrade.sandbox.exchange.instruments import SPOT_BY_SYMBOL
from tests.integration.capture.conftest import Lead
from tests.integration.capture.test_places import at_venue, lead_at
from tests.waiting import wait_until
from workers.loop import WarmLoop

TRADES, CUTS, AT_ONCE = 10_000, 10, 4
LEAST = Decimal(12)
"""USDT that a trade is worth: above the venue's minimum, whatever the price does meanwhile."""
NET = Decimal("0.999")


def orders(prices: dict[str, Decimal], *, count: int, seed: int) -> list[tuple[str, str, str]]:
    """Return symbols, sides and quantities at random: bought, sold in part, sold out, bought again."""
    chance = random.Random(seed)
    held = dict.fromkeys(prices, Decimal(0))
    made: list[tuple[str, str, str]] = []
    while len(made) < count:
        symbol = chance.choice(sorted(prices))
        unit = Decimal(1).scaleb(-SPOT_BY_SYMBOL[symbol].quantity_decimals)
        sold = (held[symbol] * chance.choice((1, Decimal("0.5")))).quantize(unit, rounding=ROUND_DOWN)
        if chance.random() < 0.5 and sold * prices[symbol] >= LEAST:
            held[symbol] -= sold
            made.append((symbol, "SELL", str(sold)))
        else:
            bought = (LEAST * chance.randint(1, 9) / prices[symbol]).quantize(unit, rounding=ROUND_UP)
            held[symbol] += bought * NET
            made.append((symbol, "BUY", str(bought)))
    return made


def trade(alice: Lead, symbols: list[str], *, seed: int, cuts: int) -> None:
    """Trade these symbols, the streams being cut every so often."""
    count = TRADES // AT_ONCE
    with Control(alice.control.base_url) as control:
        prices = {row["symbol"]: Decimal(row["bid"]) for row in control.market(market="spot")}
        wanted = orders({symbol: prices[symbol] for symbol in symbols}, count=count, seed=seed)
        for number, (symbol, side, quantity) in enumerate(wanted, start=1):
            control.place(alice.number, symbol, side, quantity, market="spot")
            if cuts and number % (count // cuts) == 0:
                control.cut_streams(alice.number)


@pytest.mark.timeout(240)
def test_ten_thousand_trades_and_a_stream_cut_ten_times(committed: object, control: Control, both: WarmLoop) -> None:
    alice = lead_at(control, Venue.BINANCE, Market.SPOT, coins={"USDT": 100_000_000})
    alice.wait_for_baseline()
    wait_until(lambda: alice.state().stream_connected_at, timeout=15, what="stream connected")
    names = sorted(SPOT_BY_SYMBOL)
    assert len(names) == 30
    with ThreadPoolExecutor(AT_ONCE) as threads:
        parts = [
            threads.submit(trade, alice, names[part::AT_ONCE], seed=part, cuts=0 if part else CUTS)
            for part in range(AT_ONCE)
        ]
        for part in parts:
            part.result()
    wanted = alice.venue_trades()
    assert len(wanted) >= TRADES
    wait_until(lambda: alice.count() >= len(wanted), timeout=60, every=0.5, what="all trades stored")
    stored = alice.stored()
    assert sorted(fill.trade_id for fill in stored) == sorted(wanted)
    # The past is read meanwhile too: what it meets first bears its name.
    assert {fill.source for fill in stored} >= {Source.STREAM, Source.POLL}, "no cut lost anything to the stream"
    wait_until(lambda: not alice.plan() and alice.held() == at_venue(alice), timeout=30, every=0.5, what="P")
    assert sorted(str(change.fill_id) for change in alice.planned) == sorted(str(fill.id) for fill in stored)
