"""Being paid at all: from "not begun" over what Stripe still wants to "ready"."""

from typing import Any

import reflex as rx

from copytrade.components.panels import has, panel, told
from copytrade.components.text import t

LOOKS = (
    "You told Stripe all it asked for, and it looks at it now. Until it is done nothing is paid out; what you earn "
    "meanwhile is kept for you."
)


def payout_setup(s: Any) -> rx.Component:
    """Show where the trader stands with Stripe and the step that comes next; `s` is the state of earnings."""
    return rx.match(
        s.standing.step,
        ("ready", _ready(s)),
        ("begun", _begun(s)),
        ("held_back", _held_back(s)),
        _none(s),
    )  # pyright: ignore[reportReturnType]


def _none(s: Any) -> rx.Component:
    return panel(
        t("Get paid"),
        rx.el.p(
            t(
                "Your share is paid out through Stripe, to your bank account. Stripe asks who you are and where the "
                "money goes; we see neither. It takes about five minutes, and only then can you publish a price."
            ),
            style={"maxWidth": "70ch", "margin": "0 0 16px"},
        ),
        rx.el.button(t("Set up payouts"), type="button", class_name="button", on_click=s.get_paid),
    )


def _begun(s: Any) -> rx.Component:
    return panel(
        t("Get paid"),
        rx.el.p(t("Stripe does not know enough yet. It still wants:"), style={"margin": "0 0 8px"}),
        _needs(s),
        rx.flex(
            rx.el.button(t("Go on at Stripe"), type="button", class_name="button", on_click=s.get_paid),
            rx.el.button(t("I have done that"), type="button", class_name="button soft", on_click=s.look_again),
            spacing="3",
            wrap="wrap",
        ),
    )


def _held_back(s: Any) -> rx.Component:
    return panel(
        t("Get paid"),
        told(
            t(LOOKS),
            icon="clock",
            color="amber",
        ),
        rx.cond(has(s.standing.needs), rx.el.div(_needs(s), style={"marginTop": "12px"})),
        rx.flex(
            rx.el.button(t("Ask again"), type="button", class_name="button", on_click=s.look_again),
            rx.el.button(t("Stripe's pages"), type="button", class_name="button soft", on_click=s.get_paid),
            spacing="3",
            wrap="wrap",
            margin_top="12px",
        ),
    )  # fmt: skip


def _ready(s: Any) -> rx.Component:
    return rx.flex(
        rx.badge(rx.icon("check", size=14), t("payouts are set up"), color_scheme="jade", size="2"),
        rx.el.button(
            t("Your pages at Stripe"),
            rx.icon("external_link", size=14),
            type="button",
            class_name="button plain",
            on_click=s.dashboard,
        ),
        spacing="4",
        align="center",
        wrap="wrap",
        custom_attrs={"data-testid": "payouts-ready"},
    )


def _needs(s: Any) -> rx.Component:
    return rx.el.ul(
        rx.foreach(s.standing.needs, rx.el.li), class_name="plain", style={"marginBottom": "12px"}, data_testid="needs"
    )
