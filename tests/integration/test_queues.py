from datetime import UTC, datetime

import pytest

from copytrade.engines import Engines
from copytrade.queues import knock, queue, tick

SLOT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_two_clocks_ring_a_slot_once(engines: Engines) -> None:
    queue("notify").empty()
    assert tick("notify", "workers.jobs.deliver_notices", slot=SLOT)
    assert not tick("notify", "workers.jobs.deliver_notices", slot=SLOT)
    assert queue("notify").count == 1
    queue("notify").empty()


def test_a_knock_is_never_deaf(engines: Engines) -> None:
    queue("billing").empty()
    knock("billing", "workers.jobs.settle_payments")
    knock("billing", "workers.jobs.settle_payments")
    assert queue("billing").count == 2
    queue("billing").empty()


def test_an_unknown_queue_is_an_error(engines: Engines) -> None:
    with pytest.raises(ValueError, match="queue was"):
        queue("default")
