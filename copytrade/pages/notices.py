"""Notices: the inbox and its preferences."""

import reflex as rx

from copytrade.components.figures import moment
from copytrade.components.frame import page
from copytrade.components.panels import empty, has, heading, panel, skeleton, when_loaded
from copytrade.components.text import Text, t
from copytrade.state.notices import NoticeLine, Notices, PreferenceLine


def notices() -> rx.Component:
    return page(
        heading(
            t("Notices"),
            t("What happened to your account, your copies and your payments."),
            rx.cond(
                Notices.has_unread,
                rx.el.button(t("Mark all as read"), type="button", class_name="button soft", on_click=Notices.read_all),
            ),
        ),
        when_loaded(
            Notices,
            rx.cond(
                has(Notices.rows),
                panel(None, rx.foreach(Notices.rows, _notice)),
                empty(t("Nothing yet"), t("When something happens that you should know, it stands here.")),
            ),
            panel(
                t("What comes by mail"),
                rx.el.p(
                    t("What concerns your sign-in, your keys, and a stop or loss always comes, both ways."),
                    class_name="quiet",
                    style={"margin": "0 0 12px"},
                ),
                rx.el.div(_preferences(), class_name="wide"),
            ),
            holding=skeleton(rows=5, height="56px"),
        ),
        width="narrow",
    )


def _notice(row: NoticeLine) -> rx.Component:
    return rx.el.article(
        rx.flex(
            rx.link(
                rx.cond(row.is_read, row.title, rx.el.strong(row.title)),
                href=row.path,
                on_click=Notices.read_one(row.id),
                color_scheme="gray",
                high_contrast=True,
            ),
            rx.el.span(moment(row.at), class_name="quiet nowrap"),
            justify="between",
            spacing="3",
        ),
        rx.el.p(row.body, class_name="quiet", style={"margin": "4px 0 0"}),
        class_name="notice",
        custom_attrs={"data-read": rx.cond(row.is_read, "yes", "no")},
    )


def _preferences() -> rx.Component:
    def way(one: PreferenceLine, channel: str, *, is_on: bool, name: Text) -> rx.Component:
        return rx.el.td(
            rx.switch(checked=is_on, on_change=lambda on: Notices.prefer(one.kind, channel, on), aria_label=name),
            class_name="right",
        )

    def row(one: PreferenceLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(one.title),
            way(one, "app", is_on=one.app, name=t("In the app")),
            way(one, "mail", is_on=one.mail, name=t("By mail")),
        )

    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.th(t("Notice")),
                rx.el.th(t("In the app"), class_name="right"),
                rx.el.th(t("By mail"), class_name="right"),
            )
        ),
        rx.el.tbody(rx.foreach(Notices.preferences, row)),
        class_name="rows",
    )
