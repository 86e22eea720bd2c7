"""What copy settings may be: checked once, where they come in."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from copytrade.domain.instruments import Market
from copytrade.domain.sizing import FIXED_MODES, CopySettings, Direction, LossUnit, SizingMode
from copytrade.errors import InvalidInput

LARGEST_RATIO = Decimal(100)
LARGEST_NOTIONAL = Decimal(1_000_000_000)
LARGEST_SLIPPAGE = Decimal("0.05")
SPOT_LEVERAGE = Decimal(1)
"""On spot nothing is borrowed."""
LARGEST_LEVERAGE = Decimal(125)
LARGEST_COUNT = 1_000
"""Of open positions, and of symbols on a list."""
AGES_S = (1, 3600)
SILENCE_LOSSES = (Decimal("0.001"), Decimal("0.5"))
_ALL = Decimal(1)
_HUNDRED = Decimal(100)


def checked(settings: CopySettings) -> CopySettings:
    """Return settings that can be copied by; raise InvalidInput naming the first field that cannot."""
    for fault in faults(settings):
        raise fault
    return settings


def faults(settings: CopySettings) -> Iterator[InvalidInput]:
    """Give what cannot be copied by, at most once a field."""
    most = {SizingMode.FIXED_PERCENT: _ALL}.get(
        settings.mode, LARGEST_NOTIONAL if settings.mode in FIXED_MODES else LARGEST_RATIO
    )
    is_percent = settings.mode is SizingMode.FIXED_PERCENT
    yield from _between(settings.factor, most=most, field="factor", is_share=is_percent)
    yield from _notionals(settings)
    yield from _between(settings.max_leverage, most=LARGEST_LEVERAGE, field="max_leverage", least=_ALL)
    if settings.max_slippage is not None:
        yield from _between(settings.max_slippage, most=LARGEST_SLIPPAGE, field="max_slippage", is_share=True)
    yield from _counts(settings)
    yield from _losses(settings)


def fitted(settings: CopySettings, *, market: Market) -> CopySettings:
    """Return settings as they are kept for a market; raise InvalidInput naming the field that makes no sense there."""
    for fault in misfits(settings, market=market):
        raise fault
    return settings if market is Market.PERPETUAL else replace(settings, max_leverage=SPOT_LEVERAGE)


def misfits(settings: CopySettings, *, market: Market) -> Iterator[InvalidInput]:
    """Give what makes no sense on a market."""
    for symbol in settings.symbols:
        if (":" in symbol) != (market is Market.PERPETUAL):
            yield InvalidInput(
                f"symbol {symbol} is not of {market.value}",
                user="{symbol} is not traded on the market that you copy.",
                field="symbols",
                symbol=symbol,
            )
            break
    if market is Market.SPOT and settings.directions is Direction.SHORT:
        yield InvalidInput(
            "only short on spot",
            user="On spot there is only buying and selling: a copy of short positions alone would copy nothing.",
            field="directions",
        )


def _notionals(settings: CopySettings) -> Iterator[InvalidInput]:
    for name in ("max_order_notional", "max_position_notional", "max_total_notional"):
        value: Decimal | None = getattr(settings, name)
        if value is not None:
            yield from _between(value, most=LARGEST_NOTIONAL, field=name)
    if settings.mode in FIXED_MODES and settings.max_position_notional is None:
        yield InvalidInput(
            "a fixed size had no limit per position",
            user="With a fixed size a limit per position is needed: the trader may slice one entry into many orders.",
            field="max_position_notional",
        )


def _counts(settings: CopySettings) -> Iterator[InvalidInput]:
    count = settings.max_open_positions
    if count is not None and not 1 <= count <= LARGEST_COUNT:
        yield InvalidInput(
            f"max_open_positions was {count}",
            user="At least one open position must be allowed, and at most {most}.",
            field="max_open_positions",
            most=LARGEST_COUNT,
        )
    if not AGES_S[0] <= settings.max_entry_age_s <= AGES_S[1]:
        yield InvalidInput(
            f"max_entry_age_s was {settings.max_entry_age_s}",
            user="An entry may be between {least} and {most} seconds old.",
            field="max_entry_age_s",
            least=AGES_S[0],
            most=AGES_S[1],
        )
    if len(settings.symbols) > LARGEST_COUNT:
        yield InvalidInput(
            f"{len(settings.symbols)} symbols were listed",
            user="At most {most} symbols can be listed.",
            field="symbols",
            most=LARGEST_COUNT,
        )


def _losses(settings: CopySettings) -> Iterator[InvalidInput]:
    for name, unit in (("max_daily_loss", settings.daily_loss_unit), ("max_drawdown", settings.drawdown_unit)):
        value: Decimal | None = getattr(settings, name)
        if value is not None:
            is_share = unit is LossUnit.SHARE
            yield from _between(value, most=_ALL if is_share else LARGEST_NOTIONAL, field=name, is_share=is_share)
    least, most = SILENCE_LOSSES
    yield from _between(settings.silence_loss, least=least, most=most, field="silence_loss", is_share=True)


def _between(
    value: Decimal, *, most: Decimal, field: str, least: Decimal | None = None, is_share: bool = False
) -> Iterator[InvalidInput]:
    is_number = value.is_finite()
    if is_number and value <= most and (value >= least if least is not None else value > 0):
        return
    if least is not None:
        yield InvalidInput(
            f"{field} was {value}",
            user="Enter a number between {least} and {most}.",
            field=field,
            least=_shown(least, is_share=is_share),
            most=_shown(most, is_share=is_share),
        )
        return
    yield InvalidInput(
        f"{field} was {value}",
        user="Enter a number above 0 and at most {most}.",
        field=field,
        most=_shown(most, is_share=is_share),
    )


def _shown(number: Decimal, *, is_share: bool) -> str:
    # People type shares in percent.
    return f"{(number * _HUNDRED).normalize():f} %" if is_share else f"{number.normalize():f}"
