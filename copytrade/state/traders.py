"""The leaderboard; its filters live in the address, so that a link shows what its sender saw."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import reflex as rx

from copytrade.analytics import queries as analytics
from copytrade.analytics.rows import LeaderRow
from copytrade.domain.instruments import Market, Venue
from copytrade.domain.ranking import Unranked
from copytrade.i18n.names import place_name
from copytrade.i18n.voice import Figure, Voice
from copytrade.state import routes
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.quality_lines import QualityLine, quality_line
from copytrade.state.work import read
from copytrade.users.queries import Person

WINDOWS = ("7d", "30d", "90d", "180d", "all")
VENUES, MARKETS = tuple(venue.value for venue in Venue), tuple(market.value for market in Market)
SORTS = ("risk", "return", "subscribers", "fall", "age", "price")
PER_PAGE = 25
EVERY = "every"
"""What the page sends for no filter."""

UNRANKED = {
    Unranked.TOO_YOUNG: "not ranked: fewer than 30 days",
    Unranked.TOO_FEW_POSITIONS: "not ranked: fewer than 10 closed positions",
    Unranked.UNRECONCILED: "not ranked: fills are missing",
    Unranked.BLOWN_UP: "not ranked: lost nearly everything",
    Unranked.NO_RISK_SEEN: "not ranked: too little to measure",
}


@dataclass(frozen=True, slots=True)
class TraderLine:
    """A trader in the list."""

    slug: str
    href: str
    name: str
    initial: str
    place: str
    rank: str
    result: Figure = field(default_factory=Figure)
    spark: str = ""
    spark_tone: str = ""
    net: Figure = field(default_factory=Figure)
    net_note: str = ""
    fall: Figure = field(default_factory=Figure)
    sharpe: str = ""
    sample: str = ""
    age: str = ""
    price: str = ""
    price_value: float = 0.0


def unranked(voice: Voice, reason: Unranked | None) -> str:
    """Return why a trader has no rank."""
    return voice.say(UNRANKED[reason]) if reason is not None else ""


def line(row: LeaderRow, voice: Voice) -> TraderLine:
    """Return a row of the leaderboard as it is shown."""
    result = voice.move(row.total_return)
    return TraderLine(
        slug=row.slug,
        href=routes.trader(row.slug),
        name=row.name,
        initial=row.name[:1],
        place=place_name(voice, row.venue, row.market),
        rank=voice.say("rank {n}", n=row.place) if row.place is not None else unranked(voice, row.unranked),
        result=result,
        spark=row.spark,
        spark_tone=result.tone,
        net=voice.move(row.results.median),
        net_note=_subscribers(row, voice),
        fall=voice.fall(row.max_drawdown),
        sharpe=voice.ratio(row.sharpe),
        sample=voice.count(row.closed, "{n} closed position", "{n} closed positions"),
        age=voice.count(row.age_days, "{n} day", "{n} days"),
        price=voice.cash(row.price, row.currency),
    )


def _subscribers(row: LeaderRow, voice: Voice) -> str:
    if not row.results.count:
        if not row.subscribers:
            return voice.say("no subscribers yet")
        return voice.count(row.subscribers, "{n} subscriber, no result yet", "{n} subscribers, no result yet")
    counted = voice.count(row.results.count, "of {n} subscriber", "of {n} subscribers")
    if row.results.share_in_profit is None:
        return counted
    return f"{counted}, {voice.say('{share} up', share=voice.percent(row.results.share_in_profit, places=0))}"


class Traders(Page, rx.State):
    """The list and its filters."""

    rows: list[TraderLine] = []
    quality: list[QualityLine] = []
    """How closely copies follow, by exchange and market."""
    window: str = "90d"
    sort: str = "risk"
    search: str = ""
    venue: str = ""
    """Empty: all of them; likewise the market."""
    market: str = ""
    told: str = ""
    at: int = 0
    more: bool = False

    @live(Who.PUBLIC, "leaderboard")
    async def watch(self, asker: Person | None, voice: Voice) -> None:
        """Load what the address asks for."""
        asked = self.router.url.query_parameters
        self.window = asked.get("window", "") if asked.get("window") in WINDOWS else "90d"
        self.sort = asked.get("sort", "") if asked.get("sort") in SORTS else "risk"
        self.search = asked.get("search", "")[:60]
        self.venue = asked.get("venue", "") if asked.get("venue") in VENUES else ""
        self.market = asked.get("market", "") if asked.get("market") in MARKETS else ""
        self.at = int(asked.get("from", "0")) if asked.get("from", "0").isdecimal() else 0
        board = await read(
            analytics.leaderboard,
            window=self.window,
            venue=self.venue or None,
            market=self.market or None,
            search=self.search,
            sort=self.sort,
            limit=PER_PAGE,
            offset=self.at,
        )
        self.rows = [line(row, voice) for row in board.rows]
        places = await read(analytics.quality_by_place)
        self.quality = [
            quality_line(place_name(voice, *place), quality, voice) for place, quality in sorted(places.items())
        ]
        self.more = self.at + PER_PAGE < board.total
        self.told = voice.count(
            board.total,
            "{n} trader, {ranked} ranked: at least 30 days and 10 closed positions, by return for the risk taken.",
            "{n} traders, {ranked} ranked: at least 30 days and 10 closed positions, by return for the risk taken.",
            ranked=board.ranked,
        )

    @action(Who.PUBLIC)
    async def choose(self, asker: Person | None, voice: Voice, name: str, value: str | list[str]) -> Any:
        """Go to the address that asks for another window, exchange, market, order, name or page."""
        return self._go(name, str(value))

    @action(Who.PUBLIC)
    async def find(self, asker: Person | None, voice: Voice, form: dict[str, Any]) -> Any:
        """Go to the address that searches for a name."""
        return self._go("search", str(form.get("search", "")))

    def _go(self, name: str, value: str) -> Any:
        asked = {
            "window": self.window,
            "venue": self.venue,
            "market": self.market,
            "sort": self.sort,
            "search": self.search,
            "from": "0",
        }
        if name in asked:
            asked[name] = "" if value == EVERY else value[:60]
        if name in ("venue", "market"):
            # Whoever chooses both at once is not to lose the first.
            setattr(self, name, asked[name])
        wanted = {key: value for key, value in asked.items() if value and value != "0"}
        return [rx.redirect(f"{routes.TRADERS}?{urlencode(wanted)}")]
