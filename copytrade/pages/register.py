"""Registering as trader, subscriber or both."""

import reflex as rx

from copytrade.components.forms import check, field, pick, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import heading, panel, problem
from copytrade.components.text import t
from copytrade.state import routes
from copytrade.state.gate import Gate


def register() -> rx.Component:
    return page(
        heading(t("Create an account"), t("Free. You pay only a trader's price, and only while you subscribe.")),
        problem(Gate.problem),
        panel(
            None,
            rx.el.form(
                # Somebody quick sends the form before the page has loaded: he goes on too.
                rx.el.input(
                    type="hidden",
                    name="next",
                    value=rx.cond(Gate.next == "", routes.ACCOUNTS, Gate.next),
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
                        "password",
                        type="password",
                        required=True,
                        auto_complete="new-password",
                        min_length=12,
                        max_length=128,
                    ),
                    hint=t("At least 12 characters; a sentence is easiest to remember."),
                ),
                rx.el.fieldset(
                    rx.el.legend(t("What brings you here? Both is fine."), class_name="quiet"),
                    pick(
                        "roles",
                        "subscriber",
                        t("I want to copy"),
                        t("Choose a trader; what he does is done on your own exchange account."),
                        kind="checkbox",
                        default_checked=Gate.subscriber,
                    ),
                    pick(
                        "roles",
                        "trader",
                        t("I trade and want to be copied"),
                        t("Publish your results, set a monthly price, receive the larger part of it."),
                        kind="checkbox",
                        default_checked=Gate.trader,
                    ),
                    key=Gate.roles,
                    class_name="fields",
                    style={"border": "0", "padding": "0", "margin": "0", "gap": "var(--space-2)"},
                ),
                check(
                    "accepted_terms",
                    t(
                        "I have read the risk notice: copying can lose all the money on the account, "
                        "past results promise nothing, and I decide myself whom I copy."
                    ),
                    value="on",
                    required=True,
                ),
                submit(t("Create the account"), full=True),
                action=routes.API_REGISTER,
                method="post",
                on_submit=None,
                class_name="fields",
            ),
        ),
        rx.el.p(t("Registered already?"), " ", rx.link(t("Sign in"), href=routes.LOGIN), class_name="quiet"),
        width="slim",
    )
