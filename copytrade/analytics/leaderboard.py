"""The leaderboard: every published profile with its numbers, in the order that was asked for."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import StrEnum

from sqlmodel import Session

from copytrade import clock
from copytrade.analytics import shown
from copytrade.analytics.curves import spark
from copytrade.analytics.models import AccountRecord, AccountStatistics
from copytrade.analytics.rows import CopyQuality, Leaderboard, LeaderRow, SubscribersResult
from copytrade.analytics.sources import copy_quality
from copytrade.domain.performance import Window
from copytrade.domain.ranking import Rank, Unranked, rank
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import ProfileRow


class Sort(StrEnum):
    """By what the leaderboard is ordered; what is undefined comes last."""

    RISK = "risk"
    RETURN = "return"
    SUBSCRIBERS = "subscribers"
    FALL = "fall"
    AGE = "age"
    PRICE = "price"


_KEYS: dict[Sort, Callable[[LeaderRow], float | Decimal | None]] = {
    Sort.RETURN: lambda row: None if row.total_return is None else -row.total_return,
    Sort.SUBSCRIBERS: lambda row: None if row.results.median is None else -row.results.median,
    Sort.FALL: lambda row: row.max_drawdown,
    Sort.AGE: lambda row: -row.age_days,
    Sort.PRICE: lambda row: row.price,
}


def leaderboard(
    session: Session,
    *,
    window: Window | str = Window.D90,
    venue: str | None = None,
    market: str | None = None,
    search: str = "",
    sort: Sort | str = Sort.RISK,
    limit: int = 25,
    offset: int = 0,
) -> Leaderboard:
    """Return a page of the published profiles; ranks are among all of them, whatever is filtered."""
    rows = ranked_rows(session, window=Window(window))
    words = search.casefold().split()
    matching = [
        row
        for row in rows
        if (venue is None or row.venue == venue)
        and (market is None or row.market == market)
        and all(word in f"{row.name} {row.slug}".casefold() for word in words)
    ]
    ordered = _ordered(matching, sort=Sort(sort))
    placed = sum(row.place is not None for row in matching)
    return Leaderboard(ordered[offset : offset + limit], total=len(matching), ranked=placed)


def ranked_rows(session: Session, *, window: Window) -> list[LeaderRow]:
    """Return every published profile in the default order: risk-adjusted, then those without a rank."""
    profiles = {profile.id: profile for profile in subscriptions.published(session)}
    leads = [profile.lead_account_id for profile in profiles.values()]
    records = shown.records(session, leads)
    found = shown.all_statistics(session, leads, window=window)
    whole = shown.all_statistics(session, leads, window=Window.ALL)
    results = shown.subscribers_results(session, profiles.keys())
    qualities = copy_quality(session, profile_ids=profiles.keys())
    now = clock.now()
    ranks = rank(
        [
            shown.candidate(
                profile.id,
                record=records.get(profile.lead_account_id),
                row=found.get(profile.lead_account_id),
                whole=whole.get(profile.lead_account_id),
                now=now,
            )
            for profile in profiles.values()
        ]
    )
    return [
        _row(
            profiles[place.profile_id],
            place=place,
            record=records.get(profiles[place.profile_id].lead_account_id),
            row=found.get(profiles[place.profile_id].lead_account_id),
            results=results.get(place.profile_id, SubscribersResult()),
            quality=qualities.get(place.profile_id, CopyQuality()),
        )
        for place in ranks
    ]


def _row(
    profile: ProfileRow,
    *,
    place: Rank,
    record: AccountRecord | None,
    row: AccountStatistics | None,
    results: SubscribersResult,
    quality: CopyQuality,
) -> LeaderRow:
    curve = row.curve if row else []
    return LeaderRow(
        profile_id=profile.id,
        slug=profile.slug,
        name=profile.name,
        venue=profile.venue,
        market=profile.market,
        price=profile.price,
        currency=profile.currency,
        place=place.place,
        unranked=place.reason,
        age_days=record.days if record else 0,
        equity=record.equity if record else None,
        total_return=row.total_return if row else None,
        pnl=row.pnl if row else Decimal(0),
        max_drawdown=row.max_drawdown if row else None,
        sharpe=row.sharpe if row else None,
        sortino=row.sortino if row else None,
        win_rate=row.win_rate if row else None,
        profit_factor=row.profit_factor if row else None,
        closed=row.closed if row else 0,
        days=row.days if row else 0,
        open_positions=record.open_positions if record else 0,
        per_week=row.per_week if row else None,
        curve=curve,
        spark=spark(curve),
        is_reconciled=place.reason is not Unranked.UNRECONCILED,
        subscribers=profile.subscribers,
        results=results,
        quality=quality,
    )


def _ordered(rows: Sequence[LeaderRow], *, sort: Sort) -> list[LeaderRow]:
    if sort is Sort.RISK:
        return list(rows)
    wanted = _KEYS[sort]
    known = [(value, row) for row in rows if (value := wanted(row)) is not None]
    known.sort(key=lambda pair: pair[0])
    return [row for _, row in known] + [row for row in rows if wanted(row) is None]
