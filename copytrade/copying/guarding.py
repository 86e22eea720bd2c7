"""Guards subscriptions against losses: reads how their copies stand and acts when a limit is reached."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import bulk, records, saving, settings_rows, standing
from copytrade.copying.earnings import Books, Earning
from copytrade.copying.marks import Askers, Marks, Place, askers_of, place_of, read_marks
from copytrade.copying.models import CopyStand
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.model import new_id
from copytrade.db.session import reading, transaction
from copytrade.domain import stops
from copytrade.domain.driving import Flatten
from copytrade.domain.driving import flatten as flattened
from copytrade.domain.fills import Equity
from copytrade.domain.quantities import ZERO
from copytrade.domain.sizing import CopySettings, StopMode
from copytrade.domain.skips import SkipReason
from copytrade.domain.stops import Stand
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.failpoints import Label, reach
from copytrade.subscriptions import queries as subscriptions

EVERY_S = 5.0
LIMITED_AGE = timedelta(seconds=4)
"""A stand with a limit is read again after this: of several processes whoever comes first does."""
OTHERS_AGE = timedelta(minutes=5)
"""The others are kept too, so that a limit set later knows the day's start and the peak."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What the legs of some subscriptions brought, read at one moment, and where their accounts are."""

    at: datetime
    legs: dict[UUID, list[Earning]]
    refs: dict[UUID, AccountRef]
    askers: Askers


@dataclass(slots=True)
class Guard:
    """Guards with what one process knows of earlier readings."""

    pool: ClientPool
    _books: Books = field(default_factory=Books)

    async def sweep(self) -> None:
        """Read the stands whose turn it is, at market, and act on limits that were reached."""
        reckoning = await asyncio.to_thread(self._reckon)
        if reckoning is not None:
            marks = await _marks(self.pool, reckoning)
            await asyncio.to_thread(_keep, reckoning, marks)

    def _reckon(self) -> Reckoning | None:
        with reading() as session:
            return reckon(session, self._books, now=clock.now())


def reckon(session: Session, books: Books, *, now: datetime) -> Reckoning | None:
    """Return what the subscriptions whose turn it is brought; None where it is nobody's turn."""
    due = bulk.fetch(
        session,
        "SELECT chosen.subscription_id FROM trades.copy_settings chosen"
        " LEFT JOIN trades.copy_stands stand USING (subscription_id)"
        " WHERE (read_at IS NULL OR read_at <= %(others)s OR (read_at <= %(limited)s"
        " AND (max_daily_loss IS NOT NULL OR max_drawdown IS NOT NULL)))"
        " AND EXISTS (SELECT 1 FROM trades.legs"
        " WHERE legs.subscription_id = chosen.subscription_id AND legs.state = 'following')",
        limited=now - LIMITED_AGE,
        others=now - OTHERS_AGE,
    )
    if not due:
        return None
    legs = defaultdict[UUID, list[Earning]](list)
    for leg in books.of(session, [row[0] for row in due]):
        legs[leg.subscription_id].append(leg)
    refs = accounts.refs(session, {leg.account_id for found in legs.values() for leg in found})
    return Reckoning(now, dict(legs), refs, askers_of(session, refs))


async def _marks(pool: ClientPool, reckoning: Reckoning) -> Marks:
    wanted = defaultdict[Place, set[str]](set)
    for leg in (leg for legs in reckoning.legs.values() for leg in legs):
        if (ref := reckoning.refs.get(leg.account_id)) is not None and (symbols := leg.wanted()):
            wanted[place_of(ref)] |= symbols
    return await read_marks(pool, wanted, askers=reckoning.askers)


def _keep(reckoning: Reckoning, marks: Marks) -> None:
    with transaction() as session:
        keep(session, reckoning, marks=marks)
        reach(Label.GUARD_JUDGED)


def keep(session: Session, reckoning: Reckoning, *, marks: Marks) -> None:
    """Write how the subscriptions stand at these marks and stop those whose limit is reached; the caller commits."""
    pnls = {
        subscription_id: pnl
        for subscription_id, legs in reckoning.legs.items()
        if (pnl := _pnl(legs, reckoning.refs, marks)) is not None
    }
    known = _locked(session, pnls)
    chosen = settings_rows.of(session, list(pnls))
    equities = accounts.equities(session, {legs[0].account_id for legs in reckoning.legs.values()})
    started = subscriptions.by_ids(session, pnls.keys() - known.keys())
    after = dict[UUID, Stand]()
    for subscription_id, pnl in pnls.items():
        equity = _worth(equities.get(reckoning.legs[subscription_id][0].account_id))
        if (before := known.get(subscription_id)) is not None:
            stand = stops.read(before, pnl=pnl, equity=equity, now=reckoning.at)
        else:
            began = started[subscription_id].started_at or reckoning.at
            stand = stops.began(started_at=began, pnl=pnl, equity=equity, now=reckoning.at)
        after[subscription_id] = stops.judge(stand, chosen[subscription_id], now=reckoning.at)
    _write(session, after)
    _stop(session, known, after, chosen, now=reckoning.at)


