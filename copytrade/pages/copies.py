"""The history of copies."""

import reflex as rx

from copytrade.components.figures import explained, figure, paper_badge, stat, stats
from copytrade.components.forms import link_button
from copytrade.components.frame import page
from copytrade.components.guide import guide
from copytrade.components.panels import empty, has, heading, panel, skeleton, when_loaded
from copytrade.components.receipt import receipt_view
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.copies import EVERY, Copies, CopyLine, Named, SkipTotal

DELAY = "From the trader's fill on his exchange to your order accepted on yours; half of the copies were faster."
SLIPPAGE = (
    "How much worse your price was than the trader's, in basis points: 1 bp is a hundredth of a percent. "
    "Half of the copies were better."
)
MADE = (
    "Each quantity that was not copied is priced by the trader's own exits of what he opened, last in, first out, "
    "before fees. It is known once he has left all of it."
)


def copies() -> rx.Component:
    s = Copies.summary
    return page(
        heading(
            t("Copies"),
            t(
                "Every order that was copied to your account, whatever was not, with its reason, and beside it what "
                "you traded there yourself."
            ),
            rx.cond(
                has(Copies.rows) & (Copies.only != "mine"),
                rx.el.button(t("Export as CSV"), type="button", class_name="button soft", on_click=Copies.export),
            ),
        ),
        guide(),
        when_loaded(
            Copies,
            stats(
                stat(t("Copied"), s.copied, note=t("{n} waiting", n=s.waiting)),
                stat(t("Skipped"), s.skipped, note=s.netted),
                stat(t("Failed"), s.failed),
                stat(t("Median delay"), s.delay, definition=t(DELAY)),
                stat(t("Median slippage"), s.slippage, definition=t(SLIPPAGE)),
                across=5,
            ),
            _filters(),
            rx.cond(has(Copies.rows), _rows(), _nothing()),
            rx.cond(has(Copies.skips), _skips()),
            holding=skeleton(rows=6, height="44px"),
        ),
    )


def _rows() -> rx.Component:
    more = rx.el.button(t("More"), type="button", class_name="button soft", on_click=Copies.show_more)
    return panel(
        None,
        rx.el.div(rx.foreach(Copies.rows, _copy), class_name="rowlist", data_testid="copies"),
        rx.cond(Copies.more, rx.flex(more, justify="center", margin_top="12px")),
    )


def _nothing() -> rx.Component:
    everything = link_button(t("Show everything"), routes.COPIES, soft=True)
    return rx.cond(
        (Copies.trader != "") | (Copies.reason != ""),
        empty(t("Nothing of this kind"), t("No copy fits all that you chose above."), everything),
        rx.match(
            Copies.only,
            (
                "",
                empty(
                    t("No copies yet"),
                    t("When a trader whom you copy trades next, you see it here within moments, without reloading."),
                    link_button(t("See the traders"), routes.TRADERS, soft=True),
                ),
            ),
            (
                "mine",
                empty(
                    t("No trades of your own"),
                    t("What you trade yourself on a copy account stands here within a minute."),
                ),
            ),
            empty(t("Nothing of this kind"), t("The other kinds may have something."), everything),
        ),
    )


def _filters() -> rx.Component:
    kinds: dict[str, Text] = {
        "all": t("All"),
        "copied": t("Copied"),
        "pending": t("Waiting"),
        "skipped": t("Skipped"),
        "failed": t("Failed"),
        "netted": t("Evened out"),
        "mine": t("My own trades"),
    }
    return rx.flex(
        rx.el.div(
            rx.segmented_control.root(
                *(rx.segmented_control.item(name, value=kind) for kind, name in kinds.items()),
                value=rx.cond(Copies.only == "", "all", Copies.only),
                on_change=lambda kind: Copies.choose("state", rx.cond(kind == "all", EVERY, kind)),
                size="1",
            ),
            class_name="wide",
            style={"width": "auto", "maxWidth": "100%"},
        ),
        _select("trader", t("Trader"), t("all traders"), Copies.traders, Copies.trader),
        _select("reason", t("Reason"), t("all reasons"), Copies.reasons, Copies.reason),
        spacing="3",
        align="center",
        wrap="wrap",
    )


