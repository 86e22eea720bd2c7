"""What a reading of a copy account means for its legs (copy-engine, Drift). Pure: it never opens anything.

A leg is looked at only when it is quiet, and acted upon only when two readings, `AGAIN` apart or more, agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from copytrade.domain.instruments import Market
from copytrade.domain.quantities import ZERO, sign

AGAIN = timedelta(seconds=5)
"""Between two readings that must agree."""
QUIET = timedelta(seconds=10)
"""A leg is looked at only when none of its orders ended within this."""
SPOT_DUST = Decimal("0.0001")
"""The share of a coin by which a balance may be less than what legs hold of it."""
UNSEEN = timedelta(minutes=2)
"""So long an order that was judged lost may be what a reading lacks: taken over and booked, it would count twice."""
JUST_READ = timedelta(seconds=5)
"""So old at most a reading is on which an order over zero relies."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reading in which a leg holds less than it thinks, and when it was first read."""

    reading: Decimal
    since: datetime


def is_quiet(*, is_live: bool, ended_at: datetime | None, at: datetime) -> bool:
    """Tell whether a reading at `at` can be of a leg as we know it: nothing of it moves, and nothing did just now."""
    return not is_live and (ended_at is None or at - ended_at >= QUIET)


def is_reconciled(*, read_at: datetime, ended_at: datetime | None, now: datetime) -> bool:
    """Tell whether a reading that was what a leg holds is still true of it now, as far as anybody can know."""
    return now - read_at <= JUST_READ and is_quiet(is_live=False, ended_at=ended_at, at=read_at)


def missing(held: Sequence[Decimal], read: Decimal, *, market: Market) -> list[Decimal | None]:
    """Return for each leg of one position what it really holds, None where the reading covers what it thinks.

    What is more than the legs hold is the subscriber's own, and his part is taken first. On spot a leg that sold more
    than it held, of his or of another leg's coins, will buy them back: no balance says less than that.
    """
    found: list[Decimal | None] = [None] * len(held)
    sides = (1,) if market is Market.SPOT else (1, -1)
    if market is Market.SPOT:
        read += sum((-thought for thought in held if thought < 0), ZERO)
    for side in sides:
        there = max(read * side, ZERO)
        for index, thought in enumerate(held):
            if sign(thought) == side:
                part = min(abs(thought), there)
                there -= part
                if abs(thought) - part > _slack(thought, market):
                    found[index] = part * side
    return found


def judge(
    doubt: Doubt | None, really: Decimal | None, *, at: datetime, ended_at: datetime | None = None
) -> tuple[Doubt | None, bool]:
    """Return what is doubted after this reading, and whether it was confirmed and has to be acted upon.

    A doubt from before the leg's last order, which ended at `ended_at`, is of another position and confirms nothing.
    """
    if really is None:
        return None, False
    is_old = doubt is not None and ended_at is not None and doubt.since < ended_at
    if doubt is None or is_old or doubt.reading != really:
        return Doubt(really, at), False
    return (doubt, False) if at - doubt.since < AGAIN else (None, True)


def may_be_ours(lacking: Decimal, lost: Iterable[tuple[Decimal, datetime]], *, at: datetime) -> bool:
    """Tell whether what a reading lacks (signed) may have been done by an order that was judged lost just now.

    `lost` are signed quantities and when they were judged. A venue that shows an execution later than it promises shows
    it in the position first.
    """
    return any(sign(quantity) == sign(lacking) and at - judged_at < UNSEEN for quantity, judged_at in lost)


def _slack(held: Decimal, market: Market) -> Decimal:
    # Venues cut balances and fees to fewer digits than they book; a coin's dust is no drift.
    return abs(held) * SPOT_DUST if market is Market.SPOT else ZERO
