"""An RQ worker of one queue: `python -m workers.worker QUEUE`.

Copying and capture never fork: a SimpleWorker in the main thread beside a warm event loop that itself hears the
bell and sweeps, so that a lost message or a Redis outage delays nothing. The others fork a process a job.
"""

import sys
import time
from collections.abc import Sequence
from importlib import import_module

import structlog
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import configure_mappers

from copytrade import logs
from copytrade.db.clock import follow_now
from copytrade.queues import QUEUES, connection, queue
from workers.loop import Part, WarmLoop, set_current

MAINTENANCE_S = 60
PAUSE_S = 1.0
log = structlog.get_logger()


class ForkingWorker(Worker):
    """Forks a process a job, which looks first what time the installation has."""

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Work one job, in the child."""
        try:
            follow_now()
        except DBAPIError as error:  # the job itself fails of it, and is then told as any other
            log.warning("worker.database_away", reason=type(error).__name__)
        return super().perform_job(job, queue, execution)


def parts_of(name: str) -> Sequence[Part]:
    """Return what the warm loop of a queue's worker runs; empty for the queues that fork."""
    if name == "copy":
        from copytrade.copying import engine

        return [engine.run]
    if name == "capture":
        from copytrade.accounts import checking, snapshots
        from copytrade.capture import closes, polling

        return [polling.run, closes.run, checking.run, snapshots.run]
    return []


def main(name: str) -> None:
    """Work the queue until told to stop; a warm loop then ends what is in flight."""
    parts = parts_of(name)
    if not parts:
        # Each job forks: what it imports is imported here once, not in every child.
        import_module("workers.jobs")
        configure_mappers()
        _work(name, ForkingWorker)
        return
    loop = WarmLoop(parts)
    set_current(loop)
    loop.start()
    try:
        _work(name, SimpleWorker)
    finally:
        loop.stop()


def _work(name: str, kind: type[BaseWorker]) -> None:
    """Work the queue until a signal ends it: a Redis that is away ends RQ's worker, never this process."""
    try:
        while not _worked_until_stopped(name, kind):
            time.sleep(PAUSE_S)
    except StopRequested:  # the signal came between two workers
        return


def _worked_until_stopped(name: str, kind: type[BaseWorker]) -> bool:
    try:
        # Making one asks Redis already: who starts while it is away waits for it.
        worker = kind(
            [queue(name)], connection=connection(), serializer=JSONSerializer, maintenance_interval=MAINTENANCE_S
        )
    except RedisError as error:
        log.warning("worker.redis_away", reason=type(error).__name__)
        return False
    try:
        worker.work(logging_level="WARNING")
    except RedisError as error:
        log.warning("worker.redis_away", reason=type(error).__name__)
    # It returns in the same way when Redis went away under it as when it was told to stop.
    return worker._shutdown_requested_date is not None


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in QUEUES:
        sys.exit(f"usage: python -m workers.worker {{{','.join(QUEUES)}}}")
    logs.configure(f"worker-{sys.argv[1]}")
    main(sys.argv[1])
