"""Copy settings as people type them: percents, commas, empty fields, and what is wrong with each."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from copytrade.copying.validation import LARGEST_NOTIONAL, faults, misfits
from copytrade.domain.instruments import Market
from copytrade.domain.quantities import EXACT, ratio
from copytrade.domain.sizing import (
    FIXED_MODES,
    CopySettings,
    Direction,
    DriftLess,
    DriftLiquidated,
    DriftModes,
    DriftMore,
    EndMode,
    LossUnit,
    SilenceMode,
    SizingMode,
    StartMode,
    StopMode,
)
from copytrade.errors import InvalidInput, Said
from copytrade.state.typed import LONGEST, amount_of

E = TypeVar("E", bound=StrEnum)
HUNDRED = Decimal(100)
LONGEST_LIST = 2_000
POSITION_ORDERS = 5
"""The preset of the limit per position: so many of the fixed sizes."""
FACTORS: dict[str, str] = {
    SizingMode.EQUITY: "1",
    SizingMode.RATIO: "0.1",
    SizingMode.FIXED_QUOTE: "100",
    SizingMode.FIXED_PERCENT: "5",
    SizingMode.FIXED_QUANTITY: "",
}
"""What stands in the size of a mode before anything is typed."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The form as it was typed; every field is text, shares are in percent."""

    mode: str = SizingMode.EQUITY.value
    factor: str = FACTORS[SizingMode.EQUITY]
    keeps_margin: str = ""
    start_mode: str = StartMode.NEW_ONLY.value
    max_order_notional: str = ""
    max_position_notional: str = ""
    max_total_notional: str = ""
    max_open_positions: str = ""
    max_leverage: str = "5"
    symbols: str = ""
    directions: str = Direction.BOTH.value
    max_slippage: str = ""
    max_entry_age_s: str = "60"
    max_daily_loss: str = ""
    daily_loss_unit: str = LossUnit.QUOTE.value
    max_drawdown: str = ""
    drawdown_unit: str = LossUnit.SHARE.value
    stop_mode: str = StopMode.KEEP.value
    drift_less: str = DriftLess.ADOPT.value
    drift_more: str = DriftMore.IGNORE.value
    drift_liquidated: str = DriftLiquidated.PAUSE.value
    drift_modes: str = DriftModes.HOLD.value
    silence: str = SilenceMode.HOLD.value
    silence_loss: str = "5"
    end_mode: str = EndMode.FOLLOW_EXITS.value
    example_symbol: str = ""
    example_quantity: str = ""


NAMES = tuple(field.name for field in fields(Draft))
CHECKS = ("keeps_margin",)
"""Ticks: a browser leaves them out of a form where they are not set."""


def typed(form: Mapping[str, Any], *, before: Draft) -> Draft:
    """Return the draft with what a form brought; what the form does not have stays."""
    longest = {"symbols": LONGEST_LIST}
    told = {name: str(form[name])[: longest.get(name, LONGEST)] for name in NAMES if form.get(name) is not None}
    return replace(before, **{**dict.fromkeys(CHECKS, ""), **told})


def drafted(settings: CopySettings, *, listed: Mapping[str, str]) -> Draft:
    """Return settings as their form shows them."""
    counts = Counter(listed.values())
    bases = {symbol: base for symbol, base in listed.items() if counts[base] == 1}
    values = {name: value for name, value in asdict(settings).items() if name in NAMES}
    shown = {name: _text(value) for name, value in values.items()}
    return Draft(
        **{
            **shown,
            "factor": _text(settings.factor, is_share=settings.mode is SizingMode.FIXED_PERCENT),
            "keeps_margin": "yes" if settings.keeps_margin else "",
            "symbols": ", ".join(bases.get(symbol, symbol) for symbol in settings.symbols),
            "max_slippage": _text(settings.max_slippage, is_share=True),
            "max_daily_loss": _text(settings.max_daily_loss, is_share=settings.daily_loss_unit is LossUnit.SHARE),
            "max_drawdown": _text(settings.max_drawdown, is_share=settings.drawdown_unit is LossUnit.SHARE),
            "silence_loss": _text(settings.silence_loss, is_share=True),
        }
    )


