"""Memory of a warm client: what each of a thousand costs once it has been used."""

import asyncio
import gc
from typing import TYPE_CHECKING
from uuid import UUID

import psutil

from benchmarks.ground import ground

if TYPE_CHECKING:
    from copytrade.exchanges.port import AccountRef, ClientPool

CLIENTS = 1000


def measure() -> dict[str, float]:
    """Return `client.memory_mb`."""
    with ground() as place:
        keys: dict[UUID, tuple[str, str]] = {}
        from copytrade.db.model import new_id

        for number in range(CLIENTS + 1):
            made = place.control.create_account(f"memory-{number}", deposit=10_000)
            keys[new_id()] = (made["api_key"], made["api_secret"])
        return {"client.memory_mb": asyncio.run(_grow(keys))}


async def _grow(keys: dict[UUID, tuple[str, str]]) -> float:
    from copytrade.domain.instruments import Market, Venue
    from copytrade.exchanges.pool import Pool
    from copytrade.exchanges.port import AccountRef, Credentials

    pool = Pool(lambda account_id: Credentials(*keys[account_id]))
    first, *rest = [AccountRef(account_id, Venue.BINANCE, Market.PERPETUAL, "sandbox") for account_id in keys]
    try:
        await _use(pool, first)
        before = _resident_mb()
        for ref in rest:
            await _use(pool, ref)
        return (_resident_mb() - before) / len(rest)
    finally:
        await pool.close()


async def _use(pool: "ClientPool", ref: "AccountRef") -> None:
    client = await pool.get(ref)
    await client.positions()


def _resident_mb() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6
