"""What becomes of a drift: what the subscriber's policy says, its row in his history, and what he is told.

A halt holds entries, never exits, so what is less than held is adopted under each policy (docs/decisions/0009).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select, update

from copytrade.copying import bulk, notices
from copytrade.copying.models import CopyDrift, DriftKind
from copytrade.copying.records import LegRecord
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.model import new_id
from copytrade.domain.instruments import Market
from copytrade.domain.legs import adopt
from copytrade.domain.quantities import plain
from copytrade.domain.sizing import CopySettings, DriftLess, DriftLiquidated, DriftModes, DriftMore
from copytrade.domain.skips import SkipReason
from copytrade.failpoints import Label, reach

HALT = "halt"
FEES_OF = timedelta(days=1)
"""A balance may be lower by the fees of so long."""
_TOLD = {
    DriftLess.ADOPT.value: "leg.drift",
    DriftLiquidated.PAUSE.value: "leg.liquidated",
    DriftModes.HOLD.value: "leg.modes",
    DriftModes.RESET.value: "leg.modes_reset",
    HALT: "leg.halted",
}
"""What he is told by policy; what he lets be ignored only stands in his history."""


@dataclass(frozen=True, slots=True)
class Found:
    """What two readings agreed on about a leg."""

    kind: DriftKind
    expected: str
    found: str
    at: datetime


def less(session: Session, leg: LegRecord, really: Decimal, *, settings: CopySettings, at: datetime) -> None:
    """Take over that an account holds less than a leg: by its owner's hand, as far as anybody knows.

    On spot a venue may take fees in a coin that is copied too (BNB): that is cost, of which nobody is told.
    """
    if leg.instrument.market is Market.SPOT and leg.leg.held - really <= _fees_in(session, leg, at=at):
        cost = _adopted(leg, really, kind=DriftKind.LESS, at=at)
        _keep(session, leg, cost, policy=DriftLess.ADOPT, resolved_at=at, is_told=False)
        return
    found = _adopted(leg, really, kind=DriftKind.LESS, at=at)
    is_halting = settings.drift_less is DriftLess.HALT
    leg.is_halted = leg.is_halted or is_halting
    _keep(session, leg, found, policy=settings.drift_less, resolved_at=None if is_halting else at)


def liquidated(session: Session, leg: LegRecord, really: Decimal, *, settings: CopySettings, at: datetime) -> None:
    """Take over that the venue closed what a leg held; entries are paused or halted.

    The settings' row must be locked by the caller, before its legs.
    """
    found = _adopted(leg, really, kind=DriftKind.LIQUIDATED, at=at)
    if settings.drift_liquidated is DriftLiquidated.HALT:
        leg.is_halted = True
    else:
        bulk.fetch(
            session,
            "UPDATE trades.copy_settings SET is_paused = true, changed_at = %(at)s WHERE subscription_id = %(id)s",
            at=at,
            id=leg.subscription_id,
        )
    _keep(session, leg, found, policy=settings.drift_liquidated, resolved_at=None)


def more(session: Session, leg: LegRecord, own: Decimal, *, settings: CopySettings, at: datetime) -> None:
    """Note that an account holds more than its legs; it is the subscriber's own, and nothing touches it."""
    resolve(session, leg_ids=[leg.id], kind=DriftKind.MORE, at=at)
    held = leg.leg.held
    leg.is_halted = leg.is_halted or settings.drift_more is DriftMore.HALT
    found = Found(DriftKind.MORE, plain(held), plain(held + own), at)
    _keep(session, leg, found, policy=settings.drift_more, resolved_at=None)


def modes(session: Session, leg: LegRecord, expected: str, found: str, *, settings: CopySettings, at: datetime) -> None:
    """Note that leverage, margin or position mode are not what was set for copying."""
    _keep(
        session, leg, Found(DriftKind.MODES, expected, found, at), policy=settings.drift_modes, resolved_at=None
    )  # fmt: skip


def known_own(session: Session, leg_ids: Sequence[UUID]) -> Mapping[UUID, Decimal]:
    """Return by leg how much more than copied its account is known to hold."""
    rows = session.exec(
        select(CopyDrift.leg_id, CopyDrift.expected, CopyDrift.found).where(
            col(CopyDrift.leg_id).in_(leg_ids), CopyDrift.kind == DriftKind.MORE, col(CopyDrift.resolved_at).is_(None)
        )
    )
    return {leg_id: Decimal(found) - Decimal(expected) for leg_id, expected, found in rows}


