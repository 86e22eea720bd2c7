"""The inputs of the form of copy settings: each knows what was typed into it and what is wrong with that."""

from typing import Any

import reflex as rx

from copytrade.components.forms import field, text_input
from copytrade.components.text import Text


def folded(form: Any, names: tuple[str, ...], title: Text, line: Text, *shown: rx.Component) -> rx.Component:
    """Return a folded group; it opens by itself where one of its fields `names` is wrong."""
    is_wrong = form.faults.contains(names[0])
    for name in names[1:]:
        is_wrong = is_wrong | form.faults.contains(name)
    return rx.el.details(
        rx.el.summary(rx.el.strong(title), rx.el.span(line, class_name="quiet")),
        rx.el.div(*shown, class_name="fields"),
        class_name="folded",
        open=is_wrong,
    )


def pick_one(form: Any, name: str, value: str, title: Text, text: Text) -> rx.Component:
    """Return one of several choices, with its explanation."""
    return rx.el.label(
        rx.el.input(type="radio", name=name, value=str(value), default_checked=getattr(form.draft, name) == str(value)),
        rx.el.span(rx.el.strong(title), rx.el.br(), rx.el.span(text, class_name="quiet")),
        class_name="pick",
    )


def number(form: Any, name: str, label: Text, *, hint: Text, **props: Any) -> rx.Component:
    """Return a field for a number."""
    return field(label, typed_input(form, name, **props), hint=hint, fault=fault_of(form, name))


def typed_input(form: Any, name: str, **props: Any) -> rx.Component:
    """Return an input that shows the draft and is marked where it is wrong."""
    return text_input(
        name,
        id=name,
        default_value=getattr(form.draft, name),
        aria_invalid=rx.cond(form.faults.contains(name), "true", "false"),
        auto_complete="off",
        **{"input_mode": "decimal", "max_length": 40, **props},
    )


def select(form: Any, name: str, label: Text, *options: tuple[str, Text], hint: Text) -> rx.Component:
    """Return a field with a list to choose from."""
    return field(
        label,
        rx.el.select(
            *(rx.el.option(text, value=str(value)) for value, text in options),
            name=name,
            default_value=getattr(form.draft, name),
            class_name="input",
        ),
        hint=hint,
        fault=fault_of(form, name),
    )


def fault_of(form: Any, name: str) -> Text:
    """Return what is wrong with a field, or nothing."""
    return rx.cond(form.faults.contains(name), form.faults[name], "")


def fault_line(form: Any, name: str) -> rx.Component:
    """Say what is wrong with a field that stands without a label."""
    return rx.cond(
        form.faults.contains(name), rx.el.span(form.faults[name], class_name="fault", role="alert"), rx.fragment()
    )
