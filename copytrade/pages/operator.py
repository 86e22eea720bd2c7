"""The operators' page."""

from typing import Any

import reflex as rx

from copytrade.components.figures import moment
from copytrade.components.forms import field, link_button, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import has, heading, panel, skeleton, told, when_loaded
from copytrade.components.text import Text, t
from copytrade.domain.instruments import Venue
from copytrade.state import routes
from copytrade.state.operator import Operator
from copytrade.state.operator_lines import DeadLetter, OrderLine, Room
from copytrade.state.operator_switches import MODES, SCOPES, ChangeLine, SwitchLine


def operator() -> rx.Component:
    return page(
        heading(
            t("Operator"),
            t("What waits, whose outcome nobody knows, what was given up, and the switches that hold copying back."),
            link_button(t("Money"), routes.OPERATOR_MONEY, soft=True),
        ),
        when_loaded(
            Operator,
            panel(t("Switches"), _switches(), id="switches"),
            rx.el.div(rx.foreach(Operator.rooms, _room), class_name="grid2"),
            panel(t("Orders with an unknown outcome"), _unknown()),
            panel(t("Orders on their way"), _orders()),
            panel(t("Given up: try again once the cause is mended"), _letters()),
            rx.cond(has(Operator.switched), panel(t("Who turned which switch"), _switched(), id="switched")),
            holding=skeleton(rows=4, height="96px"),
        ),
    )


def _switches() -> rx.Component:
    def line(row: SwitchLine) -> rx.Component:
        return rx.el.div(
            rx.flex(
                rx.badge(row.mode, color_scheme="tomato", size="2"),
                rx.el.strong(row.name),
                rx.el.span(row.reason),
                rx.el.span(row.by, " ", moment(row.at), class_name="quiet"),
                spacing="3",
                align="center",
                wrap="wrap",
            ),
            # A form's handler is made once for all rows: what row it is comes with the form.
            rx.el.form(
                _hidden("scope", row.scope),
                _hidden("scope_id", row.scope_id),
                rx.flex(
                    text_input(
                        "reason",
                        required=True,
                        max_length=200,
                        auto_complete="off",
                        placeholder=t("why it may go on"),
                        aria_label=t("Why"),
                    ),
                    rx.el.button(t("Let it go on"), type="submit", class_name="button soft nowrap"),
                    spacing="3",
                    margin_top="8px",
                ),
                on_submit=Operator.let_go_on,
                reset_on_submit=True,
            ),
            class_name="notice",
            key=row.scope + row.scope_id,
        )

    return rx.fragment(
        rx.cond(
            has(Operator.switches),
            rx.el.div(rx.foreach(Operator.switches, line), style={"marginBottom": "16px"}),
            rx.el.p(t("Nothing is held back."), class_name="quiet", style={"margin": "0 0 16px"}),
        ),
        rx.cond(Operator.asked.scope != "", _confirmation(), _form()),
    )


def _switched() -> rx.Component:
    names = (t("When"), t("Where"), t("What"), t("Why"), t("By"))

    def line(row: ChangeLine) -> rx.Component:
        cells = (moment(row.at), row.name, row.mode, row.reason, row.by)
        return rx.el.tr(
            rx.el.td(cells[0], class_name="lead"),
            *(
                rx.el.td(rx.el.span(cell), custom_attrs={"data-name": name})
                for name, cell in zip(names[1:], cells[1:], strict=True)
            ),
        )

    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(*(rx.el.th(name) for name in names))),
            rx.el.tbody(rx.foreach(Operator.switched, line)),
            class_name="rows cards",
            data_testid="switched",
        ),
        class_name="wide",
    )


