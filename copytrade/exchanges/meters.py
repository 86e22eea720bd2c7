"""One limit of a venue as a process sees it: leased tokens, a credit that needs no lease, and what it must report."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from copytrade.exchanges.limits import SHARES, Lane, Limit, Scope

_CREDIT = 0.25
"""Part of an account's limit that a process spends before it asks the others: few processes drive one account."""
_ALONE = 0.25
"""Part of an address's limit that a process keeps to while it cannot ask the others."""
_LANES = tuple(Lane)
_FIRST_BLOCK, _MOST_BLOCK = 0.01, 0.1
"""Parts of a limit that are leased at once: more where they are used up before the lease ends."""


@dataclass(slots=True)
class Meter:
    """Counts what one address or account may still do. Times are monotonic, windows are of the wall clock."""

    key: str
    limit: Limit
    factor: float = 1.0
    """By which the venue's amount is multiplied (sandbox)."""
    tokens: list[float] = field(default_factory=lambda: [0.0] * len(_LANES))
    ends_at: float = 0.0
    window: int = -1
    """Window of the lease, by Redis' clock."""
    returned: float = 0.0
    credit: float = 0.0
    credit_in: int = -1
    unreported: float = 0.0
    told: float = -1.0
    told_in: int = -1
    block: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def amount(self) -> float:
        return self.limit.amount * self.factor

    def spend(self, cost: float, *, lane: Lane, now: float) -> bool:
        """Spend what is at hand, the tokens of lower lanes first; False where a lease has to be taken."""
        if self.limit.scope is Scope.ACCOUNT and self._spend_credit(cost):
            return True
        if now >= self.ends_at:
            self._end_lease()
        for own in range(lane + 1):
            if self.tokens[own] >= cost:
                self.tokens[own] -= cost
                return True
        return False

    def give_back(self, cost: float) -> None:
        """Return what was not needed after all."""
        self.tokens[Lane.PAST] += cost

    def learn(self, used: float) -> None:
        """Take what the venue itself says was used in this window; where that is much, a new lease is needed."""
        self.told, self.told_in = used, self._window_now()
        if used >= SHARES[Lane.READ] * self.amount:
            self.ends_at, self.credit = 0.0, 0.0

    def wishes(self, cost: float, *, lane: Lane, now: float) -> Sequence[float]:
        """Return the arguments of the lease script."""
        grown = self.block * 2 if now < self.ends_at else 0.0
        self.block = max(cost, min(max(grown, self.amount * _FIRST_BLOCK), self.amount * _MOST_BLOCK))
        # A limit of one a second has no parts.
        ceiling = max(SHARES[lane] * self.amount, min(self.amount, cost))
        self._end_lease()
        return (
            int(self.limit.window_s * 1000), int(self.limit.slides), self.block, cost, ceiling,
            self.returned, self.window, self.unreported, self.told, self.told_in,
        )  # fmt: skip

    def lease(self, granted: float, *, lane: Lane, window: int, ends_at: float) -> None:
        """Take what was granted; everything else was reported."""
        self.returned = self.unreported = 0.0
        self.told = -1.0
        self.tokens[lane] = granted
        self.window, self.ends_at = window, ends_at

    def alone(self, cost: float, *, lane: Lane, now: float) -> float:
        """Go on without anybody to share with; return for how many seconds there is nothing left. Exits always go."""
        if now >= self.ends_at:
            self._end_lease()
            self.returned = 0.0
            part = _ALONE if self.limit.scope is Scope.ADDRESS else 1 - _CREDIT
            self.tokens[Lane.PAST] = max(self.amount * part, cost)
            self.ends_at = now + self.limit.window_s
        if lane is Lane.EXIT:
            self.tokens[lane] = max(self.tokens[lane], cost)
        return 0.0 if any(self.tokens[own] >= cost for own in range(lane + 1)) else self.ends_at - now

    def _spend_credit(self, cost: float) -> bool:
        window = self._window_now()
        if window != self.credit_in:
            self.credit_in, self.unreported = window, 0.0
            self.credit = max(1.0, self.amount * _CREDIT)
        if self.credit < cost:
            return False
        self.credit -= cost
        self.unreported += cost
        return True

    def _end_lease(self) -> None:
        self.returned += sum(self.tokens)
        self.tokens = [0.0] * len(_LANES)
        self.ends_at = 0.0

    def _window_now(self) -> int:
        return int(time.time() // self.limit.window_s)


@dataclass(frozen=True, slots=True)
class Charge:
    """What one call costs on one meter."""

    meter: Meter
    cost: float


def spend(charges: Sequence[Charge], *, lane: Lane) -> Meter | None:
    """Spend what a call costs from what is at hand, all or nothing; return the meter that needs a lease."""
    now = time.monotonic()
    for index, charge in enumerate(charges):
        if not charge.meter.spend(charge.cost, lane=lane, now=now):
            for spent in charges[:index]:
                spent.meter.give_back(spent.cost)
            return charge.meter
    return None
