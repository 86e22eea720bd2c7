"""The card of an exchange account: can it work now, the facts of its key, and what may be done with it."""

import reflex as rx

from copytrade.components.figures import moment, paper_badge
from copytrade.components.forms import field, secret_input, submit, text_input
from copytrade.components.linking import checking
from copytrade.components.panels import has, problem, told
from copytrade.components.text import Text, t
from copytrade.state.account_lines import AccountLine, FindingLine
from copytrade.state.accounts import Accounts


def account_card(row: AccountLine) -> rx.Component:
    """Show one linked account."""
    is_here = Accounts.opened == row.id
    return rx.el.section(
        _head(row),
        rx.cond(
            row.state == "checking",
            checking(t("Asking {venue} what this key may do. This takes a few seconds.", venue=row.venue)),
        ),
        rx.cond(
            (row.state == "refused") & (row.reason != ""),
            rx.el.div(
                problem(row.reason),
                rx.cond(row.hint != "", rx.el.p(row.hint, class_name="quiet")),
                style={"marginTop": "12px"},
            ),
        ),
        rx.cond((row.state == "active") | (row.state == "paused"), rx.fragment(_work(row), _facts(row), _new_key(row))),
        rx.cond(
            row.state == "refused",
            _understood(Accounts.put_aside(row.id)),
            rx.cond(row.state != "checking", _buttons(row)),
        ),
        rx.cond(is_here & (Accounts.part == "name"), _name(row)),
        rx.cond(is_here & (Accounts.part == "key"), _key(row)),
        rx.cond(is_here & (Accounts.part == "findings"), _findings(row)),
        class_name="panel",
        key=row.id,
        custom_attrs={"data-state": row.state, "data-id": row.id, "data-works": rx.cond(row.can_work, "yes", "no")},
    )


def _item(text: Text) -> rx.Component:
    return rx.el.li(text)


def _head(row: AccountLine) -> rx.Component:
    return rx.flex(
        rx.el.div(
            rx.el.strong(row.title), " ", rx.el.span(row.key, class_name="code"), " ", paper_badge(row.is_paper),
            rx.el.div(row.role, class_name="quiet"),
        ),
        rx.badge(row.state_text, color_scheme=row.tone, size="2"),  # pyright: ignore[reportArgumentType]
        justify="between",
        align="start",
        spacing="3",
        wrap="wrap",
    )  # fmt: skip


def _work(row: AccountLine) -> rx.Component:
    return rx.el.div(
        rx.cond(
            row.can_work,
            rx.icon("circle_check", size=16, aria_hidden="true"),
            rx.icon("circle_alert", size=16, aria_hidden="true"),
        ),
        rx.el.div(
            rx.el.strong(row.work_told),
            rx.cond(has(row.obstacles), rx.el.ul(rx.foreach(row.obstacles, _item), class_name="plain")),
            rx.cond(row.hint != "", rx.el.div(row.hint, class_name="quiet")),
        ),
        class_name=rx.cond(row.can_work, "works gain", "works loss"),
        data_testid="works",
    )


def _facts(row: AccountLine) -> rx.Component:
    return rx.el.dl(
        rx.el.dt(t("Equity")),
        rx.el.dd(row.equity, " ", rx.el.span(moment(row.equity_at), class_name="quiet")),
        rx.cond(row.is_paper, rx.fragment(), _facts_of_key(row)),
        rx.el.dt(t("Checked")),
        rx.el.dd(moment(row.checked_at)),
        rx.el.dt(t("Last trade seen")),
        rx.el.dd(moment(row.last_fill_at)),
        rx.el.dt(t("Watched")),
        rx.el.dd(
            rx.el.span(class_name="lamp", custom_attrs={"data-light": row.light}, aria_hidden="true"), row.light_told
        ),
        rx.cond(
            row.used_by != "",
            rx.fragment(
                rx.el.dt(rx.cond(row.is_lead, t("Profile"), t("Copies"))), rx.el.dd(row.used_by)
            ),
        ),
        class_name="pairs",
        style={"marginTop": "12px"},
    )  # fmt: skip


def _facts_of_key(row: AccountLine) -> rx.Component:
    return rx.fragment(
        rx.el.dt(t("Key")),
        rx.el.dd(
            row.rights,
            rx.cond(row.network != "", rx.el.span(" · ", row.network)),
            rx.cond(
                row.expires != "",
                rx.el.span(" ", rx.badge(row.expires, color_scheme=row.expires_tone, size="1", data_testid="expiry")),  # pyright: ignore[reportArgumentType]
            ),
        ),
    )


def _new_key(row: AccountLine) -> Text:
    return rx.match(
        row.new_key,
        ("checking", checking(row.new_key_told)),
        (
            "refused",
            rx.el.div(
                told(row.new_key_told, icon="triangle_alert", color="amber"),
                _understood(Accounts.drop_replacement(row.id)),
                style={"marginTop": "12px"},
            ),
        ),
        rx.fragment(),
    )


