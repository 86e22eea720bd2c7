"""Linking an exchange account: where, for what, how the key is made there, and what came of the check."""

from typing import Any

import reflex as rx

from copytrade.components.forms import copy_button, field, link_button, pick, secret_input, submit, text_input
from copytrade.components.panels import panel, problem
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.linking import Linking, Offer


def linking() -> rx.Component:
    """Show the form that links another account."""
    return panel(
        t("Link an account"),
        rx.el.div(
            _group(t("Which exchange?"), rx.foreach(Linking.venues, _venue), class_name="picks"),
            _group(t("Which market?"), rx.foreach(Linking.markets, _market), class_name="picks"),
            rx.cond(Linking.may_lead & Linking.may_copy, _group(t("What for?"), *_roles(), class_name="picks")),
            rx.cond(
                Linking.modes.length() > 1,  # pyright: ignore[reportAttributeAccessIssue]
                _group(t("With which money?"), rx.foreach(Linking.modes, _mode), class_name="picks"),
            ),
            _instructions(),
            _form(),
            class_name="fields",
        ),
        id="link",
    )


def _group(name: Text, *choices: Any, **props: Any) -> rx.Component:
    return rx.el.fieldset(rx.el.legend(name), rx.el.div(*choices, **props), class_name="group")


def _choose(name: str, value: Text, title: Text, text: Text, chosen: Text) -> rx.Component:
    return pick(
        f"choose_{name}",
        value,
        title,
        text,
        checked=chosen,
        on_change=lambda _: Linking.choose(name, value),
    )


def _venue(offer: Offer) -> rx.Component:
    text = rx.match(
        offer.value,
        ("bybit", t("needs a Unified Trading Account")),
        ("bitget", t("needs a classic account and a passphrase")),
        t("needs an ordinary account"),
    )
    return _choose("venue", offer.value, offer.name, text, Linking.venue == offer.value)


def _market(offer: Offer) -> rx.Component:
    is_spot = offer.value == "spot"
    title = rx.cond(is_spot, t("Spot"), t("Perpetuals"))
    text = rx.cond(is_spot, t("coins are bought and sold"), t("long and short, with leverage, settled in USDT"))
    return _choose("market", offer.value, title, text, Linking.market == offer.value)


def _mode(offer: Offer) -> rx.Component:
    return _choose("mode", offer.value, offer.name, "", Linking.mode == offer.value)


def _roles() -> tuple[rx.Component, ...]:
    return (
        _choose("role", "copy", t("To copy"), t("a trader's trades are copied to it"), Linking.role == "copy"),
        _choose("role", "lead", t("To be copied"), t("my trades on it are copied"), Linking.role == "lead"),
    )


def _instructions() -> rx.Component:
    def step(text: Text) -> rx.Component:
        return rx.el.li(text)

    return rx.el.div(
        rx.el.h3(t("How to make the key for {place}", place=Linking.place)),
        rx.el.ol(
            rx.foreach(Linking.steps, step),
            rx.el.li(Linking.address_step, _addresses()),
            rx.foreach(Linking.last_steps, step),
            class_name="told",
        ),
        data_testid="instructions",
    )


def _addresses() -> rx.Component:
    def one(address: Text) -> rx.Component:
        return rx.flex(
            rx.el.span(address, class_name="code"),
            copy_button(address, t("Copy the address")),
            align="center",
            spacing="2",
        )

    return rx.flex(
        rx.foreach(Linking.addresses, one),
        spacing="3",
        wrap="wrap",
        style={"marginTop": "6px"},
        data_testid="addresses",
    )


def _form() -> rx.Component:
    return rx.el.form(
        field(
            t("Name for yourself"),
            text_input(
                "label",
                max_length=60,
                placeholder=t("For example: copying only"),
                auto_complete="off",
                **_wrong("label"),
            ),
        ),
        field(
            t("API key"),
            text_input(
                "api_key", required=True, auto_complete="off", spell_check=False, max_length=256, **_wrong("api_key")
            ),
        ),
        field(
            t("Secret key"),
            secret_input("api_secret", required=True, max_length=256, **_wrong("api_secret")),
            hint=t("It is sealed at once and never shown again, not even to you."),
        ),
        rx.cond(
            Linking.asks_passphrase,
            field(
                t("Passphrase"),
                secret_input("passphrase", required=True, max_length=64, **_wrong("passphrase")),
                hint=t("The one you chose on Bitget when you made the key."),
            ),
        ),
        _problem(),
        _outcome(),
        submit(t("Link and check"), disabled=Linking.outcome == "checking"),
        on_submit=Linking.link,
        key=f"{Linking.form_round}",
        class_name="fields",
    )


def _wrong(name: str) -> dict[str, Any]:
    return {"aria_invalid": rx.cond(Linking.wrong == name, "true", "false")}


def _problem() -> rx.Component:
    """Say what could not be used, and in which field it stands."""
    name = rx.match(
        Linking.wrong,
        ("api_key", t("API key")),
        ("api_secret", t("Secret key")),
        ("passphrase", t("Passphrase")),
        "",
    )
    return rx.cond(Linking.problem != "", problem(rx.cond(name == "", Linking.problem, f"{name}: {Linking.problem}")))


def _outcome() -> rx.Component:
    return rx.el.div(
        rx.match(
            Linking.outcome,
            ("checking", checking(_asking())),
            ("refused", _refused()),
            ("linked", _linked()),
            rx.fragment(),
        ),
        role="status",
        custom_attrs={"data-outcome": Linking.outcome},
    )  # fmt: skip


def _asking() -> Text:
    return t("Asking {venue} what this key may do. This takes a few seconds.", venue=Linking.venue_told)


def checking(text: Text) -> rx.Component:
    """Show that an exchange is being asked."""
    return rx.el.div(rx.progress(size="1", duration="10s"), rx.el.span(text, class_name="quiet"), class_name="waiting")


def _refused() -> rx.Component:
    return rx.callout.root(
        rx.callout.icon(rx.icon("triangle_alert")),
        rx.callout.text(
            Linking.refusal,
            rx.cond(Linking.hint != "", rx.el.span(" ", Linking.hint)),
            " ",
            t("What you typed is still here: put it right and press “Link and check” again."),
        ),
        color_scheme="tomato",
        role="alert",
    )


def _linked() -> rx.Component:
    return rx.flex(
        rx.callout(t("{title} is linked.", title=Linking.title), icon="circle_check", color_scheme="jade"),
        rx.cond(
            Linking.role == "copy",
            link_button(
                t("Choose a trader"),
                f"{routes.TRADERS}?venue={Linking.venue}&market={Linking.market}",
            ),
            link_button(t("Write your profile"), routes.DESK),
        ),
        direction="column",
        align="start",
        spacing="3",
    )
