"""Exchange accounts: link one, see what its key may do, unlink it."""

import reflex as rx

from copytrade.components.figures import moment
from copytrade.components.forms import confirm, copy_button, field, secret_input, submit, text_input
from copytrade.components.frame import page
from copytrade.components.guide import guide
from copytrade.components.panels import has, heading, panel, problem, skeleton, when_loaded
from copytrade.components.text import t
from copytrade.state.accounts import AccountLine, Accounts


def accounts() -> rx.Component:
    return page(
        heading(
            t("Exchange accounts"),
            t("Your keys are sealed as you send them; only a worker opens them, and nobody can withdraw with them."),
        ),
        guide(),
        when_loaded(
            Accounts,
            rx.cond(
                has(Accounts.rows),
                rx.flex(rx.foreach(Accounts.rows, _account), direction="column", spacing="3"),
            ),
            _link(),
            holding=skeleton(rows=2, height="96px"),
        ),
        width="narrow",
    )


def _account(row: AccountLine) -> rx.Component:
    return rx.el.section(
        rx.flex(
            rx.el.div(
                rx.el.strong(row.title),
                " ",
                rx.el.span(row.key, class_name="code"),
                rx.el.div(row.role, class_name="quiet"),
            ),
            rx.badge(row.state_text, color_scheme=row.tone, size="2"),  # pyright: ignore[reportArgumentType]
            justify="between",
            align="start",
            spacing="3",
            wrap="wrap",
        ),
        rx.cond(
            row.state == "checking",
            rx.el.div(
                rx.progress(size="1", duration="10s"),
                rx.el.span(
                    t("Asking the exchange what this key may do. This takes a few seconds."), class_name="quiet"
                ),
                role="status",
                style={"display": "flex", "flexDirection": "column", "gap": "8px", "margin": "12px 0 0"},
            ),
        ),
        rx.cond(row.reason != "", rx.el.div(problem(row.reason), style={"marginTop": "12px"})),
        rx.cond(row.state == "active", _facts(row)),
        rx.flex(
            rx.cond(
                row.state == "refused",
                rx.el.button(
                    t("Understood"), type="button", class_name="button soft", on_click=Accounts.put_aside(row.id)
                ),
                rx.cond(row.state != "checking", _buttons(row)),
            ),
            spacing="3",
            style={"marginTop": "12px"},
            wrap="wrap",
        ),
        class_name="panel",
        custom_attrs={"data-state": row.state},
    )


def _facts(row: AccountLine) -> rx.Component:
    return rx.el.dl(
        rx.el.dt(t("Equity")),
        rx.el.dd(row.equity, " ", rx.el.span(moment(row.equity_at), class_name="quiet")),
        rx.el.dt(t("Key")),
        rx.el.dd(row.rights, " · ", row.network, rx.cond(row.expires != "", rx.el.span(" · ", row.expires))),
        rx.el.dt(t("Checked")),
        rx.el.dd(moment(row.checked_at)),
        class_name="pairs",
        style={"marginTop": "12px"},
    )


def _buttons(row: AccountLine) -> rx.Component:
    return rx.fragment(
        rx.el.button(t("Check again"), type="button", class_name="button soft", on_click=Accounts.recheck(row.id)),
        confirm(
            rx.el.button(t("Unlink"), type="button", class_name="button soft"),
            title=t("Unlink {title}?", title=row.title),
            text=t(
                "Its key is destroyed here. Positions on the exchange stay as they are and are yours alone to close; "
                "account value {equity}.",
                equity=row.equity,
            ),
            yes=t("Unlink"),
            on_yes=Accounts.unlink(row.id),
        ),
    )


def _link() -> rx.Component:
    return panel(
        t("Link a Binance account"),
        rx.cond(Accounts.may_lead & Accounts.may_copy, _roles()),
        _instructions(),
        problem(Accounts.problem),
        rx.el.form(
            field(
                t("Name for yourself"),
                text_input("label", max_length=60, placeholder=t("For example: copying only"), auto_complete="off"),
            ),
            field(
                t("API key"),
                text_input("api_key", required=True, auto_complete="off", spell_check=False, max_length=256),
            ),
            field(
                t("Secret key"),
                secret_input("api_secret", required=True, max_length=256),
                hint=t("Typed once. It is sealed at once and never shown again, not even to you."),
            ),
            submit(t("Link and check")),
            on_submit=Accounts.link,
            reset_on_submit=True,
            key=f"{Accounts.form_round}",
            class_name="fields",
        ),
        id="link",
    )


def _roles() -> rx.Component:
    def choice(role: str, text: object) -> rx.Component:
        return rx.el.label(
            rx.el.input(
                type="radio", name="role", value=role, default_checked=Accounts.role == role,
                on_change=lambda _: Accounts.choose_role(role),
            ),
            rx.el.span(text),
            class_name="pick",
        )  # fmt: skip

    return rx.flex(
        choice("copy", t("A copy account: a trader's trades are copied to it")),
        choice("lead", t("A lead account: my trades on it are copied")),
        direction="column",
        spacing="2",
        style={"marginBottom": "16px"},
    )


def _instructions() -> rx.Component:
    is_lead = Accounts.role == "lead"
    return rx.el.ol(
        rx.el.li(
            rx.cond(
                is_lead,
                t("On Binance, open Account → API Management and make a system-generated key."),
                t(
                    "Best use a sub-account for copying alone: what you trade yourself beside it is told apart, but "
                    "shares the margin. On Binance, open Account → API Management and make a system-generated key."
                ),
            )
        ),
        rx.el.li(
            rx.cond(
                is_lead,
                t("Tick “Enable Reading”. Nothing else is needed. Leave “Enable Withdrawals” and transfers off."),
                t(
                    "Tick “Enable Reading” and “Enable Futures”. Leave “Enable Withdrawals” and all transfers off: "
                    "a key with them is refused."
                ),
            )
        ),
        rx.el.li(
            t("Restrict access to trusted addresses and put in ours:"),
            rx.flex(
                rx.foreach(
                    Accounts.addresses,
                    lambda address: rx.flex(
                        rx.el.span(address, class_name="code"),
                        copy_button(address, t("Copy the address")),
                        align="center",
                        spacing="2",
                    ),
                ),
                spacing="3",
                wrap="wrap",
                style={"marginTop": "6px"},
            ),
        ),
        rx.el.li(t("In the futures settings keep the position mode one-way.")),
        class_name="told",
    )
