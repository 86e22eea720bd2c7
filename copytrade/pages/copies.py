"""The history of copies."""

import reflex as rx

from copytrade.components.figures import stat, stats
from copytrade.components.forms import link_button
from copytrade.components.frame import page
from copytrade.components.guide import guide
from copytrade.components.panels import empty, has, heading, panel, skeleton, when_loaded
from copytrade.components.text import t
from copytrade.state import routes
from copytrade.state.copies import Copies, CopyLine, Step

DELAY = "From the trader's fill on his exchange to your order accepted on yours; half of the copies were faster."
SLIPPAGE = (
    "How much worse your price was than the trader's, in basis points: 1 bp is a hundredth of a percent. "
    "Half of the copies were better."
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
        ),
        guide(),
        when_loaded(
            Copies,
            stats(
                stat(t("Copied"), s.copied),
                stat(t("Skipped"), s.skipped),
                stat(t("Failed"), s.failed),
                stat(t("Median delay"), s.delay, definition=t(DELAY)),
                stat(t("Median slippage"), s.slippage, definition=t(SLIPPAGE)),
                across=5,
            ),
            _filter(),
            rx.cond(
                has(Copies.rows),
                panel(
                    None,
                    rx.el.div(rx.foreach(Copies.rows, _copy), class_name="rowlist", data_testid="copies"),
                    rx.cond(
                        Copies.more,
                        rx.flex(
                            rx.el.button(t("More"), type="button", class_name="button soft", on_click=Copies.show_more),
                            justify="center",
                            margin_top="12px",
                        ),
                    ),
                ),
                rx.match(
                    Copies.only,
                    (
                        "",
                        empty(
                            t("No copies yet"),
                            t(
                                "When a trader whom you copy trades next, you see it here within moments, without "
                                "reloading."
                            ),
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
                    empty(t("Nothing of this kind"), t("The other kinds may have something.")),
                ),
            ),
            holding=skeleton(rows=6, height="44px"),
        ),
    )


def _filter() -> rx.Component:
    kinds = {
        "all": t("All"),
        "copied": t("Copied"),
        "pending": t("Waiting"),
        "skipped": t("Skipped"),
        "failed": t("Failed"),
        "mine": t("My own trades"),
    }
    return rx.el.div(
        rx.segmented_control.root(
            *(rx.segmented_control.item(name, value=kind) for kind, name in kinds.items()),
            value=rx.cond(Copies.only == "", "all", Copies.only),
            on_change=Copies.filter,
            size="1",
        ),
        class_name="wide",
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
        rx.el.span(row.trader, class_name="trader"),
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
        rx.cond(is_open, _receipt()),
    )


def _receipt() -> rx.Component:
    def step(one: Step) -> rx.Component:
        return rx.fragment(
            rx.cond(one.after != "", rx.el.span(one.after, class_name="gap")),
            rx.el.span(rx.el.span(one.name), rx.el.b(one.at), class_name="step"),
        )

    return rx.el.div(
        rx.el.div(rx.foreach(Copies.receipt.steps, step), class_name="steps"),
        rx.el.dl(
            rx.foreach(Copies.receipt.pairs, lambda pair: rx.fragment(rx.el.dt(pair[0]), rx.el.dd(pair[1]))),
            class_name="pairs",
        ),
        class_name="inside",
        role="region",
        aria_label=t("Receipt"),
    )
