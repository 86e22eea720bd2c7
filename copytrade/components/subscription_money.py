"""What a subscription costs and how it ends, on its card; the invoices under all of them."""

from typing import Any

import reflex as rx

from copytrade.components.forms import field, link_button, pick, submit
from copytrade.components.panels import has, panel
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.billing_told import InvoiceLine
from copytrade.state.subscription_lines import SubscriptionLine
from copytrade.state.subscriptions import Subscriptions


def money_news(row: SubscriptionLine) -> rx.Component:
    """Say what is late or held, and which price was announced."""
    return rx.fragment(
        rx.cond(
            row.late != "",
            rx.callout(
                row.late, icon="credit_card", color_scheme="tomato", role="status", width="100%", margin_top="12px"
            ),
        ),
        rx.cond(
            row.new_price != "",
            rx.callout(row.new_price, icon="tag", color_scheme="amber", role="status", width="100%", margin_top="12px"),
        ),
    )


def way(title: Text, text: Text, on_click: Any, **props: Any) -> rx.Component:
    """Return one way out, with what it does in numbers."""
    return rx.alert_dialog.action(
        rx.el.button(
            rx.el.span(rx.el.strong(title), rx.el.br(), rx.el.span(text, class_name="quiet")),
            type="button",
            class_name="pick way",
            on_click=on_click,
            **props,
        )
    )


def ways(trigger: rx.Component, title: Text, text: Text, *all: rx.Component) -> rx.Component:
    """Ask which of several ways, each with what it does in numbers."""
    return rx.alert_dialog.root(
        rx.alert_dialog.trigger(trigger),
        rx.alert_dialog.content(
            rx.alert_dialog.title(title),
            rx.alert_dialog.description(text),
            rx.flex(
                *all,
                rx.alert_dialog.cancel(rx.el.button(t("Leave it as it is"), type="button", class_name="button soft")),
                direction="column",
                spacing="3",
                margin_top="16px",
            ),
            max_width="480px",
        ),
    )


def stop(row: SubscriptionLine) -> rx.Component:
    """Offer to let it run out, or to end it at once, with what either means for money and positions."""
    return ways(
        rx.el.button(t("Stop"), type="button", class_name="button soft"),
        t("Stop copying {name}?", name=row.name),
        t("On the account {account}: {open}.", account=row.account, open=row.open_told),
        rx.cond(
            row.may_cancel,
            way(
                t("With the end of what is paid"),
                row.cancelling,
                Subscriptions.cancel(row.id),
                custom_attrs={"data-testid": "cancel"},
            ),
        ),
        rx.el.p(
            rx.cond(
                row.stopping != "",
                rx.fragment(rx.el.strong(t("Or at once.")), " ", row.stopping),
                t("What shall become of what is open?"),
            ),
            class_name="quiet",
            style={"margin": "0"},
        ),
        way(t("Follow his exits"), row.ways.follow, Subscriptions.stop(row.id, "follow_exits")),
        way(t("Close all now"), row.ways.close, Subscriptions.stop(row.id, "close")),
        way(t("Keep the positions"), row.ways.keep, Subscriptions.stop(row.id, "keep")),
    )


def take_back(row: SubscriptionLine) -> rx.Component:
    """Offer to let it be renewed after all."""
    return rx.cond(
        row.may_go_on,
        rx.el.button(
            t("Renew after all"), type="button", class_name="button", on_click=Subscriptions.take_back(row.id)
        ),
    )


def again(row: SubscriptionLine) -> rx.Component:
    """Lead whoever ended to the trader's page of subscribing."""
    return rx.flex(link_button(t("Subscribe again"), row.again, soft=True), margin_top="12px")


def unpaid(row: SubscriptionLine) -> rx.Component:
    """Offer to pay what waits for its first payment, or to drop it."""
    return rx.flex(
        rx.el.button(t("Go to payment"), type="button", class_name="button", on_click=Subscriptions.pay(row.id)),
        rx.el.button(
            t("Drop it"), type="button", class_name="button soft", on_click=Subscriptions.stop(row.id, "keep")
        ),
        spacing="3",
        wrap="wrap",
    )


