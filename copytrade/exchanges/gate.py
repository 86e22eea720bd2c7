"""One way out to one venue: its proxy, what the venue still allows on it, and whether it wants to be left alone."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from copytrade import metrics
from copytrade.domain.instruments import Market, Venue
from copytrade.exchanges import modes
from copytrade.exchanges.budget import Budget
from copytrade.exchanges.egress import Way
from copytrade.exchanges.facts import VenueFacts
from copytrade.exchanges.limits import CONNECT, Lane, Limit, Scope
from copytrade.exchanges.meters import Charge, Meter

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ban:
    """A venue refuses everything from one of our addresses for a while: somebody has to look."""

    venue: Venue
    mode: str
    way: str
    seconds: float


Alarm = Callable[[Ban], None]


class Gate:
    """Shared by all clients of a process that reach a venue in one mode by one way; belongs to one event loop."""

    def __init__(
        self,
        *,
        facts: VenueFacts,
        mode: str,
        way: Way,
        budget: Budget,
        alarm: Alarm | None = None,
        account_factor: float = 1.0,
    ) -> None:
        self.way = way
        self._facts = facts
        self._mode = mode
        self._place = f"{facts.venue.value}:{mode}:{way.name or 'direct'}"
        self._budget = budget
        self._alarm = alarm
        self._factor = modes.limits_factor(mode)
        self._account_factor = account_factor
        self._closed_until = 0.0
        self._banned_until = 0.0
        self._charges: dict[tuple[str, bool], tuple[Charge, ...]] = {}
        self._tellers: set[asyncio.Task[None]] = set()
        budget.follow(self._place, self._hear)

    async def pass_through(self, charges: Sequence[Charge], *, lane: Lane, patience: float) -> float:
        """Let a call through, waiting where the limits say so; return 0, else for how many seconds to wait."""
        return await self._budget.charge(charges, lane=lane, patience=patience)

    def charges(self, method: str, *, has_symbol: bool) -> tuple[Charge, ...]:
        """Return what a call costs of the address's limits."""
        known = self._charges.get((method, has_symbol))
        if known is None:
            known = self._charges[method, has_symbol] = tuple(
                self._charge(limit, method, has_symbol=has_symbol)
                for limit in self._facts.limits
                if limit.scope is Scope.ADDRESS and limit.counts(method)
            )
        return known

    def shared_charges(self, method: str, *, market: Market) -> tuple[Charge, ...]:
        """Return what a shared read of a market (its markets, the time) costs of the address's limits."""
        return tuple(
            self._charge(limit, method, has_symbol=False)
            for limit in self._facts.limits
            if limit.scope is Scope.ADDRESS and limit.market in (None, market) and not limit.counts(CONNECT)
        )

    def own_meters(self, account: str) -> Mapping[Limit, Meter]:
        """Return the meters of an account's own limits, for its client to keep."""
        return {
            limit: self._budget.own(self._place, account, limit, factor=self._account_factor)
            for limit in self._facts.limits
            if limit.scope is Scope.ACCOUNT
        }

    def close_for(self, seconds: float, *, is_ban: bool) -> None:
        """Send no read for so long, in a ban nothing at all, and have the other processes do the same."""
        self._hear(seconds, is_ban)
        task = asyncio.get_running_loop().create_task(
            self._budget.close_place(self._place, seconds=seconds, is_ban=is_ban)
        )
        self._tellers.add(task)
        task.add_done_callback(self._tellers.discard)
        if is_ban:
            metrics.venue_bans.labels(venue=self._facts.venue.value).inc()
            log.error(
                "venue.banned", venue=self._facts.venue.value, mode=self._mode, way=self.way.name, seconds=seconds
            )
            if self._alarm is not None:
                self._alarm(Ban(self._facts.venue, self._mode, self.way.name, seconds))

    def closed_for(self) -> float:
        """Return for how many seconds no read is to be sent; 0: go on."""
        return max(self._closed_until - time.monotonic(), 0.0)

    def banned_for(self) -> float:
        """Return for how many seconds nothing is to be sent, no order either; 0: go on."""
        return max(self._banned_until - time.monotonic(), 0.0)

    async def close(self) -> None:
        """Wait until what was told has left."""
        await asyncio.gather(*self._tellers, return_exceptions=True)

    def _charge(self, limit: Limit, method: str, *, has_symbol: bool) -> Charge:
        meter = self._budget.shared(self._place, limit, factor=self._factor)
        return Charge(meter, limit.cost(method, has_symbol=has_symbol, weights=self._facts.weights))

    def _hear(self, seconds: float, is_ban: bool) -> None:
        until = time.monotonic() + seconds
        self._closed_until = max(self._closed_until, until)
        if is_ban:
            self._banned_until = max(self._banned_until, until)
