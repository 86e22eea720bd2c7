"""The frame of every page: top bar, on a phone a bottom bar, and the content between them."""

import reflex as rx

from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.language import Language
from copytrade.state.preferences import Preferences
from copytrade.state.visitor import Visitor


def page(*children: rx.Component, width: str = "") -> rx.Component:
    """Return a whole page around its content; `width` may be `narrow` or `slim`."""
    return rx.fragment(
        rx.el.a(t("Skip to the content"), href="#content", class_name="skip"),
        _topbar(),
        rx.el.main(*children, id="content", class_name=f"content {width}"),
        _foot(),
        _footbar(),
        rx.el.span(custom_attrs={"data-shown": Language.locale}, hidden=True),
    )


def _here(path: str) -> Text:
    now = rx.State.router.url.path
    inside = (now == path) | now.startswith(path + "/")
    return rx.cond(inside, "page", "false")


def _entry(path: str, name: Text) -> rx.Component:
    return rx.link(name, href=path, aria_current=_here(path), underline="none")


def _topbar() -> rx.Component:
    return rx.el.header(
        rx.el.div(
            rx.link(
                rx.image(src="/favicon.svg", width="26px", height="26px", alt=""),
                rx.el.span("CopyTrade"),
                href=routes.HOME,
                class_name="brand",
                underline="none",
            ),
            rx.el.nav(
                _entry(routes.TRADERS, t("Traders")),
                rx.cond(
                    Visitor.signed_in,
                    rx.fragment(
                        rx.cond(
                            Visitor.is_subscriber,
                            rx.fragment(
                                _entry(routes.WALLET, t("Wallet")),
                                _entry(routes.COPIES, t("Copies")),
                                _entry(routes.SUBSCRIPTIONS, t("Subscriptions")),
                            ),
                        ),
                        rx.cond(
                            Visitor.is_trader,
                            rx.fragment(_entry(routes.DESK, t("Desk")), _entry(routes.EARNINGS, t("Earnings"))),
                        ),
                        rx.cond(Visitor.is_operator, _entry(routes.OPERATOR, t("Operator"))),
                    ),
                ),
                class_name="nav only-desk",
                aria_label=t("Main"),
            ),
            rx.el.div(
                _language(),
                _theme(),
                rx.cond(Visitor.signed_in, rx.fragment(_bell(), _person()), _doors()),
                class_name="tools",
            ),
            class_name="inner",
        ),
        class_name="topbar",
    )


def _language() -> rx.Component:
    other = rx.cond(Language.locale == "ru", "en", "ru")
    return rx.button(
        rx.cond(Language.locale == "ru", "EN", "RU"),
        on_click=Preferences.choose_language(other),
        variant="ghost",
        color_scheme="gray",
        size="2",
        title=rx.cond(Language.locale == "ru", "Switch to English", "Переключить на русский"),
        aria_label=rx.cond(Language.locale == "ru", "Switch to English", "Переключить на русский"),
        data_testid="language",
    )


def _theme() -> rx.Component:
    return rx.icon_button(
        rx.color_mode_cond(rx.icon("moon", size=16), rx.icon("sun", size=16)),
        on_click=rx.toggle_color_mode,
        variant="ghost",
        color_scheme="gray",
        size="2",
        title=t("Dark or light"),
        aria_label=t("Dark or light"),
        data_testid="theme",
    )


def _bell() -> rx.Component:
    return rx.link(
        rx.icon("bell", size=18),
        rx.cond(
            Visitor.unread > 0,
            rx.el.span(rx.cond(Visitor.unread > 99, "99+", f"{Visitor.unread}"), class_name="unread"),
        ),
        href=routes.NOTICES,
        class_name="bell",
        aria_label=t("Notices, {n} unread", n=Visitor.unread),
        data_testid="bell",
    )


def _person() -> rx.Component:
    return rx.menu.root(
        rx.menu.trigger(
            rx.button(
                rx.icon("circle_user_round", size=18),
                rx.el.span(Visitor.name, class_name="only-desk"),
                variant="ghost",
                color_scheme="gray",
                data_testid="person",
                aria_label=t("Your menu"),
            )
        ),
        rx.menu.content(
            rx.el.div(Visitor.email, class_name="quiet", style={"padding": "6px 12px"}),
            rx.cond(Visitor.is_subscriber, _menu_entry(routes.SUBSCRIPTIONS, t("Subscriptions"))),
            _menu_entry(routes.ACCOUNTS, t("Exchange accounts")),
            rx.cond(
                Visitor.is_trader,
                rx.fragment(_menu_entry(routes.DESK, t("Desk")), _menu_entry(routes.EARNINGS, t("Earnings"))),
            ),
            rx.cond(
                Visitor.is_operator,
                rx.fragment(
                    _menu_entry(routes.OPERATOR, t("Operator")), _menu_entry(routes.OPERATOR_MONEY, t("Money"))
                ),
            ),
            _menu_entry(routes.SETTINGS, t("Settings")),
            rx.menu.separator(),
            rx.el.form(
                rx.el.button(t("Sign out"), type="submit", class_name="button plain", style={"padding": "6px 12px"}),
                action=routes.API_LOGOUT,
                method="post",
                on_submit=None,
                class_name="inline",
            ),
            align="end",
        ),
    )


def _menu_entry(path: str, name: Text) -> rx.Component:
    return rx.menu.item(name, on_select=rx.redirect(path))


def _doors() -> rx.Component:
    """Lead strangers in, once it is known that somebody is one."""
    return rx.cond(
        Visitor.known,
        rx.fragment(
            rx.link(t("Sign in"), href=routes.LOGIN, size="2", color_scheme="gray", white_space="nowrap"),
            rx.link(t("Sign up"), href=routes.REGISTER, class_name="button only-desk", underline="none"),
        ),
    )


def _footbar() -> rx.Component:
    def tab(path: str, icon: str, name: Text) -> rx.Component:
        return rx.link(rx.icon(icon, size=20), rx.el.span(name), href=path, aria_current=_here(path), underline="none")

    return rx.el.nav(
        tab(routes.TRADERS, "trending_up", t("Traders")),
        rx.cond(
            Visitor.signed_in,
            rx.fragment(
                rx.cond(
                    Visitor.is_subscriber,
                    rx.fragment(
                        tab(routes.WALLET, "wallet", t("Wallet")), tab(routes.COPIES, "copy_check", t("Copies"))
                    ),
                    tab(routes.ACCOUNTS, "key_round", t("Accounts")),
                ),
                rx.cond(
                    Visitor.is_trader,
                    tab(routes.DESK, "layout_dashboard", t("Desk")),
                    tab(routes.SUBSCRIPTIONS, "repeat", t("Subscriptions")),
                ),
                tab(routes.SETTINGS, "circle_user_round", t("You")),
            ),
            rx.fragment(
                tab(routes.HOME, "house", t("Home")),
                rx.cond(
                    Visitor.known,
                    rx.fragment(
                        tab(routes.LOGIN, "log_in", t("Sign in")),
                        tab(routes.REGISTER, "user_round_plus", t("Sign up")),
                    ),
                ),
            ),
        ),
        class_name="footbar",
        aria_label=t("Main"),
    )


RISK = (
    "Copy trading can lose all the money you put in. Past results say nothing about future ones. "
    "Keys that can withdraw are refused."
)


def _foot() -> rx.Component:
    return rx.el.footer(rx.el.div(rx.el.span(t(RISK)), class_name="inner"), class_name="foot")
