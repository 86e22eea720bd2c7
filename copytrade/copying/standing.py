"""What holds a subscription's entries back beside its settings: losses that were reached, and a lead that is silent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.capture import queries as capture
from copytrade.copying import bulk
from copytrade.db.trips import Ask, Asking, answered
from copytrade.domain.sizing import SilenceMode, StopMode
from copytrade.domain.skips import SkipReason
from copytrade.domain.stops import Stand, day_of

COLUMNS = "day, day_pnl, day_equity, pnl, peak_pnl, peak_equity, read_at, daily_stopped_at, drawdown_stopped_at"
"""Of `copy_stands`, in the order of `Stand`'s fields."""


@dataclass(frozen=True, slots=True)
class Held:
    """Why a subscription enters nothing now, and whether what it copied is closed too."""

    reason: SkipReason
    closes: bool


@dataclass(frozen=True, slots=True)
class StandRow:
    """How the copies of one subscription stand, as their owner sees it. Amounts in USDT."""

    subscription_id: UUID
    pnl: Decimal
    loss_today: Decimal
    drawdown: Decimal
    read_at: datetime
    daily_stopped_until: datetime | None
    """The daily loss was reached: entries go on from then."""
    drawdown_stopped_at: datetime | None
    """The drawdown stop was reached: entries go on when the owner says so."""
    silent_since: datetime | None
    """When the trader's account was last heard of, while it is not."""


def blocked(session: Session, subscription_ids: Collection[UUID]) -> dict[UUID, SkipReason]:
    """Return which of these subscriptions enter nothing now, and why, in one statement (two while a lead is silent)."""
    return {one: held.reason for one, held in held_back(session, subscription_ids).items()}


def held_back(session: Session, subscription_ids: Collection[UUID]) -> dict[UUID, Held]:
    """Return what holds these subscriptions back now; what closes comes before what only holds entries."""
    return answered(session, asking_held_back(subscription_ids))


_HELD_BACK = """
SELECT stand.subscription_id, lead_account_id, day, daily_stopped_at, drawdown_stopped_at, silent_since,
    max_daily_loss IS NOT NULL, max_drawdown IS NOT NULL, stop_mode, silence
FROM trades.copy_stands stand JOIN trades.copy_settings USING (subscription_id)
WHERE stand.subscription_id = ANY(%(ids)s)
    AND (daily_stopped_at IS NOT NULL OR drawdown_stopped_at IS NOT NULL OR silent_since IS NOT NULL)
"""


def asking_held_back(subscription_ids: Collection[UUID]) -> Asking[dict[UUID, Held]]:
    """Ask for what `held_back` returns."""
    [rows] = yield [Ask(_HELD_BACK, {"ids": list(subscription_ids)})]
    silent = {row[1] for row in rows if row[5] is not None}
    heard = (yield from capture.asking_heard(silent)) if silent else {}
    today = day_of(clock.now())
    found: dict[UUID, Held] = {}
    for subscription, lead, day, daily_at, fall_at, silent_since, has_daily, has_fall, stop_mode, silence in rows:
        closes = stop_mode == StopMode.CLOSE
        reasons = list[Held]()
        if fall_at is not None and has_fall:
            reasons.append(Held(SkipReason.DRAWDOWN, closes))
        if daily_at is not None and has_daily and day == today:
            reasons.append(Held(SkipReason.DAILY_LOSS, closes))
        # What was captured of him since proves that he is heard, before a sweep says so.
        if silent_since is not None and ((last := heard.get(lead)) is None or last <= silent_since):
            reasons.append(Held(SkipReason.SILENT, silence == SilenceMode.FLATTEN))
        if reasons:
            found[subscription] = max(reasons, key=lambda held: held.closes)
    return found


def of(session: Session, *, owner: UUID) -> list[StandRow]:
    """Return how the copies of this owner's subscriptions stand, of all that were ever read."""
    rows = bulk.fetch(
        session,
        f"SELECT stand.subscription_id, silent_since, max_daily_loss IS NOT NULL, max_drawdown IS NOT NULL, {COLUMNS}"  # noqa: S608 - names of ours
        " FROM trades.copy_stands stand JOIN trades.copy_settings USING (subscription_id) WHERE subscriber_id = %(id)s",
        id=owner,
    )
    return [_shown(row) for row in rows]


def _shown(row: tuple[Any, ...]) -> StandRow:
    subscription_id, silent_since, has_daily, has_fall, *fields = row
    stand, now = Stand(*fields), clock.now()
    ends = datetime.combine(stand.day, time(), UTC) + timedelta(days=1)
    is_stopped = has_daily and stand.daily_stopped_at is not None and now < ends
    return StandRow(
        subscription_id=subscription_id,
        pnl=stand.pnl,
        loss_today=stand.loss_today if stand.day == day_of(now) else Decimal(0),
        drawdown=stand.drawdown,
        read_at=stand.read_at,
        daily_stopped_until=ends if is_stopped else None,
        drawdown_stopped_at=stand.drawdown_stopped_at if has_fall else None,
        silent_since=silent_since,
    )
