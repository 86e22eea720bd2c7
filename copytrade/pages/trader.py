"""A trader's page."""

import reflex as rx

from copytrade.analytics.charts import MonthCell, YearRow
from copytrade.components.charts import chart, windows
from copytrade.components.figures import explained, figure, moment, stat, stats
from copytrade.components.forms import link_button
from copytrade.components.frame import page
from copytrade.components.panels import empty, has, panel, skeleton, told, when_loaded
from copytrade.components.positions import positions_table
from copytrade.components.quality import nobody, quality_table, rotation
from copytrade.components.text import t
from copytrade.pages.traders import FALL, NET, RETURN, SHARPE
from copytrade.state import routes
from copytrade.state.position_lines import TripLine
from copytrade.state.trader import Trader

DELAY = (
    "From the trader's fill on his exchange to our order accepted on the subscriber's, the median; "
    "below it how much worse the price was, in hundredths of a percent."
)
FACTOR = "The sum of winning positions divided by the sum of losing ones; above 1 the trader earns."


def trader() -> rx.Component:
    return page(
        rx.cond(
            Trader.is_missing,
            empty(
                t("There is no such trader"),
                t("Perhaps he changed his name or took his profile back."),
                link_button(t("See the traders"), routes.TRADERS),
            ),
            when_loaded(
                Trader,
                _head(),
                _same_place(),
                rx.foreach(Trader.warnings, lambda text: told(text, icon="triangle_alert", color="amber")),
                _numbers(),
                panel(
                    t("Growth and falls"),
                    chart(Trader.curve, height=380),
                    aside=windows(Trader.window, Trader.choose_window),
                ),
                panel(
                    t("How closely he is copied"),
                    nobody(Trader.quality, quality_table(Trader.quality, of=t("Copies"))),
                    rotation(),
                    id="quality",
                ),
                rx.cond(has(Trader.years), panel(t("Returns by month"), rx.el.div(_months(), class_name="wide"))),
                rx.el.div(
                    panel(t("Result by symbol"), chart(Trader.symbols)),
                    panel(t("How results are spread"), chart(Trader.spread, height=260)),
                    class_name="grid2",
                ),
                _positions(),
                _trips(),
                holding=rx.flex(
                    skeleton(rows=1, height="64px"),
                    skeleton(rows=1, height="96px"),
                    skeleton(rows=1, height="380px"),
                    direction="column",
                    spacing="4",
                ),
            ),
        )
    )


def _head() -> rx.Component:
    head = Trader.head
    facts = [head.place, head.rank, head.age, head.subscribers]
    return rx.el.div(
        rx.flex(
            rx.el.span(
                head.initial,
                class_name="face",
                aria_hidden="true",
                style={"width": "52px", "height": "52px", "fontSize": "22px"},
            ),
            rx.el.div(
                rx.el.h1(head.name),
                rx.el.p(
                    *(item for fact in facts for item in (fact, " · ")),
                    t("own capital {capital}", capital=head.capital),
                    class_name="told",
                ),
                rx.cond(head.about != "", rx.el.p(head.about, style={"margin": "8px 0 0", "maxWidth": "70ch"})),
            ),
            spacing="4",
            align="start",
        ),
        rx.flex(
            rx.el.span(rx.el.strong(head.price), " ", rx.el.span(t("a month"), class_name="quiet")),
            rx.cond(
                head.is_mine,
                link_button(t("To your desk"), routes.DESK, soft=True),
                rx.cond(
                    head.is_subscribed,
                    link_button(t("You copy him"), routes.SUBSCRIPTIONS, soft=True),
                    rx.cond(
                        head.is_open,
                        link_button(t("Copy"), head.subscribe),
                        rx.el.span(t("Takes no subscribers now"), class_name="quiet"),
                    ),
                ),
            ),
            _on_paper(),
            spacing="4",
            align="center",
            wrap="wrap",
        ),
        class_name="heading",
    )


def _on_paper() -> rx.Component:
    """Offer to try him with play money, or say that one does."""
    head = Trader.head
    return rx.cond(
        head.is_on_paper,
        rx.link(t("You try him on paper"), href=routes.SUBSCRIPTIONS, size="2"),
        rx.cond(
            head.is_open & ~head.is_mine & (head.paper != ""),
            link_button(t("Try it on paper, free"), head.paper, soft=True),
        ),
    )


