"""How often a venue lets itself be asked: what is counted, over which time, for an address or for an account."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from copytrade.domain.instruments import Market, Role


class Lane(IntEnum):
    """What a request is for: the higher, the more of a limit it may use. Look-ups of orders travel with exits."""

    PAST = 0
    READ = 1
    LEAD = 2
    ENTRY = 3
    EXIT = 4


SHARES: Mapping[Lane, float] = {Lane.PAST: 0.5, Lane.READ: 0.7, Lane.LEAD: 0.8, Lane.ENTRY: 0.9, Lane.EXIT: 1.0}
"""How much of a limit may be used up before a lane has to wait: the far past leaves room for today's reads, those of
copy accounts for those of the leads whom they copy, these for orders, entries for exits."""

_lane: ContextVar[Lane] = ContextVar("lane", default=Lane.READ)


@contextmanager
def reading_in(lane: Lane) -> Generator[None]:
    """Have the reads of this task, and of those that it starts, travel in a lane; an account's history has time."""
    token = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(token)


def lane_of_reads() -> Lane:
    """Return the lane in which reads travel now."""
    return _lane.get()


def lane_of(role: Role) -> Lane:
    """Return the lane of an account's reads: a thousand copy accounts must not keep us from hearing their lead."""
    return Lane.LEAD if role is Role.LEAD else Lane.READ


CONNECT = "connect"
"""What opening a private stream is called among the calls that limits cover."""


class Scope(StrEnum):
    """Whom a venue counts."""

    ADDRESS = "address"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` in each `window_s`, for the calls whose name in ccxt's implicit API starts with one of `covers`."""

    name: str
    amount: float
    window_s: float
    covers: tuple[str, ...]
    scope: Scope = Scope.ADDRESS
    market: Market | None = None
    """The market whose shared reads (markets, time) it counts; None: of every market."""
    is_weighted: bool = True
    """Whether a call costs its weight; False: each call costs 1."""
    slides: bool = False
    """Whether the venue looks at the last `window_s` at any time; False: at windows that begin on the clock."""
    used_header: str = ""
    """Header (lower case) of an answer with what was used in the window."""
    left_header: str = ""
    """Header (lower case) of an answer with what is left of it."""

    def counts(self, method: str) -> bool:
        """Return whether a call is counted by this limit."""
        return method.startswith(self.covers)

    def cost(self, method: str, *, has_symbol: bool, weights: Mapping[str, float]) -> float:
        """Return what a call costs here; weights named `method*` hold where it asks for no single symbol."""
        if not self.is_weighted:
            return 1
        if not has_symbol and (weight := weights.get(method + "*")) is not None:
            return weight
        return weights.get(method, 1)
