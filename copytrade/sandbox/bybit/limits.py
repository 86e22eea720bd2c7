"""How often a user may call a path in a second, and an address anything in five; in real time."""

from collections import deque
from dataclasses import dataclass

from copytrade.sandbox.exchange.clock import real_ms

SECOND_MS = 1000
ADDRESS_SPAN_MS = 5000
_ORDERS = frozenset(
    f"/v5/order/{name}" for name in ("create", "amend", "cancel", "cancel-all", "create-batch", "cancel-batch")
)
_SETTINGS = frozenset(
    {
        "/v5/position/set-leverage",
        "/v5/position/switch-mode",
        "/v5/position/switch-isolated",
        "/v5/account/set-margin-mode",
        "/v5/user/query-api",
    }
)


@dataclass(slots=True)
class Rules:
    """What is allowed; the figures of the venue unless set otherwise."""

    requests_per_5s: int = 600
    ban_ms: int = 10 * 60_000
    """How long an address that went over is shut out."""
    orders_per_s: int = 10
    spot_orders_per_s: int = 20
    settings_per_s: int = 10
    reads_per_s: int = 50
    silent_s: int = 600
    """After so long without a word from its client a socket is cut."""

    @classmethod
    def widened(cls, share: float) -> "Rules":
        """Return the venue's figures, those of addresses raised where many accounts share one machine."""
        return cls(requests_per_5s=round(cls().requests_per_5s * max(share, 1.0)))

    def allowed(self, path: str, *, is_spot: bool) -> int:
        """Return how often a user may call a path in a second."""
        if path in _ORDERS:
            return self.spot_orders_per_s if is_spot else self.orders_per_s
        return self.settings_per_s if path in _SETTINGS else self.reads_per_s


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a limit: `allowed` a second, `left` now (below 0: refused), free again at `resets_at` (ms)."""

    allowed: int
    left: int
    resets_at: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-Bapi-Limit": str(self.allowed),
            "X-Bapi-Limit-Status": str(max(self.left, 0)),
            "X-Bapi-Limit-Reset-Timestamp": str(self.resets_at),
        }


class Limits:
    """Counts what users and addresses did of late."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._calls: dict[tuple[int, str, bool], deque[int]] = {}
        self._requests: dict[str, deque[int]] = {}
        self._bans: dict[str, int] = {}

    def count(self, account: int, path: str, *, is_spot: bool) -> Standing:
        """Count one call of a user; one that is refused does not count."""
        allowed, now = self.rules.allowed(path, is_spot=is_spot), real_ms()
        calls = _recent(self._calls.setdefault((account, path, is_spot), deque()), since=now - SECOND_MS)
        if len(calls) >= allowed:
            return Standing(allowed, -1, calls[0] + SECOND_MS)
        calls.append(now)
        return Standing(allowed, allowed - len(calls), now)

    def passes(self, address: str) -> bool:
        """Count a request of an address and tell whether it is served; one too many shuts it out."""
        now = real_ms()
        if self._bans.get(address, 0) > now:
            return False
        seen = _recent(self._requests.setdefault(address, deque()), since=now - ADDRESS_SPAN_MS)
        seen.append(now)
        if len(seen) <= self.rules.requests_per_5s:
            return True
        self._bans[address] = now + self.rules.ban_ms
        return False

    def clear(self) -> None:
        """Forget counts and bans."""
        self.__init__(self.rules)


def _recent(times: deque[int], *, since: int) -> deque[int]:
    while times and times[0] <= since:
        times.popleft()
    return times
