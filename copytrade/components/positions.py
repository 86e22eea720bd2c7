"""Open positions as a table."""

import reflex as rx

from copytrade.components.figures import figure
from copytrade.components.text import t
from copytrade.state.position_lines import PositionLine


def positions_table(rows: list[PositionLine]) -> rx.Component:
    """Show open positions: what, how much, from where, and what it is worth now."""

    def row(position: PositionLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(
                rx.el.strong(position.symbol),
                " ",
                rx.el.span(position.side, " ", position.leverage, class_name=position.tone),
                rx.cond(position.venue != "", rx.el.span(position.venue, class_name="quiet line")),
                class_name="lead",
            ),
            rx.el.td(position.quantity, class_name="right", custom_attrs={"data-name": t("Quantity")}),
            rx.el.td(position.entry, class_name="right", custom_attrs={"data-name": t("Entry")}),
            rx.el.td(position.mark, class_name="right", custom_attrs={"data-name": t("Price now")}),
            rx.el.td(position.notional, class_name="right", custom_attrs={"data-name": t("Worth")}),
            rx.el.td(figure(position.pnl), class_name="right", custom_attrs={"data-name": t("Open result")}),
        )

    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.th(t("Position")),
                *(
                    rx.el.th(name, class_name="right")
                    for name in (t("Quantity"), t("Entry"), t("Price now"), t("Worth"), t("Open result"))
                ),
            )
        ),
        rx.el.tbody(rx.foreach(rows, row)),
        class_name="rows cards",
    )
