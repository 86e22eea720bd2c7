"""Subscriptions: state, next charge, settings, pause, stop, and the stop of everything."""

from typing import Any

import reflex as rx

from copytrade.components.copy_settings import copy_settings
from copytrade.components.figures import paper_badge
from copytrade.components.forms import link_button, submit
from copytrade.components.frame import page
from copytrade.components.guide import guide
from copytrade.components.panels import empty, has, heading, panel, problem, skeleton, when_loaded
from copytrade.components.subscription_money import (
    again,
    invoices,
    money_news,
    moving,
    stop,
    take_back,
    unpaid,
    way,
    ways,
)
from copytrade.components.text import Text, t
from copytrade.copying.service import SwitchMode
from copytrade.state import routes
from copytrade.state.subscription_lines import SubscriptionLine
from copytrade.state.subscriptions import Subscriptions


def subscriptions() -> rx.Component:
    return page(rx.cond(Subscriptions.editing != "", _editing(), _list()), width="narrow")


def _list() -> rx.Component:
    return rx.fragment(
        heading(
            t("Subscriptions"),
            t("Whom you copy, with which settings, and when the next charge comes."),
            rx.cond(
                has(Subscriptions.rows),
                rx.el.button(
                    t("Card and invoices"), type="button", class_name="button soft", on_click=Subscriptions.portal
                ),
            ),
            rx.cond(has(Subscriptions.rows) | has(Subscriptions.papers), _stop_everything()),
        ),
        guide(),
        _switched(),
        when_loaded(
            Subscriptions,
            rx.cond(
                has(Subscriptions.rows) | has(Subscriptions.papers),
                rx.fragment(
                    rx.flex(rx.foreach(Subscriptions.rows, _subscription), direction="column", spacing="3"),
                    rx.cond(
                        has(Subscriptions.papers),
                        rx.fragment(
                            rx.el.h2(t("On paper"), style={"margin": "8px 0 0", "fontSize": "var(--font-size-4)"}),
                            rx.flex(rx.foreach(Subscriptions.papers, _subscription), direction="column", spacing="3"),
                        ),
                    ),
                ),
                empty(
                    t("You copy nobody yet"),
                    t("Choose a trader; what he does is then done on your account."),
                    link_button(t("See the traders"), routes.TRADERS, soft=True),
                ),
            ),
            invoices(),
            holding=skeleton(rows=2, height="120px"),
        ),
    )


def _editing() -> rx.Component:
    return rx.fragment(
        heading(
            t("How you copy {name}", name=Subscriptions.trader),
            t("What is open already stays as it is; changes hold for what he opens from now on."),
        ),
        problem(Subscriptions.problem),
        panel(
            None,
            copy_settings(
                Subscriptions,
                rx.el.button(t("Back"), type="button", class_name="button soft", on_click=Subscriptions.close),
                submit(t("Save")),
                on_submit=Subscriptions.save,
                starts=False,
            ),
        ),
    )


def _switched() -> rx.Component:
    """Say that everything is stopped, and offer to let it go on."""
    return rx.cond(
        Subscriptions.switch_told != "",
        _notice(
            Subscriptions.switch_told,
            t("Let copying go on"),
            Subscriptions.stop_everything(SwitchMode.ON.value),
            mark="switched",
        ),
    )


def _notice(text: Text, button: Text, on_click: Any, *, mark: str) -> rx.Component:
    return rx.callout.root(
        rx.callout.icon(rx.icon("octagon_alert", size=16)),
        rx.callout.text(
            text,
            rx.el.br(),
            rx.el.button(
                button, type="button", class_name="button soft", style={"marginTop": "8px"}, on_click=on_click
            ),
        ),
        color_scheme="amber",
        role="status",
        width="100%",
        custom_attrs={"data-testid": mark},
    )


