"""The folded groups of the form of copy settings: losses, further limits, what happens when something is odd."""

from typing import Any

import reflex as rx

from copytrade.components.forms import field
from copytrade.components.panels import has
from copytrade.components.setting_fields import fault_of, folded, number, pick_one, select, typed_input
from copytrade.components.text import Text, t
from copytrade.domain.sizing import (
    Direction,
    DriftLess,
    DriftLiquidated,
    DriftModes,
    DriftMore,
    EndMode,
    LossUnit,
    SilenceMode,
    StopMode,
)

LOST = ("max_daily_loss", "max_drawdown")
SCREWED = (
    "max_total_notional",
    "max_open_positions",
    "max_leverage",
    "directions",
    "symbols",
    "max_slippage",
    "max_entry_age_s",
)
ODD = ("silence_loss",)


def losses(form: Any) -> rx.Component:
    def loss(name: str, unit: str, label: Text, hint: Text) -> rx.Component:
        return field(
            label,
            rx.el.div(
                typed_input(form, name),
                rx.el.select(
                    rx.el.option("USDT", value=LossUnit.QUOTE.value),
                    rx.el.option("%", value=LossUnit.SHARE.value),
                    name=unit,
                    default_value=getattr(form.draft, unit),
                    class_name="input unit",
                    aria_label=t("Unit"),
                ),
                class_name="with-unit",
            ),
            hint=hint,
            fault=fault_of(form, name),
        )

    return folded(
        form,
        LOST,
        t("Loss limits"),
        form.shown.losses,
        rx.el.div(
            loss(
                "max_daily_loss",
                "daily_loss_unit",
                t("Loss of a day"),
                t("Of these copies since 00:00 UTC; % of the account then. Entries go on the next day."),
            ),
            loss(
                "max_drawdown",
                "drawdown_unit",
                t("Fall from the peak"),
                t("Of these copies since the start; % of the account at the peak. Entries go on when you say so."),
            ),
            class_name="pair",
        ),
        rx.el.fieldset(
            rx.el.legend(t("When a loss limit is reached")),
            rx.el.div(
                pick_one(
                    form,
                    "stop_mode",
                    StopMode.KEEP,
                    t("Open nothing new"),
                    t("What is open closes as he closes it."),
                ),
                pick_one(
                    form,
                    "stop_mode",
                    StopMode.CLOSE,
                    t("Close all copies at once"),
                    t("At the market's price, with nothing new after it."),
                ),
                class_name="picks",
            ),
            class_name="group",
        ),
    )


def more_limits(form: Any) -> rx.Component:
    return folded(
        form,
        SCREWED,
        t("More limits"),
        form.shown.limits,
        rx.el.div(
            number(
                form,
                "max_total_notional",
                t("Largest sum of all positions, USDT"),
                hint=t("Over all symbols of this trader. Empty: no limit."),
            ),
            number(
                form,
                "max_open_positions",
                t("Open positions at the same time"),
                hint=t("Further symbols are not entered. Empty: no limit."),
            ),
            class_name="pair",
        ),
        rx.el.div(
            rx.cond(
                form.can_short,
                number(
                    form,
                    "max_leverage",
                    t("Highest leverage"),
                    hint=t(
                        "All positions together are worth at most this times your account; his leverage is cut to it."
                    ),
                ),
            ),
            rx.cond(
                form.can_short,
                select(
                    form,
                    "directions",
                    t("Direction"),
                    (Direction.BOTH, t("Long and short")),
                    (Direction.LONG, t("Long only")),
                    (Direction.SHORT, t("Short only")),
                    hint=t("Which of his positions are copied."),
                ),
            ),
            class_name="pair",
        ),
        _symbols(form),
        rx.el.div(
            number(
                form,
                "max_slippage",
                t("Worst price, % from his"),
                hint=t("An entry that would cost more is not made. Empty: 0.5 % for BTC and ETH, 1.5 % for others."),
                placeholder="0.5 / 1.5",
            ),
            number(
                form,
                "max_entry_age_s",
                t("Oldest entry, seconds"),
                hint=t("What reaches us later than this after his trade is not entered. Exits are always made."),
            ),
            class_name="pair",
        ),
    )


