"""Copied positions as a page shows them: what each should be, what it is, why they differ; and what was found odd."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from copytrade import clock
from copytrade.copying import queries as copying
from copytrade.copying.queries import DriftKind
from copytrade.i18n.names import base_asset, kind_name, symbol_name
from copytrade.i18n.reasons import reason_text, wait_text
from copytrade.i18n.voice import Moment, Voice
from copytrade.state.copy_lines import is_dust

KINDS = {
    DriftKind.LESS: "the account held less than was copied",
    DriftKind.MORE: "the account held more than was copied",
    DriftKind.LIQUIDATED: "the exchange liquidated the position",
    DriftKind.MODES: "leverage or modes of the account were changed",
}
ORDERS = {
    "adopt": "taken over: copying goes on with what is there",
    "ignore": "left alone: it is yours",
    "halt": "entries are held until you let them go on",
    "pause": "taken over, and copying was paused",
    "hold": "entries are held while they differ",
    "reset": "set back when nothing was open",
}
"""What the subscriber's policy made of it."""

MODES = {"cross": "cross", "isolated": "isolated", "one-way": "one-way", "hedge": "hedge"}
"""Modes of an account, as a drift names them."""


@dataclass(frozen=True, slots=True)
class LegLine:
    """A copied position: what it should be and what it is."""

    trader: str
    symbol: str
    market: str
    target: str
    held: str
    why: str
    is_paper: bool = False


@dataclass(frozen=True, slots=True)
class DriftLine:
    """What an account was found to be, and what was done."""

    at: Moment
    trader: str
    symbol: str
    market: str
    what: str
    found: str
    done: str
    state: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A subscription whose entries wait for the subscriber after a drift."""

    subscription_id: str
    trader: str
    symbols: str


@dataclass(frozen=True, slots=True)
class LegsView:
    """What the wallet shows of copied positions."""

    legs: list[LegLine] = field(default_factory=list)
    held: list[HeldLine] = field(default_factory=list)
    drifts: list[DriftLine] = field(default_factory=list)


def legs_view(
    legs: Sequence[copying.OpenLegRow],
    drifts: Sequence[copying.DriftRow],
    halted: Sequence[copying.HaltedRow],
    voice: Voice,
) -> LegsView:
    """Return copied positions and drifts as they are shown."""
    return LegsView(
        [_leg(row, voice) for row in legs],
        [
            HeldLine(str(one.subscription_id), one.trader_name, ", ".join(symbol_name(name) for name in one.symbols))
            for one in halted
        ],
        [_drift(row, voice) for row in drifts],
    )


def _leg(row: copying.OpenLegRow, voice: Voice) -> LegLine:
    unit = base_asset(row.symbol)
    return LegLine(
        trader=row.trader_name,
        symbol=symbol_name(row.symbol),
        market=kind_name(voice, row.symbol),
        target=f"{voice.quantity(row.target)} {unit}",
        held=f"{voice.quantity(row.held)} {unit}",
        why=_why(row, voice),
        is_paper=row.is_paper,
    )


def _why(row: copying.OpenLegRow, voice: Voice) -> str:
    if row.target == row.held:
        return ""
    if row.is_held_back:
        return voice.say("entries are held: {why}", why=reason_text(row.reason, voice))
    if row.step is not None and is_dust(abs(row.target - row.held), row.step):
        return voice.say(
            "less than the exchange's step of {step}, goes with the next fill",
            step=f"{voice.quantity(row.step)} {base_asset(row.symbol)}",
        )
    if row.least is not None and row.missing < row.least:
        return voice.say(
            "below the exchange's minimum ({missing} of {least} USDT), goes with the next fill",
            missing=voice.number(row.missing, places=1),
            least=voice.number(row.least, places=1),
        )
    return wait_text(row.waits_for, voice) or (reason_text(row.reason, voice) if row.reason else "")


def _drift(row: copying.DriftRow, voice: Voice) -> DriftLine:
    return DriftLine(
        at=voice.moment(row.at, now=clock.now()),
        trader=row.trader_name,
        symbol=symbol_name(row.symbol),
        market=kind_name(voice, row.symbol),
        what=voice.say(KINDS[DriftKind(row.kind)]),
        found=voice.say(
            "{expected} expected, {found} found",
            expected=_reading(row, row.expected, voice),
            found=_reading(row, row.found, voice),
        ),
        done=voice.say(ORDERS[row.policy]) if row.policy in ORDERS else row.policy,
        state=voice.say("settled") if row.resolved_at is not None else voice.say("still so"),
        is_open=row.resolved_at is None,
    )


def _reading(row: copying.DriftRow, told: str, voice: Voice) -> str:
    """Return what was expected or found: a quantity, or modes in words."""
    if row.kind == DriftKind.MODES:
        return " ".join(voice.say(MODES[word]) if word in MODES else word.replace("x", "×") for word in told.split())
    return f"{voice.quantity(Decimal(told))} {base_asset(row.symbol)}"
