"""The form of copy settings: essentials first, the rest folded with a line that says what it is set to."""

from typing import Any

import reflex as rx

from copytrade.components.copy_limits import losses, more_limits, oddities
from copytrade.components.forms import check, live_form
from copytrade.components.panels import has
from copytrade.components.setting_fields import fault_line, number, pick_one
from copytrade.components.text import t
from copytrade.domain.sizing import SizingMode, StartMode

PAUSE_MS = 350
"""After the last key until the example follows."""


def copy_settings(form: Any, *buttons: rx.Component, on_submit: Any, starts: bool) -> rx.Component:
    """Return the form over a state with CopyForm; `starts`: whether the copying is still to begin."""
    return live_form(
        _size(form),
        _example(form),
        _start(form) if starts else rx.fragment(),
        rx.el.section(
            rx.el.h3(t("Limits")),
            rx.el.div(
                number(
                    form,
                    "max_order_notional",
                    t("Largest order, USDT"),
                    hint=t("What goes beyond it is not copied and is listed with that reason. Empty: no limit."),
                ),
                number(
                    form,
                    "max_position_notional",
                    t("Largest position, USDT"),
                    hint=t("In one symbol, however many orders he makes of it. With a fixed size it is needed."),
                ),
                class_name="pair",
            ),
        ),
        losses(form),
        more_limits(form),
        oddities(form),
        rx.flex(*buttons, justify="between", gap="12px", wrap="wrap"),
        key=form.form_round,
        on_change=form.typed.debounce(PAUSE_MS),
        on_submit=on_submit,
        class_name="fields",
        custom_attrs={"data-testid": "copy-settings"},
    )


def _size(form: Any) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(t("How large shall a copy be?")),
        rx.el.div(
            pick_one(
                form,
                "mode",
                SizingMode.EQUITY,
                t("In proportion to the accounts"),
                t("When he puts 5 % of his account into a position, you put 5 % of yours times the factor."),
            ),
            pick_one(
                form,
                "mode",
                SizingMode.RATIO,
                t("A fixed ratio of his quantity"),
                t("When he buys 1 BTC and the factor is 0.1, you buy 0.1 BTC, however large either account is."),
            ),
            pick_one(
                form,
                "mode",
                SizingMode.FIXED_QUOTE,
                t("A fixed amount"),
                t("Each order of his becomes one of the same worth, however large his is."),
            ),
            pick_one(
                form,
                "mode",
                SizingMode.FIXED_PERCENT,
                t("A fixed share of your account"),
                t("Like a fixed amount, but it grows and falls with your account."),
            ),
            pick_one(
                form,
                "mode",
                SizingMode.FIXED_QUANTITY,
                t("A fixed quantity"),
                t("Each order of his becomes one of the same number of coins: for traders of one symbol."),
            ),
            class_name="fields tight",
        ),
        rx.el.div(
            number(
                form,
                "factor",
                rx.match(
                    form.draft.mode,
                    (SizingMode.FIXED_QUOTE.value, t("Amount per order, USDT")),
                    (SizingMode.FIXED_PERCENT.value, t("Share of your account per order, %")),
                    (SizingMode.FIXED_QUANTITY.value, t("Coins per order")),
                    t("Factor"),
                ),
                hint=rx.match(
                    form.draft.mode,
                    (SizingMode.EQUITY.value, t("1 is the same share as his, 0.5 is half of it.")),
                    (SizingMode.RATIO.value, t("0.1 is a tenth of his quantity.")),
                    t("For his whole order; where it is filled in parts, yours comes in the same parts."),
                ),
            ),
            style={"marginTop": "16px"},
        ),
        rx.cond(
            form.draft.mode == SizingMode.EQUITY.value,
            check(
                "keeps_margin",
                t("Keep a margin, so that a copy still fits when he uses his whole account (a little less each time)"),
                value="yes",
                default_checked=form.draft.keeps_margin == "yes",
            ),
        ),
        class_name="group fields",
    )


def _example(form: Any) -> rx.Component:
    shown = form.shown
    return rx.el.section(
        rx.el.div(
            rx.el.h3(t("What that means")),
            rx.cond(
                has(form.choices_of_symbols),
                rx.flex(
                    rx.el.label(
                        rx.el.span(t("His order"), class_name="quiet"),
                        rx.el.input(
                            name="example_quantity",
                            placeholder=shown.quantity,
                            default_value=form.draft.example_quantity,
                            input_mode="decimal",
                            auto_complete="off",
                            max_length=40,
                            class_name="input small",
                            aria_label=t("Size of his order in the example"),
                        ),
                        class_name="inline-field",
                    ),
                    rx.el.select(
                        rx.foreach(
                            form.choices_of_symbols,
                            lambda one: rx.el.option(one.name, value=one.symbol),  # pyright: ignore[reportUnknownLambdaType]
                        ),
                        name="example_symbol",
                        default_value=form.draft.example_symbol,
                        class_name="input small",
                        aria_label=t("Symbol of the example"),
                    ),
                    spacing="2",
                    align="center",
                    wrap="wrap",
                ),
            ),
            class_name="cap",
        ),
        fault_line(form, "example_quantity"),
        rx.cond(
            shown.is_known,
            rx.el.div(
                rx.el.p(rx.el.strong(shown.entry), " ", shown.share),
                rx.cond(shown.parts != "", rx.el.p(shown.parts)),
                rx.foreach(shown.cuts, lambda text: rx.el.p(text, class_name="cut")),
                rx.cond(shown.exit != "", rx.el.p(shown.exit, class_name="quiet")),
            ),
            rx.el.p(
                t("The example comes as soon as the exchange's rules and prices were read; this takes a minute."),
                class_name="quiet",
            ),
        ),
        class_name="example",
        aria_live="polite",
        custom_attrs={"data-testid": "example"},
    )


def _start(form: Any) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(t("What about the positions he holds now?"), " ", rx.el.span(form.holds, class_name="quiet")),
        rx.el.div(
            pick_one(
                form,
                "start_mode",
                StartMode.NEW_ONLY,
                t("Only new trades"),
                t("What he holds now is not copied, nor are its exits."),
            ),
            pick_one(
                form,
                "start_mode",
                StartMode.BETTER_PRICE,
                t("Join where the price is better than his"),
                rx.fragment(t("Open positions that you can enter cheaper than he did."), " ", form.joins_better),
            ),
            pick_one(
                form,
                "start_mode",
                StartMode.ALL,
                t("Join all"),
                t("All his open positions at the market's price now, even where he has already earned on them."),
            ),
            class_name="fields tight",
        ),
        class_name="group",
    )
