"""The landing page: what it is, what it does right now, and how one begins."""

import reflex as rx

from copytrade.components.figures import figure, sparkline, stat, stats
from copytrade.components.forms import link_button
from copytrade.components.frame import RISK, page
from copytrade.components.panels import has, panel, skeleton, told
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.home import Home
from copytrade.state.traders import TraderLine
from copytrade.state.visitor import Visitor


def home() -> rx.Component:
    return page(_opening(), _numbers(), _steps(), _best(), told(t(RISK), icon="triangle_alert", color="amber"))


def _opening() -> rx.Component:
    return rx.el.div(
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
                Visitor.signed_in,
                link_button(t("To your wallet"), routes.WALLET, soft=True),
                link_button(t("Create an account"), routes.REGISTER, soft=True),
            ),
            spacing="3",
            wrap="wrap",
        ),
        class_name="opening",
    )


def _numbers() -> rx.Component:
    n = Home.platform
    return rx.cond(
        Home.loaded,
        stats(
            stat(t("Copies today"), n.copies),
            stat(t("Median delay"), n.delay, note=t("trader's fill to your order accepted")),
            stat(t("Median slippage"), n.slippage, note=t("against the trader's price")),
            stat(t("Traders"), n.traders),
            stat(t("Copying now"), n.subscribers),
            across=5,
        ),
        stats(*(rx.skeleton(height="86px") for _ in range(5)), across=5),
    )


def _steps() -> rx.Component:
    return rx.el.div(
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
    )


def _step(number: str, title: Text, text: Text) -> rx.Component:
    return rx.el.section(
        rx.el.div(number, class_name="face", aria_hidden="true"),
        rx.el.h2(title, style={"fontSize": "var(--font-size-4)", "margin": "12px 0 4px", "fontWeight": "600"}),
        rx.el.p(text, class_name="quiet", style={"margin": "0"}),
        class_name="panel",
    )


def _best() -> rx.Component:
    def card(row: TraderLine) -> rx.Component:
        return rx.link(
            rx.flex(
                rx.el.span(row.initial, class_name="face", aria_hidden="true"),
                rx.el.div(rx.el.strong(row.name), rx.el.div(row.place, class_name="quiet")),
                spacing="3",
                align="center",
            ),
            rx.flex(
                rx.el.div(
                    rx.el.div(figure(row.result), style={"fontSize": "var(--font-size-5)", "fontWeight": "600"}),
                    rx.el.div(t("90 days"), " · ", t("worst fall"), " ", figure(row.fall), class_name="quiet"),
                ),
                sparkline(row.spark, row.spark_tone),
                justify="between",
                align="center",
                margin_top="12px",
            ),
            href=row.href,
            class_name="panel card",
            underline="none",
        )

    return rx.cond(
        Home.loaded,
        rx.cond(
            has(Home.best),
            panel(
                t("At the top now"),
                rx.el.div(rx.foreach(Home.best, card), class_name="three"),
                aside=rx.link(t("All traders"), href=routes.TRADERS, size="2"),
            ),
        ),
        skeleton(rows=1, height="150px"),
    )