def settings_of(
    draft: Draft, *, before: CopySettings, market: Market, listed: Mapping[str, str]
) -> tuple[CopySettings, dict[str, Said]]:
    """Return the settings that a draft asks for, and what is wrong by field: nothing may be kept while anything is."""
    reading = _Reading(draft, {})
    mode = reading.choice("mode", SizingMode)
    daily, fall = reading.choice("daily_loss_unit", LossUnit), reading.choice("drawdown_unit", LossUnit)
    read = replace(
        before,
        mode=mode,
        factor=reading.needed("factor", is_share=mode is SizingMode.FIXED_PERCENT),
        keeps_margin=draft.keeps_margin == "yes" and mode is SizingMode.EQUITY,
        start_mode=reading.choice("start_mode", StartMode),
        max_order_notional=reading.number("max_order_notional"),
        max_position_notional=reading.number("max_position_notional"),
        max_total_notional=reading.number("max_total_notional"),
        max_open_positions=reading.count("max_open_positions"),
        max_leverage=reading.needed("max_leverage") if market is Market.PERPETUAL else before.max_leverage,
        symbols=reading.symbols(listed, market=market),
        directions=reading.choice("directions", Direction),
        max_slippage=reading.number("max_slippage", is_share=True),
        max_entry_age_s=before.max_entry_age_s if (age := reading.age()) is None else age,
        max_daily_loss=reading.number("max_daily_loss", is_share=daily is LossUnit.SHARE),
        daily_loss_unit=daily,
        max_drawdown=reading.number("max_drawdown", is_share=fall is LossUnit.SHARE),
        drawdown_unit=fall,
        stop_mode=reading.choice("stop_mode", StopMode),
        drift_less=reading.choice("drift_less", DriftLess),
        drift_more=reading.choice("drift_more", DriftMore),
        drift_liquidated=reading.choice("drift_liquidated", DriftLiquidated),
        drift_modes=reading.choice("drift_modes", DriftModes),
        end_mode=reading.choice("end_mode", EndMode),
        silence=reading.choice("silence", SilenceMode),
        silence_loss=reading.needed("silence_loss", is_share=True) if draft.silence == SilenceMode.PROTECT
        else before.silence_loss,
    )  # fmt: skip
    wrong = reading.wrong
    for fault in (*faults(read), *misfits(read, market=market)):
        if fault.field:
            wrong.setdefault(fault.field, fault.user)
    return read, wrong


def position_preset(draft: Draft, *, price: Decimal | None, equity: Decimal | None) -> str:
    """Return what a limit per position is filled in with for a fixed size: five of them in USDT; empty if unknown."""
    mode = draft.mode
    if mode not in FIXED_MODES:
        return ""
    unit = {SizingMode.FIXED_QUOTE: Decimal(1), SizingMode.FIXED_QUANTITY: price}.get(SizingMode(mode), equity)
    try:
        factor = amount_of({"factor": draft.factor}, "factor")
    except InvalidInput:
        return ""
    if factor is None or unit is None or not 0 < factor <= LARGEST_NOTIONAL:
        return ""
    amount = EXACT.multiply(EXACT.multiply(factor, unit), Decimal(POSITION_ORDERS))
    if mode == SizingMode.FIXED_PERCENT:
        amount = ratio(amount, HUNDRED)
    return _text(amount.quantize(Decimal(1) if amount >= HUNDRED else Decimal("0.01")))


@dataclass(slots=True)
class _Reading:
    draft: Draft
    wrong: dict[str, Said]

    def _try(self, name: str, read: Callable[[], Decimal | None]) -> Decimal | None:
        try:
            return read()
        except InvalidInput as error:
            self.wrong[name] = error.user
            return None

    def number(self, name: str, *, is_share: bool = False) -> Decimal | None:
        """Read a number that may be left out."""
        value = self._try(name, lambda: amount_of({name: getattr(self.draft, name)}, name))
        return ratio(value, HUNDRED) if is_share and value is not None and abs(value) < HUNDRED**4 else value

    def needed(self, name: str, *, is_share: bool = False) -> Decimal:
        """Read a number that must be there."""
        value = self.number(name, is_share=is_share)
        if value is None:
            self.wrong.setdefault(name, Said("A number is needed here."))
            return Decimal(1)
        return value

    def age(self) -> int | None:
        """Read how old an entry may be, which must be there."""
        age = self.count("max_entry_age_s")
        if age is None:
            self.wrong.setdefault("max_entry_age_s", Said("A number is needed here."))
        return age

    def count(self, name: str) -> int | None:
        """Read a whole number that may be left out."""
        value = self.number(name)
        if value is None:
            return None
        if value != value.to_integral_value() or abs(value) > HUNDRED**4:
            self.wrong[name] = Said("Please type a whole number.")
            return None
        return int(value)

    def choice(self, name: str, of: type[E]) -> E:
        """Read one of a list."""
        value = getattr(self.draft, name)
        if value not in list(of):
            self.wrong[name] = Said("Please choose one of the list.")
            return next(iter(of))
        return of(value)

    def symbols(self, listed: Mapping[str, str], *, market: Market) -> tuple[str, ...]:
        """Read a list of coins or symbols, in whichever way people write them."""
        known = {_plain(symbol): symbol for symbol in listed} | {
            base.upper(): symbol for symbol, base in _coins(listed)
        }
        found = list[str]()
        for word in self.draft.symbols.upper().replace(";", ",").replace("\n", ",").split(","):
            name = _plain(word)
            if not name:
                continue
            symbol = known.get(name)
            if symbol is None and not listed:
                symbol = f"{name}/USDT" + (":USDT" if market is Market.PERPETUAL else "")
            if symbol is None:
                self.wrong["symbols"] = Said("{symbol} is not traded there.", {"symbol": word.strip()[:LONGEST]})
            elif symbol not in found:
                found.append(symbol)
        return tuple(found)


def _coins(listed: Mapping[str, str]) -> list[tuple[str, str]]:
    # A coin stands for its market in USDT where it has several.
    return sorted(((symbol, base) for symbol, base in listed.items()), key=lambda one: "/USDT" in one[0])


def _plain(symbol: str) -> str:
    """Return a symbol without what people leave out: `BTC/USDT:USDT`, `btc-usdt` and `BTCUSDT` are one."""
    return "".join(letter for letter in symbol.partition(":")[0].upper() if letter.isalnum())


def _text(value: object, *, is_share: bool = False) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{(value * HUNDRED if is_share else value).normalize():f}"
        case _:
            return str(value)
