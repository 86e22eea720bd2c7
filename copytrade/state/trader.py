"""A trader's page: what he did, how deep he fell, what his subscribers got."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import reflex as rx

from copytrade import clock
from copytrade.accounts import paper
from copytrade.accounts import queries as accounts
from copytrade.analytics import queries as analytics
from copytrade.analytics.charts import (
    Chart,
    YearRow,
    distribution,
    equity_and_underwater,
    month_table,
    pnl_by_symbol,
)
from copytrade.analytics.rows import ProfileStats
from copytrade.domain.instruments import Market, Role
from copytrade.errors import NotFound
from copytrade.i18n.names import place_name
from copytrade.i18n.voice import Figure, Moment, Voice
from copytrade.state import routes
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.charting import NO_CHART, palette_of
from copytrade.state.position_lines import PositionLine, TripLine, position_line, trip_line
from copytrade.state.quality_lines import QualityLine, quality_line
from copytrade.state.traders import WINDOWS, unranked
from copytrade.state.work import read
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.states import LIVE
from copytrade.users.queries import Person

SHOWN_TRIPS = 15


@dataclass(frozen=True, slots=True)
class Head:
    """Who the trader is."""

    profile_id: str = ""
    slug: str = ""
    name: str = ""
    initial: str = ""
    about: str = ""
    place: str = ""
    age: str = ""
    capital: str = ""
    subscribers: str = ""
    price: str = ""
    rank: str = ""
    subscribe: str = ""
    link: str = ""
    as_of: Moment = field(default_factory=Moment)
    is_open: bool = False
    is_mine: bool = False
    is_subscribed: bool = False
    is_spot: bool = False
    has_account: bool = False
    """Whether the visitor has a copy account of the same exchange and market."""
    paper: str = ""
    """Where one tries him with play money; empty: nowhere."""
    is_on_paper: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of the window."""

    result: Figure = field(default_factory=Figure)
    pnl: Figure = field(default_factory=Figure)
    fall: Figure = field(default_factory=Figure)
    sharpe: str = ""
    sample: str = ""
    net: Figure = field(default_factory=Figure)
    net_note: str = ""
    delay: str = ""
    slippage: str = ""
    copies: str = ""
    wins: str = ""
    profit_factor: str = ""
    holding: str = ""
    per_week: str = ""
    fees: str = ""
    funding: str = ""


def _head(stats: ProfileStats, voice: Voice) -> Head:
    return Head(
        profile_id=str(stats.profile_id),
        slug=stats.slug,
        name=stats.name,
        initial=stats.name[:1],
        about=stats.about,
        place=place_name(voice, stats.venue, stats.market),
        age=voice.count(stats.age_days, "{n} day", "{n} days"),
        capital=voice.money(stats.equity),
        subscribers=voice.count(stats.subscribers, "{n} subscriber", "{n} subscribers"),
        price=voice.cash(stats.price, stats.currency),
        rank=voice.say("rank {n}", n=stats.place) if stats.place else unranked(voice, stats.unranked),
        subscribe=routes.subscribe(stats.slug),
        paper=routes.try_on_paper(stats.slug) if paper.is_offered() else "",
        link=routes.link_account(venue=stats.venue, market=stats.market),
        as_of=voice.moment(stats.as_of, now=clock.now()),
        is_open=stats.is_published,
        is_spot=stats.market == Market.SPOT,
    )


def _numbers(stats: ProfileStats, voice: Voice) -> Numbers:
    numbers, quality, results = stats.numbers, stats.quality, stats.results
    holding = numbers.median_holding_s
    return Numbers(
        result=voice.move(numbers.total_return),
        pnl=voice.change(numbers.pnl),
        fall=voice.fall(numbers.max_drawdown),
        sharpe=voice.ratio(numbers.sharpe),
        sample=voice.count(numbers.days, "from {n} day", "from {n} days"),
        net=voice.move(results.median),
        net_note=voice.count(results.count, "median of {n} subscriber", "median of {n} subscribers")
        if results.count
        else voice.say("no result yet"),
        delay=voice.milliseconds(quality.delay_p50_ms),
        slippage=voice.basis_points(quality.slippage_p50_bps),
        copies=voice.count(quality.count, "{n} copy", "{n} copies"),
        wins=voice.percent(numbers.win_rate, places=0),
        profit_factor=voice.ratio(numbers.profit_factor),
        holding=voice.span(timedelta(seconds=holding)) if holding is not None else "—",
        per_week=voice.ratio(numbers.per_week),
        fees=voice.money(numbers.fees),
        funding=voice.change(numbers.funding).text,
    )


