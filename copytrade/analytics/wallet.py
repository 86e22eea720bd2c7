"""A subscriber's wallet over all his copy accounts: equity, flows apart, positions, results by trader and symbol."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts.rows import AccountRow
from copytrade.analytics import shown, sources
from copytrade.analytics.curves import Point, decimate, summed
from copytrade.analytics.models import DailyEquity, SubscriptionResult
from copytrade.analytics.rows import FlowRow, Numbers, OpenPositionRow, TraderPnl, WalletStats
from copytrade.domain.instruments import Role
from copytrade.domain.nav import DAY, DUST_FLOOR, day_end
from copytrade.domain.performance import Window
from copytrade.subscriptions import queries as subscriptions

CURVE_POINTS = 600
FINE_DAYS = 30
"""A window up to this long is drawn from snapshots, a longer one from days with the newest snapshots."""
TRIPS_SHOWN = 200


def wallet(session: Session, *, owner: UUID, window: Window | str = Window.D30, is_paper: bool = False) -> WalletStats:
    """Return the wallet of a person over his own copy accounts: those with money, or those on paper, never both."""
    window = Window(window)
    held = accounts.accounts(session, owner=owner)
    mine = [row for row in held if row.role == Role.COPY and row.is_paper is is_paper]
    ids = [row.id for row in mine]
    now = clock.now()
    since = now - timedelta(days=window.days) if window.days else sources.BEGINNING
    worth = accounts.equities(session, ids)
    curves = {account_id: _curve(session, account_id, since=since, now=now) for account_id in ids}
    curve = summed(list(curves.values()))
    flows = _flows(session, curves, begins=curve[0].at if curve else now)
    pnl = curve[-1].value - curve[0].value - sum((flow.amount for flow in flows), Decimal(0)) if curve else Decimal(0)
    return WalletStats(
        equity=sum((each.total for each in worth.values()), Decimal(0)) if worth else None,
        as_of=min((each.read_at for each in worth.values()), default=None),
        available=sum((each.available for each in worth.values()), Decimal(0)) if worth else None,
        unrealized_pnl=sum((each.unrealized_pnl for each in worth.values()), Decimal(0)),
        pnl=pnl,
        growth=_growth(curve, flows=flows, pnl=pnl),
        since=curve[0].at if curve else None,
        numbers=_numbers(session, ids, window=window),
        curve=decimate(curve, limit=CURVE_POINTS),
        flows=flows,
        positions=_positions(session, mine),
        traders=traders_pnl(session, owner=owner, is_paper=is_paper),
        symbols=shown.symbols(session, ids, since=since),
        trips=shown.trips(session, ids, since=since, limit=TRIPS_SHOWN),
        accounts=len(mine),
    )


def traders_pnl(session: Session, *, owner: UUID, is_paper: bool = False) -> list[TraderPnl]:
    """Return what each subscription of a person brought him, ended ones included, best first; paper apart."""
    taken = subscriptions.subscriptions_of(session, owner=owner)
    mine = {row.id: row for row in taken if row.is_paper is is_paper}
    rows = session.exec(select(SubscriptionResult).where(col(SubscriptionResult.subscription_id).in_(mine)))
    found = [
        TraderPnl(
            subscription_id=row.subscription_id,
            profile_id=row.profile_id,
            name=mine[row.subscription_id].trader_name,
            slug=mine[row.subscription_id].slug,
            net=row.net,
            realized=row.realized,
            unrealized=row.unrealized,
            fees=row.fees,
            net_return=row.net_return,
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: row.net, reverse=True)


def _curve(session: Session, account_id: UUID, *, since: datetime, now: datetime) -> list[Point]:
    """Return an account's equity: days where the window is long, snapshots for its newest part."""
    fine_since = max(since, now - FINE_DAYS * DAY)
    fine = accounts.equity_curve(session, account_id=account_id, since=fine_since)
    points = [Point(row.read_at, row.total) for row in fine if not row.is_rebuilt]
    if since >= fine_since:
        return points
    days = session.exec(
        select(col(DailyEquity.day), col(DailyEquity.equity))
        .where(
            DailyEquity.exchange_account_id == account_id,
            col(DailyEquity.day) >= since.date(),
            col(DailyEquity.is_rebuilt).is_(False),
        )
        .order_by(col(DailyEquity.day))
    )
    first = points[0].at if points else now
    linked = accounts.first_reading(session, account_id=account_id)
    ends = (Point(day_end(day), equity) for day, equity in days)
    # The day before the first reading only carries that reading into the NAV: it is no point of the curve.
    return [*(end for end in ends if linked and linked.read_at <= end.at < first), *points]


def _flows(session: Session, curves: Mapping[UUID, Sequence[Point]], *, begins: datetime) -> list[FlowRow]:
    """Return deposits and withdrawals; an account that comes in later brings its equity in as a deposit."""
    rows: list[FlowRow] = []
    for account_id, points in curves.items():
        if not points:
            continue
        if points[0].at > begins:
            rows.append(FlowRow(points[0].at, points[0].value))
        told = sources.flows(session, accounts.ref(session, account_id), after=points[0].at, until=points[-1].at)
        rows.extend(FlowRow(flow.at, flow.amount) for flow in told)
    return sorted(rows, key=lambda row: row.at)


def _growth(curve: Sequence[Point], *, flows: Sequence[FlowRow], pnl: Decimal) -> float | None:
    """Return the result as a fraction of the money in work: Modified Dietz over the window."""
    if len(curve) < 2:
        return None
    begins, ends = curve[0].at, curve[-1].at
    span = ends - begins
    weighted = sum((flow.amount * Decimal((ends - flow.at) / span) for flow in flows), Decimal(0))
    base = curve[0].value + weighted
    return float(pnl / base) if base >= DUST_FLOOR else None


def _numbers(session: Session, ids: Sequence[UUID], *, window: Window) -> Numbers:
    """Return one account's own numbers; over several only what can be added up."""
    rows = list(shown.all_statistics(session, ids, window=window).values())
    if len(rows) == 1:
        return shown.numbers(rows[0], window=window)
    closed, wins = sum(row.closed for row in rows), sum(row.wins for row in rows)
    return Numbers(
        window.value,
        days=max((row.days for row in rows), default=0),
        pnl=sum((row.pnl for row in rows), Decimal(0)),
        closed=closed,
        win_rate=Decimal(wins) / closed if closed else None,
        wins=wins,
        losses=sum(row.losses for row in rows),
        net=sum((row.net for row in rows), Decimal(0)),
        fees=sum((row.fees for row in rows), Decimal(0)),
        funding=sum((row.funding for row in rows), Decimal(0)),
    )


def _positions(session: Session, mine: Sequence[AccountRow]) -> list[OpenPositionRow]:
    rows = [
        held
        for account in mine
        for held in shown.open_positions(accounts.positions(session, account.id), venue=account.venue)
    ]
    return sorted(rows, key=lambda row: row.notional, reverse=True)
