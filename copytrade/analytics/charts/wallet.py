"""A subscriber's equity over time, deposits and withdrawals marked."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import plotly.graph_objects as go

from copytrade.analytics.charts.look import (
    ACCENT,
    ACCENT_SOFT,
    MAX_POINTS,
    MUTED,
    Chart,
    empty,
    figure,
    latest,
    time_axis,
)
from copytrade.analytics.curves import Point, decimate
from copytrade.analytics.rows import FlowRow
from copytrade.i18n.voice import Voice

HEIGHT = 300


def equity_curve(curve: Sequence[Point], *, voice: Voice, flows: Sequence[FlowRow] = ()) -> Chart:
    """Draw equity in USDT; a triangle up is a deposit, a triangle down a withdrawal."""
    points = decimate(curve, limit=MAX_POINTS)
    if len(points) < 2:
        return empty(voice, height=HEIGHT)
    inside = [flow for flow in flows if points[0].at <= flow.at <= points[-1].at]
    drawn = figure(_line(points, voice=voice), _markers(inside, points=points, voice=voice), voice=voice, height=HEIGHT)
    low, high = (pick(float(point.value) for point in points) for pick in (min, max))
    pad = (high - low) * 0.08 or max(high * 0.01, 1.0)
    drawn.update_yaxes(range=[low - pad, high + pad], tickformat=",.12~g")
    drawn.update_xaxes(time_axis(voice, points[-1].at - points[0].at))
    return Chart(drawn, _summary(points, flows=inside, voice=voice), _head(voice), _table(points, voice=voice))


def _line(points: Sequence[Point], *, voice: Voice) -> go.Scatter:
    return go.Scatter(
        x=[_local(point.at, voice=voice) for point in points],
        y=[float(point.value) for point in points],
        mode="lines",
        name=voice.say("equity"),
        line={"color": ACCENT, "width": 2},
        fill="tozeroy",
        fillcolor=ACCENT_SOFT,
        hovertemplate="%{y:,.2f} USDT<extra></extra>",
    )


def _markers(flows: Sequence[FlowRow], *, points: Sequence[Point], voice: Voice) -> go.Scatter:
    return go.Scatter(
        x=[_local(flow.at, voice=voice) for flow in flows],
        y=[float(_value_at(points, at=flow.at)) for flow in flows],
        mode="markers",
        name="",
        text=[voice.change(flow.amount).text for flow in flows],
        marker={
            "symbol": ["triangle-up" if flow.amount > 0 else "triangle-down" for flow in flows],
            "size": 11,
            "color": MUTED,
        },
        hovertemplate="%{text}<extra></extra>",
    )


def _value_at(points: Sequence[Point], *, at: datetime) -> Decimal:
    return next((point.value for point in points if point.at >= at), points[-1].value)


def _summary(points: Sequence[Point], *, flows: Sequence[FlowRow], voice: Voice) -> str:
    moved = sum((flow.amount for flow in flows), Decimal(0))
    change = points[-1].value - points[0].value - moved
    text = "{equity} now, {change} since {day}, deposits apart." if flows else "{equity} now, {change} since {day}."
    return voice.say(
        text,
        equity=voice.money(points[-1].value),
        change=voice.change(change).text,
        day=voice.day(points[0].at),
    )


def _head(voice: Voice) -> list[str]:
    return [voice.say("Time"), voice.say("Equity, USDT")]


def _table(points: Sequence[Point], *, voice: Voice) -> list[list[str]]:
    return latest([[voice.exact(point.at), voice.number(point.value, places=2)] for point in points])


def _local(at: datetime, *, voice: Voice) -> datetime:
    return at.astimezone(voice.zone).replace(tzinfo=None)