def _quality(stats: ProfileStats, voice: Voice) -> list[QualityLine]:
    place = place_name(voice, stats.venue, stats.market)
    rows = (
        (voice.say("this trader"), stats.quality),
        (voice.say("all copies at {place}", place=place), stats.place_quality),
    )
    return [quality_line(name, quality, voice) for name, quality in rows if quality.count]


def _warnings(stats: ProfileStats, voice: Voice) -> list[str]:
    found: list[str] = []
    best = stats.numbers.best_share
    if best is not None and best > 0.3:
        found.append(voice.say("One trade made {share} of the profit.", share=voice.percent(best, places=0)))
    if stats.rebuilt_days:
        found.append(
            voice.count(
                stats.rebuilt_days,
                "{n} day before the account was linked is rebuilt from the exchange's records.",
                "{n} days before the account was linked are rebuilt from the exchange's records.",
            )
        )
    if not stats.is_reconciled:
        found.append(voice.say("Some fills are missing: the numbers may be incomplete."))
    if stats.restarts:
        found.append(
            voice.count(stats.restarts, "The account was emptied {n} time.", "The account was emptied {n} times.")
        )
    return found


class Trader(Page, rx.State):
    """One trader's page in one window of time."""

    if TYPE_CHECKING:
        slug: str

    head: Head = Head()
    numbers: Numbers = Numbers()
    quality: list[QualityLine] = []
    window: str = "90d"
    warnings: list[str] = []
    curve: Chart = NO_CHART
    symbols: Chart = NO_CHART
    spread: Chart = NO_CHART
    years: list[YearRow] = []
    month_names: list[str] = []
    positions: list[PositionLine] = []
    positions_told: str = ""
    trips: list[TripLine] = []
    is_missing: bool = False

    @live(Who.PUBLIC, "leaderboard", "user:{asker}")
    async def watch(self, asker: Person | None, voice: Voice) -> None:
        """Load the page of the trader whom the address names."""
        try:
            stats = await read(analytics.profile_page, slug=self.slug, window=self.window)
        except NotFound:
            self.is_missing = True
            return
        self.is_missing = False
        self.as_of = voice.clock(clock.now())
        copied = await read(_copied_by, owner=asker.id, profile_id=stats.profile_id) if asker else set[bool]()
        mine = asker is not None and asker.id == stats.trader_id
        fits = asker is not None and await read(_has_account, owner=asker.id, venue=stats.venue, market=stats.market)
        self.head = replace(_head(stats, voice), is_mine=mine, is_subscribed=False in copied, has_account=fits)
        self.head = replace(self.head, is_on_paper=True in copied)
        self.numbers = _numbers(stats, voice)
        self.quality = _quality(stats, voice)
        self.warnings = _warnings(stats, voice)
        palette = await palette_of(self)
        self.curve = equity_and_underwater(stats.days, voice=voice, benchmark=stats.benchmark, palette=palette)
        self.symbols = pnl_by_symbol(stats.symbols, voice=voice, palette=palette)
        self.spread = distribution(stats.trips, voice=voice, palette=palette)
        self.years = month_table(stats.months, voice=voice)
        self.month_names = voice.months()
        # What is open now is what subscribers pay for; others see how much there is of it.
        self.positions = [position_line(row, voice) for row in stats.positions] if mine or False in copied else []
        self.positions_told = voice.count(len(stats.positions), "{n} open position", "{n} open positions")
        self.trips = [trip_line(row, voice) for row in stats.trips[:SHOWN_TRIPS]]

    @action(Who.PUBLIC)
    async def choose_window(self, asker: Person | None, voice: Voice, window: str | list[str]) -> Any:
        """Show another window of time."""
        self.window = str(window) if window in WINDOWS else "90d"
        return Trader.watch


def _copied_by(session: Any, *, owner: UUID, profile_id: UUID) -> set[bool]:
    """Return whether a person copies a profile: on paper (True), with money (False), or both."""
    rows = subscriptions.subscriptions_of(session, owner=owner)
    return {row.is_paper for row in rows if row.profile_id == profile_id and row.state in LIVE}


def _has_account(session: Any, *, owner: UUID, venue: str, market: str) -> bool:
    return any(
        (row.role, row.venue, row.market) == (Role.COPY, venue, market) and not row.is_paper
        for row in accounts.accounts(session, owner=owner)
    )
