"""Bitget's request limits: by address and minute, by user and path in a second; in real time."""

from dataclasses import dataclass, field

from copytrade.sandbox.exchange.clock import real_ms

_MINUTE_MS, _SECOND_MS = 60_000, 1000


@dataclass(slots=True)
class LimitRules:
    """What is allowed; the figures of the venue unless set otherwise."""

    requests_per_minute: int = 6000
    """Of one address."""
    user_percent: int = 100
    """Of what the venue allows one user on a path in a second."""
    copied_user: int = 0
    """The account that is a trader of the venue's own copy trading: it may place one order a second."""

    @classmethod
    def widened(cls, times: float) -> "LimitRules":
        """Return rules that allow so many times as much as the venue."""
        own = cls()
        return cls(round(own.requests_per_minute * times), round(own.user_percent * times))


@dataclass
class Limits:
    """Counts what addresses and users have asked."""

    rules: LimitRules = field(default_factory=LimitRules)

    def __post_init__(self) -> None:
        self._addresses: dict[str, tuple[int, int]] = {}
        self._users: dict[tuple[int, str], tuple[int, int]] = {}

    def passes_address(self, address: str) -> bool:
        """Count a request of an address; tell whether it is within its limit."""
        minute = real_ms() // _MINUTE_MS
        begun, used = self._addresses.get(address, (minute, 0))
        used = used + 1 if begun == minute else 1
        self._addresses[address] = (minute, used)
        return used <= self.rules.requests_per_minute

    def passes_user(self, user: int, path: str, per_second: int) -> bool:
        """Count a request of a user on a path; tell whether it is within its limit."""
        second = real_ms() // _SECOND_MS
        begun, used = self._users.get((user, path), (second, 0))
        used = used + 1 if begun == second else 1
        self._users[user, path] = (second, used)
        return used <= max(1, per_second * self.rules.user_percent // 100)

    def remaining(self, address: str) -> int:
        """Return what an address may still ask in this minute."""
        begun, used = self._addresses.get(address, (0, 0))
        left = self.rules.requests_per_minute - (used if begun == real_ms() // _MINUTE_MS else 0)
        return max(0, left)

    def forget(self) -> None:
        """Forget all counts."""
        self.__post_init__()