def _symbols(form: Any) -> rx.Component:
    return rx.el.div(
        field(
            t("Only these symbols"),
            typed_input(form, "symbols", input_mode="text", max_length=2000, placeholder="BTC, ETH"),
            hint=t("Coins with commas between them, as the exchange names them. Empty: all."),
            fault=fault_of(form, "symbols"),
        ),
        rx.cond(
            has(form.choices_of_symbols),
            rx.flex(
                rx.el.span(t("He trades most:"), class_name="quiet"),
                rx.foreach(
                    form.choices_of_symbols,
                    lambda one: rx.el.button(  # pyright: ignore[reportUnknownLambdaType]
                        "+ ", one.base, type="button", class_name="chip", on_click=form.add_symbol(one.base)
                    ),
                ),
                spacing="2",
                wrap="wrap",
                align="center",
                margin_top="8px",
            ),
        ),
    )


def oddities(form: Any) -> rx.Component:
    return folded(
        form,
        ODD,
        t("When something is odd"),
        form.shown.oddities,
        rx.el.fieldset(
            rx.el.legend(t("The trader's account cannot be heard, neither live nor by asking, while copies are open")),
            rx.el.div(
                pick_one(form, "silence", SilenceMode.HOLD, t("Hold"), t("Wait until he is heard again.")),
                pick_one(
                    form,
                    "silence",
                    SilenceMode.PROTECT,
                    t("Protect"),
                    t("Close a copy once the market has moved against it by the share below."),
                ),
                pick_one(form, "silence", SilenceMode.FLATTEN, t("Close"), t("Close all copies of him at once.")),
                class_name="picks",
            ),
            class_name="group",
        ),
        rx.cond(
            form.draft.silence == SilenceMode.PROTECT.value,
            number(
                form,
                "silence_loss",
                t("Move against a copy, %"),
                hint=t("From the price at which he fell silent."),
            ),
        ),
        select(
            form,
            "drift_less",
            t("You sell of a copy yourself"),
            (DriftLess.ADOPT, t("Take it as it is and go on")),
            (DriftLess.HALT, t("Take it as it is and hold entries until you release them")),
            hint=t("The account holds less than was copied."),
        ),
        select(
            form,
            "drift_more",
            t("You buy more yourself"),
            (DriftMore.IGNORE, t("It is yours: leave it alone")),
            (DriftMore.HALT, t("Leave it alone and hold entries until you release them")),
            hint=t("The account holds more than was copied."),
        ),
        rx.cond(
            form.can_short,
            rx.fragment(
                select(
                    form,
                    "drift_liquidated",
                    t("A copy was liquidated"),
                    (DriftLiquidated.PAUSE, t("Pause the copying")),
                    (DriftLiquidated.HALT, t("Hold entries in that symbol until you release them")),
                    hint=t("The exchange closed a position for want of margin."),
                ),
                select(
                    form,
                    "drift_modes",
                    t("Leverage or modes were changed by hand"),
                    (DriftModes.HOLD, t("Hold entries while they differ")),
                    (DriftModes.RESET, t("Set them back when nothing is open")),
                    hint=t("On your account, by yourself or by another program."),
                ),
            ),
        ),
        select(
            form,
            "end_mode",
            t("The subscription lapses"),
            (EndMode.FOLLOW_EXITS, t("Follow his exits, open nothing new")),
            (EndMode.CLOSE, t("Close all copies at once")),
            (EndMode.KEEP, t("Keep the positions as your own")),
            hint=t("Unpaid past the days of grace, or his profile closed. When you stop it yourself you are asked."),
        ),
    )
