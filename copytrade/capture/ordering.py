"""In which order a lead's fills are planned, and when nothing can be missing before one (copy-engine, Step 1). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from copytrade.domain.changes import ChangeKind


@dataclass(frozen=True, slots=True)
class Moment:
    """When is planned: the venue's time `now`, up to when polls have read everything, and the time to spare.

    A poll proves fills older than its own time by `spare`; a fill whose past stays unproven waits as long.
    """

    now: datetime
    polled_until: datetime | None
    spare: timedelta
    is_unbroken: bool = False
    """Whether the stream was not interrupted since a poll that began `spare` after it was connected."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored fill that was not planned yet; `signed` is its signed base quantity."""

    id: UUID
    trade_id: str
    signed: Decimal
    price: Decimal
    venue_time: datetime
    received_at: datetime
    position_after: Decimal | None = None
    order_id: str = ""
    order_share: Decimal | None = None
    sequence: int = 0
    symbol: str = ""
    fee: Decimal = Decimal(0)
    fee_asset: str = ""
    is_streamed: bool = False

    @property
    def rank(self) -> tuple[datetime, int, int, str]:
        """Return what the venue's order is by: time, its sequence, then trade id (a number where it is one)."""
        return self.venue_time, self.sequence, int(self.trade_id) if self.trade_id.isdigit() else 0, self.trade_id


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an instrument before planning: P, and what the venue said."""

    quantity: Decimal = Decimal(0)
    planned_until: datetime | None = None
    marked_at: datetime | None = None
    marked_before: str = ""
    marked_sequence: int = 0
    seen_quantity: Decimal | None = None
    seen_at: datetime | None = None
    rebase_to: Decimal | None = None
    rebase_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One change of P. `fill` is None for a re-basing; a re-basing forced by a fill names it in `before_fill`."""

    kind: ChangeKind
    before: Decimal
    after: Decimal
    price: Decimal
    fill: Waiting | None = None
    is_late: bool = False
    before_fill: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """What may be planned now, in order, and the fills that P contains already (not after the mark)."""

    steps: list[Step]
    contained: list[Waiting]


def order(known: Known, fills: Sequence[Waiting], *, moment: Moment) -> Ordered:
    """Return the steps of one instrument that may be planned now."""
    position, steps = known.quantity, list[Step]()
    if known.rebase_to is not None:
        steps = rebasing(position, to=known.rebase_to, price=known.rebase_price or Decimal(0))
        position = known.rebase_to
    queue = sorted(fills, key=lambda fill: fill.rank)
    contained = [fill for fill in queue if _is_contained(fill, known)]
    queue = [fill for fill in queue if not _is_contained(fill, known)]
    newest = known.planned_until
    while queue:
        count = _proven(queue, position=position, known=known, moment=moment)
        if not count and (base := _overdue_base(queue[0], newest=newest, moment=moment)) is not None:
            steps += rebasing(position, to=base, price=queue[0].price, before_fill=queue[0])
            position, count = base, 1
        if not count:
            break
        for fill in queue[:count]:
            is_late = newest is not None and fill.venue_time < newest
            after = position + fill.signed
            steps.append(Step(ChangeKind.FILL, position, after, fill.price, fill=fill, is_late=is_late))
            position, newest = after, max(newest or fill.venue_time, fill.venue_time)
        queue = queue[count:]
    return Ordered(steps, contained)


def rebasing(position: Decimal, *, to: Decimal, price: Decimal, before_fill: Waiting | None = None) -> list[Step]:
    """Return the steps by which P is set to the venue's position: nearer zero reduces, further away opens nothing."""
    if to == position:
        return []
    nearer = to if position * to > 0 and abs(to) < abs(position) else Decimal(0)
    steps: list[Step] = []
    if (position * to <= 0 and position != 0) or nearer:
        steps.append(Step(ChangeKind.REBASE_REDUCE, position, nearer, price, before_fill=before_fill))
        position = nearer
    if to != position:
        steps.append(Step(ChangeKind.MISSED, position, to, price, before_fill=before_fill))
    return steps


def _is_contained(fill: Waiting, known: Known) -> bool:
    if known.marked_at is None or fill.venue_time > known.marked_at:
        return False
    if fill.venue_time < known.marked_at or not known.marked_before:
        return True
    mark = known.marked_before
    return fill.rank[1:] < (known.marked_sequence, int(mark) if mark.isdigit() else 0, mark)


def _proven(queue: Sequence[Waiting], *, position: Decimal, known: Known, moment: Moment) -> int:
    """Return how many fills at the front certainly have nothing missing before or among them."""
    if moment.polled_until is not None and queue[0].venue_time <= moment.polled_until - moment.spare:
        return 1
    total = position
    for number, fill in enumerate(queue, start=1):
        total += fill.signed
        if fill.position_after == total:
            return number
    if known.seen_at is None or known.seen_quantity is None or known.seen_at < (known.planned_until or known.seen_at):
        return 0
    seen = [fill for fill in queue if fill.venue_time <= known.seen_at]
    return len(seen) if position + sum((fill.signed for fill in seen), Decimal(0)) == known.seen_quantity else 0


def _overdue_base(fill: Waiting, *, newest: datetime | None, moment: Moment) -> Decimal | None:
    """Return the venue's position before a fill that waited long enough; None: it waits on, for a poll."""
    is_late = newest is not None and fill.venue_time < newest
    if is_late or fill.position_after is None or moment.now - fill.received_at < moment.spare:
        return None
    return fill.position_after - fill.signed
