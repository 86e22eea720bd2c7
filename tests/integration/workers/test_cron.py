import asyncio
import importlib

import pytest

from copytrade.engines import Engines
from copytrade.queues import QUEUES, queue
from tests.waiting import wait_until
from workers import cron


def test_every_job_of_the_clock_is_there_and_on_a_known_queue() -> None:
    for job, target in {(due.job, due.queue) for due in cron.SCHEDULE} | {
        (job, name) for name, job in cron.CARRIED.values()
    }:
        module, _, name = job.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name)), job
        assert target in QUEUES


def test_two_clocks_put_each_slot_into_the_queue_once(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    due = cron.Due("notify", "workers.jobs.deliver_notices", 1)
    monkeypatch.setattr(cron, "SCHEDULE", (due,))
    queue("notify").empty()

    async def run_for_a_while() -> None:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(cron.ring_slots(stop)) for _ in range(2)]
        await asyncio.to_thread(wait_until, lambda: queue("notify").count >= 2, what="two slots")
        stop.set()
        await asyncio.gather(*tasks)

    asyncio.run(asyncio.wait_for(run_for_a_while(), 20))
    ids = queue("notify").job_ids
    assert len(ids) == len(set(ids)) <= 3
    queue("notify").empty()
