"""Exchange accounts: what each is good for now, and linking another one."""

import reflex as rx

from copytrade.components.account_card import account_card, unlinking
from copytrade.components.frame import page
from copytrade.components.guide import guide
from copytrade.components.linking import linking
from copytrade.components.panels import freshness, has, heading, problem, skeleton
from copytrade.components.text import t
from copytrade.state.accounts import Accounts


def accounts() -> rx.Component:
    return page(
        heading(
            t("Exchange accounts"),
            t("Your keys are sealed as you send them; only a worker opens them, and nobody can withdraw with them."),
            rx.cond(has(Accounts.rows), rx.el.a(t("Link an account"), href="#link", class_name="button")),
        ),
        guide(),
        freshness(Accounts),
        # What is wrong with an open form stands in the form.
        rx.cond(Accounts.opened == "", problem(Accounts.problem)),
        rx.cond(
            Accounts.loaded,
            rx.fragment(
                rx.cond(
                    has(Accounts.rows),
                    rx.flex(
                        rx.foreach(Accounts.rows, account_card), direction="column", spacing="3", data_testid="accounts"
                    ),
                ),
                linking(),
            ),
            rx.cond(Accounts.problem == "", skeleton(rows=2, height="96px")),
        ),
        unlinking(),
        width="narrow",
    )