def _same_place() -> rx.Component:
    """Say on which exchange and market a copy of this trader is made, before anybody pays."""
    head = Trader.head
    return rx.cond(
        head.is_open & ~head.is_mine & ~head.is_subscribed,
        rx.el.p(
            t("He trades {place}, and a copy is made on the same exchange and market.", place=head.place),
            " ",
            rx.cond(
                head.has_account,
                t("You have such an account."),
                rx.fragment(
                    t("You need a copy account there."), " ", rx.link(t("Link one"), href=head.link, size="2")
                ),
            ),
            class_name="quiet",
            style={"margin": "0"},
            data_testid="same-place",
        ),
    )  # fmt: skip


def _numbers() -> rx.Component:
    n = Trader.numbers
    return stats(
        stat(t("Return"), figure(n.result), note=rx.fragment(figure(n.pnl)), definition=t(RETURN)),
        stat(t("Worst fall"), figure(n.fall), note=n.sample, definition=t(FALL)),
        stat(t("Sharpe"), n.sharpe, note=n.sample, definition=t(SHARPE)),
        stat(t("Subscribers' result"), figure(n.net), note=n.net_note, definition=t(NET)),
        stat(t("Delay of a copy"), n.delay, note=rx.fragment(n.slippage, " · ", n.copies), definition=t(DELAY)),
        stat(
            t("Profit factor"), n.profit_factor, note=t("{share} of positions won", share=n.wins), definition=t(FACTOR)
        ),
        stat(t("Holds a position"), n.holding, note=t("{n} positions a week", n=n.per_week)),
        stat(t("Fees"), n.fees, note=rx.cond(Trader.head.is_spot, "", t("funding {amount}", amount=n.funding))),
        across=4,
    )


def _months() -> rx.Component:
    def cell(month: MonthCell) -> rx.Component:
        return rx.el.td(month.text, class_name=f"right cell {month.tone} s{month.strength}")

    def year(row: YearRow) -> rx.Component:
        return rx.el.tr(
            rx.el.th(row.year, scope="row"),
            rx.foreach(row.months, cell),
            rx.el.td(rx.el.strong(row.total.text), class_name=f"right {row.total.tone}"),
        )

    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.th(""),
                rx.foreach(Trader.month_names, lambda name: rx.el.th(name, class_name="right")),
                rx.el.th(t("Year"), class_name="right"),
            )
        ),
        rx.el.tbody(rx.foreach(Trader.years, year)),
        class_name="rows months",
    )


def _positions() -> rx.Component:
    head = Trader.head
    return panel(
        rx.cond(head.is_spot, t("Coins he holds"), t("Open positions")),
        rx.cond(
            has(Trader.positions),
            rx.el.div(positions_table(Trader.positions), class_name="wide"),
            rx.el.p(
                rx.cond(
                    head.is_mine | head.is_subscribed,
                    t("Nothing is open."),
                    t("{count}; subscribers see which.", count=Trader.positions_told),
                ),
                class_name="quiet",
                style={"margin": "0"},
            ),
        ),
        aside=rx.el.span(t("updated"), " ", moment(head.as_of), class_name="quiet"),
    )


def _trips() -> rx.Component:
    def row(trip: TripLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(rx.el.strong(trip.symbol), " ", rx.el.span(trip.side, class_name="quiet"), class_name="lead"),
            rx.el.td(moment(trip.closed), class_name="right", custom_attrs={"data-name": t("Closed")}),
            rx.el.td(trip.quantity, class_name="right", custom_attrs={"data-name": t("Quantity")}),
            rx.el.td(trip.entry, class_name="right", custom_attrs={"data-name": t("Entry")}),
            rx.el.td(trip.exit, class_name="right", custom_attrs={"data-name": t("Exit")}),
            rx.el.td(figure(trip.result), class_name="right", custom_attrs={"data-name": t("Return")}),
            rx.el.td(
                rx.el.span(figure(trip.net), rx.cond(trip.note != "", rx.el.span(" ", trip.note, class_name="quiet"))),
                class_name="right",
                custom_attrs={"data-name": t("Result")},
            ),
        )

    return panel(
        t("Closed positions"),
        rx.cond(
            has(Trader.trips),
            rx.el.div(
                rx.el.table(
                    rx.el.thead(
                        rx.el.tr(
                            rx.el.th(t("Symbol")),
                            *(
                                rx.el.th(name, class_name="right")
                                for name in (t("Closed"), t("Quantity"), t("Entry"), t("Exit"), t("Return"))
                            ),
                            rx.el.th(explained(t("Result"), t("After fees and funding.")), class_name="right"),
                        )
                    ),
                    rx.el.tbody(rx.foreach(Trader.trips, row)),
                    class_name="rows cards",
                ),
                class_name="wide",
            ),
            rx.el.p(t("None in this window."), class_name="quiet", style={"margin": "0"}),
        ),
    )
