from datetime import UTC, datetime

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from copytrade.engines import Engines
from copytrade.queues import dead_jobs, knock, nudge, queue, retry, tick

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


def test_a_nudge_adds_nothing_to_a_job_that_waits_and_a_job_to_one_that_runs(engines: Engines) -> None:
    of = queue("billing")
    of.empty()
    nudge("billing", "workers.jobs.settle_payments")
    nudge("billing", "workers.jobs.settle_payments")
    nudge("billing", "workers.jobs.move_payouts")
    assert of.count == 2
    [begun, _] = of.job_ids
    of.connection.lrem(of.key, 1, begun)  # what a worker does first; it may die next
    nudge("billing", "workers.jobs.settle_payments")
    assert of.count == 2
    of.empty()


def test_an_unknown_queue_is_an_error(engines: Engines) -> None:
    with pytest.raises(ValueError, match="queue was"):
        queue("default")


def test_a_job_that_raises_is_kept_told_and_tried_again(engines: Engines) -> None:
    of = queue("billing")
    of.empty()
    of.failed_job_registry.cleanup()
    of.enqueue("builtins.int", "no number", job_id="dead-1")
    SimpleWorker([of], connection=of.connection, serializer=JSONSerializer).work(burst=True)
    [dead] = [job for job in dead_jobs() if job.id == "dead-1"]
    assert (dead.queue, dead.job) == ("billing", "builtins.int")
    assert dead.error == "ValueError: invalid literal for int() with base 10: 'no number'"
    assert retry("billing", "dead-1")
    assert [job.id for job in dead_jobs()] == []
    assert of.job_ids == ["dead-1"]
    assert not retry("billing", "dead-1")
    assert not retry("billing", "nobody")
    of.delete(delete_jobs=True)


def _died(name: str, text: str) -> None:
    of = queue(name)
    of.enqueue("builtins.int", text, job_id=f"dead-{text}")
    SimpleWorker([of], connection=of.connection, serializer=JSONSerializer).work(burst=True)


def test_the_newest_of_all_queues_come_first(engines: Engines) -> None:
    for name, text in (("billing", "one"), ("notify", "two"), ("billing", "three")):
        _died(name, text)
    assert [(job.queue, job.id, job.error.rpartition(" ")[2]) for job in dead_jobs()] == [
        ("billing", "dead-three", "'three'"), ("notify", "dead-two", "'two'"), ("billing", "dead-one", "'one'"),
    ]  # fmt: skip
    assert len(dead_jobs(limit=2)) == 2
    for name, text in (("billing", "one"), ("notify", "two"), ("billing", "three")):
        queue(name).failed_job_registry.remove(f"dead-{text}", delete_job=True)
    assert dead_jobs() == []
