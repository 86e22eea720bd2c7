"""Request limits: weight by address and minute, orders by account in ten seconds, a minute and a day; in real time."""

from dataclasses import dataclass, field
from typing import Any

from copytrade.sandbox.exchange.clock import real_ms

MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(slots=True)
class LimitRules:
    """What is allowed; the figures of the venue unless set otherwise."""

    weight_per_minute: int = 2400
    spot_weight_per_minute: int = 6000
    """Of the paths outside the perpetuals, which are counted apart."""
    orders_per_10s: int = 300
    orders_per_minute: int = 1200
    spot_orders_per_10s: int = 100
    """Of spot only orders that are not filled at once count."""
    spot_orders_per_day: int = 200_000
    ban_after: int = 50
    """Requests over the limit in one minute that turn it into a ban."""
    ban_ms: int = 120_000

    @classmethod
    def widened(cls, share: float) -> "LimitRules":
        """Return the venue's figures, an address's weights times `share`; those of spot never become less."""
        plain = cls()
        spot = round(plain.spot_weight_per_minute * max(share, 1.0))
        return cls(weight_per_minute=round(plain.weight_per_minute * share), spot_weight_per_minute=spot)


@dataclass(slots=True)
class _Window:
    start: int = 0
    used: int = 0


@dataclass(slots=True)
class Allowance:
    """What became of a request: `wait_ms` until it may be repeated (0: it passes)."""

    wait_ms: int = 0
    banned: bool = False


@dataclass
class Limits:
    """Counts what addresses and accounts have used."""

    rules: LimitRules = field(default_factory=LimitRules)

    def __post_init__(self) -> None:
        self._weights: dict[str, _Window] = {}
        self._over: dict[str, int] = {}
        self._bans: dict[str, int] = {}
        self._orders: dict[tuple[int, int], _Window] = {}

    def spend(self, address: str, weight: int, *, allowed: int) -> Allowance:
        """Count the weight of a request of an address that is allowed so much in a minute."""
        now = real_ms()
        if self._bans and self._bans.get(address, 0) > now:
            return Allowance(self._bans[address] - now, banned=True)
        window = _count(self._weights, address, MINUTE_MS, now, weight)
        if window.used <= allowed:
            if window.used == weight:
                self._over.pop(address, None)
            return Allowance()
        over = self._over[address] = self._over.get(address, 0) + 1
        if over > self.rules.ban_after:
            self._bans[address] = now + self.rules.ban_ms
            return Allowance(self.rules.ban_ms, banned=True)
        return Allowance(window.start + MINUTE_MS - now)

    def count_order(self, account: int) -> Allowance:
        """Count an order of an account, placed or refused."""
        rules = self.rules
        return self._count_order(account, ((10_000, rules.orders_per_10s), (MINUTE_MS, rules.orders_per_minute)))

    def count_spot_order(self, account: int) -> Allowance:
        """Count a spot order of an account, placed or refused."""
        rules = self.rules
        spans = ((10_000, rules.spot_orders_per_10s), (DAY_MS, rules.spot_orders_per_day))
        return self._count_order(-account, spans)

    def forgive_spot_order(self, account: int) -> None:
        """Count an order no more that was filled at once."""
        for span in (10_000, DAY_MS):
            window = self._orders.get((-account, span))
            if window is not None:
                window.used = max(0, window.used - 1)

    def _count_order(self, account: int, spans: tuple[tuple[int, int], ...]) -> Allowance:
        now = real_ms()
        for span, allowed in spans:
            window = _count(self._orders, (account, span), span, now, 1)
            if window.used > allowed:
                return Allowance(window.start + span - now)
        return Allowance()

    def order_headers(self, account: int, *, is_spot: bool) -> dict[str, str]:
        """Return what an answer to an order tells of how many there were."""
        owner, long = (-account, ("1D", DAY_MS)) if is_spot else (account, ("1M", MINUTE_MS))
        spans = (("10S", 10_000), long)
        return {f"X-MBX-ORDER-COUNT-{name}": str(_used(self._orders.get((owner, span)), span)) for name, span in spans}

    def used_weight(self, address: str) -> int:
        """Return what the address has used in this minute."""
        return _used(self._weights.get(address), MINUTE_MS)

    def lift_bans(self) -> None:
        """Forget all bans and counts."""
        self.__post_init__()


def _count(windows: dict[Any, _Window], key: Any, span: int, now: int, amount: int) -> _Window:
    window = windows.get(key)
    start = now - now % span
    if window is None or window.start != start:
        window = windows[key] = _Window(start)
    window.used += amount
    return window


def _used(window: _Window | None, span: int) -> int:
    if window is None or window.start + span <= real_ms():
        return 0
    return window.used
