"""A subscriber's wallet: what it is worth, what copying brought, what is open."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import reflex as rx
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.analytics import queries as analytics
from copytrade.analytics.charts import Chart, allocation, equity_curve, pnl_by_symbol, pnl_by_trader
from copytrade.analytics.rows import TraderPnl, WalletStats
from copytrade.copying import queries as copying
from copytrade.copying import service as copying_service
from copytrade.domain.instruments import Role
from copytrade.i18n.names import venue_name
from copytrade.i18n.voice import Figure, Moment, Voice
from copytrade.state import routes
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.charting import NO_CHART, palette_of
from copytrade.state.ids import id_of
from copytrade.state.leg_lines import LegsView, legs_view
from copytrade.state.position_lines import PositionLine, TripLine, position_line, trip_line
from copytrade.state.traders import WINDOWS
from copytrade.state.work import change, read
from copytrade.subscriptions import queries as subscriptions
from copytrade.users.queries import Person

REAL, PAPER = "real", "paper"


@dataclass(frozen=True, slots=True)
class Worth:
    """The head of the wallet."""

    equity: str = ""
    available: str = ""
    unrealized: Figure = field(default_factory=Figure)
    change: Figure = field(default_factory=Figure)
    growth: Figure = field(default_factory=Figure)
    fall: Figure = field(default_factory=Figure)
    fees: str = ""
    funding: str = ""
    wins: str = ""
    closed: str = ""
    since: str = ""
    as_of: Moment = field(default_factory=Moment)


@dataclass(frozen=True, slots=True)
class TraderResult:
    """What copying one trader brought."""

    name: str
    href: str
    net: Figure
    result: Figure
    open: Figure
    fees: str


def worth(stats: WalletStats, voice: Voice) -> Worth:
    """Return the head of the wallet as it is shown."""
    numbers = stats.numbers
    return Worth(
        equity=voice.money(stats.equity),
        available=voice.money(stats.available),
        unrealized=voice.change(stats.unrealized_pnl),
        change=voice.change(stats.pnl),
        growth=voice.move(stats.growth),
        fall=voice.fall(numbers.max_drawdown),
        fees=voice.money(numbers.fees),
        funding=voice.change(numbers.funding).text,
        wins=voice.percent(numbers.win_rate, places=0),
        closed=voice.count(numbers.closed, "{n} closed position", "{n} closed positions"),
        since=voice.say("since {day}", day=voice.day(stats.since)) if stats.since else "",
        as_of=voice.moment(stats.as_of, now=clock.now()),
    )


def _result(row: TraderPnl, voice: Voice) -> TraderResult:
    return TraderResult(
        name=row.name,
        href=routes.trader(row.slug),
        net=voice.change(row.net),
        result=voice.move(row.net_return),
        open=voice.change(row.unrealized),
        fees=voice.money(row.fees),
    )


class Wallet(Page, rx.State):
    """The wallet in one window of time."""

    window: str = "all"
    worth: Worth = Worth()
    has_account: bool = False
    has_paper: bool = False
    has_money: bool = False
    money: str = ""
    """`real` or `paper`: the two are never summed. Empty until one was chosen: real where there is any."""
    curve: Chart = NO_CHART
    shares: Chart = NO_CHART
    by_trader: Chart = NO_CHART
    by_symbol: Chart = NO_CHART
    traders: list[TraderResult] = []
    positions: list[PositionLine] = []
    legs: LegsView = LegsView()
    trips: list[TripLine] = []

    @live(Who.USER, "user:{asker}")
    async def watch(self, asker: Person, voice: Voice) -> Any:
        """Load the wallet; a trader who copies nobody is led to his desk."""
        if not asker.is_subscriber:
            return rx.redirect(routes.DESK if asker.is_trader else routes.OPERATOR)
        kinds = await read(_kinds, owner=asker.id)
        self.has_money, self.has_paper = False in kinds, True in kinds
        if self.money not in (REAL, PAPER) or (self.money == PAPER) not in kinds:
            self.money = PAPER if kinds == {True} else REAL
        is_paper = self.money == PAPER
        stats = await read(analytics.wallet, owner=asker.id, window=self.window, is_paper=is_paper)
        legs = await read(_legs, owner=asker.id, is_paper=is_paper, voice=voice)
        palette = await palette_of(self)
        self.has_account = stats.accounts > 0
        self.worth = worth(stats, voice)
        self.curve = equity_curve(stats.curve, voice=voice, flows=stats.flows)
        self.shares = allocation(stats.positions, voice=voice)
        self.by_trader = pnl_by_trader(stats.traders, voice=voice, palette=palette)
        self.by_symbol = pnl_by_symbol(stats.symbols, voice=voice, palette=palette)
        self.traders = [_result(row, voice) for row in stats.traders]
        self.positions = [replace(position_line(row, voice), venue=venue_name(row.venue)) for row in stats.positions]
        self.legs = legs
        self.trips = [trip_line(row, voice) for row in stats.trips[:20]]
        self.as_of = voice.clock(clock.now())
        return None

    @action(Who.USER)
    async def choose_window(self, asker: Person, voice: Voice, window: str | list[str]) -> Any:
        """Show another window of time."""
        self.window = str(window) if window in WINDOWS else "all"
        return Wallet.watch

    @action(Who.USER)
    async def choose_money(self, asker: Person, voice: Voice, money: str | list[str]) -> Any:
        """Show what is real, or what is on paper."""
        self.money = PAPER if money == PAPER else REAL
        # Until the others are read no number stands there: money under the mark of paper would be a lie.
        self.loaded = False
        return Wallet.watch

    @action(Who.USER)
    async def release(self, asker: Person, voice: Voice, subscription_id: str) -> Any:
        """Let entries go on that were held after a difference on the account."""
        await change(copying_service.release, owner=asker.id, subscription_id=id_of(subscription_id))
        return Wallet.watch


def _legs(session: Session, *, owner: UUID, is_paper: bool, voice: Voice) -> LegsView:
    taken = subscriptions.subscriptions_of(session, owner=owner)
    mine = {row.id for row in taken if row.is_paper is is_paper}
    return legs_view(
        [row for row in copying.open_legs(session, owner=owner) if row.subscription_id in mine],
        [row for row in copying.drifts(session, owner=owner) if row.subscription_id in mine],
        [row for row in copying.halted(session, owner=owner) if row.subscription_id in mine],
        voice,
    )


def _kinds(session: Session, *, owner: UUID) -> set[bool]:
    """Return whether a person has copy accounts on paper (True), with money (False), or both."""
    return {row.is_paper for row in accounts.accounts(session, owner=owner) if row.role == Role.COPY}
