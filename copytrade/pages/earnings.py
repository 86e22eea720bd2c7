"""A trader's earnings: what is paid out next, the months, the audience, payouts with their lines, payments."""

import reflex as rx

from copytrade.components.charts import chart
from copytrade.components.figures import stat, stats
from copytrade.components.forms import link_button, sheet_link
from copytrade.components.frame import page
from copytrade.components.panels import empty, has, heading, panel, skeleton, told, when_loaded
from copytrade.components.payout_setup import payout_setup
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.earning_lines import AudienceLine, PaidLine, PartLine, PayoutLine
from copytrade.state.earnings import Earnings

OWED = "Your share of what was paid, less what went back and what was paid out to you."
HELD = "Held back for some days after each payment, in case it is taken back."
CHURN = "The part of those who subscribed when the month began and have left in it."


def earnings() -> rx.Component:
    return page(
        heading(
            t("Earnings"),
            t(
                "What your subscribers paid, and what of it is yours: {share} of each payment.",
                share=Earnings.share_told,
            ),
            rx.cond(
                Earnings.currencies.length() > 1,  # pyright: ignore[reportAttributeAccessIssue]
                rx.segmented_control.root(
                    rx.foreach(Earnings.currencies, lambda one: rx.segmented_control.item(one, value=one)),
                    value=Earnings.currency,
                    on_change=Earnings.choose_currency,
                    size="1",
                    aria_label=t("Currency"),
                ),
            ),
            link_button(t("Desk"), routes.DESK, soft=True),
        ),
        when_loaded(
            Earnings,
            payout_setup(Earnings),
            rx.cond(Earnings.upcoming.debt != "", told(Earnings.upcoming.debt, icon="triangle_alert", color="amber")),
            _figures(),
            rx.cond(has(Earnings.chart.rows), panel(t("By month"), chart(Earnings.chart, height=240), aside=_export())),
            rx.cond(has(Earnings.audience.months), panel(t("Who came, who left"), _audience())),
            panel(t("Payouts"), _payouts(), aside=rx.cond(has(Earnings.payouts), sheet_link("payouts"))),
            panel(t("Payments"), _paid(), aside=rx.cond(has(Earnings.paid), sheet_link("earnings"))),
            holding=rx.fragment(skeleton(rows=1, height="96px"), skeleton(rows=1, height="280px"), skeleton(rows=4)),
        ),
    )


def _export() -> rx.Component:
    return rx.el.button(
        t("Export as CSV"), type="button", class_name="button soft", on_click=Earnings.export, data_testid="months"
    )


def _figures() -> rx.Component:
    s = Earnings
    return stats(
        stat(t("Next payout"), s.upcoming.next, note=s.upcoming.told),
        stat(t("Owed to you"), s.upcoming.owed, definition=t(OWED)),
        stat(
            t("Held"),
            s.upcoming.held,
            note=rx.fragment(
                s.upcoming.held_told,
                rx.cond(s.upcoming.frozen != "", rx.el.div(t("{amount} frozen by disputes", amount=s.upcoming.frozen))),
            ),
            definition=t(HELD),
        ),
        stat(t("Subscribers"), s.audience.running, note=s.audience.note),
        stat(
            t("Left this month"),
            s.audience.left,
            note=t("churn {churn}; {came} came", churn=s.audience.churn, came=s.audience.came),
            definition=t(CHURN),
        ),
        across=5,
    )


def _audience() -> rx.Component:
    def row(one: AudienceLine) -> rx.Component:
        cells = (
            (t("At the start"), one.before),
            (t("Came"), one.came),
            (t("Left"), one.left),
            (t("Churn"), one.churn),
        )
        return rx.el.tr(
            rx.el.td(one.month, class_name="lead"),
            *(rx.el.td(value, class_name="right", custom_attrs={"data-name": name}) for name, value in cells),
        )

    return _table(row, Earnings.audience.months, t("Month"), t("At the start"), t("Came"), t("Left"), t("Churn"))


def _payouts() -> rx.Component:
    return rx.cond(
        has(Earnings.payouts),
        rx.el.div(rx.foreach(Earnings.payouts, _payout), data_testid="payouts"),
        empty(
            t("No payouts yet"),
            t("What is free goes out by itself on its date, once it reaches the minimum."),
        ),
    )


def _payout(row: PayoutLine) -> rx.Component:
    is_open = Earnings.opened == row.id
    return rx.el.div(
        rx.el.button(
            rx.el.span(row.day, title=row.at.exact),
            rx.el.strong(row.amount),
            rx.badge(row.state, color_scheme=row.tone, size="1"),  # pyright: ignore[reportArgumentType]
            rx.el.span(row.note, class_name="quiet"),
            rx.icon("chevron_right", size=14, class_name="chev"),
            type="button",
            class_name="line payout",
            aria_expanded=rx.cond(is_open, "true", "false"),
            on_click=Earnings.open(row.id),
        ),
        rx.cond(is_open, rx.el.div(_parts(), class_name="inside", role="region", aria_label=t("Payout"))),
        class_name="copy",
        key=row.id,
    )


def _parts() -> rx.Component:
    def row(one: PartLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(one.day, class_name="lead"),
            rx.el.td(one.what, custom_attrs={"data-name": t("What")}),
            rx.el.td(one.period, custom_attrs={"data-name": t("For")}),
            rx.el.td(one.amount, class_name="right", custom_attrs={"data-name": t("Yours")}),
        )

    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(t("When")), rx.el.th(t("What")), rx.el.th(t("For")),
                    rx.el.th(t("Yours"), class_name="right"),
                )
            ),
            rx.el.tbody(rx.foreach(Earnings.parts, row)),
            class_name="rows cards",
            data_testid="parts",
        ),
        class_name="wide",
    )  # fmt: skip


def _paid() -> rx.Component:
    def row(one: PaidLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(one.day, class_name="lead nowrap"),
            rx.el.td(one.subscriber, custom_attrs={"data-name": t("Subscriber")}),
            rx.el.td(one.amount, class_name="right", custom_attrs={"data-name": t("Paid")}),
            rx.el.td(one.platform, class_name="right", custom_attrs={"data-name": t("Platform")}),
            rx.el.td(rx.el.strong(one.mine), class_name="right", custom_attrs={"data-name": t("Yours")}),
            rx.el.td(one.note, class_name="quiet", custom_attrs={"data-name": t("State")}),
        )

    return rx.cond(
        has(Earnings.paid),
        rx.el.div(
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th(t("When")),
                        rx.el.th(t("Subscriber")),
                        *(rx.el.th(name, class_name="right") for name in (t("Paid"), t("Platform"), t("Yours"))),
                        rx.el.th(t("State")),
                    )
                ),
                rx.el.tbody(rx.foreach(Earnings.paid, row)),
                class_name="rows cards",
                data_testid="paid",
            ),
            class_name="wide",
        ),
        rx.el.p(t("Nobody has paid yet."), class_name="quiet", style={"margin": "0"}),
    )


def _table(row: Text, rows: Text, first: Text, *names: Text) -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(rx.el.th(first), *(rx.el.th(name, class_name="right") for name in names))),
            rx.el.tbody(rx.foreach(rows, row)),
            class_name="rows cards",
        ),
        class_name="wide",
    )
