"""What all charts share: colours, thin grid, transparent ground, fixed height, no legend where a label does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import plotly.graph_objects as go

from copytrade.domain.nav import DAY
from copytrade.i18n.voice import Voice

MAX_POINTS = 1500
MAX_TABLE_ROWS = 400
ACCENT, MUTED, GRID, TEXT = "#5b5bd6", "#8b8d98", "rgba(128,131,141,0.18)", "#80838d"
ACCENT_SOFT = "rgba(91,91,214,0.10)"
AXIS = {"gridcolor": GRID, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True}
_GREEN, _RED, _BLUE, _ORANGE = "#29a383", "#e54d2e", "#0072b2", "#d55e00"


class Palette(StrEnum):
    """Which colours mean gain and loss; sign and shape always go with them."""

    GREEN_RED = "green-red"
    BLUE_ORANGE = "blue"
    RED_UP = "red-up"

    @property
    def gain(self) -> str:
        """Return the colour of a gain."""
        return {"blue": _BLUE, "red-up": _RED}.get(self.value, _GREEN)

    @property
    def loss(self) -> str:
        """Return the colour of a loss."""
        return {"blue": _ORANGE, "red-up": _GREEN}.get(self.value, _RED)

    def of(self, value: float) -> str:
        """Return the colour of a signed number."""
        return self.loss if value < 0 else self.gain


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, the sentence that says what it shows, and the same as a table."""

    figure: go.Figure
    summary: str
    head: list[str]
    rows: list[list[str]] = field(default_factory=list[list[str]])


def figure(*traces: Any, voice: Voice, height: int, **layout: Any) -> go.Figure:
    """Return a figure in the common look, its numbers written as the person writes them; `layout` adds to it."""
    drawn = go.Figure(data=list(traces))
    drawn.update_layout(
        template="none",
        height=height,
        autosize=True,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 52, "r": 12, "t": 8, "b": 28},
        font={"size": 12, "color": TEXT, "family": "inherit"},
        separators=",\N{NO-BREAK SPACE}" if voice.locale == "ru" else ".,",
        showlegend=False,
        hovermode="x unified",
        dragmode=False,
        hoverlabel={"font": {"size": 12}},
    )
    drawn.update_xaxes(**AXIS, showgrid=False)
    drawn.update_yaxes(**AXIS, automargin=True)
    drawn.update_layout(**layout)
    return drawn


def empty(voice: Voice, *, height: int) -> Chart:
    """Return a chart that says that nothing is there yet."""
    said = voice.say("Nothing to draw yet")
    drawn = figure(voice=voice, height=height)
    drawn.update_xaxes(visible=False)
    drawn.update_yaxes(visible=False)
    return Chart(drawn, said, [])


def time_axis(voice: Voice, span: timedelta) -> dict[str, str]:
    """Return how the times of an axis are written: by how long it is, in the person's order of day and month."""
    ru = voice.locale == "ru"
    if span <= 2 * DAY:
        return {"tickformat": "%H:%M", "hoverformat": "%d.%m %H:%M" if ru else "%b %-d, %H:%M"}
    if span <= 300 * DAY:
        return {"tickformat": "%d.%m" if ru else "%b %-d", "hoverformat": "%d.%m.%Y" if ru else "%b %-d, %Y"}
    return {"tickformat": "%m.%Y" if ru else "%b %Y", "hoverformat": "%d.%m.%Y" if ru else "%b %-d, %Y"}


def day_text(voice: Voice, day: date) -> str:
    """Return a UTC day in the person's language."""
    return Voice(voice.locale, UTC).day(datetime.combine(day, time.min, tzinfo=UTC))


def latest(rows: Sequence[list[str]]) -> list[list[str]]:
    """Return the newest rows first, no more than a page can show."""
    return list(rows[::-1][:MAX_TABLE_ROWS])
