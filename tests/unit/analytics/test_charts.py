import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from copytrade.analytics import charts
from copytrade.analytics.charts import Chart, Palette
from copytrade.analytics.curves import Point
from copytrade.analytics.rows import DayRow, FlowRow, OpenPositionRow, SymbolRow, TraderPnl, TripRow
from copytrade.domain.performance import Month
from copytrade.i18n.voice import Voice

EN, RU = Voice("en", UTC), Voice("ru", UTC)
FIRST = date(2026, 1, 1)
START = datetime(2026, 1, 1, tzinfo=UTC)
FINANCE_TRACES = {"bar", "candlestick", "ohlc", "histogram", "pie", "scatter", "waterfall", "indicator", "funnel"}


def days(count: int, *, rebuilt: int = 0, growth: float = 0.001) -> list[DayRow]:
    levels = [(1 + growth) ** index * (1 + 0.02 * math.sin(index / 5)) for index in range(count)]
    peaks = [max(levels[: index + 1]) for index in range(count)]
    return [
        DayRow(
            FIRST + timedelta(days=index), Decimal(1000), Decimal(500 if index == 5 else 0), Decimal(1), 0.001,
            levels[index], levels[index] / peaks[index] - 1, 1, index < rebuilt,
        )
        for index in range(count)
    ]  # fmt: skip


def trip(net_return: str) -> TripRow:
    return TripRow(
        "BTC/USDT:USDT", True, START, START + timedelta(hours=1), Decimal(1), Decimal(100), Decimal(101), Decimal(1),
        Decimal(0), Decimal(0), Decimal(net_return) * 100, Decimal(net_return), False, False,
    )  # fmt: skip


def position(symbol: str, notional: str) -> OpenPositionRow:
    return OpenPositionRow(symbol, Decimal(1), Decimal(1), Decimal(1), Decimal(notional), Decimal(0), None)


def all_charts(voice: Voice) -> Iterator[Chart]:
    benchmark = [(row.day, row.level * 0.9) for row in days(60)]
    yield charts.equity_and_underwater(days(60, rebuilt=20), voice=voice, benchmark=benchmark)
    yield charts.pnl_by_symbol(
        [SymbolRow("BTC/USDT:USDT", Decimal(5), 2), SymbolRow("ETH", Decimal(-7), 1)], voice=voice
    )
    money = {"net": Decimal(5), "realized": Decimal(4), "unrealized": Decimal(1), "fees": Decimal(1)}
    earned = TraderPnl(UUID(int=1), UUID(int=2), "nordwind", "nordwind", **money, net_return=0.1)
    yield charts.pnl_by_trader([earned], voice=voice)
    yield charts.distribution([trip("0.01"), trip("-0.02"), trip("0.03")], voice=voice)
    yield charts.allocation([position("BTC/USDT:USDT", "75"), position("ETH/USDT:USDT", "25")], voice=voice)
    yield charts.equity_curve(
        [Point(START + timedelta(minutes=index), Decimal(1000 + index)) for index in range(50)],
        voice=voice,
        flows=[FlowRow(START + timedelta(minutes=9), Decimal(500))],
    )


def drawn(chart: Chart) -> dict[str, Any]:
    return json.loads(chart.figure.to_json() or "")


