"""The only place that makes RQ queues. A queue message only says "there is work"; the database holds the work."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from time import time
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import DuplicateJobError, InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer

from copytrade.settings import settings

QUEUES = ("copy", "capture", "billing", "notify", "analytics")
"""One queue a worker: RQ moves a job safely only then."""
JOB_TIMEOUT_S = 60
FAILURE_TTL_S = 7 * 24 * 3600
_LOOKED_AT = 50


@lru_cache(maxsize=1)
def connection() -> Redis:
    """Return this process's Redis connection pool."""
    return Redis.from_url(settings().redis_url)


def queue(name: str) -> Queue:
    """Return the queue of that name, with the serializer that its worker uses too."""
    if name not in QUEUES:
        raise ValueError(f"queue was {name!r}")
    return Queue(name, connection=connection(), serializer=JSONSerializer)


def knock(name: str, job: str, *arguments: str) -> None:
    """Enqueue `job` (its dotted name) with ids only; its id is random, so that a kill never makes the queue deaf."""
    _enqueue(queue(name), job, arguments, job_id=None)


def nudge(name: str, job: str) -> None:
    """Knock unless the same job waits already: when that begins, it sees all that is there now."""
    of = queue(name)
    waiting = Job.fetch_many(of.get_job_ids(0, _LOOKED_AT), connection=connection(), serializer=JSONSerializer)
    if not any(one is not None and one.func_name == job for one in waiting):
        knock(name, job)


def tick(name: str, job: str, *, slot: datetime, timeout_s: int = JOB_TIMEOUT_S) -> bool:
    """Enqueue a clock's job once for its slot, however many clocks run; False where another clock was first."""
    stamp = f"{job.rsplit('.', 1)[-1]}-{slot:%Y%m%dT%H%M%S}"
    try:
        _enqueue(queue(name), job, (), job_id=stamp, timeout_s=timeout_s)
    except DuplicateJobError:
        return False
    return True


def _enqueue(
    target: Queue, job: str, arguments: tuple[str, ...], *, job_id: str | None, timeout_s: int = JOB_TIMEOUT_S
) -> None:
    options: dict[str, Any] = {"job_id": job_id, "unique": True} if job_id else {}
    target.enqueue(
        job,
        args=arguments,
        result_ttl=0 if job_id is None else 600,
        job_timeout=timeout_s,
        failure_ttl=FAILURE_TTL_S,
        **options,
    )


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job that raised: which, where, why (the last line of its traceback), when."""

    id: str
    queue: str
    job: str
    error: str
    failed_at: datetime


def dead_jobs(*, limit: int = 50) -> list[DeadJob]:
    """Return the newest jobs that raised, of all queues, in three questions however many they are.

    They are kept for seven days and tried again by an operator.
    """
    ids = _dead_ids(limit)
    jobs = Job.fetch_many(ids, connection=connection(), serializer=JSONSerializer)
    with connection().pipeline(transaction=False) as asking:
        for job_id in ids:
            asking.xrevrange(Result.get_key(job_id), count=1)
        ends = asking.execute()
    found = [_dead(job, end) for job, end in zip(jobs, ends, strict=True) if job is not None]
    return sorted(found, key=lambda job: job.failed_at, reverse=True)


def _dead_ids(limit: int) -> list[str]:
    """Return the ids of the jobs that raised last, of all queues."""
    names = [queue(name).failed_job_registry.key for name in QUEUES]
    with connection().pipeline(transaction=False) as asking:
        for name in names:
            # What expires last failed last: all are kept equally long.
            asking.zrevrangebyscore(name, "+inf", int(time()), start=0, num=limit, withscores=True)
        found = [pair for pairs in asking.execute() for pair in pairs]
    newest = sorted(found, key=lambda pair: pair[1], reverse=True)[:limit]
    return [job_id.decode() for job_id, _ in newest]


def _dead(job: Job, ends: list[tuple[bytes, dict[bytes, bytes]]]) -> DeadJob:
    lines = list[str]()
    for end_id, payload in ends:
        end = Result.restore(job.id, end_id.decode(), payload, connection=connection(), serializer=JSONSerializer)
        lines = (end.exc_string or "").strip().splitlines()
    at = job.ended_at or job.created_at
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return DeadJob(job.id, job.origin, job.func_name or "", lines[-1][:300] if lines else "", at)


def retry(name: str, job_id: str) -> bool:
    """Put a job that raised back into its queue; False where it is not there any more."""
    try:
        queue(name).failed_job_registry.requeue(job_id)
    except (InvalidJobOperation, NoSuchJobError):
        return False
    return True