def _subscription(row: SubscriptionLine) -> rx.Component:
    is_live = (row.state != "incomplete") & (row.state != "canceled")
    return rx.el.section(
        rx.flex(
            rx.el.div(
                rx.link(rx.el.strong(row.name), href=row.href, color_scheme="gray", high_contrast=True),
                " ",
                rx.cond(
                    row.is_paper,
                    paper_badge(row.is_paper),
                    rx.el.span(row.price, " ", t("a month"), class_name="quiet"),
                ),
                rx.el.div(row.account, " · ", row.next, class_name="quiet"),
                rx.cond(is_live, rx.el.div(row.open_told, class_name="quiet")),
                style={"flex": "1 1 230px", "minWidth": "0"},
            ),
            rx.flex(
                rx.cond(row.is_paused & is_live, rx.badge(t("paused"), color_scheme="amber", size="2")),
                rx.badge(row.state_text, color_scheme=row.tone, size="2"),  # pyright: ignore[reportArgumentType]
                spacing="2",
            ),
            justify="between",
            # On a phone the state stands above, not beside.
            align="end",
            wrap="wrap-reverse",
            spacing="3",
        ),
        money_news(row),
        rx.cond(is_live, _held_back(row)),
        rx.cond(
            row.state != "canceled",
            rx.el.ul(rx.foreach(row.settings, rx.el.li), class_name="plain said"),
        ),
        rx.cond(
            row.state == "incomplete",
            unpaid(row),
        ),
        rx.cond((row.state == "canceled") & ~row.is_paper, again(row)),
        rx.cond(is_live, _buttons(row)),
        moving(row),
        class_name="panel",
        key=row.id,
        custom_attrs={"data-state": row.state, "data-paper": rx.cond(row.is_paper, "yes", "no")},
    )


def _held_back(row: SubscriptionLine) -> rx.Component:
    return rx.fragment(
        rx.cond(
            row.stopped != "",
            rx.cond(
                row.may_resume,
                _notice(row.stopped, t("Let entries go on"), Subscriptions.go_on(row.id), mark="loss-stop"),
                rx.callout(row.stopped, icon="octagon_alert", color_scheme="amber", role="status", width="100%"),
            ),
        ),
        rx.cond(
            row.halted != "",
            _notice(
                t("Entries wait for you after a difference on the account: {symbols}.", symbols=row.halted),
                t("Let entries go on"),
                Subscriptions.release(row.id),
                mark="halted",
            ),
        ),
    )


def _buttons(row: SubscriptionLine) -> rx.Component:
    def soft(text: Text, on_click: Any) -> rx.Component:
        return rx.el.button(text, type="button", class_name="button soft", on_click=on_click)

    return rx.flex(
        rx.cond(
            (row.state == "past_due") | (row.state == "unpaid"),
            rx.el.button(t("Pay now"), type="button", class_name="button", on_click=Subscriptions.pay(row.id)),
        ),
        take_back(row),
        soft(t("Settings"), Subscriptions.edit(row.id)),
        rx.cond(
            row.is_paused,
            soft(t("Resume"), Subscriptions.resume(row.id)),
            soft(t("Pause"), Subscriptions.pause(row.id)),
        ),
        rx.cond(row.is_paper, rx.fragment(), soft(t("Account"), Subscriptions.choose_account(row.id))),
        stop(row),
        spacing="3",
        wrap="wrap",
    )


def _stop_everything() -> rx.Component:
    return ways(
        rx.el.button(rx.icon("octagon_x", size=16), t("Stop everything"), type="button", class_name="button danger"),
        t("Stop everything?"),
        t("It acts on all your subscriptions at once and lasts until you let copying go on. You stay subscribed."),
        way(
            t("Open nothing new"),
            Subscriptions.ways.follow,
            Subscriptions.stop_everything(SwitchMode.ENTRIES_OFF.value),
        ),
        way(
            t("Close everything now"), Subscriptions.ways.close, Subscriptions.stop_everything(SwitchMode.FLATTEN.value)
        ),
        way(
            t("Freeze"),
            t("Nothing at all is sent to your accounts, not even exits, until you let copying go on."),
            Subscriptions.stop_everything(SwitchMode.HANDS_OFF.value),
        ),
    )
