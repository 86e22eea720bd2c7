"""An RQ worker of one queue: `python -m workers.worker QUEUE`.

Copying and capture never fork: a SimpleWorker in the main thread beside a warm event loop that itself hears the
bell and sweeps, so that a lost message or a Redis outage delays nothing. The others fork a process a job.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from rq import SimpleWorker, Worker
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from copytrade import logs
from copytrade.queues import QUEUES, connection, queue
from workers.loop import Part, WarmLoop, set_current

MAINTENANCE_S = 60


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
    kind: type[BaseWorker] = SimpleWorker if parts else Worker
    worker = kind([queue(name)], connection=connection(), serializer=JSONSerializer, maintenance_interval=MAINTENANCE_S)
    if not parts:
        # Each job forks: what it imports is imported here once, not in every child.
        import_module("workers.jobs")
        worker.work(logging_level="WARNING")
        return
    loop = WarmLoop(parts)
    set_current(loop)
    loop.start()
    try:
        worker.work(logging_level="WARNING")
    finally:
        loop.stop()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in QUEUES:
        sys.exit(f"usage: python -m workers.worker {{{','.join(QUEUES)}}}")
    logs.configure(f"worker-{sys.argv[1]}")
    main(sys.argv[1])
