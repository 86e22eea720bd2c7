"""What a trader earned by month: his part, the platform's, and what went back."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import plotly.graph_objects as go

from copytrade.analytics.charts.look import ACCENT, MUTED, Chart, Palette, empty, figure
from copytrade.i18n.voice import Voice
from copytrade.payments.earning_rows import EarningsMonth

HEIGHT = 240
LEAST_MONTHS = 6
"""So many stand on the axis, however short the past is."""


def earnings(
    months: Sequence[EarningsMonth], *, currency: str, voice: Voice, palette: Palette = Palette.GREEN_RED
) -> Chart:
    """Draw what came in by month: the trader's part and the platform's upon it, what went back below."""
    shown = {row.month: row for row in months if row.currency == currency}
    if not shown:
        return empty(voice, height=HEIGHT)
    axis = _all_months(min(*shown, _months_before(max(shown), LEAST_MONTHS - 1)), max(shown))
    names = [month_text(month, voice) for month in axis]

    def of(name: str) -> list[float]:
        return [float(getattr(shown[month], name)) if month in shown else 0.0 for month in axis]

    def bar(name: str, values: list[float], color: str) -> go.Bar:
        hover = "%{y:,.2f} " + currency.upper() + "<extra>" + voice.say(name) + "</extra>"
        return go.Bar(x=names, y=values, marker={"color": color}, hovertemplate=hover, name=voice.say(name))

    drawn = figure(
        bar("Yours", of("share"), ACCENT),
        bar("Platform", of("platform"), MUTED),
        bar("Gone back", [-value for value in of("taken_back")], palette.loss),
        voice=voice,
        height=HEIGHT,
        barmode="relative",
        bargap=0.45,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.16, "traceorder": "normal"},
        margin={"l": 52, "r": 12, "t": 28, "b": 28},
    )
    drawn.update_xaxes(type="category")
    return Chart(drawn, _said(list(shown.values()), currency, voice), _head(voice), _rows(shown, axis, voice))


def month_text(month: date, voice: Voice) -> str:
    """Return a month as an axis has it."""
    return f"{voice.months()[month.month - 1]} {month.year}"


def _all_months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count)]


def _months_before(month: date, count: int) -> date:
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


def _said(months: Sequence[EarningsMonth], currency: str, voice: Voice) -> str:
    net = sum((row.net for row in months), Decimal(0))
    best = max(months, key=lambda row: row.net)
    return voice.say(
        "You earned {net} in these months; the best was {month} with {best}.",
        net=voice.cash(net, currency),
        month=month_text(best.month, voice),
        best=voice.cash(best.net, currency),
    )


def _head(voice: Voice) -> list[str]:
    names = ("Month", "Payments", "Paid", "Platform", "Gone back", "Stripe's fees", "Yours")
    return [voice.say(name) for name in names]


def _rows(shown: dict[date, EarningsMonth], axis: list[date], voice: Voice) -> list[list[str]]:
    return [
        [
            month_text(month, voice),
            voice.number(row.payments, places=0),
            *(
                voice.cash(value, row.currency)
                for value in (row.gross, row.platform, row.taken_back, row.fees, row.net)
            ),
        ]
        for month in reversed(axis)
        if (row := shown.get(month))
    ]
