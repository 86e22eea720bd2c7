"""Copied positions: what each should be and is, entries that wait for the subscriber, and the history of drifts."""

from typing import Any

import reflex as rx

from copytrade.components.figures import moment, paper_badge
from copytrade.components.panels import has, panel
from copytrade.components.text import t
from copytrade.state.leg_lines import DriftLine, HeldLine, LegLine, LegsView


def copied_positions(view: LegsView, *, on_release: Any) -> rx.Component:
    """Show copied positions with their differences, and what was found odd on the account."""

    def held(one: HeldLine) -> rx.Component:
        return rx.el.div(
            rx.el.span(
                t("{trader}: entries in {symbols} wait since the account differed.", trader=one.trader,
                  symbols=one.symbols)
            ),
            rx.el.button(t("Let entries go on"), type="button", class_name="button soft",
                         on_click=on_release(one.subscription_id)),
            class_name="held",
            custom_attrs={"data-held": one.subscription_id},
        )  # fmt: skip

    return rx.fragment(
        rx.cond(
            has(view.legs),
            panel(t("Copied positions: should be and is"), rx.el.div(_legs(view.legs), class_name="wide")),
        ),
        rx.cond(
            has(view.drifts) | has(view.held),
            panel(
                t("Where account and copies differed"),
                rx.foreach(view.held, held),
                rx.cond(has(view.drifts), rx.el.div(_drifts(view.drifts), class_name="wide")),
                id="drifts",
            ),
        ),
    )


def _legs(rows: list[LegLine]) -> rx.Component:
    def row(leg: LegLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(
                rx.el.strong(leg.symbol),
                " ",
                rx.el.span(leg.market, class_name="quiet"),
                " ",
                paper_badge(leg.is_paper),
                rx.el.span(leg.trader, class_name="quiet line"),
                class_name="lead",
            ),
            rx.el.td(leg.target, class_name="right", custom_attrs={"data-name": t("Should be")}),
            rx.el.td(leg.held, class_name="right", custom_attrs={"data-name": t("Is")}),
            rx.el.td(leg.why, class_name="quiet"),
        )

    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.th(t("Position")),
                rx.el.th(t("Should be"), class_name="right"),
                rx.el.th(t("Is"), class_name="right"),
                rx.el.th(t("Why they differ")),
            )
        ),
        rx.el.tbody(rx.foreach(rows, row)),
        class_name="rows cards",
        data_testid="legs",
    )


def _drifts(rows: list[DriftLine]) -> rx.Component:
    def row(one: DriftLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(
                rx.el.strong(one.symbol),
                " ",
                rx.el.span(one.market, class_name="quiet"),
                rx.el.span(one.trader, class_name="quiet line"),
                class_name="lead",
            ),
            rx.el.td(moment(one.at), class_name="nowrap", custom_attrs={"data-name": t("When")}),
            rx.el.td(
                rx.el.span(one.what, rx.cond(one.found != "", rx.el.span(one.found, class_name="quiet line"))),
                custom_attrs={"data-name": t("What was found")},
            ),
            rx.el.td(one.done, custom_attrs={"data-name": t("What was done")}),
            rx.el.td(
                rx.badge(one.state, color_scheme=rx.cond(one.is_open, "amber", "gray")),  # pyright: ignore[reportArgumentType]
            ),
        )

    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.th(t("Position")),
                rx.el.th(t("When")),
                rx.el.th(t("What was found")),
                rx.el.th(t("What was done")),
                rx.el.th(""),
            )
        ),
        rx.el.tbody(rx.foreach(rows, row)),
        class_name="rows cards",
        data_testid="drifts",
    )
