"""The sandbox's time: real time plus an offset that only grows, and a skew of what the venue tells as its time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


def real_ms() -> int:
    """Return the real time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Clock:
    """Time of everything that happens on the exchange, in milliseconds."""

    def __init__(self, *, offset_ms: int = 0) -> None:
        self.offset_ms = offset_ms
        self.skew_ms = 0
        """Added to the venue's own idea of real time: a fault."""
        self.stamps_skewed = False
        """Whether what happens is stamped by that idea, too, as at a real venue; set back, time stands still."""
        self._latest = 0
        self._fixed: int | None = None

    def now(self) -> int:
        """Return the exchange's time."""
        if self._fixed is not None:
            return self._fixed
        skew = self.skew_ms if self.stamps_skewed else 0
        self._latest = max(self._latest, time.time_ns() // 1_000_000 + self.offset_ms + skew)
        return self._latest

    def server_time(self) -> int:
        """Return what the venue tells as its time, against which timestamps and receive windows are checked."""
        return real_ms() + self.skew_ms

    def fix(self, ms: int) -> None:
        """Stand at `ms` until moved on or released: fast time."""
        self._fixed = ms

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """Let all that happens inside have one time, as the fills of an order that takes several levels have."""
        if self._fixed is not None:
            yield
            return
        self._fixed = self.now()
        try:
            yield
        finally:
            self._fixed = None

    def release(self, *, at: int | None = None) -> None:
        """Run again, from `at` (or from where the clock was fixed, if that is later than real time and offset)."""
        if self._fixed is None:
            return
        wanted = self._fixed if at is None else at
        self._fixed = None
        self.offset_ms = max(self.offset_ms, wanted - real_ms())
