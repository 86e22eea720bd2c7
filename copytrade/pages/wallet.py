"""A subscriber's wallet."""

import reflex as rx

from copytrade.components.charts import chart, windows
from copytrade.components.figures import figure, moment, paper_badge, stat, stats
from copytrade.components.forms import link_button
from copytrade.components.frame import page
from copytrade.components.guide import guide
from copytrade.components.legs import copied_positions
from copytrade.components.panels import empty, has, panel, skeleton, when_loaded
from copytrade.components.positions import positions_table
from copytrade.components.text import t
from copytrade.pages.traders import FALL
from copytrade.state import routes
from copytrade.state.wallet import TraderResult, Wallet

GROWTH = "What copying and your own trades brought, deposits and withdrawals taken out (time-weighted)."


def wallet() -> rx.Component:
    return page(
        rx.el.div(
            rx.el.h1(t("Wallet"), " ", paper_badge(Wallet.money == "paper")),
            rx.cond(Wallet.has_paper & Wallet.has_money, _money()),
            class_name="heading",
        ),
        guide(),
        when_loaded(
            Wallet,
            rx.cond(
                Wallet.has_account,
                _wallet(),
                empty(
                    t("No copy account yet"),
                    t("Once you have linked one, its equity, positions and results stand here."),
                    link_button(t("Link an account"), f"{routes.ACCOUNTS}?role=copy"),
                ),
            ),
            holding=rx.flex(
                skeleton(rows=1, height="72px"), skeleton(rows=1, height="300px"), direction="column", spacing="4"
            ),
        ),
    )


def _money() -> rx.Component:
    """Choose between real money and paper: the two are never summed."""
    return rx.segmented_control.root(
        rx.segmented_control.item(t("Real money"), value="real"),
        rx.segmented_control.item(t("On paper"), value="paper"),
        value=Wallet.money,
        on_change=Wallet.choose_money,
        size="2",
        aria_label=t("Which money"),
    )


def _wallet() -> rx.Component:
    w = Wallet.worth
    return rx.fragment(
        rx.el.div(
            rx.el.span(w.equity, class_name="value"),
            rx.el.span(figure(w.change), " ", rx.el.span("(", figure(w.growth), ") ", w.since, class_name="quiet")),
            rx.el.span(t("updated"), " ", moment(w.as_of), class_name="quiet"),
            class_name="hero",
        ),
        stats(
            stat(t("Free"), w.available),
            stat(t("Open result"), figure(w.unrealized)),
            stat(t("Growth"), figure(w.growth), definition=t(GROWTH)),
            stat(t("Worst fall"), figure(w.fall), definition=t(FALL)),
            stat(t("Won"), w.wins, note=w.closed),
            stat(t("Fees"), w.fees, note=t("funding {amount}", amount=w.funding)),
            across=3,
        ),
        panel(
            t("Equity"),
            chart(Wallet.curve, height=300),
            aside=windows(Wallet.window, Wallet.choose_window, names=("7d", "30d", "90d", "all")),
        ),
        rx.el.div(
            panel(t("Result by trader"), _traders(), chart(Wallet.by_trader)),
            panel(t("Result by symbol"), chart(Wallet.by_symbol)),
            class_name="grid2",
        ),
        panel(
            t("Open positions"),
            rx.cond(
                has(Wallet.positions),
                rx.el.div(positions_table(Wallet.positions), class_name="wide"),
                rx.el.p(
                    rx.cond(
                        has(Wallet.legs.legs),
                        t("Nothing was open when the account was last read; what was copied since stands below."),
                        t("Nothing is open."),
                    ),
                    class_name="quiet",
                    style={"margin": "0"},
                ),
            ),
        ),
        copied_positions(Wallet.legs, on_release=Wallet.release),
    )


def _traders() -> rx.Component:
    def row(result: TraderResult) -> rx.Component:
        return rx.el.tr(
            rx.el.td(rx.link(result.name, href=result.href), class_name="lead"),
            rx.el.td(figure(result.net), class_name="right", custom_attrs={"data-name": t("Result")}),
            rx.el.td(figure(result.open), class_name="right", custom_attrs={"data-name": t("Open result")}),
            rx.el.td(result.fees, class_name="right", custom_attrs={"data-name": t("Fees")}),
        )

    return rx.cond(
        has(Wallet.traders),
        rx.el.div(
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th(t("Trader")),
                        *(rx.el.th(name, class_name="right") for name in (t("Result"), t("Open result"), t("Fees"))),
                    )
                ),
                rx.el.tbody(rx.foreach(Wallet.traders, row)),
                class_name="rows cards",
            ),
            class_name="wide",
        ),
        rx.fragment(),
    )
