"""The history of drifts: what a subscriber's account was found to be, and what his policy made of it."""

from uuid import UUID

from sqlmodel import Session, col, select

from copytrade.copying.models import CopyDrift, LegRow, LegState
from copytrade.copying.rows import DriftRow, HaltedRow
from copytrade.subscriptions import queries as subscriptions

SHOWN = 50


def drifts(session: Session, *, owner: UUID, limit: int = SHOWN) -> list[DriftRow]:
    """Return the owner's newest drifts, newest first."""
    names = {row.id: row.trader_name for row in subscriptions.subscriptions_of(session, owner=owner)}
    rows = session.exec(
        select(CopyDrift)
        .where(CopyDrift.subscriber_id == owner, col(CopyDrift.subscription_id).in_(names))
        .order_by(col(CopyDrift.id).desc())
        .limit(limit)
    )
    return [
        DriftRow(
            id=row.id,
            subscription_id=row.subscription_id,
            trader_name=names[row.subscription_id],
            symbol=row.symbol,
            kind=row.kind,
            policy=row.policy,
            expected=row.expected,
            found=row.found,
            at=row.at,
            resolved_at=row.resolved_at,
        )
        for row in rows
    ]


def halted(session: Session, *, owner: UUID) -> list[HaltedRow]:
    """Return the owner's subscriptions that enter nothing in some symbols until he says so."""
    names = {row.id: row.trader_name for row in subscriptions.subscriptions_of(session, owner=owner)}
    rows = session.exec(
        select(LegRow.subscription_id, LegRow.symbol)
        .where(
            col(LegRow.subscription_id).in_(names),
            col(LegRow.is_halted).is_(True),
            LegRow.state == LegState.FOLLOWING,
            col(LegRow.is_ending).is_(False),
        )
        .order_by(col(LegRow.subscription_id), col(LegRow.symbol))
    )
    found: dict[UUID, list[str]] = {}
    for subscription_id, symbol in rows:
        found.setdefault(subscription_id, []).append(symbol)
    return [HaltedRow(one, names[one], symbols) for one, symbols in found.items()]
