"""What a subscriber may choose: each of the sizings, limits, stops and policies, by lot."""

import random
from dataclasses import replace
from decimal import Decimal

from copytrade.domain.sizing import (
    FIXED_MODES,
    CopySettings,
    DriftLess,
    DriftMore,
    LossUnit,
    SilenceMode,
    SizingMode,
    StartMode,
    StopMode,
)

AGE_S = 25
"""Entries older than this are not copied: a seed must come to rest within a minute."""
_RATIOS = ("0.1", "0.25", "0.37", "0.5", "1")
_FACTORS = {
    SizingMode.RATIO: _RATIOS,
    SizingMode.EQUITY: _RATIOS,
    SizingMode.FIXED_QUOTE: ("150", "700", "1234.56"),
    SizingMode.FIXED_PERCENT: ("0.0004", "0.002"),
    SizingMode.FIXED_QUANTITY: ("0.007", "0.0333"),
}
_WEIGHTS = {mode: 4 if mode is SizingMode.RATIO else 2 for mode in SizingMode}


def sizing(chance: random.Random) -> tuple[SizingMode, Decimal]:
    """Return a sizing and its factor."""
    [mode] = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
    return mode, Decimal(chance.choice(_FACTORS[mode]))


def settings(chance: random.Random) -> CopySettings:
    """Return how somebody begins to copy."""
    mode, factor = sizing(chance)
    loss = Decimal(chance.choice(("2", "10", "40")))
    stop = chance.choice(("", "", "", "day", "fall"))
    most = Decimal(chance.choice((4000, 20_000)))
    return CopySettings(
        mode=mode,
        factor=factor,
        max_order_notional=Decimal(5000) if chance.random() < 0.2 else None,
        max_position_notional=most if mode in FIXED_MODES or chance.random() < 0.3 else None,
        max_slippage=chance.choice((None, Decimal("0.03"))),
        max_leverage=Decimal(20),
        max_entry_age_s=AGE_S,
        start_mode=StartMode.ALL if chance.random() < 0.3 else StartMode.NEW_ONLY,
        max_daily_loss=loss if stop == "day" else None,
        max_drawdown=loss / 10**6 if stop == "fall" else None,
        drawdown_unit=LossUnit.SHARE,
        stop_mode=chance.choice(list(StopMode)),
        drift_less=chance.choice(list(DriftLess)),
        drift_more=chance.choice((*DriftMore, DriftMore.IGNORE)),
        silence=chance.choice(list(SilenceMode)),
        silence_loss=Decimal("0.005"),
    )


def changed(before: CopySettings, chance: random.Random) -> CopySettings:
    """Return how somebody copies who thought about it again: sized otherwise, paused or not, or with another stop."""
    lot = chance.random()
    if lot < 0.4:
        return replace(before, is_paused=not before.is_paused)
    if lot < 0.5:
        return replace(before, max_daily_loss=Decimal(chance.choice((2, 10, 40))))
    mode, factor = sizing(chance)
    most = before.max_position_notional or (Decimal(20_000) if mode in FIXED_MODES else None)
    return replace(before, mode=mode, factor=factor, max_position_notional=most)
