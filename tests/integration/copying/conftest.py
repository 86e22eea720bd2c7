"""Copying on real engines against the sandbox: the parts of the workers run in a warm loop of the test's process.

Linking two accounts takes seconds, so a module's tests share one stage; each begins with everybody flat.
"""

from collections.abc import Generator

import pytest

from copytrade.accounts import checking, snapshots
from copytrade.capture import polling, streaming
from copytrade.copying import engine
from copytrade.demo.keys import Place
from copytrade.domain.instruments import Market, Venue
from copytrade.engines import Engines
from tests import engines as test_engines
from tests.conftest import Sandbox
from tests.stage import PLACES, Pair, begin, has_baseline, ledger, pair
from tests.waiting import wait_until
from workers.loop import WarmLoop


@pytest.fixture(scope="module")
def joined(database: Engines, sandbox: Sandbox) -> Generator[Pair]:
    """Alice and Bob, who copies a tenth of what she trades; capture and copying run, the price stands at 60,000."""
    sandbox.control.clear_faults()
    sandbox.control.set_price("BTCUSDT", 60_000)
    loop = WarmLoop([polling.run, streaming.run, checking.run, snapshots.run, engine.run])
    loop.start()
    try:
        yield pair(sandbox.control)
    finally:
        sandbox.control.clear_faults()
        sandbox.control.clear_book("BTCUSDT")
        loop.stop()
        test_engines.wipe(database)


@pytest.fixture(scope="module")
def stages(database: Engines, sandbox: Sandbox) -> Generator[dict[Place, Pair]]:
    """Alice and Bob at every place, all at once; capture and copying run, the price of BTC stands at 60,000."""
    sandbox.control.clear_faults()
    for market in Market:
        sandbox.control.clear_book("BTCUSDT", market=market.value)
        sandbox.control.set_price("BTCUSDT", 60_000, market=market.value)
    narrow = {venue: sandbox.control.limits(venue=venue.value) for venue in (Venue.BYBIT, Venue.BITGET)}
    # Twelve accounts are linked within a second: how a venue's limits are kept is tried elsewhere.
    sandbox.control.limits(venue=Venue.BYBIT.value, requests_per_5s=1_000_000, reads_per_s=1_000_000)
    sandbox.control.limits(venue=Venue.BITGET.value, requests_per_minute=1_000_000, user_percent=100_000)
    loop = WarmLoop([polling.run, streaming.run, checking.run, snapshots.run, engine.run])
    loop.start()
    try:
        stages = {place: begin(sandbox.control, place=place) for place in PLACES}
        wait_until(lambda: all(has_baseline(stage) for stage in stages.values()), timeout=60, what="all baselines")
        yield stages
    finally:
        for venue, rules in narrow.items():
            sandbox.control.limits(venue=venue.value, **rules)
        sandbox.control.clear_faults()
        loop.stop()
        test_engines.wipe(database)


@pytest.fixture
def stage(joined: Pair) -> Pair:
    """The two, with no position and no order under way."""
    flatten(joined)
    return joined


def flatten(stage: Pair) -> None:
    """Bring both to flat by their own hands, and the service with them."""
    stage.control.clear_faults()
    stage.control.clear_book("BTCUSDT")
    stage.control.set_price("BTCUSDT", 60_000)
    for account in (stage.lead, stage.copy):
        held = stage.control.position(account.key.account_id, "BTCUSDT")
        if held and account is stage.lead:
            stage.control.place(account.key.account_id, "BTCUSDT", "SELL" if held > 0 else "BUY", abs(held))
    wait_until(lambda: stage.copy_position() == 0, timeout=60, what="a flat copy")
    wait_until(lambda: ledger(stage.lead.id).unended == 0, timeout=60, what="orders that have ended")
