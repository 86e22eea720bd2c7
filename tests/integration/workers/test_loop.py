import asyncio
import threading
from collections.abc import Sequence

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from copytrade.db.bell import bell
from copytrade.engines import Engines
from copytrade.exchanges.port import ClientPool
from workers.loop import WarmLoop


def test_a_part_that_crashes_is_started_again_and_the_others_go_on(database: Engines) -> None:
    starts: list[int] = []
    again, rung = threading.Event(), threading.Event()

    async def clumsy(pool: ClientPool, stop: asyncio.Event) -> None:
        starts.append(1)
        if len(starts) == 1:
            raise ZeroDivisionError
        again.set()
        await stop.wait()

    async def listening(pool: ClientPool, stop: asyncio.Event) -> None:
        heard = 0
        async for _ in bell().rings("test-loop"):
            heard += 1
            if stop.is_set():
                return
            if heard > 2:  # at once, when the listening connection is up, then the ring
                rung.set()

    loop = WarmLoop([clumsy, listening])
    loop.start()
    try:
        assert again.wait(10)
        loop.ring("test-loop")
        assert rung.wait(10)
    finally:
        loop.stop()
    assert not loop.is_alive()
    assert len(starts) == 2


def test_a_loop_ends_what_is_in_flight_before_it_stops(database: Engines) -> None:
    started, ended = threading.Event(), threading.Event()

    async def slow(pool: ClientPool, stop: asyncio.Event) -> None:
        started.set()
        await stop.wait()
        await asyncio.sleep(0.3)
        ended.set()

    loop = WarmLoop([slow])
    loop.start()
    assert started.wait(10)
    loop.stop()
    assert ended.is_set()


@pytest.mark.parametrize(
    ("others", "told"),
    [((), "part.database_away"), ((ZeroDivisionError(),), "part.crashed")],
    ids=["nothing but the database", "a bug beside it"],
)
def test_a_database_that_is_away_is_told_as_that_where_several_tasks_met_it(
    database: Engines, others: Sequence[Exception], told: str
) -> None:
    starts: list[int] = []
    again = threading.Event()

    def away() -> OperationalError:
        return OperationalError("SELECT 1", {}, psycopg.errors.AdminShutdown())

    async def several(pool: ClientPool, stop: asyncio.Event) -> None:
        starts.append(1)
        if len(starts) == 1:
            raise ExceptionGroup("tasks", [away(), ExceptionGroup("inner", [away(), *others])])
        again.set()
        await stop.wait()

    with capture_logs() as logged:
        loop = WarmLoop([several])
        loop.start()
        try:
            assert again.wait(10)
        finally:
            loop.stop()
    assert [row["event"] for row in logged if row["event"].startswith("part.")] == [told]