def moving(row: SubscriptionLine) -> rx.Component:
    """Ask onto which other account it shall copy, and what becomes of what is open on this one."""
    s = Subscriptions
    return rx.cond(
        s.moving == row.id,
        rx.el.div(
            rx.cond(
                has(s.others),
                rx.el.form(
                    field(
                        t("New positions go to"),
                        rx.el.select(
                            rx.foreach(s.others, lambda one: rx.el.option(one.title, " · ", one.equity, value=one.id)),
                            name="account",
                            class_name="input",
                        ),
                        hint=t("What is paid, your price and your settings go along. Nothing is charged."),
                    ),
                    rx.el.fieldset(
                        rx.el.legend(t("What is open on the account {account}", account=row.account)),
                        rx.flex(
                            pick(
                                "mode",
                                "follow_exits",
                                t("Follow his exits"),
                                s.moving_ways.follow,
                                default_checked=True,
                            ),
                            pick("mode", "close", t("Close all now"), s.moving_ways.close),
                            pick("mode", "keep", t("Keep the positions"), s.moving_ways.keep),
                            direction="column",
                            spacing="2",
                        ),
                        class_name="group",
                    ),
                    rx.flex(
                        submit(t("Change the account")),
                        rx.el.button(
                            t("Cancel"), type="button", class_name="button soft", on_click=s.choose_account("")
                        ),
                        spacing="3",
                    ),
                    on_submit=s.move,
                    class_name="fields",
                ),
                rx.el.p(
                    t("You have no other copy account there that is free to use."),
                    " ",
                    rx.link(t("Link another account"), href=routes.ACCOUNTS),
                    class_name="quiet",
                    style={"margin": "0"},
                ),
            ),
            class_name="inside",
            custom_attrs={"data-testid": "moving"},
        ),
    )


def invoices() -> rx.Component:
    """Show what was paid, each with its invoice."""
    rows = Subscriptions.invoices
    return rx.cond(
        has(rows),
        panel(
            t("Payments"),
            rx.el.div(
                rx.el.table(
                    rx.el.thead(
                        rx.el.tr(
                            rx.el.th(t("Paid on")),
                            rx.el.th(t("Trader")),
                            rx.el.th(t("For")),
                            rx.el.th(t("Amount"), class_name="right"),
                            rx.el.th(t("Invoice")),
                        )
                    ),
                    rx.el.tbody(rx.foreach(rows, _invoice)),
                    class_name="rows cards",
                    data_testid="invoices",
                ),
                class_name="wide",
            ),
            aside=rx.el.button(
                t("Export as CSV"), type="button", class_name="button soft", on_click=Subscriptions.export
            ),
        ),
    )


def _invoice(row: InvoiceLine) -> rx.Component:
    def to(name: Text, href: Text) -> rx.Component:
        return rx.cond(href != "", rx.link(name, href=href, is_external=True, size="2"))

    return rx.el.tr(
        rx.el.td(row.day, class_name="lead nowrap", style={"minWidth": "0"}),
        rx.el.td(row.name, custom_attrs={"data-name": t("Trader")}),
        rx.el.td(row.period, custom_attrs={"data-name": t("For")}),
        rx.el.td(
            rx.el.strong(row.amount),
            rx.cond(row.back != "", rx.el.div(row.back, class_name="quiet")),
            class_name="right",
            custom_attrs={"data-name": t("Amount")},
        ),
        rx.el.td(
            rx.flex(
                rx.el.span(row.number, class_name="quiet"),
                to("PDF", row.pdf),
                to(t("View"), row.page),
                spacing="3",
                wrap="wrap",
            ),
            custom_attrs={"data-name": t("Invoice")},
        ),
        key=row.id,
    )
