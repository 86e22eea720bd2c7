"""Numbers and times: sign and triangle go with the colour, the unit with the number, the exact time on hover."""

import reflex as rx

from copytrade.components.text import Text, t
from copytrade.i18n.voice import Figure, Moment


def figure(value: Figure, *, class_name: str = "") -> rx.Component:
    """Show a signed number as gain or loss."""
    triangle = rx.match(
        value.tone,
        ("gain", rx.el.span("▲ ", aria_hidden="true")),
        ("loss", rx.el.span("▼ ", aria_hidden="true")),
        rx.fragment(),
    )
    return rx.el.span(triangle, value.text, class_name=f"number nowrap {class_name} {value.tone}")


def moment(at: Moment) -> rx.Component:
    """Show a time relative to now, with the exact one on hover."""
    return rx.el.time(at.text, title=at.exact)


def explained(label: Text, definition: Text) -> rx.Component:
    """Show a label whose definition is one click away."""
    return rx.el.span(
        label,
        rx.popover.root(
            rx.popover.trigger(
                rx.icon_button(
                    rx.icon("circle_help", size=12),
                    size="1",
                    variant="ghost",
                    color_scheme="gray",
                    aria_label=t("What is this?"),
                )
            ),
            rx.popover.content(rx.text(definition, size="2"), max_width="320px"),
        ),
        class_name="label",
    )


def stat(label: Text, value: rx.Component | Text, *, note: Text = "", definition: Text | None = None) -> rx.Component:
    """Show one number of a page's head."""
    return rx.el.div(
        explained(label, definition) if definition is not None else rx.el.span(label, class_name="label"),
        rx.el.div(value, class_name="value"),
        rx.el.div(note, class_name="note"),
        class_name="stat",
    )


def sparkline(points: Text, tone: Text) -> rx.Component:
    """Draw a small curve from the points of a 96 × 30 box."""
    return rx.el.svg(
        rx.el.svg.polyline(points=points),
        view_box="0 0 96 30",
        class_name=f"spark {tone}",
        aria_hidden="true",
        custom_attrs={"preserveAspectRatio": "none"},
    )


def stats(*cards: rx.Component, across: int) -> rx.Component:
    """Set the numbers of a page's head in rows of `across`; two stand beside each other on a phone."""
    return rx.el.div(*cards, class_name="stats", style={"--across": str(across)})


def paper_badge(is_paper: Text) -> rx.Component:
    """Mark what is made of play money."""
    return rx.cond(is_paper, rx.badge(t("PAPER"), color_scheme="purple", variant="surface"))
