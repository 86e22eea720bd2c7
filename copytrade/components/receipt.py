"""A receipt as a page shows it: stages, sums, every order with its doubts, and what was skipped."""

import reflex as rx

from copytrade.components.figures import paper_badge
from copytrade.components.panels import has
from copytrade.components.text import Text, t
from copytrade.state.receipt_lines import OrderLine, ReceiptView, Step


def receipt_view(receipt: ReceiptView) -> rx.Component:
    """Show a receipt in full."""
    return rx.el.div(
        rx.el.div(rx.foreach(receipt.steps, _step), class_name="steps"),
        rx.el.strong(receipt.sums, " ", paper_badge(receipt.is_paper), class_name="sums"),
        rx.cond(receipt.rest != "", rx.el.div(receipt.rest, class_name="quiet", role="note")),
        rx.el.dl(
            rx.foreach(receipt.pairs, lambda pair: rx.fragment(rx.el.dt(pair[0]), rx.el.dd(pair[1]))),
            class_name="pairs",
        ),
        _listed(t("Orders"), has(receipt.orders), rx.foreach(receipt.orders, _order), name="orders"),
        rx.cond(has(receipt.tries), rx.el.ul(rx.foreach(receipt.tries, rx.el.li), class_name="tries")),
        _listed(t("Not copied"), has(receipt.skips), rx.foreach(receipt.skips, rx.el.div), name="skipped"),
        class_name="inside",
        role="region",
        aria_label=t("Receipt"),
    )


def _step(one: Step) -> rx.Component:
    return rx.fragment(
        rx.cond(one.after != "", rx.el.span(one.after, class_name="gap")),
        rx.el.span(rx.el.span(one.name), rx.el.b(one.at), class_name="step"),
    )


def _listed(title: Text, is_there: Text, rows: rx.Component, *, name: str) -> rx.Component:
    return rx.cond(
        is_there, rx.el.div(rx.el.strong(title), rows, class_name="listed", custom_attrs={"data-list": name})
    )


def _order(one: OrderLine) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.span(one.what, class_name="number"),
            " ",
            rx.badge(one.state, color_scheme=one.tone),  # pyright: ignore[reportArgumentType]
        ),
        rx.el.div(one.result, class_name="number"),
        rx.cond(one.times != "", rx.el.div(one.times, class_name="quiet number")),
        rx.cond(one.doubt != "", rx.el.div(one.doubt, class_name="doubt", role="note")),
        rx.el.div(one.ids, class_name="quiet ids"),
        class_name="sent",
    )
