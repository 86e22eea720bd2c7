"""How closely copies follow: percentiles of delay and slippage as a table, public."""

import reflex as rx

from copytrade.components.figures import explained
from copytrade.components.panels import has
from copytrade.components.text import Text, t
from copytrade.state.quality_lines import QualityLine

DELAY = (
    "From the trader's newest fill that an order covers, on his exchange, to that order accepted on the subscriber's. "
    "Every copy order of the last 30 days that executed counts, none of those on paper."
)
SLIPPAGE = "How much worse the subscriber's price was than the trader's; 1 bp is a hundredth of a percent."


def quality_table(rows: list[QualityLine], *, of: Text) -> rx.Component:
    """Show percentiles, one line for each of `rows`."""
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(of),
                    rx.el.th(t("Orders copied"), class_name="right"),
                    rx.el.th(explained(t("Delay p50"), t(DELAY)), class_name="right"),
                    rx.el.th("p95", class_name="right"),
                    rx.el.th("p99", class_name="right"),
                    rx.el.th(explained(t("Slippage p50"), t(SLIPPAGE)), class_name="right"),
                    rx.el.th("p95", class_name="right"),
                    rx.el.th("p99", class_name="right"),
                )
            ),
            rx.el.tbody(rx.foreach(rows, _row)),
            class_name="rows cards",
            data_testid="quality",
        ),
        class_name="wide",
    )


def _row(one: QualityLine) -> rx.Component:
    cells = (
        (t("Orders copied"), one.count),
        (t("Delay p50"), one.delay_p50),
        (t("Delay p95"), one.delay_p95),
        (t("Delay p99"), one.delay_p99),
        (t("Slippage p50"), one.slippage_p50),
        (t("Slippage p95"), one.slippage_p95),
        (t("Slippage p99"), one.slippage_p99),
    )
    return rx.el.tr(
        rx.el.td(rx.el.strong(one.name), class_name="lead"),
        *(rx.el.td(value, class_name="right", custom_attrs={"data-name": name}) for name, value in cells),
    )


def rotation() -> rx.Component:
    """Say in which order subscribers are served."""
    return rx.el.p(
        t(
            "The order in which his subscribers are served rotates from trade to trade: everybody is first equally "
            "often, and each receipt says the place."
        ),
        class_name="quiet",
        style={"margin": "var(--space-2) 0 0"},
    )


def nobody(rows: list[QualityLine], table: rx.Component) -> rx.Component:
    """Show the table, or that there is nothing to measure."""
    return rx.cond(
        has(rows),
        table,
        rx.el.p(t("No copy was executed in the last 30 days."), class_name="quiet", style={"margin": "0"}),
    )
