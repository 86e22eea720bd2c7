"""The leaderboard."""

from typing import Any

import reflex as rx

from copytrade.components.charts import windows
from copytrade.components.figures import explained, figure, sparkline
from copytrade.components.forms import link_button
from copytrade.components.frame import page
from copytrade.components.guide import guide
from copytrade.components.panels import empty, has, heading, panel, when_loaded
from copytrade.components.quality import quality_table
from copytrade.components.text import Text, t
from copytrade.i18n.names import VENUES
from copytrade.state import routes
from copytrade.state.traders import EVERY, TraderLine, Traders


def traders() -> rx.Component:
    return page(
        heading(t("Traders"), Traders.told),
        guide(),
        _filters(),
        when_loaded(
            Traders,
            rx.cond(
                has(Traders.rows),
                panel(None, rx.el.div(_table(), class_name="wide")),
                empty(
                    t("Nobody here"),
                    rx.cond(
                        Traders.search != "",
                        t("No trader's name contains “{search}”.", search=Traders.search),
                        rx.cond(
                            _is_narrowed(),
                            t("No trader trades there yet."),
                            t("Traders appear here once they have published a profile."),
                        ),
                    ),
                    rx.cond(_is_narrowed(), link_button(t("See all traders"), routes.TRADERS, soft=True)),
                ),
            ),
            _pager(),
            rx.cond(
                has(Traders.quality),
                panel(t("How closely copies follow, by exchange"), quality_table(Traders.quality, of=t("Exchange"))),
            ),
        ),
    )


def _filters() -> rx.Component:
    sorts: dict[str, Text] = {
        "risk": t("return for risk"),
        "return": t("return"),
        "subscribers": t("subscribers' result"),
        "fall": t("smallest fall"),
        "age": t("age"),
        "price": t("price"),
    }
    return rx.flex(
        rx.el.form(
            rx.el.input(
                name="search",
                type="search",
                placeholder=t("Search by name"),
                aria_label=t("Search by name"),
                default_value=Traders.search,
                key=Traders.search,
                class_name="input",
                max_length=60,
            ),
            on_submit=Traders.find,
            style={"flex": "1 1 200px", "maxWidth": "320px"},
        ),
        windows(Traders.window, lambda value: Traders.choose("window", value)),
        _select("venue", t("Exchange"), {"": t("all exchanges"), **VENUES}, Traders.venue),
        _select(
            "market",
            t("Market"),
            {"": t("both markets"), "perpetual": t("perpetuals"), "spot": t("spot")},
            Traders.market,
        ),
        _select("sort", t("Sort by"), sorts, Traders.sort),
        spacing="3",
        align="center",
        wrap="wrap",
    )


def _is_narrowed() -> Any:
    return (Traders.venue != "") | (Traders.market != "")


def _select(name: str, label: Text, options: dict[str, Text], now: Text) -> rx.Component:
    return rx.el.select(
        *(rx.el.option(text, value=key or EVERY) for key, text in options.items()),
        value=rx.cond(now == "", EVERY, now),
        on_change=lambda value: Traders.choose(name, value),
        class_name="input",
        aria_label=label,
        style={"width": "auto"},
    )


def _table() -> rx.Component:
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.th(t("Trader")),
                rx.el.th(explained(t("Return"), t(RETURN)), class_name="right"),
                rx.el.th("", class_name="only-desk"),
                rx.el.th(explained(t("Subscribers' result"), t(NET)), class_name="right"),
                rx.el.th(explained(t("Worst fall"), t(FALL)), class_name="right"),
                rx.el.th(explained(t("Sharpe"), t(SHARPE)), class_name="right"),
                rx.el.th(t("Age"), class_name="right"),
                rx.el.th(t("Price a month"), class_name="right"),
            )
        ),
        rx.el.tbody(rx.foreach(Traders.rows, _row)),
        class_name="rows cards",
    )


def _row(row: TraderLine) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            rx.link(
                rx.el.span(row.initial, class_name="face", aria_hidden="true"),
                rx.el.span(
                    row.name,
                    rx.el.span(row.place, class_name="quiet line"),
                    rx.el.span(row.rank, class_name="quiet line"),
                ),
                href=row.href,
                class_name="who",
                underline="none",
            ),
            class_name="lead",
        ),
        rx.el.td(figure(row.result), class_name="right", custom_attrs={"data-name": t("Return")}),
        rx.el.td(sparkline(row.spark, row.spark_tone), class_name="only-desk"),
        rx.el.td(
            rx.el.span(figure(row.net), rx.el.br(), rx.el.span(row.net_note, class_name="quiet")),
            class_name="right",
            custom_attrs={"data-name": t("Subscribers' result")},
        ),
        rx.el.td(figure(row.fall), class_name="right", custom_attrs={"data-name": t("Worst fall")}),
        rx.el.td(
            rx.el.span(row.sharpe, rx.el.br(), rx.el.span(row.sample, class_name="quiet")),
            class_name="right",
            custom_attrs={"data-name": t("Sharpe")},
        ),
        rx.el.td(row.age, class_name="right", custom_attrs={"data-name": t("Age")}),
        rx.el.td(row.price, class_name="right", custom_attrs={"data-name": t("Price a month")}),
        # A list that changes under the hand must not turn one trader's link into another's.
        key=row.slug,
    )


def _pager() -> rx.Component:
    def button(text: Text, at: Text) -> rx.Component:
        return rx.el.button(
            text, type="button", class_name="button soft", on_click=Traders.choose("from", at.to_string())
        )

    return rx.flex(
        rx.cond(Traders.at > 0, button(t("Back"), Traders.at - 25)),
        rx.cond(Traders.more, button(t("More"), Traders.at + 25)),
        spacing="3",
        justify="center",
    )


RETURN = (
    "Growth of the account in the window, deposits and withdrawals taken out (time-weighted), open positions included."
)
NET = (
    "What the subscribers' own accounts made with this trader after fees and funding: the median over all of them, "
    "those who left included."
)
FALL = "The deepest fall of the account from its highest point in the window, open positions included."
SHARPE = (
    "Average daily return divided by how much it swings, for a year of 365 days. Under it stands from how many "
    "closed positions the trader's record is made."
)
