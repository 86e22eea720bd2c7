"""Growth of an account with its falls below: the curve that a trader is judged by."""

from collections.abc import Sequence
from datetime import date
from math import log10

import plotly.graph_objects as go

from copytrade.analytics.charts.look import (
    ACCENT,
    ACCENT_SOFT,
    AXIS,
    MAX_POINTS,
    MUTED,
    Chart,
    Palette,
    day_text,
    empty,
    figure,
    latest,
    time_axis,
)
from copytrade.analytics.rows import DayRow
from copytrade.i18n.voice import Voice

HEIGHT = 380
LOG_FROM = 5.0
"""A curve whose highest value is this many times its lowest is drawn on a logarithmic scale."""


def equity_and_underwater(
    days: Sequence[DayRow],
    *,
    voice: Voice,
    benchmark: Sequence[tuple[date, float]] = (),
    palette: Palette = Palette.GREEN_RED,
) -> Chart:
    """Draw growth in percent, BTC dotted, flows as ticks, and the fall from the highest point below."""
    days = days[-MAX_POINTS:]
    if len(days) < 2:
        return empty(voice, height=HEIGHT)
    log = _is_logarithmic(days)
    drawn = figure(*_growth(days, log=log, voice=voice), voice=voice, height=HEIGHT)
    if benchmark:
        drawn.add_trace(_benchmark(benchmark, log=log))
        _label(drawn, day=benchmark[-1][0], value=_scaled(benchmark[-1][1], log=log), text="BTC", log=log)
    drawn.add_trace(_flows(days, log=log, voice=voice))
    deepest = min(*(row.drawdown for row in days), -0.001)
    drawn.add_trace(_underwater(days, palette=palette, voice=voice))
    drawn.update_layout(
        xaxis={"domain": [0, 1], "anchor": "y2", **time_axis(voice, days[-1].day - days[0].day)},
        yaxis={"domain": [0.34, 1], "type": "log" if log else "linear", "ticksuffix": "×" if log else "%"},
        yaxis2={
            **AXIS,
            "domain": [0, 0.27],
            "anchor": "x",
            "ticksuffix": "%",
            "nticks": 4,
            "range": [deepest * 140, 0],
        },
    )
    _mark_deepest(drawn, days=days, voice=voice)
    return Chart(drawn, summary(days, voice=voice), _head(voice), _table(days, voice=voice))


def summary(days: Sequence[DayRow], *, voice: Voice) -> str:
    """Say what the curve shows in one sentence."""
    said = voice.say(
        "{growth} since {day}, worst fall {fall}.",
        growth=voice.move(days[-1].level / days[0].level - 1).text,
        day=day_text(voice, days[0].day),
        fall=voice.fall(-min(row.drawdown for row in days)).text,
    )
    rebuilt = [row for row in days if row.is_rebuilt]
    if rebuilt:
        until = day_text(voice, rebuilt[-1].day)
        said += " " + voice.say("Until {day} rebuilt from the exchange's records.", day=until)
    return said


def _is_logarithmic(days: Sequence[DayRow]) -> bool:
    levels = [row.level for row in days]
    return min(levels) > 0 and max(levels) / min(levels) > LOG_FROM


def _scaled(level: float, *, log: bool) -> float:
    return level if log else round((level - 1) * 100, 4)


def _growth(days: Sequence[DayRow], *, log: bool, voice: Voice) -> list[go.Scatter]:
    border = next((index for index, row in enumerate(days) if not row.is_rebuilt), len(days))
    parts = [
        (days[: border + 1] if border else [], "dash", voice.say("rebuilt")),
        (days[border:], "solid", voice.say("growth")),
    ]
    return [
        go.Scatter(
            x=[row.day for row in part],
            y=[_scaled(row.level, log=log) for row in part],
            mode="lines",
            name=name,
            line={"color": ACCENT, "width": 2, "dash": dash},
            fill="none" if log else "tozeroy",
            fillcolor=ACCENT_SOFT,
            hovertemplate="%{y:.2f}" + ("×" if log else "%"),
        )
        for part, dash, name in parts
        if len(part) > 1
    ]


def _benchmark(benchmark: Sequence[tuple[date, float]], *, log: bool) -> go.Scatter:
    return go.Scatter(
        x=[day for day, _ in benchmark],
        y=[_scaled(level, log=log) for _, level in benchmark],
        mode="lines",
        name="BTC",
        line={"color": MUTED, "width": 1.5, "dash": "dot"},
        hovertemplate="%{y:.2f}" + ("×" if log else "%"),
    )


def _flows(days: Sequence[DayRow], *, log: bool, voice: Voice) -> go.Scatter:
    moved = [row for row in days[1:] if row.flow]
    names = {True: voice.say("deposit"), False: voice.say("withdrawal")}
    return go.Scatter(
        x=[row.day for row in moved],
        y=[_scaled(row.level, log=log) for row in moved],
        mode="markers",
        name="",
        text=[f"{names[row.flow > 0]} {voice.change(row.flow).text}" for row in moved],
        marker={"symbol": "line-ns", "size": 14, "line": {"width": 2, "color": MUTED}},
        hovertemplate="%{text}",
    )


def _underwater(days: Sequence[DayRow], *, palette: Palette, voice: Voice) -> go.Scatter:
    return go.Scatter(
        x=[row.day for row in days],
        y=[round(row.drawdown * 100, 4) for row in days],
        yaxis="y2",
        mode="lines",
        name=voice.say("fall"),
        line={"color": palette.loss, "width": 1},
        fill="tozeroy",
        hovertemplate="%{y:.2f}%",
    )


def _label(drawn: go.Figure, *, day: date, value: float, text: str, log: bool) -> None:
    shown = log10(value) if log and value > 0 else value
    drawn.add_annotation(
        x=day, y=shown, text=text, showarrow=False, xanchor="right", yanchor="bottom", font_color=MUTED
    )


def _mark_deepest(drawn: go.Figure, *, days: Sequence[DayRow], voice: Voice) -> None:
    deepest = min(days, key=lambda row: row.drawdown)
    if deepest.drawdown < 0:
        drawn.add_annotation(
            x=deepest.day,
            y=deepest.drawdown * 100,
            yref="y2",
            text=voice.fall(-deepest.drawdown).text,
            showarrow=False,
            yanchor="top",
        )


def _head(voice: Voice) -> list[str]:
    return [voice.say(name) for name in ("Day (UTC)", "Equity, USDT", "Result, USDT", "Flow, USDT", "Growth", "Fall")]


def _table(days: Sequence[DayRow], *, voice: Voice) -> list[list[str]]:
    return latest(
        [
            [
                day_text(voice, row.day),
                voice.number(row.equity, places=2),
                voice.number(row.change, places=2, signed=True),
                voice.number(row.flow, places=2, signed=True) if row.flow else "",
                voice.move(row.level - 1).text,
                voice.fall(-row.drawdown).text,
            ]
            for row in days
        ]
    )
