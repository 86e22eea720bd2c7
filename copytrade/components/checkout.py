"""The summary before paying: what is charged when, whose it is, how one leaves; a coupon, the country, the consent."""

from typing import Any

import reflex as rx

from copytrade.components.figures import paper_badge
from copytrade.components.forms import check, field, link_button, submit, text_input
from copytrade.components.panels import empty, panel, told
from copytrade.components.text import Text, t
from copytrade.state import routes


def what_is_paid(s: Any) -> rx.Component:
    """Show the terms of the offer, with the coupon under them; `s` is a state with the paying form."""
    return panel(
        t("What you pay"),
        rx.el.dl(
            _pair(t("Today"), rx.el.strong(s.terms.today)),
            rx.cond(s.terms.trial != "", _pair(t("Free trial"), s.terms.trial)),
            _pair(t("Then"), s.terms.then),
            rx.cond(
                s.terms.coupon != "",
                _pair(
                    t("Coupon"),
                    rx.fragment(
                        s.terms.coupon,
                        " ",
                        rx.el.button(t("Remove"), type="button", class_name="button plain", on_click=s.drop_code),
                    ),
                ),
            ),
            _pair(t("Of it the trader's"), s.terms.share),
            _pair(t("Cancel"), s.terms.cancel),
            _pair(t("Money back"), s.terms.refund),
            _pair(t("Late payment"), s.terms.late),
            _pair(t("New price"), s.terms.new_price),
            class_name="pairs",
            custom_attrs={"data-testid": "terms"},
        ),
        rx.cond(s.terms.coupon == "", _coupon(s)),
    )


def _pair(name: Text, value: Text | rx.Component) -> rx.Component:
    return rx.fragment(rx.el.dt(name), rx.el.dd(value))


def _coupon(s: Any) -> rx.Component:
    return rx.el.details(
        rx.el.summary(t("I have a coupon"), class_name="quiet"),
        rx.el.form(
            field(
                t("Code"),
                rx.el.div(
                    text_input(
                        "code",
                        required=True,
                        max_length=30,
                        auto_complete="off",
                        auto_capitalize="characters",
                        spell_check=False,
                        aria_invalid=rx.cond(s.code_fault != "", "true", "false"),
                    ),
                    rx.el.button(t("Check"), type="submit", class_name="button soft"),
                    class_name="with-button",
                ),
                fault=s.code_fault,
            ),
            on_submit=s.use_code,
            class_name="fields",
            style={"marginTop": "8px"},
        ),
        style={"marginTop": "16px"},
        custom_attrs={"data-testid": "coupon"},
    )


def consent_and_pay(s: Any, *, back: rx.Component) -> rx.Component:
    """Ask for country and consent and lead to the payment page; where paid copying is off, say no instead."""
    return rx.el.form(
        field(
            t("The country you live in"),
            rx.el.select(
                rx.el.option(t("Choose"), value=""),
                rx.foreach(s.countries, lambda one: rx.el.option(one[1], value=one[0])),
                name="country",
                class_name="input",
                default_value=s.country,
                on_change=s.state_country,
                required=True,
            ),
        ),
        rx.cond(
            s.refused != "",
            rx.el.div(
                told(s.refused, icon="ban", color="tomato"),
                rx.cond(
                    s.offers_paper,
                    rx.el.button(
                        t("Try it on paper first, free"),
                        type="button",
                        class_name="button soft",
                        on_click=s.choose_paper(True),
                    ),
                ),
                class_name="fields",
                role="alert",
                custom_attrs={"data-testid": "refused"},
            ),
            check(
                "consent",
                t("I have read this and want to copy {name}.", name=s.name),
                value="yes",
                required=True,
            ),
        ),
        rx.flex(
            back,
            rx.cond(s.refused == "", submit(t("Go to payment"))),
            justify="between",
        ),
        rx.el.p(
            t("You pay at Stripe, on its page; we never see your card. Risk notice of version {version}.",
              version=s.risk_version),
            class_name="quiet",
            style={"margin": "0"},
        ),
        on_submit=s.pay,
        class_name="fields",
        style={"marginTop": "16px"},
    )  # fmt: skip


def runs(s: Any) -> rx.Component:
    """Say that there is nothing to pay: he copies this trader already."""
    return rx.el.div(
        told(t("You copy {name} already; it is paid. There is nothing to pay here.", name=s.name)),
        link_button(t("Your subscriptions"), routes.SUBSCRIPTIONS, soft=True),
        class_name="fields",
        custom_attrs={"data-testid": "runs"},
    )


def after_payment(s: Any) -> Text:
    """Tell how the payment came out; only what the bank confirmed is promised."""
    watch = link_button(t("Watch the copies"), routes.COPIES)
    first = t("The first copy arrives with the trader's next trade; you will see it without reloading.")
    return rx.match(
        s.paid,
        (
            "processing",
            empty(
                t("We wait for the bank"),
                rx.fragment(
                    t("Copying begins when the bank has confirmed your payment: mostly in seconds, sometimes later."),
                    " ",
                    t("The page goes on by itself, and you may leave it: you are told either way. Do not pay again."),
                ),
                rx.el.div(rx.spinner(size="2"), role="status", aria_label=t("Loading")),
            ),
        ),
        (
            "open",
            empty(
                t("The payment was not completed"),
                t("Nothing was charged and nothing is copied. Your settings are kept."),
                rx.el.button(t("Go to payment"), type="button", class_name="button", on_click=s.pay_again),
            ),
        ),
        (
            "canceled",
            empty(
                t("This subscription has ended"),
                t("You may choose a trader again at any time."),
                link_button(t("See the traders"), routes.TRADERS),
            ),
        ),
        (
            "trialing",
            empty(
                t("You copy {name} now", name=s.name),
                rx.fragment(
                    t("It is free until {day}; before that you are told what will be charged.", day=s.until),
                    " ",
                    first,
                ),
                watch,
            ),
        ),
        (
            "active",
            empty(t("You copy {name} now", name=s.name), rx.fragment(first, " ", paper_badge(s.is_paper)), watch),
        ),
        empty(
            t("Your payment needs you"),
            t("Something about it is not in order. What, stands with your subscriptions."),
            link_button(t("Your subscriptions"), routes.SUBSCRIPTIONS),
        ),
    )
