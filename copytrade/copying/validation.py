"""What copy settings may be: checked once, where they come in."""

from dataclasses import replace
from decimal import Decimal

from copytrade.domain.instruments import Market
from copytrade.domain.sizing import FIXED_MODES, CopySettings, Direction, SizingMode
from copytrade.errors import InvalidInput

LARGEST_RATIO = Decimal(100)
LARGEST_NOTIONAL = Decimal(1_000_000_000)
LARGEST_SLIPPAGE = Decimal("0.05")
SPOT_LEVERAGE = Decimal(1)
"""On spot nothing is borrowed."""
LARGEST_LEVERAGE = Decimal(125)
AGES_S = (1, 3600)


def checked(settings: CopySettings) -> CopySettings:
    """Return settings that can be copied by; raise InvalidInput naming the field that cannot."""
    _between(settings.factor, most=LARGEST_NOTIONAL if settings.mode in FIXED_MODES else LARGEST_RATIO, field="factor")
    if settings.mode is SizingMode.FIXED_PERCENT:
        _between(settings.factor, most=Decimal(1), field="factor")
    for name in ("max_order_notional", "max_position_notional", "max_total_notional"):
        value: Decimal | None = getattr(settings, name)
        if value is not None:
            _between(value, most=LARGEST_NOTIONAL, field=name)
    if settings.mode in FIXED_MODES and settings.max_position_notional is None:
        raise InvalidInput(
            "a fixed size had no limit per position",
            user="With a fixed size a limit per position is needed: the trader may slice one entry into many orders.",
            field="max_position_notional",
        )
    _between(settings.max_leverage, most=LARGEST_LEVERAGE, field="max_leverage", least=Decimal(1))
    if settings.max_slippage is not None:
        _between(settings.max_slippage, most=LARGEST_SLIPPAGE, field="max_slippage")
    if settings.max_open_positions is not None and settings.max_open_positions < 1:
        raise InvalidInput(
            f"max_open_positions was {settings.max_open_positions}",
            user="At least one open position must be allowed.",
            field="max_open_positions",
        )
    if not AGES_S[0] <= settings.max_entry_age_s <= AGES_S[1]:
        raise InvalidInput(
            f"max_entry_age_s was {settings.max_entry_age_s}",
            user="An entry may be between {least} and {most} seconds old.",
            field="max_entry_age_s",
            least=AGES_S[0],
            most=AGES_S[1],
        )
    return settings


def fitted(settings: CopySettings, *, market: Market) -> CopySettings:
    """Return settings as they are kept for a market; raise InvalidInput naming the field that makes no sense there."""
    for symbol in settings.symbols:
        if (":" in symbol) != (market is Market.PERPETUAL):
            raise InvalidInput(
                f"symbol {symbol} is not of {market.value}",
                user="{symbol} is not traded on the market that you copy.",
                field="symbols",
                symbol=symbol,
            )
    if market is Market.PERPETUAL:
        return settings
    if settings.directions is Direction.SHORT:
        raise InvalidInput(
            "only short on spot",
            user="On spot there is only buying and selling: a copy of short positions alone would copy nothing.",
            field="directions",
        )
    return replace(settings, max_leverage=SPOT_LEVERAGE)


def _between(value: Decimal, *, most: Decimal, field: str, least: Decimal | None = None) -> None:
    is_number = value.is_finite()
    if is_number and value <= most and (value >= least if least is not None else value > 0):
        return
    if least is not None:
        raise InvalidInput(
            f"{field} was {value}",
            user="Enter a number between {least} and {most}.",
            field=field,
            least=least,
            most=most,
        )
    raise InvalidInput(
        f"{field} was {value}", user="Enter a number above 0 and at most {most}.", field=field, most=f"{most:f}"
    )
