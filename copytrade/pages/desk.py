"""A trader's desk."""

import reflex as rx

from copytrade.components.figures import moment, stat, stats
from copytrade.components.forms import confirm, field, link_button, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import empty, has, heading, panel, skeleton, when_loaded
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.desk import Desk, PeriodLine, ProfileLine, SubscriberLine


def desk() -> rx.Component:
    return page(
        heading(
            t("Desk"),
            t(
                "Your profiles, who copies you, and what you earned. Of each payment {share} is yours.",
                share=Desk.share_told,
            ),
        ),
        when_loaded(
            Desk,
            _profiles(),
            _earnings(),
            panel(t("Subscribers"), _subscribers()),
            holding=skeleton(rows=3, height="120px"),
        ),
    )


def _profiles() -> rx.Component:
    return rx.cond(
        ~has(Desk.profiles) & ~Desk.has_lead,
        empty(
            t("First link the account you trade on"),
            t("Its past is read as far as the exchange keeps it, so your statistics begin at once."),
            link_button(t("Link a lead account"), f"{routes.ACCOUNTS}?role=lead"),
        ),
        rx.fragment(
            rx.foreach(Desk.profiles, _profile),
            rx.cond(
                has(Desk.free_accounts),
                rx.cond(
                    (Desk.editing == "new") | ~has(Desk.profiles),
                    _new(),
                    rx.el.button(
                        t("Another profile"), type="button", class_name="button soft", on_click=Desk.edit("new")
                    ),
                ),
            ),
        ),
    )


def _profile(row: ProfileLine) -> rx.Component:
    return rx.el.section(
        rx.flex(
            rx.el.div(
                rx.link(rx.el.strong(row.name), href=row.href, color_scheme="gray", high_contrast=True),
                rx.el.div(
                    row.place, " · ", row.price, " ", t("a month"), ", ", t("{amount} of it yours", amount=row.share),
                    " · ", row.subscribers, class_name="quiet",
                ),
            ),
            rx.badge(
                rx.cond(row.is_published, t("public"), t("not public")),
                color_scheme=rx.cond(row.is_published, "jade", "gray"),
                size="2",
                custom_attrs={"data-published": rx.cond(row.is_published, "yes", "no")},
            ),
            justify="between",
            align="start",
            spacing="3",
        ),
        rx.cond(row.about != "", rx.el.p(row.about, style={"maxWidth": "70ch", "margin": "8px 0 0"})),
        rx.flex(
            rx.cond(
                row.is_published,
                confirm(
                    rx.el.button(t("Take from the list"), type="button", class_name="button soft"),
                    title=t("Take {name} from the list?", name=row.name),
                    text=t(
                        "Nobody new can subscribe. {subscribers} go on until their paid time is over.",
                        subscribers=row.subscribers,
                    ),
                    yes=t("Take from the list"),
                    on_yes=Desk.unpublish(row.id),
                ),
                rx.el.button(t("Publish"), type="button", class_name="button", on_click=Desk.publish(row.id)),
            ),
            rx.el.button(t("Change"), type="button", class_name="button soft", on_click=Desk.edit(row.id)),
            spacing="3",
            margin_top="12px",
        ),
        rx.cond(
            Desk.editing == row.id,
            _form(rx.fragment(), name=row.name, about=row.about, price=row.price_plain, button=t("Save")),
        ),
        class_name="panel",
        key=row.id,
    )  # fmt: skip


def _new() -> rx.Component:
    account = field(
        t("Account you trade on"),
        rx.el.select(
            rx.foreach(Desk.free_accounts, lambda row: rx.el.option(row.title, value=row.id)),
            name="lead_account_id",
            class_name="input",
        ),
    )
    return panel(
        t("New profile"),
        rx.cond(
            Desk.editing == "new",
            _form(account, name="", about="", price="", button=t("Save")),
            rx.el.button(t("Write your profile"), type="button", class_name="button", on_click=Desk.edit("new")),
        ),
    )


def _form(first: rx.Component, *, name: Text, about: Text, price: Text, button: Text) -> rx.Component:
    return rx.el.form(
        first,
        field(t("Name"), text_input("name", required=True, default_value=name, max_length=40)),
        field(
            t("About your trading"),
            rx.el.textarea(name="about", class_name="input", rows="4", default_value=about, max_length=1000),
            hint=t("What you trade, how long you hold, how you limit losses."),
        ),
        field(
            t("Price a month, USD"),
            text_input("price", required=True, input_mode="decimal", default_value=price, max_length=12),
            hint=t("From 1 to 10,000. Those who subscribed earlier keep their price."),
        ),
        submit(button),
        on_submit=Desk.save,
        class_name="fields",
        style={"marginTop": "16px"},
    )


def _earnings() -> rx.Component:
    def row(period: PeriodLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(moment(period.paid), class_name="lead"),
            rx.el.td(period.amount, class_name="right", custom_attrs={"data-name": t("Paid")}),
            rx.el.td(period.platform, class_name="right", custom_attrs={"data-name": t("Platform")}),
            rx.el.td(rx.el.strong(period.mine), class_name="right", custom_attrs={"data-name": t("Yours")}),
            rx.el.td(period.available, class_name="quiet"),
        )

    return panel(
        t("Earnings"),
        stats(
            stat(t("Earned"), Desk.money.total),
            stat(t("Held"), Desk.money.held, definition=t("Held back for some days, in case a payment is taken back.")),
            stat(t("Free for payout"), Desk.money.available),
            across=3,
        ),
        rx.cond(
            has(Desk.money.rows),
            rx.el.div(
                rx.el.table(
                    rx.el.thead(
                        rx.el.tr(
                            rx.el.th(t("When")),
                            *(rx.el.th(name, class_name="right") for name in (t("Paid"), t("Platform"), t("Yours"))),
                            rx.el.th(""),
                        )
                    ),
                    rx.el.tbody(rx.foreach(Desk.money.rows, row)),
                    class_name="rows cards",
                ),
                class_name="wide",
            ),
            rx.el.p(t("Nobody has paid yet."), class_name="quiet", style={"margin": "0"}),
        ),
    )


def _subscribers() -> rx.Component:
    def row(one: SubscriberLine) -> rx.Component:
        return rx.el.tr(
            rx.el.td(one.name, class_name="lead"),
            rx.el.td(one.profile, custom_attrs={"data-name": t("Profile")}),
            rx.el.td(one.state, custom_attrs={"data-name": t("State")}),
            rx.el.td(moment(one.since), custom_attrs={"data-name": t("Since")}),
            rx.el.td(one.price, class_name="right", custom_attrs={"data-name": t("Price a month")}),
        )

    return rx.cond(
        has(Desk.subscribers),
        rx.el.div(
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th(t("Name")),
                        rx.el.th(t("Profile")),
                        rx.el.th(t("State")),
                        rx.el.th(t("Since")),
                        rx.el.th(t("Price a month"), class_name="right"),
                    )
                ),
                rx.el.tbody(rx.foreach(Desk.subscribers, row)),
                class_name="rows cards",
            ),
            class_name="wide",
        ),
        rx.el.p(
            t("Nobody copies you yet. They find you in the list of traders."), class_name="quiet", style={"margin": "0"}
        ),
    )
