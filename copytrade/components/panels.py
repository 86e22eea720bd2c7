"""Panels and the four states that each may be in: loading, empty, broken, behind."""

from typing import Any

import reflex as rx

from copytrade.components.text import Text, t


def has(rows: Any) -> Any:
    """Tell whether a list of rows has any."""
    return rows.length() > 0


def heading(title: Text, told: Text | rx.Component = "", *actions: rx.Component) -> rx.Component:
    """Show the page's one heading, the sentence that says what it tells, and its primary action."""
    return rx.el.div(
        rx.el.div(rx.el.h1(title), rx.el.p(told, class_name="told")),
        rx.flex(*actions, spacing="3", align="center", wrap="wrap"),
        class_name="heading",
    )


def panel(
    title: Text | None, *children: rx.Component, aside: rx.Component | None = None, id: str | None = None
) -> rx.Component:
    """Frame a part of a page under its own heading."""
    cap = () if title is None else (rx.el.div(rx.el.h2(title), aside or rx.fragment(), class_name="cap"),)
    return rx.el.section(*cap, *children, class_name="panel", id=id)


def skeleton(*, rows: int = 4, height: str = "38px") -> rx.Component:
    """Hold the place of what comes, in its shape."""
    return rx.flex(
        *(rx.skeleton(height=height, width="100%") for _ in range(rows)),
        direction="column",
        spacing="2",
        aria_busy="true",
        role="status",
        aria_label=t("Loading"),
    )


def empty(title: Text, text: Text, action: rx.Component | None = None) -> rx.Component:
    """Say what will be here and the one step that brings it."""
    return rx.el.div(rx.el.div(title, class_name="title"), rx.el.div(text), action or rx.fragment(), class_name="empty")


def problem(text: Text) -> rx.Component:
    """Say what went wrong, if something did."""
    return rx.cond(
        text != "",
        rx.callout(text, icon="triangle_alert", color_scheme="tomato", role="alert", width="100%"),
    )


def told(text: Text, *, icon: str = "info", color: Text = "gray") -> rx.Component:
    """Tell something that matters but is no error."""
    return rx.callout(text, icon=icon, color_scheme=color, width="100%")


def freshness(state: Any) -> rx.Component:
    """Say that the page is behind, and since when."""
    return rx.cond(
        state.stale,
        rx.el.div(t("As of {time}, reconnecting…", time=state.as_of), class_name="offline", role="status"),
    )


def when_loaded(state: Any, *shown: rx.Component, holding: rx.Component | None = None) -> rx.Component:
    """Show a skeleton until the page's rows are there, the problem where they cannot be."""
    return rx.fragment(
        freshness(state),
        problem(state.problem),
        rx.cond(
            state.loaded,
            rx.fragment(*shown),
            rx.cond(state.problem == "", holding or skeleton(), rx.fragment()),
        ),
    )