def _understood(on_click: object) -> rx.Component:
    return rx.el.button(
        t("Understood"),
        type="button",
        class_name="button soft",
        style={"marginTop": "12px"},
        on_click=on_click,  # pyright: ignore[reportArgumentType]
    )


def _buttons(row: AccountLine) -> rx.Component:
    def soft(text: Text, on_click: object, part: str = "") -> rx.Component:
        is_open = (Accounts.opened == row.id) & (Accounts.part == part)
        pressed = {"aria_expanded": rx.cond(is_open, "true", "false")} if part else {}
        return rx.el.button(text, type="button", class_name="button soft", on_click=on_click, **pressed)  # pyright: ignore[reportArgumentType]

    return rx.flex(
        soft(t("Check again"), Accounts.recheck(row.id)),
        soft(t("Examine"), Accounts.examine(row.id)),
        rx.cond(row.examination != "", soft(t("Findings"), Accounts.open(row.id, "findings"), "findings")),
        soft(t("Rename"), Accounts.open(row.id, "name"), "name"),
        rx.cond(row.is_paper, rx.fragment(), soft(t("Replace the key"), Accounts.open(row.id, "key"), "key")),
        soft(t("Unlink"), Accounts.open(row.id, "unlink")),
        spacing="2",
        wrap="wrap",
        style={"marginTop": "12px"},
    )


def _name(row: AccountLine) -> rx.Component:
    return rx.el.form(
        problem(Accounts.problem),
        field(
            t("Name for yourself"),
            text_input(
                "label", required=True, max_length=60, default_value=row.label, auto_complete="off", auto_focus=True
            ),
        ),
        submit(t("Save")),
        on_submit=Accounts.rename,
        class_name="fields inside",
    )


def _key(row: AccountLine) -> rx.Component:
    return rx.el.form(
        problem(Accounts.problem),
        rx.el.p(
            t(
                "For a new key of the same account at {venue}. It is checked first; until it has passed, the old one "
                "is used and nothing is interrupted.",
                venue=row.venue,
            ),
            class_name="quiet",
            style={"margin": "0"},
        ),
        field(
            t("API key"),
            text_input(
                "api_key", required=True, auto_complete="off", spell_check=False, max_length=256, auto_focus=True
            ),
        ),
        field(t("Secret key"), secret_input("api_secret", required=True, max_length=256)),
        rx.cond(row.asks_passphrase, field(t("Passphrase"), secret_input("passphrase", required=True, max_length=64))),
        submit(t("Check and replace")),
        on_submit=Accounts.replace_key,
        class_name="fields inside",
    )


def _findings(row: AccountLine) -> rx.Component:
    def finding(one: FindingLine) -> rx.Component:
        sign = rx.match(
            one.verdict,
            ("ok", rx.icon("circle_check", size=16, aria_label=t("all right"))),
            ("warning", rx.icon("triangle_alert", size=16, aria_label=t("worth a look"))),
            rx.icon("circle_x", size=16, aria_label=t("a problem")),
        )
        return rx.el.li(sign, rx.el.strong(one.name), rx.el.span(one.text), custom_attrs={"data-verdict": one.verdict})

    return rx.el.div(
        problem(Accounts.problem),
        rx.cond(
            row.examination == "running",
            checking(t("Looking at clock, key, balances, market rules and stream. No order is placed.")),
        ),
        rx.el.ul(rx.foreach(row.findings, finding), class_name="findings"),
        rx.cond(
            row.examination == "done",
            rx.el.div(t("examined"), " ", moment(row.examined_at), class_name="quiet"),
        ),
        role="region",
        aria_label=t("Findings"),
        class_name="inside",
        data_testid="findings",
    )


def unlinking() -> rx.Component:
    """Ask once before an account is unlinked, saying what happens to what it copies."""
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title(t("Unlink {title}?", title=Accounts.title)),
            rx.alert_dialog.description(t("This cannot be taken back.")),
            rx.el.ul(rx.foreach(Accounts.effects, _item), class_name="told"),
            rx.el.div(problem(Accounts.problem), style={"marginBottom": "12px"}),
            rx.flex(
                rx.alert_dialog.cancel(
                    rx.el.button(t("Cancel"), type="button", class_name="button soft", on_click=Accounts.open("", ""))
                ),
                rx.alert_dialog.action(
                    rx.el.button(
                        t("Unlink"),
                        type="button",
                        class_name="button danger",
                        on_click=Accounts.unlink(Accounts.opened),
                    )
                ),
                spacing="3",
                justify="end",
            ),
            max_width="480px",
            on_escape_key_down=Accounts.open("", ""),
        ),
        open=Accounts.part == "unlink",
    )  # fmt: skip