def _form() -> rx.Component:
    return rx.el.form(
        _select(
            t("Where"), "scope", {str(scope): t(name) for scope, name in SCOPES.items()},
            value=Operator.scope, on_change=Operator.choose_scope,
        ),
        rx.match(
            Operator.scope,
            ("venue", _select(t("Exchange"), "target", {str(venue): venue.value.capitalize() for venue in Venue})),
            (
                "trader",
                field(
                    t("Trader"),
                    text_input("target", required=True, max_length=200),
                    hint=t("The address of his page."),
                ),
            ),
            (
                "subscriber",
                field(
                    t("Subscriber"),
                    text_input("target", required=True, max_length=254),
                    hint=t("His e-mail address."),
                ),
            ),
            rx.fragment(),
        ),
        _select(t("What"), "mode", {str(mode): t(name) for mode, name in MODES.items()}),
        field(t("Why"), text_input("reason", required=True, max_length=200, auto_complete="off")),
        submit(t("See what it reaches")),
        on_submit=Operator.ask,
        class_name="fields",
    )  # fmt: skip


def _select(label: Text, name: str, options: dict[str, Text], **props: Any) -> rx.Component:
    return field(
        label,
        rx.el.select(
            *(rx.el.option(text, value=value) for value, text in options.items()),
            name=name,
            class_name="input",
            **props,
        ),
    )


def _confirmation() -> rx.Component:
    return rx.fragment(
        told(Operator.asked.told, icon="triangle_alert", color="amber"),
        rx.flex(
            rx.el.button(t("Do it"), type="button", class_name="button danger", on_click=Operator.confirm),
            _soft(t("Cancel"), Operator.put_aside),
            spacing="3",
            margin_top="12px",
        ),
    )


def _hidden(name: str, value: Text) -> rx.Component:
    return rx.el.input(type="hidden", name=name, value=value)


def _soft(text: Text, on_click: Any) -> rx.Component:
    return rx.el.button(text, type="button", class_name="button soft", on_click=on_click)


def _room(room: Room) -> rx.Component:
    return rx.el.section(
        rx.el.div(rx.el.h2(room.name), class_name="cap"),
        rx.el.dl(
            rx.foreach(room.numbers, lambda one: rx.fragment(rx.el.dt(one.name), rx.el.dd(one.value))),
            class_name="pairs",
        ),
        class_name="panel",
    )


def _order(order: OrderLine, *more: rx.Component) -> rx.Component:
    return rx.flex(
        rx.el.strong(order.symbol),
        rx.el.span(order.place, class_name="quiet"),
        rx.el.span(order.told),
        rx.badge(order.state, size="1", color_scheme="gray"),
        rx.el.span(order.client_order_id, class_name="code"),
        rx.el.span(moment(order.at), class_name="quiet"),
        *more,
        spacing="3",
        align="center",
        wrap="wrap",
    )


def _unknown() -> rx.Component:
    def row(order: OrderLine) -> rx.Component:
        return rx.el.div(
            _order(order),
            rx.el.form(
                _hidden("order_id", order.id),
                rx.flex(
                    text_input(
                        "filled", required=True, input_mode="decimal", placeholder=t("filled quantity, 0 for none")
                    ),
                    submit(t("Decide")),
                    spacing="3",
                ),
                on_submit=Operator.decide,
            ),
            class_name="notice",
        )

    return _rows(Operator.unknown, row)


def _orders() -> rx.Component:
    return _rows(Operator.on_the_way, lambda order: rx.el.div(_order(order), class_name="notice"))


def _letters() -> rx.Component:
    def row(letter: DeadLetter) -> rx.Component:
        return rx.el.div(
            rx.flex(
                rx.badge(
                    rx.match(letter.kind, ("event", t("webhook")), ("mail", t("mail")), t("job")), color_scheme="amber"
                ),
                rx.el.strong(letter.what),
                rx.el.span(letter.why, class_name="quiet"),
                rx.el.span(moment(letter.at), class_name="quiet"),
                _soft(t("Try again"), Operator.try_again(letter.kind, letter.queue, letter.id)),
                spacing="3",
                align="center",
                wrap="wrap",
            ),
            class_name="notice",
        )

    return _rows(Operator.letters, row)


def _rows(rows: Any, row: Any) -> rx.Component:
    return rx.cond(
        has(rows),
        rx.fragment(rx.foreach(rows, row)),
        rx.el.p(t("None."), class_name="quiet", style={"margin": "0"}),
    )
