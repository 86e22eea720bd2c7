"""A worker's part that runs beside a test, in a thread with its own loop and pool of real clients."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from threading import Event, Thread

from copytrade.accounts import vault
from copytrade.db.bell import bell
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import ClientPool

Part = Callable[[ClientPool, asyncio.Event], Awaitable[None]]


@contextmanager
def working(part: Part) -> Generator[None]:
    """Run a part until the block ends; what it raises is raised here."""
    ready, failed = Event(), list[BaseException]()
    handle: dict[str, object] = {}

    async def run() -> None:
        stop = asyncio.Event()
        handle.update(loop=asyncio.get_running_loop(), stop=stop)
        ready.set()
        pool = Pool(vault.opener())
        try:
            await part(pool, stop)
        finally:
            await pool.close()
            await bell().close()

    def main() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            failed.append(error)
            ready.set()

    thread = Thread(target=main, name="part")
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        loop, stop = handle["loop"], handle["stop"]
        assert isinstance(loop, asyncio.AbstractEventLoop)
        assert isinstance(stop, asyncio.Event)
        if not failed:
            loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)
        assert not thread.is_alive()
    if failed:
        raise failed[0]
