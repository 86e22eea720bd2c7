"""The four steps of a first visit, shown until the first copy has arrived."""

import reflex as rx

from copytrade.components.forms import link_button, stages
from copytrade.components.text import t
from copytrade.state.guide import Guide


def guide() -> rx.Component:
    """Show which step comes next and lead to it."""
    return rx.cond(
        Guide.stage < 5,
        rx.el.section(
            rx.flex(
                stages(
                    t("Link an account"), t("Choose a trader"), t("Pay"), t("Watch the first copy"), now=Guide.stage
                ),
                rx.cond(
                    rx.State.router.url.path.startswith(Guide.way),
                    rx.fragment(),
                    link_button(
                        rx.match(
                            Guide.stage,
                            (1, t("Link an account")),
                            (2, t("Choose a trader")),
                            (3, t("Go to payment")),
                            t("Watch"),
                        ),
                        Guide.way,
                    ),
                ),
                justify="between",
                align="center",
                spacing="4",
                wrap="wrap",
            ),
            class_name="panel",
            aria_label=t("First steps"),
        ),
    )
