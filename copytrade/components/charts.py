"""A chart in its box: what it says in a sentence, the drawing, and the same as a table."""

from typing import Any

import reflex as rx

from copytrade.analytics.charts import Chart
from copytrade.components.text import Text, t

CONFIG = {"displayModeBar": False, "responsive": True, "scrollZoom": False}


def chart(drawn: Chart, *, height: int | None = None) -> rx.Component:
    """Draw a chart with its sentence above it; the table below is for whoever reads better than looks.

    A chart whose height follows its rows says it itself (None); the others hold their place before they are drawn.
    """
    box: dict[str, Any] = {"height": f"{height}px"} if height else {}
    return rx.el.figure(
        rx.el.figcaption(drawn.summary, class_name="quiet"),
        rx.cond(
            drawn.rows.length() > 0,  # pyright: ignore[reportAttributeAccessIssue]
            rx.fragment(
                rx.el.div(
                    rx.plotly.finance(data=drawn.figure, config=CONFIG, use_resize_handler=True, width="100%", **box),
                    role="img",
                    aria_label=drawn.summary,
                    style={"width": "100%", "overflow": "hidden", **box},
                ),
                rx.el.details(
                    rx.el.summary(t("Show as table"), class_name="quiet"),
                    rx.el.div(
                        table(drawn.head, drawn.rows),
                        class_name="wide",
                        style={"maxHeight": "320px", "overflowY": "auto"},
                    ),
                ),
            ),
        ),
        style={"margin": "0"},
    )


def table(head: list[str], rows: list[list[str]]) -> rx.Component:
    """Show plain rows, the first column left, numbers right."""
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(rx.foreach(head, lambda name, i: rx.el.th(name, class_name=rx.cond(i == 0, "", "right"))))
        ),
        rx.el.tbody(
            rx.foreach(
                rows,
                lambda row: rx.el.tr(
                    rx.foreach(row, lambda cell, i: rx.el.td(cell, class_name=rx.cond(i == 0, "", "right")))
                ),
            )
        ),
        class_name="rows",
    )


def windows(now: Text, on_change: Any, *, names: tuple[str, ...] = ("7d", "30d", "90d", "180d", "all")) -> rx.Component:
    """Choose the window of time that the numbers and curves cover."""
    labels: dict[str, Text] = {"7d": "7", "30d": "30", "90d": "90", "180d": "180", "all": t("all")}
    return rx.segmented_control.root(
        *(rx.segmented_control.item(labels[name], value=name) for name in names),
        value=now,
        on_change=on_change,
        size="1",
        aria_label=t("Days"),
    )
