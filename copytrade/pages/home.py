"""The landing page: what it is, what it does right now, and how one begins."""

import reflex as rx

from copytrade.components.forms import link_button
from copytrade.components.frame import RISK, page
from copytrade.components.panels import told
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.visitor import Visitor


def home() -> rx.Component:
    return page(
        rx.el.div(
            rx.el.h1(t("Copy traders you can check")),
            rx.el.p(
                t(
                    "What a trader does on his exchange account is done on yours within a moment, at your size and "
                    "within your limits. Every copy has a receipt; whatever was not copied says why."
                )
            ),
            rx.flex(
                link_button(t("See the traders"), routes.TRADERS),
                rx.cond(
                    Visitor.signed_in, rx.fragment(), link_button(t("Create an account"), routes.REGISTER, soft=True)
                ),
                spacing="3",
                wrap="wrap",
            ),
            class_name="opening",
        ),
        rx.el.div(
            _step(
                "1",
                t("Link your exchange account"),
                t("With a key that may trade but not withdraw. It is sealed; only a worker opens it, never this site."),
            ),
            _step(
                "2",
                t("Choose a trader"),
                t("By risk-adjusted results that include his open losses, and by what his subscribers really earned."),
            ),
            _step(
                "3",
                t("Watch the copies arrive"),
                t("With the times from his fill to yours, the slippage in basis points, and the fees."),
            ),
            class_name="three",
        ),
        told(t(RISK), icon="triangle_alert", color="amber"),
    )


def _step(number: str, title: Text, text: Text) -> rx.Component:
    return rx.el.section(
        rx.el.div(number, class_name="face"),
        rx.el.h2(title, style={"fontSize": "var(--font-size-4)", "margin": "12px 0 4px"}),
        rx.el.p(text, class_name="quiet", style={"margin": "0"}),
        class_name="panel",
    )
