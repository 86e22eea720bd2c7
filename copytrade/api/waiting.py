"""Waiting for what a worker does, without holding a connection: the bell wakes, the rows tell."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from copytrade.db.bell import bell

T = TypeVar("T")


async def until(topic: str, look: Callable[[], T | None], *, timeout: float, every: float = 1.0) -> T | None:
    """Return what `look` finds at a ring of `topic` or every so many seconds; None where nothing came in `timeout`."""
    try:
        async with asyncio.timeout(timeout):
            async for _ in bell().rings(topic, every=every):
                found = await asyncio.to_thread(look)
                if found is not None:
                    return found
    except TimeoutError:
        return None
    return None
