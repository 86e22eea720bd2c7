import asyncio

import psycopg
import pytest
from sqlmodel import select

from copytrade.db.bell import Bell, ring
from copytrade.db.events import Event, record
from copytrade.db.session import reading, transaction
from copytrade.engines import Engines


async def _first_ring(bell: Bell, topic: str, heard: asyncio.Event, ready: asyncio.Event) -> None:
    calls = 0
    async for _ in bell.rings(topic):
        calls += 1
        ready.set()
        if calls > 2:  # the first is "at once", the second comes when the listening connection is up
            heard.set()
            return


async def _until_listening(engines: Engines) -> None:
    where = f"host={engines.run} user=postgres dbname=copytrade"
    # Within one transaction PostgreSQL shows the activity of its first look for ever.
    async with await psycopg.AsyncConnection.connect(where, autocommit=True) as watch:
        while True:
            rows = await watch.execute("select 1 from pg_stat_activity where query like 'LISTEN bell%'")
            if await rows.fetchone():
                return
            await asyncio.sleep(0.01)


def _ring(topic: str) -> None:
    with transaction() as session:
        ring(session, topic)


def test_the_bell_rings_at_commit_and_only_its_own_topic(database: Engines) -> None:
    async def scene() -> None:
        bell, heard, other, ready = Bell(), asyncio.Event(), asyncio.Event(), asyncio.Event()
        tasks = [
            asyncio.create_task(_first_ring(bell, "plan", heard, ready)),
            asyncio.create_task(_first_ring(bell, "drive", other, asyncio.Event())),
        ]
        await ready.wait()
        await _until_listening(database)
        await asyncio.sleep(0.05)
        await asyncio.to_thread(_ring, "plan")
        await asyncio.wait_for(heard.wait(), 5)
        assert not other.is_set()
        for task in tasks:
            task.cancel()
        await bell.close()

    asyncio.run(scene())


def test_a_ring_of_a_rolled_back_transaction_is_not_heard(database: Engines) -> None:
    async def scene() -> None:
        bell, heard, ready = Bell(), asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(_first_ring(bell, "plan", heard, ready))
        await ready.wait()
        await _until_listening(database)
        await asyncio.sleep(0.05)
        with transaction() as session:
            ring(session, "plan")
            session.rollback()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(heard.wait(), 0.3)
        task.cancel()
        await bell.close()

    asyncio.run(scene())


def test_a_session_for_reading_writes_nothing(database: Engines) -> None:
    with reading() as session, pytest.raises(RuntimeError, match="about to write"):
        record(session, "test.written")
    with reading() as session:
        assert session.exec(select(Event).where(Event.kind == "test.written")).first() is None
