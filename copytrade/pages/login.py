"""Signing in: a plain form that posts to the API, after which the page loads anew with its cookie."""

import reflex as rx

from copytrade.components.forms import field, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import heading, panel, problem
from copytrade.components.text import t
from copytrade.state import routes
from copytrade.state.gate import Gate


def login() -> rx.Component:
    return page(
        heading(t("Sign in")),
        problem(Gate.problem),
        panel(
            None,
            rx.el.form(
                # Somebody quick sends the form before the page has loaded: he goes on too.
                rx.el.input(
                    type="hidden",
                    name="next",
                    value=rx.cond(Gate.next == "", routes.WALLET, Gate.next),
                    read_only=True,
                ),
                field(
                    t("E-mail"),
                    text_input(
                        "email",
                        type="email",
                        required=True,
                        auto_complete="username",
                        default_value=Gate.email,
                        key=Gate.email,
                        max_length=254,
                    ),
                ),
                field(
                    t("Password"),
                    text_input(
                        "password", type="password", required=True, auto_complete="current-password", max_length=128
                    ),
                ),
                submit(t("Sign in"), full=True),
                action=routes.API_LOGIN,
                method="post",
                on_submit=None,
                class_name="fields",
            ),
        ),
        rx.el.p(t("New here?"), " ", rx.link(t("Create an account"), href=routes.REGISTER), class_name="quiet"),
        width="slim",
    )
