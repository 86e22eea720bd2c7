"""The operators' page."""

import reflex as rx

from copytrade.components.figures import moment
from copytrade.components.forms import submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import has, heading, panel, skeleton, when_loaded
from copytrade.components.text import t
from copytrade.state.operator import Operator, Room, UnknownOrder


def operator() -> rx.Component:
    return page(
        heading(t("Operator"), t("What waits, whose outcome nobody knows, and the platform's switch.")),
        when_loaded(
            Operator,
            panel(t("Copying on the whole platform"), _switch()),
            rx.el.div(rx.foreach(Operator.rooms, _room), class_name="grid2"),
            panel(t("Orders with an unknown outcome"), _orders()),
            holding=skeleton(rows=4, height="96px"),
        ),
    )


def _switch() -> rx.Component:
    return rx.segmented_control.root(
        rx.segmented_control.item(t("on"), value="on"),
        rx.segmented_control.item(t("exits only"), value="entries_off"),
        rx.segmented_control.item(t("hands off"), value="hands_off"),
        value=Operator.mode,
        on_change=Operator.switch,
    )


def _room(room: Room) -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2(room.name), class_name="cap"),
        rx.el.dl(
            rx.foreach(room.numbers, lambda one: rx.fragment(rx.el.dt(one.name), rx.el.dd(one.value))),
            class_name="pairs",
        ),
        class_name="panel",
    )


def _orders() -> rx.Component:
    def row(order: UnknownOrder) -> rx.Component:
        return rx.el.div(
            rx.flex(
                rx.el.strong(order.symbol),
                rx.el.span(order.side, " ", order.quantity),
                rx.el.span(order.client_order_id, class_name="code"),
                rx.el.span(moment(order.at), class_name="quiet"),
                spacing="3",
                align="center",
                wrap="wrap",
            ),
            rx.el.form(
                rx.flex(
                    text_input(
                        "filled", required=True, input_mode="decimal", placeholder=t("filled quantity, 0 for none")
                    ),
                    submit(t("Decide")),
                    spacing="3",
                ),
                on_submit=lambda form: Operator.decide(order.id, form),
            ),
            class_name="notice",
        )

    return rx.cond(
        has(Operator.orders),
        rx.fragment(rx.foreach(Operator.orders, row)),
        rx.el.p(t("None."), class_name="quiet", style={"margin": "0"}),
    )
