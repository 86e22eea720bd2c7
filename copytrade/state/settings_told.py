"""Copy settings in words: what a subscription does, sentence by sentence."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from copytrade.domain.sizing import (
    CopySettings,
    Direction,
    DriftLess,
    DriftLiquidated,
    DriftModes,
    DriftMore,
    LossUnit,
    SilenceMode,
    SizingMode,
    StopMode,
)
from copytrade.i18n.voice import Voice

TEXTS = {
    "size_equity": "Each copy takes {factor} × the share of your account that {name} used of his.",
    "size_ratio": "Each copy is {factor} × the quantity that {name} traded.",
    "size_fixed_quote": "Each order of {name} becomes one of {factor} USDT.",
    "size_fixed_percent": "Each order of {name} becomes one of {factor} of your account.",
    "size_fixed_quantity": "Each order of {name} becomes one of {factor} coins.",
    "start_new_only": "What he holds at the start is not copied.",
    "start_better_price": "What he holds at the start is joined where the price is better than his.",
    "start_all": "All that he holds at the start is joined at the market's price.",
    "silence_hold": "while he cannot be heard copies are held",
    "silence_protect": "while he cannot be heard a copy that falls by {loss} is closed",
    "silence_flatten": "while he cannot be heard all copies are closed",
    "max_order_notional": "at most {amount} per order",
    "max_position_notional": "at most {amount} per position",
    "max_total_notional": "at most {amount} in all",
    "max_daily_loss": "stops for the day after a loss of {loss}",
    "max_drawdown": "stops after a fall of {loss} from the peak",
    "drift_less": "your own sale of a copy holds entries",
    "drift_more": "your own purchase holds entries",
    "liquidated_halt": "a liquidation holds entries",
    "liquidated_pause": "a liquidation pauses the copying",
    "drift_modes": "changed account settings are set back",
}
NAMED_SYMBOLS = 4


def size_told(settings: CopySettings, name: str, voice: Voice) -> str:
    """Say how large copies are."""
    is_percent = settings.mode is SizingMode.FIXED_PERCENT
    factor = percent(settings.factor, voice) if is_percent else voice.number(settings.factor)
    said = voice.say(TEXTS[f"size_{settings.mode}"], factor=factor, name=name)
    if not settings.keeps_margin:
        return said
    return f"{said} {voice.say('A little less, so that a copy of his full margin fits.')}"


def limits_told(settings: CopySettings, voice: Voice, *, is_spot: bool) -> str:
    """Say what cuts a copy, in one line."""
    return _line([*_amounts(settings, voice), *_extents(settings, voice, is_spot=is_spot)], voice.say("no limits"))


def losses_told(settings: CopySettings, voice: Voice) -> str:
    """Say at which loss copying stops, in one line."""
    limits = [
        voice.say(TEXTS[limit], loss=_loss(loss, unit, voice))
        for limit, loss, unit in (
            ("max_daily_loss", settings.max_daily_loss, settings.daily_loss_unit),
            ("max_drawdown", settings.max_drawdown, settings.drawdown_unit),
        )
        if loss is not None
    ]
    if not limits:
        return voice.say("No loss stops the copying.")
    closes = settings.stop_mode is StopMode.CLOSE
    ends = voice.say("then all copies are closed" if closes else "open copies then follow his exits")
    return _line([*limits, ends], "")


def oddities_told(settings: CopySettings, voice: Voice, *, is_spot: bool) -> str:
    """Say what happens when something is odd, in one line."""
    pauses = (
        [voice.say(TEXTS["liquidated_pause"])]
        if settings.drift_liquidated is DriftLiquidated.PAUSE and not is_spot
        else []
    )
    return _line([silence_told(settings, voice), *pauses, *_unusual(settings, voice, is_spot=is_spot)], "")


def silence_told(settings: CopySettings, voice: Voice) -> str:
    """Say what happens while the trader cannot be heard."""
    return voice.say(TEXTS[f"silence_{settings.silence}"], loss=percent(settings.silence_loss, voice))


def _unusual(settings: CopySettings, voice: Voice, *, is_spot: bool) -> list[str]:
    """Say what happens when something is odd where that is not what nearly everybody has."""
    return [
        voice.say(TEXTS[oddity])
        for oddity, is_set in (
            ("drift_less", settings.drift_less is DriftLess.HALT),
            ("drift_more", settings.drift_more is DriftMore.HALT),
            ("liquidated_halt", settings.drift_liquidated is DriftLiquidated.HALT and not is_spot),
            ("drift_modes", settings.drift_modes is DriftModes.RESET and not is_spot),
        )
        if is_set
    ]


def start_told(settings: CopySettings, voice: Voice) -> str:
    """Say what becomes of what he holds when the copying starts."""
    return voice.say(TEXTS[f"start_{settings.start_mode}"])


def settings_told(settings: CopySettings, name: str, voice: Voice, *, is_spot: bool) -> list[str]:
    """Say all that a subscription does: size, limits, losses, oddities."""
    return [
        size_told(settings, name, voice),
        limits_told(settings, voice, is_spot=is_spot),
        losses_told(settings, voice),
        oddities_told(settings, voice, is_spot=is_spot),
    ]


def card_told(settings: CopySettings, name: str, voice: Voice, *, is_spot: bool) -> list[str]:
    """Say what a subscription does; of oddities only what its owner chose himself."""
    size, limits, losses, _ = settings_told(settings, name, voice, is_spot=is_spot)
    silence = [] if settings.silence is SilenceMode.HOLD else [silence_told(settings, voice)]
    chosen = [*silence, *_unusual(settings, voice, is_spot=is_spot)]
    return [size, limits, losses, *([_line(chosen, "")] if chosen else [])]


def percent(share: Decimal, voice: Voice) -> str:
    """Return a share as it was typed: with the decimals it has."""
    places = max(0, -int((share * 100).normalize().as_tuple().exponent))
    return voice.percent(share, places=places)


def _amounts(settings: CopySettings, voice: Voice) -> Iterator[str]:
    for limit, amount in (
        ("max_order_notional", settings.max_order_notional),
        ("max_position_notional", settings.max_position_notional),
        ("max_total_notional", settings.max_total_notional),
    ):
        if amount is not None:
            yield voice.say(TEXTS[limit], amount=voice.money(amount))
    if settings.max_open_positions is not None:
        yield voice.count(settings.max_open_positions, "at most {n} position", "at most {n} positions")


def _extents(settings: CopySettings, voice: Voice, *, is_spot: bool) -> Iterator[str]:
    if not is_spot:
        yield voice.say("leverage up to {n}", n=voice.number(settings.max_leverage))
    if settings.directions is not Direction.BOTH:
        yield voice.say("long only" if settings.directions is Direction.LONG else "short only")
    if settings.symbols:
        named = [symbol.partition("/")[0] for symbol in settings.symbols[:NAMED_SYMBOLS]]
        more = len(settings.symbols) - len(named)
        rest = [voice.say("{n} more", n=voice.number(more))] if more else []
        yield voice.say("only {symbols}", symbols=", ".join([*named, *rest]))
    if settings.max_slippage is not None:
        yield voice.say("price at most {share} worse", share=percent(settings.max_slippage, voice))


def _loss(loss: Decimal, unit: LossUnit, voice: Voice) -> str:
    return percent(loss, voice) if unit is LossUnit.SHARE else voice.money(loss)


def _line(parts: Sequence[str], none: str) -> str:
    said = " · ".join(parts) or none
    return said[:1].upper() + said[1:]
