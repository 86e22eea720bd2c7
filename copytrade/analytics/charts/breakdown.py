"""Where results come from: by symbol, by trader, and how they are distributed."""

from collections.abc import Sequence
from decimal import Decimal
from statistics import median

import plotly.graph_objects as go

from copytrade.analytics.charts.look import ACCENT, MUTED, Chart, Palette, empty, figure
from copytrade.analytics.rows import OpenPositionRow, SymbolRow, TraderPnl, TripRow
from copytrade.i18n.voice import Voice

TOP = 10
BAR, EDGE = 30, 44
LABEL_ROOM = 0.42
"""Part of the span kept free beyond a bar for its number, on a phone too."""
BINS = 21
HEIGHT = 260


def pnl_by_symbol(symbols: Sequence[SymbolRow], *, voice: Voice, palette: Palette = Palette.GREEN_RED) -> Chart:
    """Draw what each symbol brought, the ten that moved most and the rest together."""
    if not symbols:
        return empty(voice, height=HEIGHT)
    ordered = sorted(symbols, key=lambda row: abs(row.net), reverse=True)
    shown = [(short(row.symbol), row.net) for row in ordered[:TOP]]
    if len(ordered) > TOP:
        shown.append((voice.say("others"), sum((row.net for row in ordered[TOP:]), Decimal(0))))
    said = _said([(short(row.symbol), row.net) for row in symbols], voice)
    head = [voice.say(name) for name in ("Symbol", "Result, USDT", "Closed positions")]
    rows = [
        [short(row.symbol), voice.number(row.net, places=2, signed=True), voice.number(row.closed, places=0)]
        for row in sorted(symbols, key=lambda row: row.net, reverse=True)
    ]
    return Chart(_bars(shown, voice=voice, palette=palette), said, head, rows)


def pnl_by_trader(traders: Sequence[TraderPnl], *, voice: Voice, palette: Palette = Palette.GREEN_RED) -> Chart:
    """Draw what each copied trader brought, unrealized results included."""
    if not traders:
        return empty(voice, height=HEIGHT)
    ordered = sorted(traders, key=lambda row: row.net, reverse=True)
    said = _said([(row.name, row.net) for row in ordered], voice)
    head = [voice.say(name) for name in ("Trader", "Result, USDT", "Realized, USDT", "Open, USDT", "Fees, USDT")]
    rows = [
        [row.name, *(voice.number(value, places=2, signed=True) for value in (row.net, row.realized, row.unrealized)),
         voice.number(row.fees, places=2)]
        for row in ordered
    ]  # fmt: skip
    shown = [(row.name, row.net) for row in ordered]
    return Chart(_bars(shown, voice=voice, palette=palette), said, head, rows)


def _said(results: Sequence[tuple[str, Decimal]], voice: Voice) -> str:
    """Name the best, or the worst where nothing was won."""
    best, worst = max(results, key=lambda one: one[1]), min(results, key=lambda one: one[1])
    if best[1] <= 0 > worst[1]:
        return voice.say("{symbol} lost most: {net}.", symbol=worst[0], net=voice.change(worst[1]).text)
    return voice.say("{symbol} brought most: {net}.", symbol=best[0], net=voice.change(best[1]).text)


def distribution(trips: Sequence[TripRow], *, voice: Voice, palette: Palette = Palette.GREEN_RED) -> Chart:
    """Draw how the results of closed positions are spread, in percent of their entry."""
    results = sorted(float(row.net_return) for row in trips if row.net_return is not None)
    if not results:
        return empty(voice, height=HEIGHT)
    bins = _bins(results)
    drawn = figure(
        go.Bar(
            x=[round((low + high) / 2 * 100, 6) for low, high, _ in bins],
            y=[count for *_, count in bins],
            width=[(high - low) * 100 * 0.92 for low, high, _ in bins],
            marker={"color": [palette.of((low + high) / 2) for low, high, _ in bins]},
            hovertemplate="%{x:.2f}%: %{y}<extra></extra>",
        ),
        voice=voice,
        height=HEIGHT,
        hovermode="closest",
    )
    middle = median(results)
    drawn.update_xaxes(ticksuffix="%")
    drawn.add_vline(x=0, line_width=1, line_color=MUTED)
    drawn.add_vline(x=middle * 100, line_width=1, line_color=ACCENT, line_dash="dot")
    said = voice.say(
        "Half of {count} closed positions brought more than {median}; worst {worst}, best {best}.",
        count=voice.number(len(results), places=0),
        median=signed_percent(middle, voice=voice),
        worst=signed_percent(results[0], voice=voice),
        best=signed_percent(results[-1], voice=voice),
    )
    head = [voice.say(name) for name in ("From", "To", "Closed positions")]
    rows = [
        [signed_percent(low, voice=voice), signed_percent(high, voice=voice), voice.number(count, places=0)]
        for low, high, count in bins
    ]
    return Chart(drawn, said, head, rows)


