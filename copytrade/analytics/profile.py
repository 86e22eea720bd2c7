"""A trader's page: his numbers, days, trades and what his subscribers got."""

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.analytics import shown, sources
from copytrade.analytics.leaderboard import ranked_rows
from copytrade.analytics.rows import CopyQuality, DayRow, LeaderRow, ProfileStats, SubscribersResult
from copytrade.domain.instruments import Market
from copytrade.domain.nav import DAY, day_end
from copytrade.domain.performance import Window, months
from copytrade.exchanges.port import AccountRef
from copytrade.subscriptions import queries as subscriptions

TRIPS_SHOWN = 500


def profile_page(
    session: Session, *, slug: str, window: Window | str = Window.D90, viewer: UUID | None = None
) -> ProfileStats:
    """Return a trader's page; an unpublished one is there for its owner only (`viewer`), else NotFound."""
    window = Window(window)
    profile = subscriptions.profile_by_slug(session, slug, viewer=viewer)
    lead = profile.lead_account_id
    record = shown.records(session, [lead]).get(lead)
    found = shown.all_statistics(session, [lead], window=window).get(lead)
    ref = accounts.ref(session, lead)
    days = shown.day_rows(session, lead, window=window)
    since = window_start(window, today=days[-1].day) if days else None
    place = _place(session, profile.id, window=window)
    return ProfileStats(
        profile_id=profile.id,
        trader_id=profile.user_id,
        slug=profile.slug,
        name=profile.name,
        about=profile.about,
        venue=profile.venue,
        market=profile.market,
        price=profile.price,
        currency=profile.currency,
        is_published=profile.is_published,
        numbers=shown.numbers(found, window=window),
        age_days=record.days if record else 0,
        equity=record.equity if record else None,
        as_of=record.equity_at if record else None,
        is_reconciled=record is None or shown.is_reconciled(record, now=clock.now()),
        restarts=record.restarts if record else 0,
        rebuilt_days=shown.rebuilt_days(session, lead),
        place=place.place if place else None,
        unranked=place.unranked if place else None,
        days=days,
        benchmark=_benchmark(session, ref, days=days),
        months=months(shown.daily_returns(session, lead)),
        symbols=shown.symbols(session, [lead], since=since),
        trips=shown.trips(session, [lead], since=since, limit=TRIPS_SHOWN),
        positions=shown.open_positions(accounts.positions(session, lead), venue=profile.venue),
        subscribers=profile.subscribers,
        results=shown.subscribers_results(session, [profile.id]).get(profile.id, SubscribersResult()),
        quality=sources.copy_quality(session, profile_ids=[profile.id]).get(profile.id, CopyQuality()),
        place_quality=sources.quality_by_place(session).get((profile.venue, profile.market), CopyQuality()),
    )


def window_start(window: Window, *, today: date) -> datetime | None:
    """Return the instant at which a window ending with today begins; None for everything."""
    return None if window.days is None else day_end(today) - window.days * DAY


def _place(session: Session, profile_id: UUID, *, window: Window) -> LeaderRow | None:
    return next((row for row in ranked_rows(session, window=window) if row.profile_id == profile_id), None)


def _benchmark(session: Session, ref: AccountRef, *, days: list[DayRow]) -> list[tuple[date, float]]:
    """Return BTC over the same days, 1 on the first of them that has a price."""
    if len(days) < 2:
        return []
    symbol = "BTC/USDT:USDT" if ref.market is Market.PERPETUAL else "BTC/USDT"
    prices = sources.daily_closes(session, ref, symbols=[symbol], since=days[0].day)
    known = [(row.day, prices[symbol, row.day]) for row in days if (symbol, row.day) in prices]
    return [(day, float(price / known[0][1])) for day, price in known]