def _select(name: str, label: Text, every: Text, options: list[Named], now: Text) -> rx.Component:
    return rx.cond(
        has(options),
        rx.el.select(
            rx.el.option(every, value=EVERY),
            rx.foreach(options, lambda one: rx.el.option(one.text, value=one.value)),
            value=rx.cond(now == "", EVERY, now),
            on_change=lambda value: Copies.choose(name, value),
            class_name="input filter",
            aria_label=label,
            name=name,
        ),
    )


def _copy(row: CopyLine) -> rx.Component:
    return rx.el.div(
        rx.cond(row.is_mine, _own(row), _copied(row)),
        class_name="copy",
        key=row.id,
        custom_attrs={"data-state": row.state, "data-id": row.id},
    )


def _what(row: CopyLine) -> tuple[rx.Component, ...]:
    return (
        rx.el.time(row.clock, title=row.at.exact, class_name="muted nowrap when"),
        rx.el.span(row.trader, " ", paper_badge(row.is_paper), class_name="trader"),
        rx.el.span(row.side, class_name=rx.cond(row.is_buy, "side gain", "side loss")),
        rx.el.span(
            rx.el.strong(row.symbol, class_name="nowrap"),
            " ",
            rx.el.span(row.market, class_name="quiet nowrap"),
            class_name="what",
        ),
        rx.el.span(row.amount, class_name="amount"),
        rx.badge(row.state_text, color_scheme=row.tone, class_name="state"),  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def _own(row: CopyLine) -> rx.Component:
    return rx.el.div(*_what(row), rx.el.span(row.fee, class_name="muted nowrap right fee"), class_name="line")


def _copied(row: CopyLine) -> rx.Component:
    is_open = Copies.opened == row.id
    return rx.fragment(
        rx.el.button(
            *_what(row),
            rx.el.span(row.slippage, class_name="muted nowrap right slip"),
            rx.el.span(row.delay, class_name="muted nowrap right delay"),
            rx.icon("chevron_right", size=14, class_name="chev"),
            type="button",
            class_name="line",
            aria_expanded=rx.cond(is_open, "true", "false"),
            on_click=Copies.open(row.id),
        ),
        rx.cond(row.reason != "", rx.el.div(row.reason, class_name="quiet reason")),
        rx.cond(is_open, receipt_view(Copies.receipt)),
    )


def _skips() -> rx.Component:
    """Say what was not copied in sum, by reason; a click shows the lines of one."""

    def row(one: SkipTotal) -> rx.Component:
        return rx.el.tr(
            rx.el.td(
                rx.el.button(one.text, type="button", class_name="button plain",
                             on_click=Copies.choose("reason", one.reason)),
                class_name="lead",
            ),
            rx.el.td(one.count, class_name="right", custom_attrs={"data-name": t("Times")}),
            rx.el.td(one.worth, class_name="right", custom_attrs={"data-name": t("Worth")}),
            rx.el.td(
                rx.el.span(figure(one.made), rx.cond(one.note != "", rx.el.span(one.note, class_name="quiet line"))),
                class_name="right",
                custom_attrs={"data-name": t("Would have made")},
            ),
        )  # fmt: skip

    return panel(
        t("Not copied in 30 days"),
        rx.el.div(
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th(t("Reason")),
                        rx.el.th(t("Times"), class_name="right"),
                        rx.el.th(t("Worth"), class_name="right"),
                        rx.el.th(explained(t("Would have made"), t(MADE)), class_name="right"),
                    )
                ),
                rx.el.tbody(rx.foreach(Copies.skips, row)),
                class_name="rows cards",
                data_testid="skips",
            ),
            class_name="wide",
        ),
    )
