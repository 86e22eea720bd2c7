"""Queries of what copying did, over many subscriptions at once: executions for results, delays and slippage."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Double, Select, Uuid, and_, case, cast, extract, literal, literal_column
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, select

from copytrade.copying.models import CopyOrder, CopySetting, LegRow, OrderPart, PartRow
from copytrade.domain.instruments import PositionSide, Side


@dataclass(frozen=True, slots=True)
class CopyExecution:
    """What one copy order executed: signed base quantity at its average price; the fee in `fee_asset`."""

    subscription_id: UUID
    symbol: str
    position_side: PositionSide
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CopiedBy:
    """Which profile a subscription copies, to which account."""

    subscription_id: UUID
    profile_id: UUID
    copy_account_id: UUID
    is_paper: bool


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds from the newest lead fill of an order to its acceptance; slippage in bps, + is worse.

    This is the one definition of delay and slippage of many copies: per order that executed, wherever they are shown.
    """

    count: int
    delay_p50_ms: float | None
    delay_p95_ms: float | None
    delay_p99_ms: float | None
    slippage_p50_bps: float | None
    slippage_p95_bps: float | None
    slippage_p99_bps: float | None


def subscriptions(session: Session) -> list[CopiedBy]:
    """Return every subscription that ever copied or may copy, ended ones included."""
    row = CopySetting
    rows = session.exec(select(row.subscription_id, row.profile_id, row.copy_account_id, row.is_paper))
    return [CopiedBy(*found) for found in rows]


def executions(session: Session, *, subscription_ids: Collection[UUID]) -> list[CopyExecution]:
    """Return what the copy orders of subscriptions executed, in time order."""
    rows = session.exec(
        select(CopyOrder)
        .where(col(CopyOrder.subscription_id).in_(subscription_ids), col(CopyOrder.filled) > 0)
        .order_by(func.coalesce(CopyOrder.ended_at, CopyOrder.acknowledged_at, CopyOrder.created_at), col(CopyOrder.id))
    )
    return [
        CopyExecution(
            subscription_id=row.subscription_id,
            symbol=row.symbol,
            position_side=PositionSide(row.position_side),
            quantity=row.filled * Side(row.side).sign,
            price=row.average_price if row.average_price is not None else row.reference,
            fee=row.fee or Decimal(0),
            fee_asset=row.fee_asset,
            at=row.ended_at or row.acknowledged_at or row.created_at,
        )
        for row in rows
        if row.subscription_id is not None
    ]


def filled_order_counts(session: Session) -> dict[UUID, tuple[int, Decimal]]:
    """Return by subscription how many orders executed something and how much in all: what tells that it changed."""
    rows = session.exec(
        select(CopyOrder.subscription_id, func.count(), func.sum(CopyOrder.filled))
        .where(col(CopyOrder.subscription_id).is_not(None), col(CopyOrder.filled) > 0)
        .group_by(col(CopyOrder.subscription_id))
    )
    return {subscription_id: (count, filled) for subscription_id, count, filled in rows if subscription_id is not None}


def delays(session: Session, *, profile_ids: Collection[UUID], since: datetime) -> dict[UUID, Delays]:
    """Return how fast and how close the copies of each profile were since a time, none of those on paper."""
    rows = session.connection().execute(
        _with_money(_measured(cast(col(LegRow.profile_id), Uuid), since=since))
        .where(col(LegRow.profile_id).in_(profile_ids))
        .group_by(col(LegRow.profile_id))
    )
    return {profile_id: Delays(*figures) for profile_id, *figures in rows}


def delays_by_place(session: Session, *, since: datetime) -> dict[tuple[str, str], Delays]:
    """Return how fast and how close copies were since a time by venue and market, none of those on paper."""
    place = col(LegRow.venue) + literal_column("' '") + col(LegRow.market)
    rows = session.connection().execute(_with_money(_measured(place, since=since)).group_by(place))
    found: dict[tuple[str, str], Delays] = {}
    for where, *figures in rows:
        venue, _, market = where.partition(" ")
        found[venue, market] = Delays(*figures)
    return found


def delays_of_all(session: Session, *, since: datetime) -> Delays:
    """Return how fast and how close all copies were since a time, none of those on paper."""
    _, *figures = session.connection().execute(_with_money(_measured(literal(1), since=since))).one()
    return Delays(*figures)


def delays_of(session: Session, *, subscription_ids: Collection[UUID], since: datetime) -> Delays:
    """Return how fast and how close the copies of these subscriptions were since a time."""
    measured = _measured(literal(1), since=since).where(col(CopyOrder.subscription_id).in_(subscription_ids))
    _, *figures = session.connection().execute(measured).one()
    return Delays(*figures)


def _with_money(measured: Select[Any]) -> Select[Any]:
    """Leave out what was copied on paper: its venue is ours, so its figures say nothing of the real ones."""
    return measured.join(
        CopySetting,
        and_(col(CopySetting.subscription_id) == col(CopyOrder.subscription_id), col(CopySetting.is_paper).is_(False)),
    )


def _measured(group: ColumnElement[Any], *, since: datetime) -> Select[Any]:
    newest = (
        sql_select(func.max(col(PartRow.venue_time)).label("at"))
        .join(OrderPart, col(OrderPart.part_id) == col(PartRow.id))
        .where(col(OrderPart.order_id) == col(CopyOrder.id), col(PartRow.fill_id).is_not(None))
        .correlate(CopyOrder)
        .lateral()
    )
    delay = extract("epoch", col(CopyOrder.acknowledged_at) - newest.c.at) * 1000
    sign = case((col(CopyOrder.side) == Side.BUY.value, 1), else_=-1)
    slippage = sign * (col(CopyOrder.average_price) / col(CopyOrder.reference) - 1) * 10_000
    shares = [func.percentile_cont(share).within_group(delay.asc()) for share in (0.5, 0.95, 0.99)]
    shares += [func.percentile_cont(share).within_group(cast(slippage, Double).asc()) for share in (0.5, 0.95, 0.99)]
    return (
        sql_select(group, func.count(), *(cast(share, Double) for share in shares))
        .select_from(CopyOrder)
        .join(LegRow, col(LegRow.id) == col(CopyOrder.leg_id))
        .join(newest, newest.c.at.is_not(None))
        .where(
            col(CopyOrder.filled) > 0,
            col(CopyOrder.acknowledged_at) >= since,
            col(CopyOrder.average_price).is_not(None),
            col(CopyOrder.reference) > 0,
        )
    )
