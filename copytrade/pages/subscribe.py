"""Subscribing to a trader: account, settings, summary and payment."""

import reflex as rx

from copytrade.components.forms import check, field, link_button, stages, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import empty, has, heading, panel, problem, skeleton, told
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.subscribe import AccountChoice, Subscribe


def subscribe() -> rx.Component:
    return page(
        rx.cond(
            Subscribe.is_missing,
            empty(
                t("There is no such trader"),
                t("Perhaps he changed his name or took his profile back."),
                link_button(t("See the traders"), routes.TRADERS),
            ),
            rx.fragment(
                heading(t("Copy {name}", name=Subscribe.name), rx.fragment(Subscribe.place, " · ", _price())),
                stages(t("Account"), t("Settings"), t("Summary and payment"), now=Subscribe.step),
                problem(Subscribe.problem),
                rx.cond(
                    Subscribe.loaded,
                    rx.match(Subscribe.step, (1, _account()), (2, _settings()), (4, _after()), _summary()),
                    rx.cond(Subscribe.problem == "", skeleton(rows=3, height="64px")),
                ),
            ),
        ),
        width="narrow",
    )


def _price() -> rx.Component:
    return rx.fragment(Subscribe.price, " ", t("a month"))


def _account() -> rx.Component:
    def choice(account: AccountChoice) -> rx.Component:
        return rx.el.label(
            rx.el.input(
                type="radio",
                name="account",
                value=account.id,
                default_checked=Subscribe.account_id == account.id,
            ),
            rx.el.span(
                rx.el.strong(account.title),
                rx.el.br(),
                rx.el.span(t("equity {amount}", amount=account.equity), class_name="quiet"),
            ),
            class_name="pick",
        )

    return panel(
        t("To which account shall the copies go?"),
        rx.el.p(
            t("{name} trades {place}; a copy is made on the same exchange and market.",
              name=Subscribe.name, place=Subscribe.place),
            class_name="quiet",
            style={"margin": "0 0 12px"},
        ),
        rx.cond(
            has(Subscribe.choices),
            rx.el.form(
                rx.foreach(Subscribe.choices, choice),
                _others(),
                rx.flex(
                    rx.link(t("Link another account"), href=Subscribe.link, size="2"),
                    submit(t("Next")),
                    justify="between",
                    align="center",
                ),
                on_submit=Subscribe.take_account,
                class_name="fields",
            ),
            rx.fragment(
                empty(
                    t("No account fits yet"),
                    t("You need a copy account at {place}.", place=Subscribe.place),
                    link_button(t("Link an account"), Subscribe.link),
                ),
                _others(),
            ),
        ),
    )  # fmt: skip


def _others() -> rx.Component:
    return rx.cond(
        has(Subscribe.others),
        rx.el.div(
            t("Your other copy accounts cannot copy him:"),
            rx.el.ul(
                rx.foreach(Subscribe.others, lambda one: rx.el.li(one.title, ": ", one.why)), class_name="plain"
            ),
            class_name="quiet",
            data_testid="others",
        ),
    )  # fmt: skip


def _mode(value: str, title: Text, text: Text) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="mode",
            value=value,
            default_checked=Subscribe.mode == value,
        ),
        rx.el.span(rx.el.strong(title), rx.el.br(), rx.el.span(text, class_name="quiet")),
        class_name="pick",
    )


def _settings() -> rx.Component:
    return panel(
        t("How large shall a copy be?"),
        rx.el.form(
            _mode(
                "equity",
                t("In proportion to the accounts"),
                t("When he puts 5 % of his account into a position, you put 5 % of yours times the factor."),
            ),
            _mode(
                "ratio",
                t("A fixed ratio of his quantity"),
                t("When he buys 1 BTC and the factor is 0.1, you buy 0.1 BTC, however large either account is."),
            ),
            field(
                t("Factor"),
                text_input(
                    "factor", required=True, input_mode="decimal", default_value=Subscribe.factor, auto_complete="off",
                    max_length=40,
                ),
                hint=t("In proportion: 1 is the same share as his. Fixed ratio: 0.1 is a tenth of his quantity."),
            ),
            field(
                t("Largest order, USDT"),
                text_input(
                    "max_order", input_mode="decimal", default_value=Subscribe.max_order, auto_complete="off",
                    max_length=40,
                ),
                hint=t("What goes beyond it is not copied and is listed with that reason. Empty: no limit."),
            ),
            rx.flex(
                rx.el.button(t("Back"), type="button", class_name="button soft", on_click=Subscribe.back(1)),
                submit(t("Next")),
                justify="between",
            ),
            on_submit=Subscribe.settle,
            class_name="fields",
        ),
    )  # fmt: skip


def _summary() -> rx.Component:
    return panel(
        t("Summary"),
        rx.el.dl(
            rx.el.dt(t("Trader")),
            rx.el.dd(Subscribe.name, " · ", Subscribe.place),
            rx.el.dt(t("Copies go to")),
            rx.el.dd(Subscribe.account_title),
            rx.el.dt(t("Size")),
            rx.el.dd(Subscribe.summary),
            rx.el.dt(t("Start")),
            rx.el.dd(
                rx.cond(
                    Subscribe.is_spot,
                    t("With the next coin he buys; what he holds now is not copied."),
                    t("With his next new position; what he holds now is not copied."),
                )
            ),
            rx.el.dt(t("Price")),
            rx.el.dd(_price(), ", ", t("renewed each month until you stop")),
            class_name="pairs",
            style={"marginBottom": "16px"},
        ),
        told(
            t(
                "You can lose all the money on this account. Nobody advises you; past results promise nothing. "
                "You may pause or stop at any time."
            ),
            icon="triangle_alert",
            color="amber",
        ),
        rx.el.form(
            check(
                "consent",
                t("I have read this and want to copy {name}.", name=Subscribe.name),
                value="yes",
                required=True,
            ),
            rx.flex(
                rx.el.button(t("Back"), type="button", class_name="button soft", on_click=Subscribe.back(2)),
                submit(t("Go to payment")),
                justify="between",
            ),
            on_submit=Subscribe.pay,
            class_name="fields",
            style={"marginTop": "16px"},
        ),
    )


def _after() -> Text:
    return rx.match(
        Subscribe.paid,
        (
            "processing",
            empty(
                t("Your payment is being confirmed"),
                t("This takes a few seconds; the page goes on by itself. You need not pay again."),
                rx.progress(size="1", duration="20s", width="200px"),
            ),
        ),
        (
            "open",
            empty(
                t("The payment was not completed"),
                t("Nothing was charged and nothing is copied. Your settings are kept."),
                rx.el.button(t("Go to payment"), type="button", class_name="button", on_click=Subscribe.pay_again),
            ),
        ),
        (
            "ended",
            empty(
                t("This subscription has ended"),
                t("You may choose a trader again at any time."),
                link_button(t("See the traders"), routes.TRADERS),
            ),
        ),
        empty(
            t("You copy {name} now", name=Subscribe.name),
            t("The first copy arrives with the trader's next trade; you will see it without reloading."),
            link_button(t("Watch the copies"), routes.COPIES),
        ),
    )
