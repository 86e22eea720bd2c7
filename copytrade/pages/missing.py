"""What stands where an address leads nowhere."""

import reflex as rx

from copytrade.components.forms import link_button
from copytrade.components.frame import page
from copytrade.components.panels import empty
from copytrade.components.text import t
from copytrade.state import routes


def missing() -> rx.Component:
    return page(
        empty(
            t("There is no such page"),
            t("Perhaps the address was mistyped, or the link is an old one."),
            link_button(t("See the traders"), routes.TRADERS),
        )
    )
