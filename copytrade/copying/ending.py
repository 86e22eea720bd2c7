"""What becomes of copied positions when a subscription ends: closed, kept, or led out by the trader's exits."""

import asyncio
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.capture import service as capture
from copytrade.copying import bulk, records, rests, saving
from copytrade.copying.models import LegState
from copytrade.copying.records import LegRecord
from copytrade.db.bell import ring
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.domain.driving import WaitReason
from copytrade.domain.legs import close, freeze
from copytrade.domain.sizing import EndMode
from copytrade.failpoints import Label, reach
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions import service as subscription_service
from copytrade.subscriptions.rows import EndedSubscription

log = structlog.get_logger()


async def sweep() -> None:
    """Look at every ended subscription that is not settled."""
    await asyncio.to_thread(_sweep)


def _sweep() -> None:
    with transaction() as session:
        for ended in subscriptions.ended_unsettled(session):
            settle(session, ended, now=clock.now())
            reach(Label.ENDING_STEPPED)


def settle(session: Session, ended: EndedSubscription, *, now: datetime) -> None:
    """Bring the legs of an ended subscription to their end, step by step; the caller commits."""
    legs = records.lock(
        session,
        "subscription_id = %(id)s AND state = 'following' ORDER BY id FOR UPDATE SKIP LOCKED",
        id=ended.id,
    )
    touched = [leg for leg in legs if _step(leg, EndMode(ended.end_mode), now=now)]
    saving.save(session, touched, now=now)
    if touched:
        ring(session, "drive", f"user:{ended.subscriber_id}")
    _forget_own(session, [leg for leg in touched if leg.state is LegState.KEPT])
    if _is_settled(session, ended):
        subscription_service.finish(session, subscription_id=ended.id)


def _forget_own(session: Session, kept: list[LegRecord]) -> None:
    """Have what the account holds read again before anything is entered in it: a part of it is his own from now on."""
    if kept:
        bulk.fetch(
            session,
            "DELETE FROM trades.symbols_ready USING unnest(%(accounts)s::uuid[], %(symbols)s::text[]) AS own (id, name)"
            " WHERE exchange_account_id = own.id AND symbol = own.name",
            accounts=[leg.copy_account_id for leg in kept],
            symbols=[leg.instrument.symbol for leg in kept],
        )


def _is_settled(session: Session, ended: EndedSubscription) -> bool:
    """Tell whether no leg follows any more; who plans the lead now may have begun before the end, and make one."""
    if _any_following(session, ended):
        return False
    leads = bulk.fetch(
        session, "SELECT lead_account_id FROM trades.copy_settings WHERE subscription_id = %(id)s", id=ended.id
    )
    if any(capture.is_planned_now(session, lead) or rests.is_left(session, lead) for (lead,) in leads):
        return False
    return not _any_following(session, ended)


def _any_following(session: Session, ended: EndedSubscription) -> bool:
    return bool(
        bulk.fetch(
            session,
            "SELECT 1 FROM trades.legs WHERE subscription_id = %(id)s AND state = 'following' LIMIT 1",
            id=ended.id,
        )
    )


def _step(leg: LegRecord, mode: EndMode, *, now: datetime) -> bool:
    """Move one leg towards its end; tell whether anything changed."""
    is_first = not leg.is_ending
    if is_first:
        leg.is_ending = True
        leg.due_at = now
        # What an entry waited for says nothing of what there is to close.
        leg.waits_for = ""
        if mode is EndMode.CLOSE:
            leg.leg = close(leg.leg, stop_id=new_id(), price=leg.price, at=now)
    if leg.orders:
        return is_first
    if mode is EndMode.KEEP:
        leg.leg, skips = freeze(leg.leg)
        leg.skip(skips)
        leg.state, leg.due_at, leg.waits_for = LegState.KEPT, None, ""
        leg.leg = replace(leg.leg, last_reason=None)
        return True
    is_unsellable = leg.waits_for == WaitReason.TOO_SMALL and leg.due_at is None
    is_flat = not leg.leg.target and (not leg.leg.held or is_unsellable)
    if is_flat and not is_first:
        leg.state, leg.due_at = LegState.CLOSED, None
        return True
    return is_first
