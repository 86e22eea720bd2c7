"""The landing page's live numbers and the traders at the top."""

from dataclasses import dataclass

import reflex as rx

from copytrade import clock
from copytrade.analytics import queries as analytics
from copytrade.i18n.voice import Voice
from copytrade.state.asking import Page, Who, live
from copytrade.state.traders import TraderLine, line
from copytrade.state.work import read
from copytrade.users.queries import Person

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Platform:
    """What the platform does right now."""

    traders: str = ""
    subscribers: str = ""
    copies: str = ""
    delay: str = ""
    slippage: str = ""


class Home(Page, rx.State):
    """What a stranger sees first."""

    platform: Platform = Platform()
    best: list[TraderLine] = []

    @live(Who.PUBLIC, "leaderboard", every=20.0)
    async def watch(self, asker: Person | None, voice: Voice) -> None:
        """Load the platform's numbers and its first traders."""
        numbers = await read(analytics.platform_numbers)
        self.platform = Platform(
            traders=voice.number(numbers.traders, places=0),
            subscribers=voice.number(numbers.subscribers, places=0),
            copies=voice.number(numbers.copies_today, places=0),
            delay=voice.milliseconds(numbers.median_delay_ms),
            slippage=voice.basis_points(numbers.median_slippage_bps),
        )
        board = await read(analytics.leaderboard, window="90d", limit=SHOWN)
        self.best = [line(row, voice) for row in board.rows]
        self.as_of = voice.clock(clock.now())
