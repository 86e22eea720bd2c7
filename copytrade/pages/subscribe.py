"""Subscribing to a trader: account, settings, summary and payment."""

from collections.abc import Callable

import reflex as rx

from copytrade.components.checkout import after_payment, consent_and_pay, runs, what_is_paid
from copytrade.components.copy_settings import copy_settings
from copytrade.components.figures import paper_badge
from copytrade.components.forms import field, link_button, stages, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import empty, has, heading, panel, problem, skeleton, told
from copytrade.components.text import t
from copytrade.state import routes
from copytrade.state.account_names import AccountChoice
from copytrade.state.subscribe import Subscribe

ON_PAPER = (
    "Copies go through the same engine to a practice exchange with real prices. Results look like real ones; nobody "
    "earns or loses anything."
)
RISK = (
    "You can lose all the money on this account. Nobody advises you; past results promise nothing. You may pause or "
    "stop at any time."
)


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
                heading(t("Copy {name}", name=Subscribe.name), rx.fragment(Subscribe.place, " · ", _told_price())),
                stages(
                    t("Account"),
                    t("Settings"),
                    rx.cond(Subscribe.is_paper, t("Summary and start"), t("Summary and payment")),
                    now=Subscribe.step,
                ),
                problem(Subscribe.problem),
                rx.cond(Subscribe.is_running & ~Subscribe.is_paper & (Subscribe.step < 4), runs(Subscribe)),
                rx.cond(
                    Subscribe.is_closed & (Subscribe.step < 4),
                    empty(
                        t("{name} takes no subscribers now", name=Subscribe.name),
                        t("Whoever subscribes already keeps what is paid. Perhaps another trader suits you."),
                        link_button(t("See the traders"), routes.TRADERS),
                    ),
                    rx.cond(
                        Subscribe.loaded,
                        rx.match(
                            Subscribe.step, (1, _account()), (2, _settings()), (4, after_payment(Subscribe)), _summary()
                        ),
                        rx.cond(Subscribe.problem == "", skeleton(rows=3, height="64px")),
                    ),
                ),
            ),
        ),
        width="narrow",
    )


def _price() -> rx.Component:
    return rx.fragment(
        Subscribe.price, " ", t("a month"), rx.cond(Subscribe.free != "", rx.fragment(" · ", Subscribe.free))
    )


def _told_price() -> rx.Component:
    return rx.cond(Subscribe.is_paper, rx.fragment(t("on paper, free"), " ", paper_badge(Subscribe.is_paper)), _price())


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

    return rx.fragment(
        panel(
            rx.cond(
                Subscribe.is_paper, t("With which play money?"), t("To which account shall the copies go?")
            ),
            rx.el.p(
                t("{name} trades {place}; a copy is made on the same exchange and market.",
                  name=Subscribe.name, place=Subscribe.place),
                class_name="quiet",
                style={"margin": "0 0 12px"},
            ),
            rx.cond(has(Subscribe.choices), _choose(choice), rx.cond(Subscribe.is_paper, rx.fragment(), _none())),
            rx.cond(Subscribe.is_paper, _open_paper()),
        ),
        _other_money(),
    )  # fmt: skip


def _choose(choice: Callable[[AccountChoice], rx.Component]) -> rx.Component:
    return rx.el.form(
        rx.foreach(Subscribe.choices, choice),
        rx.cond(Subscribe.is_paper, rx.fragment(), _others()),
        rx.flex(
            rx.cond(
                Subscribe.is_paper,
                rx.el.span(),
                rx.link(t("Link another account"), href=Subscribe.link, size="2"),
            ),
            submit(t("Next")),
            justify="between",
            align="center",
        ),
        on_submit=Subscribe.take_account,
        class_name="fields",
        key=Subscribe.account_id,
    )


def _none() -> rx.Component:
    return rx.fragment(
        empty(
            t("No account fits yet"),
            t("You need a copy account at {place}.", place=Subscribe.place),
            link_button(t("Link an account"), Subscribe.link),
        ),
        _others(),
    )


def _open_paper() -> rx.Component:
    return rx.cond(
        Subscribe.opening,
        rx.el.p(t("Your paper account is being opened…"), class_name="quiet", role="status"),
        rx.el.form(
            field(
                rx.cond(has(Subscribe.choices), t("Or open another with, USDT"), t("Open a paper account with, USDT")),
                text_input(
                    "funds", input_mode="decimal", default_value=Subscribe.funds, auto_complete="off", max_length=20
                ),
                hint=t("Play money on a practice exchange that follows the real prices. Nothing of it is real."),
            ),
            rx.cond(
                has(Subscribe.choices),
                rx.el.button(t("Open a paper account"), type="submit", class_name="button soft"),
                submit(t("Open a paper account")),
            ),
            on_submit=Subscribe.open_paper,
            class_name="fields",
            style={"marginTop": "16px"},
            custom_attrs={"data-testid": "open-paper"},
        ),
    )


def _other_money() -> rx.Component:
    """Lead to paper, and back to real money."""
    return rx.cond(
        Subscribe.is_paper,
        rx.el.button(
            t("Copy with real money instead"),
            type="button",
            class_name="button plain",
            on_click=Subscribe.choose_paper(False),
        ),
        rx.cond(
            Subscribe.offers_paper,
            rx.el.button(
                t("Try it on paper first, free"),
                type="button",
                class_name="button plain",
                on_click=Subscribe.choose_paper(True),
            ),
        ),
    )


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


def _settings() -> rx.Component:
    return panel(
        None,
        copy_settings(
            Subscribe,
            rx.el.button(t("Back"), type="button", class_name="button soft", on_click=Subscribe.back(1)),
            submit(t("Next")),
            on_submit=Subscribe.settle,
            starts=True,
        ),
    )


def _summary() -> rx.Component:
    back = rx.el.button(t("Back"), type="button", class_name="button soft", on_click=Subscribe.back(2))
    return rx.fragment(
        panel(
            t("Summary"),
            rx.el.dl(
                rx.el.dt(t("Trader")),
                rx.el.dd(Subscribe.name, " · ", Subscribe.place),
                rx.el.dt(t("Copies go to")),
                rx.el.dd(Subscribe.account_title, " ", paper_badge(Subscribe.is_paper)),
                rx.el.dt(t("Settings")),
                rx.el.dd(rx.foreach(Subscribe.summary, rx.el.div)),
                rx.el.dt(t("Start")),
                rx.el.dd(
                    rx.cond(
                        Subscribe.is_spot,
                        t("With the next coin he buys."),
                        t("With his next new position."),
                    ),
                    " ",
                    Subscribe.starts,
                ),
                rx.cond(
                    Subscribe.is_paper,
                    rx.fragment(rx.el.dt(t("Price")), rx.el.dd(t("Free: it is play money, until you stop it."))),
                ),
                class_name="pairs",
            ),
        ),
        rx.cond(Subscribe.is_paper, rx.fragment(), what_is_paid(Subscribe)),
        panel(
            None,
            rx.cond(
                Subscribe.is_paper,
                rx.fragment(
                    told(t(ON_PAPER), icon="flask_conical"),
                    rx.el.form(
                        rx.flex(back, submit(t("Start on paper")), justify="between"),
                        on_submit=Subscribe.pay,
                        class_name="fields",
                        style={"marginTop": "16px"},
                    ),
                ),
                rx.fragment(
                    told(t(RISK), icon="triangle_alert", color="amber"),
                    consent_and_pay(Subscribe, back=back),
                ),
            ),
        ),
    )
