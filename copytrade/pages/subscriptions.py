"""Subscriptions: state, next charge, settings, pause, stop."""

import reflex as rx

from copytrade.components.forms import field, link_button, submit, text_input
from copytrade.components.frame import page
from copytrade.components.guide import guide
from copytrade.components.panels import empty, has, heading, skeleton, when_loaded
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.subscriptions import SubscriptionLine, Subscriptions


def subscriptions() -> rx.Component:
    return page(
        heading(
            t("Subscriptions"),
            t("Whom you copy, with which settings, and when the next charge comes."),
            rx.cond(
                has(Subscriptions.rows),
                rx.el.button(
                    t("Card and invoices"), type="button", class_name="button soft", on_click=Subscriptions.portal
                ),
            ),
        ),
        guide(),
        when_loaded(
            Subscriptions,
            rx.cond(
                has(Subscriptions.rows),
                rx.flex(rx.foreach(Subscriptions.rows, _subscription), direction="column", spacing="3"),
                empty(
                    t("You copy nobody yet"),
                    t("Choose a trader; what he does is then done on your account."),
                    link_button(t("See the traders"), routes.TRADERS),
                ),
            ),
            holding=skeleton(rows=2, height="120px"),
        ),
        width="narrow",
    )


def _subscription(row: SubscriptionLine) -> rx.Component:
    is_live = (row.state == "active") | (row.state == "past_due")
    return rx.el.section(
        rx.flex(
            rx.el.div(
                rx.link(rx.el.strong(row.name), href=row.href, color_scheme="gray", high_contrast=True),
                " ",
                rx.el.span(row.price, " ", t("a month"), class_name="quiet"),
                rx.el.div(row.account, " · ", row.next, class_name="quiet"),
            ),
            rx.flex(
                rx.cond(row.is_paused & is_live, rx.badge(t("paused"), color_scheme="amber", size="2")),
                rx.badge(row.state_text, color_scheme=row.tone, size="2"),  # pyright: ignore[reportArgumentType]
                spacing="2",
            ),
            justify="between",
            align="start",
            spacing="3",
            wrap="wrap",
        ),
        rx.cond(row.state != "ended", rx.el.p(row.settings, style={"margin": "12px 0"})),
        rx.cond(
            row.state == "incomplete",
            rx.el.button(t("Go to payment"), type="button", class_name="button", on_click=Subscriptions.pay(row.id)),
        ),
        rx.cond(is_live, _buttons(row)),
        rx.cond((Subscriptions.editing == row.id) & is_live, _settings(row)),
        class_name="panel",
        key=row.id,
        custom_attrs={"data-state": row.state},
    )


def _buttons(row: SubscriptionLine) -> rx.Component:
    def soft(text: Text, on_click: object) -> rx.Component:
        return rx.el.button(text, type="button", class_name="button soft", on_click=on_click)  # pyright: ignore[reportArgumentType]

    return rx.flex(
        rx.cond(
            row.state == "past_due",
            rx.el.button(t("Pay now"), type="button", class_name="button", on_click=Subscriptions.pay(row.id)),
        ),
        soft(t("Settings"), Subscriptions.edit(row.id)),
        rx.cond(
            row.is_paused,
            soft(t("Resume"), Subscriptions.resume(row.id)),
            soft(t("Pause"), Subscriptions.pause(row.id)),
        ),
        _stop(row),
        spacing="3",
        wrap="wrap",
    )


def _stop(row: SubscriptionLine) -> rx.Component:
    def way(mode: str, title: Text, text: Text) -> rx.Component:
        return rx.alert_dialog.action(
            rx.el.button(
                rx.el.span(rx.el.strong(title), rx.el.br(), rx.el.span(text, class_name="quiet")),
                type="button",
                class_name="pick",
                style={
                    "background": "none",
                    "font": "inherit",
                    "color": "inherit",
                    "textAlign": "left",
                    "width": "100%",
                },
                on_click=Subscriptions.stop(row.id, mode),
            )
        )

    return rx.alert_dialog.root(
        rx.alert_dialog.trigger(rx.el.button(t("Stop"), type="button", class_name="button soft")),
        rx.alert_dialog.content(
            rx.alert_dialog.title(t("Stop copying {name}?", name=row.name)),
            rx.alert_dialog.description(
                t("On the account {account}: {open}. What shall become of it?", account=row.account, open=row.open_told)
            ),
            rx.flex(
                way(
                    "follow_exits",
                    t("Follow his exits"),
                    t("Nothing new is opened; what is open closes as he closes it."),
                ),
                way("close", t("Close all now"), t("Everything copied is closed at market at once.")),
                way("keep", t("Keep the positions"), t("They become your own; nobody closes them but you.")),
                rx.alert_dialog.cancel(rx.el.button(t("Cancel"), type="button", class_name="button soft")),
                direction="column",
                spacing="3",
                margin_top="16px",
            ),
            max_width="480px",
        ),
    )


def _settings(row: SubscriptionLine) -> rx.Component:
    def mode(value: str, title: Text) -> rx.Component:
        return rx.el.label(
            rx.el.input(
                type="radio",
                name="mode",
                value=value,
                default_checked=row.mode == value,
            ),
            rx.el.span(title),
            class_name="pick",
        )

    return rx.el.form(
        mode("equity", t("In proportion to the accounts")),
        mode("ratio", t("A fixed ratio of his quantity")),
        field(
            t("Factor"),
            text_input("factor", required=True, input_mode="decimal", default_value=row.factor, max_length=40),
        ),
        field(
            t("Largest order, USDT"),
            text_input("max_order", input_mode="decimal", default_value=row.max_order, max_length=40),
            hint=t("What goes beyond it is not copied and is listed with that reason. Empty: no limit."),
        ),
        submit(t("Save")),
        on_submit=Subscriptions.save,
        class_name="fields",
        style={"marginTop": "16px"},
    )