def with_modes(session: Session, leg_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return the legs whose account is known to have other modes than were set."""
    rows = session.exec(
        select(CopyDrift.leg_id).where(
            col(CopyDrift.leg_id).in_(leg_ids), CopyDrift.kind == DriftKind.MODES, col(CopyDrift.resolved_at).is_(None)
        )
    )
    return frozenset(rows)


def resolve(session: Session, *, leg_ids: Collection[UUID], kind: DriftKind, at: datetime) -> None:
    """Note that accounts are again as they should be."""
    session.exec(
        update(CopyDrift)
        .where(col(CopyDrift.leg_id).in_(leg_ids), col(CopyDrift.kind) == kind, col(CopyDrift.resolved_at).is_(None))
        .values(resolved_at=at)
    )


def release(session: Session, *, subscription_id: UUID, at: datetime) -> None:
    """Note that the subscriber lets entries go on; what is more than copied he lets be, and it still is more."""
    mine = (col(CopyDrift.subscription_id) == subscription_id, col(CopyDrift.resolved_at).is_(None))
    # Modes that were changed by hand are made the lead's again before the next entry, where nothing is in the way.
    bulk.fetch(
        session,
        "DELETE FROM trades.symbols_ready WHERE hold = %(by_hand)s AND exchange_account_id IN"
        " (SELECT copy_account_id FROM trades.copy_settings WHERE subscription_id = %(id)s)",
        by_hand=SkipReason.MODES_CHANGED.value,
        id=subscription_id,
    )
    session.exec(update(CopyDrift).where(*mine, col(CopyDrift.kind) != DriftKind.MORE).values(resolved_at=at))
    session.exec(update(CopyDrift).where(*mine, col(CopyDrift.policy) == HALT).values(policy=DriftMore.IGNORE))


def forget_ready(session: Session, account_id: UUID, symbol: str) -> None:
    """Have an account made ready for a symbol again."""
    bulk.fetch(
        session,
        "DELETE FROM trades.symbols_ready WHERE exchange_account_id = %(id)s AND symbol = %(symbol)s",
        id=account_id,
        symbol=symbol,
    )


def resumed(session: Session, *, subscription_id: UUID, at: datetime) -> None:
    """Note that the subscriber copies again after the venue had closed something."""
    mine = (col(CopyDrift.subscription_id) == subscription_id, col(CopyDrift.resolved_at).is_(None))
    is_closed = (col(CopyDrift.kind) == DriftKind.LIQUIDATED, col(CopyDrift.policy) == DriftLiquidated.PAUSE)
    session.exec(update(CopyDrift).where(*mine, *is_closed).values(resolved_at=at))


def _adopted(leg: LegRecord, really: Decimal, *, kind: DriftKind, at: datetime) -> Found:
    before = leg.leg.held
    leg.leg, skips = adopt(leg.leg, really, drift_id=new_id(), price=leg.price, at=at)
    leg.skip(skips)
    leg.due_at = at
    return Found(kind, plain(before), plain(really), at)


def _fees_in(session: Session, leg: LegRecord, *, at: datetime) -> Decimal:
    """Return what our orders in other coins paid in this leg's coin since its last drift, a day back at most."""
    coin = leg.instrument.symbol.partition("/")[0]
    [[paid]] = bulk.fetch(
        session,
        "SELECT coalesce(sum(fee), 0) FROM trades.copy_orders WHERE exchange_account_id = %(account)s"
        " AND fee_asset = %(coin)s AND split_part(symbol, '/', 1) <> %(coin)s AND ended_at > greatest(%(since)s,"
        " (SELECT max(at) FROM trades.copy_drifts WHERE leg_id = %(leg)s))",
        account=leg.copy_account_id,
        coin=coin,
        since=at - FEES_OF,
        leg=leg.id,
    )
    return paid


def _keep(
    session: Session,
    leg: LegRecord,
    found: Found,
    *,
    policy: DriftLess | DriftMore | DriftLiquidated | DriftModes,
    resolved_at: datetime | None,
    is_told: bool = True,
) -> None:
    session.add(
        CopyDrift(
            leg_id=leg.id,
            subscription_id=leg.subscription_id,
            subscriber_id=leg.subscriber_id,
            symbol=leg.instrument.symbol,
            position_side=leg.instrument.position_side.value,
            kind=found.kind,
            policy=policy.value,
            expected=found.expected,
            found=found.found,
            at=found.at,
            resolved_at=resolved_at,
        )
    )
    session.flush()
    reach(Label.DRIFT_NOTED)
    ring(session, f"user:{leg.subscriber_id}")
    if is_told and (told := _TOLD.get(policy.value)) is not None:
        record(
            session,
            told,
            user_id=leg.subscriber_id,
            cause=f"{leg.id}:{found.kind.value}:{found.at:%Y%m%d%H%M%S}",
            trader=notices.trader(session, leg.profile_id),
            symbol=leg.instrument.symbol,
            expected=found.expected,
            found=found.found,
        )
