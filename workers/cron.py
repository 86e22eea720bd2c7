"""Our small clock: puts due jobs into RQ (`rq cron` knows only pickle), and carries the bell over to RQ's queues.

A job's id is its slot of the clock and unique, so any number of clocks may run.
"""

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from redis.exceptions import RedisError

from copytrade import logs
from copytrade.db.bell import bell
from copytrade.queues import JOB_TIMEOUT_S, nudge, tick

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Due:
    """A job that falls due every so many seconds, at multiples of them since the epoch."""

    queue: str
    job: str
    every_s: int
    timeout_s: int = JOB_TIMEOUT_S


SCHEDULE = (
    Due("copy", "workers.jobs.wake_copying", 5),
    Due("capture", "workers.jobs.wake_capture", 5),
    Due("billing", "workers.jobs.settle_payments", 10),
    Due("billing", "workers.jobs.expire_subscriptions", 60),
    Due("billing", "workers.jobs.reconcile_payments", 3600),
    Due("billing", "workers.jobs.move_payouts", 10),
    Due("billing", "workers.jobs.collect_fees", 300),
    Due("billing", "workers.jobs.plan_payouts", 3600),
    Due("billing", "workers.jobs.compare_money", 86_400, timeout_s=1800),
    Due("notify", "workers.jobs.deliver_notices", 10),
    Due("analytics", "workers.jobs.refresh_statistics", 15),
    Due("analytics", "workers.jobs.price_skips", 60),
    Due("analytics", "workers.jobs.price_all_skips", 86_400),
)

CARRIED = {
    "events": ("notify", "workers.jobs.deliver_notices"),
    "billing": ("billing", "workers.jobs.settle_payments"),
}
"""Topics of the bell whose workers fork and so cannot listen themselves."""


async def ring_slots(stop: asyncio.Event) -> None:
    """Enqueue each due job once a slot."""
    done: dict[str, int] = {due.job: int(time.time()) // due.every_s for due in SCHEDULE}
    while not stop.is_set():
        await asyncio.sleep(0.5)
        for due in SCHEDULE:
            slot = int(time.time()) // due.every_s
            if slot > done[due.job] and await _reached(
                lambda due=due, slot=slot: tick(due.queue, due.job, slot=_start(due, slot), timeout_s=due.timeout_s)
            ):
                done[due.job] = slot


def _start(due: Due, slot: int) -> datetime:
    return datetime.fromtimestamp(slot * due.every_s, UTC)


async def carry(topic: str, stop: asyncio.Event) -> None:
    """Knock at a forking worker's queue when its topic rings."""
    queue, job = CARRIED[topic]
    async for _ in bell().rings(topic, quiet=0.3, every=30):
        if stop.is_set():
            return
        await _reached(lambda: nudge(queue, job))


async def _reached(send: Callable[[], object]) -> bool:
    try:
        await asyncio.to_thread(send)
    except RedisError as error:
        log.warning("cron.redis_away", reason=type(error).__name__)
        await asyncio.sleep(1)
        return False
    return True


async def main() -> None:
    """Run until told to stop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    tasks = [asyncio.create_task(ring_slots(stop)), *(asyncio.create_task(carry(topic, stop)) for topic in CARRIED)]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await bell().close()


if __name__ == "__main__":
    logs.configure("cron")
    asyncio.run(main())