def allocation(positions: Sequence[OpenPositionRow], *, voice: Voice) -> Chart:
    """Draw how much stands in each symbol now."""
    if not positions:
        return empty(voice, height=HEIGHT)
    held: dict[str, Decimal] = {}
    for row in positions:
        held[short(row.symbol)] = held.get(short(row.symbol), Decimal(0)) + row.notional
    ordered = sorted(held.items(), key=lambda item: item[1], reverse=True)
    total = sum(held.values(), Decimal(0))
    drawn = figure(
        go.Bar(
            x=[float(value) for _, value in ordered],
            y=[symbol for symbol, _ in ordered],
            orientation="h",
            marker={"color": ACCENT},
            text=[voice.percent(value / total if total else None) for _, value in ordered],
            textposition="auto",
            hovertemplate="%{y}: %{x:,.2f} USDT<extra></extra>",
        ),
        voice=voice,
        height=EDGE + BAR * max(len(ordered), 2),
        hovermode="closest",
    )
    drawn.update_yaxes(autorange="reversed", showgrid=False)
    said = voice.say("{total} stand in {count} symbols.", total=voice.money(total), count=len(ordered))
    head = [voice.say(name) for name in ("Symbol", "Worth, USDT", "Share")]
    rows = [
        [symbol, voice.number(value, places=2), voice.percent(value / total if total else None)]
        for symbol, value in ordered
    ]
    return Chart(drawn, said, head, rows)


def short(symbol: str) -> str:
    """Return a symbol as people write it: BTC/USDT perp for BTC/USDT:USDT."""
    pair, _, settled = symbol.partition(":")
    return f"{pair} perp" if settled else pair


def signed_percent(value: float, *, voice: Voice) -> str:
    """Return a small fraction as percent with two decimals and its sign."""
    return f"{voice.number(value * 100, places=2, signed=True)}%"


def _bars(values: Sequence[tuple[str, Decimal]], *, voice: Voice, palette: Palette) -> go.Figure:
    drawn = figure(
        go.Bar(
            x=[float(value) for _, value in values],
            y=[name for name, _ in values],
            orientation="h",
            marker={"color": [palette.of(float(value)) for _, value in values]},
            text=[voice.number(value, places=2, signed=True) for _, value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:,.2f} USDT<extra></extra>",
        ),
        voice=voice,
        height=EDGE + BAR * max(len(values), 2),
        hovermode="closest",
    )
    drawn.update_yaxes(autorange="reversed", showgrid=False)
    low, high = (pick(0.0, *(float(value) for _, value in values)) for pick in (min, max))
    room = (high - low) * LABEL_ROOM or 1.0
    shown = [low - room if low < 0 else 0.0, high + room if high > 0 else 0.0]
    drawn.update_xaxes(zeroline=True, zerolinecolor=MUTED, zerolinewidth=1, range=shown, nticks=5)
    return drawn


def _bins(results: Sequence[float]) -> list[tuple[float, float, int]]:
    """Return equal bins with an edge at zero, so that no bar mixes gains and losses."""
    low, high = min(results[0], 0.0), max(results[-1], 0.0)
    width = (high - low) / BINS or 0.001
    first, last = int(low / width) - (low < 0), int(high / width) + 1
    counts = dict.fromkeys(range(first, last), 0)
    for value in results:
        place = int(value // width)
        counts[min(max(place, first), last - 1)] += 1
    return [(index * width, (index + 1) * width, count) for index, count in counts.items()]