def _worth(equity: Equity | None) -> Decimal | None:
    return equity.total if equity is not None else None


def _pnl(legs: Collection[Earning], refs: Mapping[UUID, AccountRef], marks: Marks) -> Decimal | None:
    places = [place_of(ref) if (ref := refs.get(leg.account_id)) else None for leg in legs]
    worth = [leg.worth(marks.get(place, {}) if place else {}) for leg, place in zip(legs, places, strict=True)]
    known = [one for one in worth if one is not None]
    return sum(known, ZERO) if len(known) == len(worth) else None


def _locked(session: Session, subscription_ids: Collection[UUID]) -> dict[UUID, Stand]:
    rows = bulk.fetch(
        session,
        f"SELECT subscription_id, {standing.COLUMNS} FROM trades.copy_stands"  # noqa: S608 - names of ours
        " WHERE subscription_id = ANY(%(ids)s) ORDER BY subscription_id FOR UPDATE",
        ids=list(subscription_ids),
    )
    return {subscription_id: Stand(*fields) for subscription_id, *fields in rows}


def _write(session: Session, stands: Mapping[UUID, Stand]) -> None:
    names = ("subscription_id", *standing.COLUMNS.split(", "))
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    rows = [
        (
            subscription_id, stand.day, stand.day_pnl, stand.day_equity, stand.pnl, stand.peak_pnl, stand.peak_equity,
            stand.read_at, stand.daily_stopped_at, stand.drawdown_stopped_at,
        )
        for subscription_id, stand in sorted(stands.items())
    ]  # fmt: skip
    bulk.insert(session, CopyStand, names, rows, conflict=f"ON CONFLICT (subscription_id) DO UPDATE SET {changes}")


def _stop(
    session: Session,
    before: Mapping[UUID, Stand],
    after: Mapping[UUID, Stand],
    chosen: Mapping[UUID, CopySettings],
    *,
    now: datetime,
) -> None:
    stopped = list[UUID]()
    for subscription_id, stand in after.items():
        known = before.get(subscription_id)
        is_daily = stand.daily_stopped_at is not None and (known is None or known.daily_stopped_at is None)
        is_fall = stand.drawdown_stopped_at is not None and (known is None or known.drawdown_stopped_at is None)
        if is_daily or is_fall:
            stopped.append(subscription_id)
            _tell(session, subscription_id, stand, chosen[subscription_id], is_fall=is_fall)
    if stopped:
        wake(session, stopped, now=now)


def _tell(session: Session, subscription_id: UUID, stand: Stand, settings: CopySettings, *, is_fall: bool) -> None:
    about = subscriptions.by_ids(session, {subscription_id})[subscription_id]
    does = "closed" if settings.stop_mode is StopMode.CLOSE else "kept"
    loss = stand.drawdown if is_fall else stand.loss_today
    record(
        session,
        f"stop.drawdown_{does}" if is_fall else f"stop.daily_{does}",
        user_id=about.subscriber_id,
        cause=f"{subscription_id}:{stand.read_at:%Y%m%d%H%M%S}",
        subscription_id=subscription_id,
        trader=about.trader_name,
        loss=f"{loss:.2f}",
    )
    ring(session, f"user:{about.subscriber_id}")


def wake(session: Session, subscription_ids: Collection[UUID], *, now: datetime) -> None:
    """Have the legs of subscriptions looked at now: what holds them back, or closes them, has changed."""
    bulk.fetch(
        session,
        "UPDATE trades.legs SET due_at = %(now)s WHERE subscription_id = ANY(%(ids)s) AND state = 'following'"
        " AND (target <> 0 OR target <> held)",
        now=now,
        ids=list(subscription_ids),
    )
    ring(session, "drive")


def close(session: Session, legs: Collection[records.LegRecord], *, reason: SkipReason, now: datetime) -> int:
    """Close these legs, which the caller has locked; return how many had something to close."""
    touched = list[records.LegRecord]()
    for leg in legs:
        leg.leg, said = flattened(leg.leg, Flatten(reason, new_id(), leg.price), now=now)
        if said:
            leg.skip(said)
            leg.due_at = now
            touched.append(leg)
    saving.save(session, touched, now=now)
    if touched:
        ring(session, "drive", *{f"user:{leg.subscriber_id}" for leg in touched})
    return len(touched)
