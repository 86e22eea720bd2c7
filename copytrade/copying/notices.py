"""What a subscriber is told of copies that did not happen: once a quarter of an hour for each reason, not each fill."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade.copying import bulk
from copytrade.copying.records import LegRecord
from copytrade.db.events import record
from copytrade.domain.legs import Part, SkippedPart
from copytrade.domain.quantities import ZERO
from copytrade.domain.skips import FAILURES, Skip, SkipReason
from copytrade.subscriptions import queries as subscriptions

EVERY = timedelta(minutes=15)
UNTOLD = frozenset(
    {
        SkipReason.NOTHING_TO_REDUCE,
        SkipReason.NOT_ENTITLED,
        SkipReason.STOPPED,
        SkipReason.TOO_SMALL,
        SkipReason.OWN_TRADE,
    }
)
"""What nobody needs a mail for: it lies in the history."""


def skipped(part: Part, skips: Iterable[Skip]) -> list[SkippedPart]:
    """Return the skips of a part that was just planned."""
    return [SkippedPart(part.id, skip) for skip in skips]


def tell(session: Session, legs: Sequence[LegRecord], *, now: datetime) -> None:
    """Write an event for each reason that a subscriber was not told of lately."""
    found: dict[tuple[UUID, SkipReason], Decimal] = defaultdict(lambda: ZERO)
    about: dict[UUID, LegRecord] = {}
    for leg in legs:
        for one in leg.skips:
            # A skip of nothing says why a position is closed, of which the owner is told apart.
            if one.skip.quantity and one.skip.reason not in UNTOLD:
                found[leg.subscription_id, one.skip.reason] += one.skip.quantity
                about[leg.subscription_id] = leg
    for subscription_id, reason in _due(session, list(found), now=now):
        leg = about[subscription_id]
        record(
            session,
            "copy.failed" if reason in FAILURES else "copy.skipped",
            user_id=leg.subscriber_id,
            cause=f"{subscription_id}:{reason.value}:{now:%Y%m%d%H%M}",
            subscription_id=subscription_id,
            trader=trader(session, leg.profile_id),
            symbol=leg.instrument.symbol,
            reason=reason.value,
            quantity=f"{found[subscription_id, reason].normalize():f}",
        )


def trader(session: Session, profile_id: UUID) -> str:
    """Return the name under which a trader is known."""
    return subscriptions.profile(session, profile_id).name


def _due(
    session: Session, causes: Sequence[tuple[UUID, SkipReason]], *, now: datetime
) -> list[tuple[UUID, SkipReason]]:
    if not causes:
        return []
    rows = bulk.fetch(
        session,
        "INSERT INTO trades.copy_notices AS known (subscription_id, reason, told_at)"
        " SELECT subscription_id, reason, %(now)s FROM unnest(%(ids)s::uuid[], %(reasons)s::text[])"
        " AS u (subscription_id, reason) ON CONFLICT (subscription_id, reason) DO UPDATE SET told_at = excluded.told_at"
        " WHERE known.told_at < %(before)s RETURNING subscription_id, reason",
        now=now,
        ids=[subscription for subscription, _ in causes],
        reasons=[reason.value for _, reason in causes],
        before=now - EVERY,
    )
    return [(subscription, SkipReason(reason)) for subscription, reason in rows]
