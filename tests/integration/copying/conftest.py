"""Copying on real engines against the sandbox: the parts of the workers run in a warm loop of the test's process."""

from collections.abc import Generator

import pytest

from copytrade.accounts import checking, snapshots
from copytrade.capture import polling, streaming
from copytrade.copying import engine
from copytrade.engines import Engines
from tests.conftest import Sandbox
from tests.stage import Pair, pair
from workers.loop import WarmLoop


@pytest.fixture
def capturing(committed: Engines, sandbox: Sandbox) -> Generator[WarmLoop]:
    """Capture, key checks and snapshots; nothing is copied yet."""
    sandbox.control.clear_faults()
    loop = WarmLoop([polling.run, streaming.run, checking.run, snapshots.run])
    loop.start()
    yield loop
    sandbox.control.clear_faults()
    loop.stop()


@pytest.fixture
def stage(capturing: WarmLoop, sandbox: Sandbox) -> Pair:
    """Alice and Bob, who copies a tenth of what she trades; the price stands still at 60,000."""
    sandbox.control.set_price("BTCUSDT", 60_000)
    return pair(sandbox.control)


@pytest.fixture
def copying(stage: Pair) -> Generator[WarmLoop]:
    """The copy engine, running."""
    loop = WarmLoop([engine.run])
    loop.start()
    yield loop
    loop.stop()
