"""The operators' page of money."""

from typing import Any

import reflex as rx

from copytrade.components.figures import moment
from copytrade.components.forms import field, link_button, sheet_link, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import has, heading, panel, skeleton, told, when_loaded
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.operator_money import OperatorMoney
from copytrade.state.operator_money_lines import (
    BookLine,
    DifferenceLine,
    DisputeLine,
    EventLine,
    RevenueLine,
    ShareLine,
    StuckLine,
)


def operator_money() -> rx.Component:
    s = OperatorMoney
    return page(
        heading(
            t("Money"),
            t("Waiting for somebody: open disputes {disputes}, differences from Stripe {differences}.",
              disputes=s.open_disputes, differences=s.open_differences),
            link_button(t("Operator"), routes.OPERATOR, soft=True),
        ),
        when_loaded(
            s,
            rx.foreach(s.books, _off),
            panel(t("Revenue by month"), _numbers(s.revenue, _revenue, *REVENUE), aside=_export()),
            panel(t("Balances of the ledger"), _numbers(s.books, _book, *BOOKS), aside=sheet_link("ledger")),
            panel(t("Disputes"), _list(s.disputes, _dispute, *DISPUTES), aside=sheet_link("disputes")),
            panel(t("Webhooks that were given up"), _rows(s.events, _event)),
            panel(
                t("Differences from Stripe"),
                _list(s.differences, _difference, *DIFFERENCES),
                aside=sheet_link("differences"),
            ),
            panel(t("Money that waits or was refused"), _rows(s.stuck, _stuck)),
            panel(t("Shares agreed with traders"), _agree(), _list(s.shares, _share, *SHARES)),
            holding=skeleton(rows=5, height="96px"),
        ),
    )  # fmt: skip


REVENUE = (
    t("Month"),
    t("Payments"),
    t("Paid"),
    t("Traders"),
    t("Platform"),
    t("Given back of it"),
    t("Stripe's fees"),
    t("Stays with us"),
)
BOOKS = (t("Currency"), t("At Stripe"), t("Held by banks"), t("Owed to traders"), t("Platform"), t("Stripe's fees"))
DISPUTES = (t("Answer by"), t("Trader"), t("Amount"), t("Reason"), t("State"), t("Dispute"))
DIFFERENCES = (t("What"), t("At Stripe"), t("Ours"), t("Theirs"), t("Found"), t("State"))
SHARES = (t("Trader"), t("Share"), t("By"), t("Since"))


def _export() -> rx.Component:
    return rx.el.button(
        t("Export as CSV"),
        type="button",
        class_name="button soft",
        on_click=OperatorMoney.export,
        data_testid="revenue",
    )


def _off(row: BookLine) -> rx.Component:
    return rx.cond(
        row.off != "",
        told(t("The books in {currency} are off by {amount}. That is a bug: stop payouts and look.",
               currency=row.currency, amount=row.off), icon="octagon_alert", color="tomato"),
    )  # fmt: skip


def _numbers(rows: Any, row: Any, *names: Text) -> rx.Component:
    return rx.el.div(_list(rows, row, *names), class_name="sums-table")


def _list(rows: Any, row: Any, *names: Text) -> rx.Component:
    return rx.cond(
        has(rows),
        rx.el.div(
            rx.el.table(
                rx.el.thead(rx.el.tr(*(rx.el.th(name) for name in names))),
                rx.el.tbody(rx.foreach(rows, row)),
                class_name="rows cards",
            ),
            class_name="wide",
        ),
        rx.el.p(t("None."), class_name="quiet", style={"margin": "0"}),
    )


def _rows(rows: Any, row: Any) -> rx.Component:
    return rx.cond(
        has(rows),
        rx.fragment(rx.foreach(rows, row)),
        rx.el.p(t("None."), class_name="quiet", style={"margin": "0"}),
    )


def _cells(names: tuple[Text, ...], first: Text | rx.Component, *values: Text | rx.Component) -> list[rx.Component]:
    return [
        rx.el.td(first, class_name="lead"),
        *(rx.el.td(value, custom_attrs={"data-name": name}) for name, value in zip(names[1:], values, strict=True)),
    ]


def _revenue(row: RevenueLine) -> rx.Component:
    net = rx.el.strong(row.net)
    return rx.el.tr(
        *_cells(REVENUE, row.month, row.payments, row.gross, row.traders, row.platform, row.back, row.fees, net)
    )


def _book(row: BookLine) -> rx.Component:
    return rx.el.tr(*_cells(BOOKS, row.currency, row.stripe, row.disputed, row.traders, row.platform, row.fees))


def _dispute(row: DisputeLine) -> rx.Component:
    due = rx.cond(row.is_open, rx.el.strong(moment(row.due), class_name=rx.cond(row.is_soon, "loss", "")), "—")
    state = rx.badge(row.status, color_scheme=rx.cond(row.is_open, "tomato", "gray"), size="1")
    return rx.el.tr(
        *_cells(DISPUTES, due, row.trader, row.amount, row.reason, state, rx.el.span(row.id, class_name="code")),
        key=row.id,
    )


def _difference(row: DifferenceLine) -> rx.Component:
    state = rx.cond(
        row.is_open, rx.badge(t("open"), color_scheme="tomato"), rx.badge(t("settled"), color_scheme="gray")
    )
    return rx.el.tr(
        *_cells(
            DIFFERENCES,
            row.kind,
            rx.el.span(row.stripe_id, class_name="code"),
            row.ours,
            row.theirs,
            moment(row.found),
            state,
        )
    )


def _event(row: EventLine) -> rx.Component:
    return rx.el.div(
        rx.flex(
            rx.el.strong(row.type),
            rx.el.span(row.id, class_name="code"),
            rx.el.span(row.error, class_name="quiet"),
            rx.el.span(moment(row.at), class_name="quiet"),
            rx.el.button(
                t("Try again"), type="button", class_name="button soft", on_click=OperatorMoney.replay(row.id)
            ),
            spacing="3",
            align="center",
            wrap="wrap",
        ),
        class_name="notice",
        key=row.id,
    )


def _stuck(row: StuckLine) -> rx.Component:
    return rx.el.div(
        rx.flex(
            rx.badge(row.state, color_scheme=rx.cond(row.is_refused, "tomato", "amber"), size="1"),
            rx.el.strong(row.amount),
            rx.el.span(row.kind),
            rx.el.span(row.person),
            rx.el.span(row.tries, " · ", moment(row.at), class_name="quiet"),
            rx.el.span(row.error, class_name="quiet"),
            spacing="3",
            align="center",
            wrap="wrap",
        ),
        class_name="notice",
        key=row.id,
    )


def _share(row: ShareLine) -> rx.Component:
    return rx.el.tr(*_cells(SHARES, row.trader, row.share, row.by, moment(row.at)))


def _agree() -> rx.Component:
    return rx.el.form(
        rx.el.div(
            field(
                t("Trader"),
                text_input("trader", required=True, type="email", max_length=254, auto_complete="off"),
                hint=t("His e-mail address."),
            ),
            field(
                t("His share, percent"),
                text_input("share", required=True, input_mode="decimal", max_length=8, auto_complete="off"),
                hint=t("Above 50, up to 100; of what is paid from now on, after coupons and before Stripe's fee."),
            ),
            class_name="pair",
        ),
        submit(t("Agree")),
        on_submit=OperatorMoney.agree,
        reset_on_submit=True,
        class_name="fields",
        style={"marginBottom": "16px"},
    )
