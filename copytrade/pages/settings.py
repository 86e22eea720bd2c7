"""Settings: the person, how pages look, password, signed-in browsers."""

from typing import Any

import reflex as rx
from reflex.style import color_mode, set_color_mode

from copytrade.components.figures import moment
from copytrade.components.forms import choice, field, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import heading, panel, skeleton, when_loaded
from copytrade.components.text import t
from copytrade.state import routes
from copytrade.state.language import Language
from copytrade.state.preferences import Preferences
from copytrade.state.settings import SessionLine, Settings
from copytrade.state.visitor import Visitor


def settings() -> rx.Component:
    return page(
        heading(t("Settings"), Settings.email),
        when_loaded(
            Settings,
            _ways(),
            panel(t("How pages look"), _looks()),
            panel(t("You"), _person()),
            panel(t("Password"), _password()),
            panel(t("Signed-in browsers"), rx.foreach(Settings.sessions, _session)),
            holding=skeleton(rows=4, height="96px"),
        ),
        width="narrow",
    )


def _ways() -> rx.Component:
    return rx.el.nav(
        rx.cond(
            Visitor.is_subscriber,
            rx.link(t("Subscriptions"), href=routes.SUBSCRIPTIONS, class_name="button soft", underline="none"),
        ),
        rx.link(t("Exchange accounts"), href=routes.ACCOUNTS, class_name="button soft", underline="none"),
        rx.cond(
            Visitor.is_operator,
            rx.link(t("Operator"), href=routes.OPERATOR, class_name="button soft", underline="none"),
        ),
        rx.el.form(
            rx.el.button(t("Sign out"), type="submit", class_name="button soft"),
            action=routes.API_LOGOUT,
            method="post",
            on_submit=None,
            class_name="inline",
        ),
        style={"display": "flex", "gap": "12px", "flexWrap": "wrap"},
        aria_label=t("Your pages"),
    )


def _looks() -> rx.Component:
    return rx.el.div(
        choice(
            t("Language"),
            _scrolling(
                rx.segmented_control.item("English", value="en"),
                rx.segmented_control.item("Русский", value="ru"),
                value=Language.locale,
                on_change=Preferences.choose_language,
            ),
        ),
        choice(
            t("Dark or light"),
            _scrolling(
                rx.segmented_control.item(t("System"), value="system"),
                rx.segmented_control.item(t("Light"), value="light"),
                rx.segmented_control.item(t("Dark"), value="dark"),
                value=color_mode,
                on_change=set_color_mode,
            ),
        ),
        choice(
            t("Colours of gain and loss"),
            _scrolling(
                rx.segmented_control.item(t("green, red"), value="green"),
                rx.segmented_control.item(t("blue, orange"), value="blue"),
                rx.segmented_control.item(t("red, green"), value="red-up"),
                value=Preferences.gains,
                on_change=Preferences.choose_gains,
            ),
            hint=t("Sign and triangle always go with the colour."),
        ),
        rx.el.p(t("Times are shown in the zone of this device: {zone}.", zone=Settings.zone), class_name="quiet"),
        class_name="fields",
    )


def _scrolling(*items: rx.Component, **props: Any) -> rx.Component:
    return rx.el.div(rx.segmented_control.root(*items, **props), class_name="wide")


def _person() -> rx.Component:
    return rx.el.form(
        field(
            t("Name"),
            text_input("name", default_value=Settings.name, key=Settings.name, max_length=60, auto_complete="nickname"),
            hint=t("Traders see it in the list of their subscribers."),
        ),
        submit(t("Save")),
        on_submit=Settings.rename,
        class_name="fields",
    )


def _password() -> rx.Component:
    return rx.el.form(
        field(
            t("Old password"),
            text_input("old", type="password", required=True, auto_complete="current-password", max_length=128),
        ),
        field(
            t("New password"),
            text_input(
                "new", type="password", required=True, auto_complete="new-password", min_length=12, max_length=128
            ),
        ),
        submit(t("Change the password")),
        on_submit=Settings.change_password,
        reset_on_submit=True,
        class_name="fields",
    )


def _session(row: SessionLine) -> rx.Component:
    return rx.flex(
        rx.el.div(
            rx.el.div(row.name, style={"fontSize": "var(--font-size-2)"}),
            rx.el.div(row.network, " · ", moment(row.seen), class_name="quiet"),
        ),
        rx.cond(
            row.is_this,
            rx.badge(t("this one"), color_scheme="jade"),
            rx.el.button(t("Sign out"), type="button", class_name="button soft", on_click=Settings.revoke(row.id)),
        ),
        justify="between",
        align="center",
        spacing="3",
        padding_y="8px",
    )
