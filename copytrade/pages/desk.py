"""A trader's desk."""

import reflex as rx

from copytrade.components.coupons import coupons
from copytrade.components.figures import moment, stat, stats
from copytrade.components.forms import check, confirm, field, link_button, submit, text_input
from copytrade.components.frame import page
from copytrade.components.panels import empty, has, heading, panel, skeleton, told, when_loaded
from copytrade.components.text import Text, t
from copytrade.state import routes
from copytrade.state.desk import Desk
from copytrade.state.desk_lines import ProfileLine, SubscriberLine

NO_PAYOUTS = (
    "Subscribers pay for your profile, so Stripe has to know where to send your share before you publish it. It takes "
    "about five minutes."
)
ALSO = (
    "Those who subscribe already are told now and pay it from their first renewal that is {days} away or more; until "
    "then they may cancel. Otherwise they keep the price they have."
)


def desk() -> rx.Component:
    return page(
        heading(
            t("Desk"),
            t(
                "Your profiles, their price, and who copies you. Of each payment {share} is yours.",
                share=Desk.share_told,
            ),
        ),
        when_loaded(
            Desk,
            _profiles(),
            _money(),
            panel(
                t("Subscribers"),
                _subscribers(),
                aside=rx.cond(
                    has(Desk.subscribers),
                    rx.el.button(t("Export as CSV"), type="button", class_name="button soft", on_click=Desk.export),
                ),
            ),
            holding=skeleton(rows=3, height="120px"),
        ),
    )


def _money() -> rx.Component:
    return panel(
        t("Earnings"),
        stats(
            stat(t("Next payout"), Desk.upcoming.next, note=Desk.upcoming.told),
            stat(t("Owed to you"), Desk.upcoming.owed),
            stat(t("Held"), Desk.upcoming.held, note=Desk.upcoming.held_told),
            across=3,
        ),
        aside=link_button(t("All earnings"), routes.EARNINGS, soft=True),
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
                    rx.cond(row.trial != "", rx.fragment(" · ", row.trial)), " · ", row.subscribers,
                    class_name="quiet",
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
                    text=row.unpublishing,
                    yes=t("Take from the list"),
                    on_yes=Desk.unpublish(row.id),
                ),
                rx.el.button(
                    t("Publish"),
                    type="button",
                    class_name="button",
                    disabled=rx.cond(Desk.may_be_paid, False, True),
                    on_click=Desk.publish(row.id),
                ),
            ),
            rx.el.button(t("Change"), type="button", class_name="button soft", on_click=Desk.edit(row.id)),
            rx.el.button(t("Coupons"), type="button", class_name="button soft", on_click=Desk.show_coupons(row.id),
                         aria_expanded=rx.cond(Desk.couponing == row.id, "true", "false")),
            spacing="3",
            wrap="wrap",
            margin_top="12px",
        ),
        rx.cond(~Desk.may_be_paid & ~row.is_published, _set_up_first()),
        rx.cond(
            Desk.editing == row.id,
            _form(
                rx.fragment(),
                name=row.name,
                about=row.about,
                price=row.price_plain,
                currency=row.currency,
                trial=row.trial_days,
                also=rx.cond(row.has_subscribers, _also()),
            ),
        ),
        rx.cond(Desk.couponing == row.id, coupons(row)),
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
            _form(account, name="", about="", price="", currency=Desk.currencies[0], trial="0", also=rx.fragment()),
            rx.el.button(t("Write your profile"), type="button", class_name="button", on_click=Desk.edit("new")),
        ),
    )


def _set_up_first() -> rx.Component:
    return rx.el.div(
        told(t(NO_PAYOUTS), icon="landmark", color="amber"),
        rx.el.div(link_button(t("Set up payouts"), routes.EARNINGS), style={"marginTop": "12px"}),
        style={"marginTop": "12px"},
        custom_attrs={"data-testid": "no-payouts"},
    )


def _also() -> rx.Component:
    return rx.el.div(
        check("also", t("The new price also for those who subscribe already"), value="yes"),
        rx.el.p(t(ALSO, days=Desk.notice_days), class_name="quiet", style={"margin": "4px 0 0 24px"}),
    )


def _form(
    first: rx.Component, *, name: Text, about: Text, price: Text, currency: Text, trial: Text, also: rx.Component
) -> rx.Component:
    return rx.el.form(
        first,
        field(t("Name"), text_input("name", required=True, default_value=name, max_length=40)),
        field(
            t("About your trading"),
            rx.el.textarea(name="about", class_name="input", rows="4", default_value=about, max_length=1000),
            hint=t("What you trade, how long you hold, how you limit losses."),
        ),
        rx.el.div(
            field(
                t("Price a month"),
                rx.el.div(
                    text_input("price", required=True, input_mode="decimal", default_value=price, max_length=12),
                    rx.el.select(
                        rx.foreach(Desk.currencies, lambda code: rx.el.option(code.upper(), value=code)),
                        name="currency",
                        class_name="input",
                        default_value=currency,
                        aria_label=t("Currency"),
                    ),
                    class_name="with-unit",
                ),
                hint=Desk.bounds,
            ),
            rx.cond(
                Desk.most_trial > 0,
                field(
                    t("Free trial, days"),
                    text_input("trial_days", input_mode="numeric", default_value=trial, max_length=3),
                    hint=t("0 to {most}; each person has it once.", most=Desk.most_trial),
                ),
            ),
            class_name="pair",
        ),
        also,
        submit(t("Save")),
        on_submit=Desk.save,
        class_name="fields",
        style={"marginTop": "16px"},
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
            rx.cond(
                Desk.has_more,
                rx.el.p(t("These are the newest; all of them are in the export."), class_name="quiet"),
            ),
            class_name="wide",
        ),
        rx.el.p(
            t("Nobody copies you yet. They find you in the list of traders."), class_name="quiet", style={"margin": "0"}
        ),
    )
