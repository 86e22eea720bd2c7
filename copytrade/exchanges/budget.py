"""What the venues still allow, asked before sending and shared by all processes through Redis.

Tokens are leased in blocks and spent in memory, so that a request hardly ever waits for Redis. While Redis is away each
process keeps to a part of the limits, and exits go on.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from copytrade import metrics
from copytrade.exchanges.limits import Lane, Limit
from copytrade.exchanges.meters import Charge, Meter, spend

log = structlog.get_logger()
Heard = Callable[[float, bool], None]
"""Called with (seconds, is a ban) while a venue wants to be left alone."""
_SCRIPT = Path(__file__).with_name("lease.lua").read_text()
_LEASE_S = 1.0
"""How long tokens may be spent after they were leased: what is left then goes back to the others."""
_AWAY_S = 2.0
"""How long Redis is not asked again after it failed."""
_TIMEOUT_S = 0.5
_TRY_AGAIN_S = 0.5
_LISTEN_EVERY_S = 1.0
_AWAY = (RedisError, OSError, TimeoutError)


class Budget:
    """The meters of one process and event loop, and what venues told other processes."""

    def __init__(self, url: str) -> None:
        self._url = url
        """Empty: nobody to share with."""
        self._redis: Any = None
        self._script: Any = None
        self._meters: dict[str, Meter] = {}
        self._away_until = 0.0
        self._followed: dict[str, Heard] = {}
        self._listener: asyncio.Task[None] | None = None

    def shared(self, place: str, limit: Limit, *, factor: float) -> Meter:
        """Return the meter of an address: one for all clients of this process."""
        key = f"budget:{place}:{limit.name}"
        if key not in self._meters:
            self._meters[key] = Meter(key, limit, factor)
        return self._meters[key]

    def own(self, place: str, account: str, limit: Limit, *, factor: float) -> Meter:
        """Return a meter of an account, for its client to keep."""
        return Meter(f"budget:{place}:{limit.name}:{account}", limit, factor)

    async def charge(self, charges: Sequence[Charge], *, lane: Lane, patience: float) -> float:
        """Spend what a call costs, waiting at most `patience` seconds; return 0, else for how many seconds to wait."""
        began = time.monotonic()
        while (short := spend(charges, lane=lane)) is not None:
            cost = next(charge.cost for charge in charges if charge.meter is short)
            wait = await self._lease(short, cost, lane=lane)
            if not wait:
                continue
            if time.monotonic() + wait > began + patience:
                return wait
            metrics.budget_waits.labels(lane=lane.name.lower()).inc()
            await asyncio.sleep(min(wait, _TRY_AGAIN_S))
        return 0.0

    def follow(self, place: str, heard: Heard) -> None:
        """Hear when a venue tells any process to leave it alone."""
        self._followed[place] = heard
        if self._url and self._listener is None:
            self._listener = asyncio.get_running_loop().create_task(self._listen())

    async def close_place(self, place: str, *, seconds: float, is_ban: bool) -> None:
        """Tell all processes that a venue wants to be left alone by this address."""
        if not self._url:
            return
        try:
            # A ban replaces everything, a shorter wait never a ban.
            await self._connected().set(
                _closed(place), "ban" if is_ban else "wait", px=max(int(seconds * 1000), 1), nx=not is_ban
            )
        except _AWAY as error:
            self._lost(error)

    async def close(self) -> None:
        """Let the connections go."""
        listener, self._listener = self._listener, None
        while listener is not None and not listener.done():
            # The Redis client may swallow a cancellation that comes while it connects.
            listener.cancel()
            await asyncio.wait({listener}, timeout=0.05)
        if self._redis is not None:
            gone, self._redis, self._script = self._redis, None, None
            with contextlib.suppress(*_AWAY):
                await asyncio.wait_for(gone.aclose(), _TIMEOUT_S * 2)

    async def _lease(self, meter: Meter, cost: float, *, lane: Lane) -> float:
        async with meter.lock:
            now = time.monotonic()
            if meter.spend(cost, lane=lane, now=now):  # somebody leased while we waited for the lock
                meter.give_back(cost)
                return 0.0
            if not self._url or now < self._away_until:
                return meter.alone(cost, lane=lane, now=now)
            try:
                self._connected()
                answer = await self._script(keys=[meter.key], args=meter.wishes(cost, lane=lane, now=now))
            except _AWAY as error:
                self._lost(error)
                return meter.alone(cost, lane=lane, now=now)
            granted, wait_s, window = float(answer[0]), int(answer[1]) / 1000, int(answer[2])
            meter.lease(granted, lane=lane, window=window, ends_at=now + min(_LEASE_S, wait_s))
            return 0.0 if granted >= cost else max(wait_s, 0.001)

    def _connected(self) -> Any:
        if self._redis is None:
            made: Any = redis.asyncio.Redis  # its types are incomplete
            self._redis = made.from_url(self._url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
            self._script = self._redis.register_script(_SCRIPT)
        return self._redis

    def _lost(self, error: Exception) -> None:
        if time.monotonic() >= self._away_until:
            log.warning("budget.redis_away", reason=type(error).__name__)
        self._away_until = time.monotonic() + _AWAY_S

    async def _listen(self) -> None:
        while True:
            for place, heard in list(self._followed.items()):
                try:
                    said: bytes | None = await self._connected().get(_closed(place))
                    left_ms: int = await self._connected().pttl(_closed(place)) if said else 0
                except _AWAY as error:
                    self._lost(error)
                    break
                if left_ms > 0:
                    heard(left_ms / 1000, said == b"ban")
            await asyncio.sleep(_LISTEN_EVERY_S)


def _closed(place: str) -> str:
    return f"budget:{place}:closed"
