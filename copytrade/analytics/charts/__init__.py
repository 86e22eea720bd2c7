"""Figures as pure functions of rows: no I/O, no state; only the traces of plotly's finance bundle."""

from copytrade.analytics.charts.breakdown import allocation, distribution, pnl_by_symbol, pnl_by_trader
from copytrade.analytics.charts.earnings import earnings
from copytrade.analytics.charts.look import Chart, Palette
from copytrade.analytics.charts.months import MonthCell, YearRow, month_table
from copytrade.analytics.charts.performance import equity_and_underwater
from copytrade.analytics.charts.wallet import equity_curve

__all__ = [
    "Chart",
    "MonthCell",
    "Palette",
    "YearRow",
    "allocation",
    "distribution",
    "earnings",
    "equity_and_underwater",
    "equity_curve",
    "month_table",
    "pnl_by_symbol",
    "pnl_by_trader",
]
