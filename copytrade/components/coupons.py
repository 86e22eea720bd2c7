"""The coupons of a profile: which there are, one more, and the end of one."""

import reflex as rx

from copytrade.components.forms import confirm, field, submit, text_input
from copytrade.components.panels import has
from copytrade.components.text import t
from copytrade.state.desk import Desk
from copytrade.state.desk_lines import CouponLine, ProfileLine


def coupons(row: ProfileLine) -> rx.Component:
    """Show a profile's coupons with the form for another."""
    return rx.el.div(
        rx.cond(
            has(Desk.coupons),
            rx.el.div(rx.foreach(Desk.coupons, _coupon), data_testid="coupons"),
            rx.el.p(t("No coupons yet. A coupon takes something off the price for whoever types its code."),
                    class_name="quiet", style={"margin": "0"}),
        ),
        rx.el.details(
            rx.el.summary(rx.el.strong(t("A new coupon"))),
            _form(row),
            class_name="folded",
            style={"marginTop": "12px"},
            # It folds, empty again, once the coupon is made.
            key=Desk.coupons.length().to_string(),  # pyright: ignore[reportAttributeAccessIssue]
        ),
        class_name="inside",
        key=row.id,
    )  # fmt: skip


def _coupon(one: CouponLine) -> rx.Component:
    return rx.el.div(
        rx.flex(
            rx.el.span(one.code, class_name="code"),
            rx.el.span(one.told),
            rx.el.span(one.used, " · ", one.ends, class_name="quiet"),
            rx.cond(
                one.is_live,
                confirm(
                    rx.el.button(t("End"), type="button", class_name="button plain"),
                    title=t("End the coupon {code}?", code=one.code),
                    text=t(
                        "Nobody else can use it. Whoever has it keeps what it takes off. This cannot be taken back."
                    ),
                    yes=t("End the coupon"),
                    on_yes=Desk.end_coupon(one.id),
                ),
            ),
            spacing="3",
            align="center",
            wrap="wrap",
        ),
        class_name="notice",
        key=one.id,
    )


def _form(row: ProfileLine) -> rx.Component:
    return rx.el.form(
        rx.el.div(
            field(
                t("Code"),
                text_input("code", required=True, max_length=30, auto_complete="off", spell_check=False),
                hint=t("3 to 30 letters from A to Z, digits or dashes."),
            ),
            field(
                t("Takes off"),
                rx.el.div(
                    text_input("off", required=True, input_mode="decimal", max_length=12),
                    rx.el.select(
                        rx.el.option("%", value="percent"),
                        rx.el.option(row.currency.upper(), value="amount"),  # pyright: ignore[reportAttributeAccessIssue]
                        name="kind",
                        class_name="input",
                        aria_label=t("Unit"),
                    ),
                    class_name="with-unit",
                ),
            ),
            class_name="pair",
        ),
        rx.el.div(
            field(
                t("For"),
                rx.el.select(
                    rx.el.option(t("the first payment"), value="once"),
                    rx.el.option(t("some months"), value="repeating"),
                    rx.el.option(t("every payment"), value="forever"),
                    name="duration",
                    class_name="input",
                ),
            ),
            field(
                t("How many months"),
                text_input("months", input_mode="numeric", max_length=2),
                hint=t("Only for some months."),
            ),
            class_name="pair",
        ),
        rx.el.div(
            field(
                t("How often it may be used"),
                text_input("most", input_mode="numeric", max_length=6),
                hint=t("Empty: as often as people like."),
            ),
            field(
                t("Last day"),
                text_input("ends_on", type="date"),
                hint=t("Empty: until you end it."),
            ),
            class_name="pair",
        ),
        submit(t("Make the coupon")),
        on_submit=Desk.make_coupon,
        reset_on_submit=False,
        class_name="fields",
    )
