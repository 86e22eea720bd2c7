"""Inputs, buttons and steps that ask first."""

from typing import Any, Literal

import reflex as rx

from copytrade.components.text import Text, t
from copytrade.state import routes


def _whole_form(event: rx.Var[Any]) -> tuple[rx.Var[dict[str, Any]]]:
    return (rx.Var(f"Object.fromEntries(new FormData({event!s}.currentTarget))", _var_type=dict[str, Any]),)


def field(
    label: Text, control: rx.Component, *, hint: Text | rx.Component | None = None, fault: Text | None = None
) -> rx.Component:
    """Put a label over an input, a hint under it, and what is wrong with what was typed."""
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        control,
        rx.el.span(hint, class_name="hint") if hint is not None else rx.fragment(),
        rx.cond(fault, rx.el.span(fault, class_name="fault", role="alert")) if fault is not None else rx.fragment(),
        class_name="field",
    )


class LiveForm(rx.el.Form):
    """A form that also tells everything typed so far at each change, as it tells it when it is sent."""

    on_change: rx.EventHandler[_whole_form]


def live_form(*children: rx.Component, **props: Any) -> rx.Component:
    """Return a form whose `on_change` is given all of its fields."""
    return LiveForm.create(*children, no_validate=True, **props)


def choice(label: Text, control: rx.Component, *, hint: Text | None = None) -> rx.Component:
    """Put a name over a group of buttons; no `label`, which would press the first of them."""
    return rx.el.div(
        rx.el.span(label, class_name="label", aria_hidden="true"),
        control,
        rx.el.span(hint, class_name="hint") if hint is not None else rx.fragment(),
        class_name="field",
        role="group",
        aria_label=label,
    )


def text_input(name: str, **props: Any) -> rx.Component:
    """Return an uncontrolled input: what is typed stays in the browser until the form is sent."""
    return rx.el.input(name=name, class_name="input", **props)


def secret_input(name: str, **props: Any) -> rx.Component:
    """Return an input for a secret: never prefilled, never remembered, masked."""
    return text_input(
        name,
        type="password",
        auto_complete="off",
        spell_check=False,
        auto_capitalize="none",
        auto_correct="off",
        **props,
    )


def pick(
    name: str, value: str, title: Text, text: Text, *, kind: Literal["radio", "checkbox"] = "radio", **props: Any
) -> rx.Component:
    """Return a choice that explains itself."""
    return rx.el.label(
        rx.el.input(type=kind, name=name, value=value, **props),
        rx.el.span(rx.el.strong(title), rx.el.br(), rx.el.span(text, class_name="quiet")),
        class_name="pick",
    )


def check(name: str, text: Text | rx.Component, **props: Any) -> rx.Component:
    """Return a tick with its sentence."""
    return rx.el.label(rx.el.input(type="checkbox", name=name, **props), rx.el.span(text), class_name="check")


def submit(text: Text, *, full: bool = False, **props: Any) -> rx.Component:
    """Return the button that sends a form."""
    return rx.el.button(text, type="submit", class_name="button full" if full else "button", **props)


def link_button(text: Text, href: Text, *, soft: bool = False) -> rx.Component:
    """Return a link that looks like the button it stands for."""
    return rx.link(text, href=href, class_name="button soft" if soft else "button", underline="none")


def sheet_link(name: str) -> rx.Component:
    """Return the link to a table of money for a spreadsheet; the API sends it as it is read."""
    return rx.el.a(
        t("Export as CSV"), href=routes.sheet(name), download=f"{name}.csv", class_name="button soft", data_testid=name
    )


def confirm(
    trigger: rx.Component,
    *,
    title: Text,
    text: Text | rx.Component,
    yes: Text,
    on_yes: Any,
    extra: rx.Component | None = None,
) -> rx.Component:
    """Ask once before a step that cannot be taken back, naming what it does in numbers."""
    return rx.alert_dialog.root(
        rx.alert_dialog.trigger(trigger),
        rx.alert_dialog.content(
            rx.alert_dialog.title(title),
            rx.alert_dialog.description(text),
            extra or rx.fragment(),
            rx.flex(
                rx.alert_dialog.cancel(rx.el.button(t("Cancel"), type="button", class_name="button soft")),
                rx.alert_dialog.action(rx.el.button(yes, type="button", class_name="button danger", on_click=on_yes)),
                spacing="3",
                justify="end",
                margin_top="16px",
            ),
            max_width="480px",
        ),
    )


def copy_button(value: Text, label: Text) -> rx.Component:
    """Return a button that puts a text into the clipboard."""
    return rx.el.button(
        rx.icon("copy", size=14),
        type="button",
        class_name="button soft",
        title=label,
        aria_label=label,
        on_click=[rx.set_clipboard(value), rx.toast.success(t("Copied"))],
    )


def stages(*names: Text, now: Text) -> rx.Component:
    """Show where in a few steps the person is."""

    def stage(index: int, name: Text) -> rx.Component:
        state = rx.cond(now == index, "now", rx.cond(now > index, "done", ""))
        return rx.el.li(
            rx.el.span(rx.cond(now > index, "✓", str(index)), class_name="dot"),
            name,
            class_name=state,
            aria_current=rx.cond(now == index, "step", "false"),
        )

    return rx.el.ol(*(stage(index, name) for index, name in enumerate(names, start=1)), class_name="stages")