def test_every_chart_keeps_to_the_bundle_and_the_look() -> None:
    for chart in all_charts(EN):
        shown = drawn(chart)
        assert {trace["type"] for trace in shown["data"]} <= FINANCE_TRACES
        assert shown["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
        assert shown["layout"]["height"] >= 100
        assert "colorway" not in shown["layout"].get("template", {}).get("layout", {})


def test_every_chart_is_a_sentence_and_a_table_in_both_languages() -> None:
    for english, russian in zip(all_charts(EN), all_charts(RU), strict=True):
        assert english.summary.endswith(".")
        assert english.summary != russian.summary
        assert english.head != russian.head
        assert english.rows
        assert all(len(row) == len(english.head) for row in english.rows)


def test_the_best_is_named_and_the_worst_where_nothing_was_won() -> None:
    won, lost = SymbolRow("BTC/USDT:USDT", Decimal(5), 2), SymbolRow("ETH/USDT:USDT", Decimal(-7), 1)
    assert (
        charts.pnl_by_symbol([lost, won], voice=EN).summary
        == "BTC/USDT perp brought most: +5.00\N{NO-BREAK SPACE}USDT."
    )
    less = SymbolRow("SOL/USDT:USDT", Decimal(-1), 1)
    told = "ETH/USDT perp lost most: \N{MINUS SIGN}7.00\N{NO-BREAK SPACE}USDT."
    assert charts.pnl_by_symbol([less, lost], voice=EN).summary == told


@pytest.mark.parametrize("voice", [EN, RU])
def test_nothing_to_draw_is_told(voice: Voice) -> None:
    empty = [
        charts.equity_and_underwater([], voice=voice),
        charts.equity_and_underwater(days(1), voice=voice),
        charts.pnl_by_symbol([], voice=voice),
        charts.pnl_by_trader([], voice=voice),
        charts.distribution([], voice=voice),
        charts.allocation([], voice=voice),
        charts.equity_curve([], voice=voice),
    ]
    assert {chart.summary for chart in empty} == {voice.say("Nothing to draw yet")}
    assert all(not chart.figure.data for chart in empty)


def test_growth_is_told_with_its_worst_fall_and_what_was_rebuilt() -> None:
    chart = charts.equity_and_underwater(days(60, rebuilt=20), voice=EN)
    assert "since 1 January 2026, worst fall \N{MINUS SIGN}" in chart.summary
    assert "Until 20 January 2026 rebuilt from the exchange's records." in chart.summary
    assert [trace["line"]["dash"] for trace in drawn(chart)["data"][:2]] == ["dash", "solid"]


def test_a_curve_that_multiplied_is_logarithmic() -> None:
    assert drawn(charts.equity_and_underwater(days(60), voice=EN))["layout"]["yaxis"]["type"] == "linear"
    steep = charts.equity_and_underwater(days(60, growth=0.05), voice=EN)
    assert drawn(steep)["layout"]["yaxis"]["type"] == "log"


def test_long_curves_are_made_small_and_keep_their_ends() -> None:
    points = [Point(START + timedelta(minutes=index), Decimal(index % 97)) for index in range(20_000)]
    shown = drawn(charts.equity_curve(points, voice=EN))["data"][0]
    assert len(shown["x"]) <= 1500
    assert (shown["x"][0], shown["x"][-1]) == ("2026-01-01T00:00:00", "2026-01-14T21:19:00")
    long = charts.equity_and_underwater(days(3000), voice=EN)
    assert all(len(trace["x"]) <= 1500 for trace in drawn(long)["data"])
    assert len(long.figure.to_json() or "") < 200_000


def test_deposits_are_no_result() -> None:
    curve = [Point(START, Decimal(1000)), Point(START + timedelta(days=1), Decimal(1700))]
    flows = [FlowRow(START + timedelta(hours=1), Decimal(500)), FlowRow(START - timedelta(days=9), Decimal(1000))]
    chart = charts.equity_curve(curve, voice=EN, flows=flows)
    assert "+200.00\N{NO-BREAK SPACE}USDT since 1 January 2026, deposits apart." in chart.summary
    assert drawn(chart)["data"][1]["marker"]["symbol"] == ["triangle-up"]


def test_no_bar_of_the_distribution_mixes_gains_and_losses() -> None:
    chart = charts.distribution([trip(value) for value in ("-0.05", "-0.001", "0", "0.002", "0.11")], voice=EN)
    bar = drawn(chart)["data"][0]
    edges = [(x - width / 2 / 0.92, x + width / 2 / 0.92) for x, width in zip(bar["x"], bar["width"], strict=True)]
    assert all(low >= -1e-4 or high <= 1e-4 for low, high in edges)
    assert sum(bar["y"]) == 5


def test_the_rest_of_many_symbols_is_one_bar() -> None:
    rows = [SymbolRow(f"S{index}/USDT:USDT", Decimal(index), 1) for index in range(1, 16)]
    chart = charts.pnl_by_symbol(rows, voice=EN)
    bar = drawn(chart)["data"][0]
    assert (len(bar["y"]), bar["y"][0], bar["y"][-1]) == (11, "S15/USDT perp", "others")
    assert (bar["text"][-1], len(chart.rows)) == ("+15.00", 15)


@pytest.mark.parametrize("palette", list(Palette))
def test_gain_and_loss_differ_in_every_palette(palette: Palette) -> None:
    assert palette.of(1) != palette.of(-1)


def test_months_without_data_are_blank() -> None:
    months = [Month(2025, 12, 0.1, is_partial=True), Month(2026, 1, -0.05, is_partial=False)]
    newest, older = charts.month_table(months, voice=EN)
    assert (newest.year, newest.months[0].text, newest.months[0].tone) == ("2026", "\N{MINUS SIGN}5.0%", "loss")
    assert (older.months[0].text, older.months[11].strength, older.months[11].is_partial) == ("", 3, True)
    assert older.total.text == "+10.0%"
