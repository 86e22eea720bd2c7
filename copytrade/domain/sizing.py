"""How large a copy is: the subscriber's settings and the size of an opening part in base units."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from copytrade.domain.quantities import EXACT, ONE, ZERO, keep, product
from copytrade.domain.skips import SkipReason

PERCENT_OF_MAJORS = Decimal("0.005")
PERCENT_OF_OTHERS = Decimal("0.015")
MAJORS = frozenset({"BTC", "ETH"})


class SizingMode(StrEnum):
    """How an opening part of the lead becomes a quantity of ours."""

    RATIO = "ratio"
    EQUITY = "equity"
    FIXED_QUOTE = "fixed_quote"
    FIXED_PERCENT = "fixed_percent"
    FIXED_QUANTITY = "fixed_quantity"


FIXED_MODES = frozenset({SizingMode.FIXED_QUOTE, SizingMode.FIXED_PERCENT, SizingMode.FIXED_QUANTITY})


class Direction(StrEnum):
    """Which positions are copied."""

    BOTH = "both"
    LONG = "long"
    SHORT = "short"


class StartMode(StrEnum):
    """What happens to positions that the lead holds when the subscription starts."""

    NEW_ONLY = "new_only"
    BETTER_PRICE = "better_price"
    ALL = "all"


class EndMode(StrEnum):
    """What happens to copied positions when the subscription ends."""

    CLOSE = "close"
    KEEP = "keep"
    FOLLOW_EXITS = "follow_exits"


class LossUnit(StrEnum):
    """What a loss limit is given in: USDT, or a fraction of the copy account's equity at the start of its window."""

    QUOTE = "quote"
    SHARE = "share"


class StopMode(StrEnum):
    """What a reached loss limit does beside holding entries: close what is copied, or keep it for the lead's exits."""

    CLOSE = "close"
    KEEP = "keep"


class DriftLess(StrEnum):
    """What follows when an account holds less than was copied."""

    ADOPT = "adopt"
    HALT = "halt"


class DriftMore(StrEnum):
    """What follows when an account holds more than was copied."""

    IGNORE = "ignore"
    HALT = "halt"


class DriftLiquidated(StrEnum):
    """What follows when the venue liquidated a copied position: it is adopted, and entries are paused or halted."""

    PAUSE = "pause"
    HALT = "halt"


class DriftModes(StrEnum):
    """What follows when leverage, margin or position mode were changed by hand: hold entries, or set them back."""

    HOLD = "hold"
    RESET = "reset"


class SilenceMode(StrEnum):
    """What becomes of open copies while nothing is heard of their lead, neither by stream nor by polling."""

    HOLD = "hold"
    PROTECT = "protect"
    """A copy is closed once the market moved against it by `silence_loss` since the silence began."""
    FLATTEN = "flatten"


@dataclass(frozen=True, slots=True)
class CopySettings:
    """How one subscription copies. `factor` is k, a, p or q of the mode; notionals in quote, None is no limit.

    `max_slippage` is a fraction (0.005 is 0.5 %); None takes the default of the coin. Losses are USDT or fractions of
    equity, as their units say.
    """

    mode: SizingMode = SizingMode.RATIO
    factor: Decimal = ONE
    max_order_notional: Decimal | None = None
    max_position_notional: Decimal | None = None
    max_total_notional: Decimal | None = None
    max_open_positions: int | None = None
    max_leverage: Decimal = Decimal(5)
    max_slippage: Decimal | None = None
    max_entry_age_s: int = 60
    keeps_margin: bool = False
    """Whether the safety coefficient keeps a full-margin lead copyable (mode `equity`)."""
    is_paused: bool = False
    symbols: tuple[str, ...] = ()
    """Symbols that are copied; empty is all."""
    directions: Direction = Direction.BOTH
    start_mode: StartMode = StartMode.NEW_ONLY
    end_mode: EndMode = EndMode.FOLLOW_EXITS
    """Also when a subscription lapses: nothing is sold at the market unless its owner chose that."""
    max_daily_loss: Decimal | None = None
    """Since 00:00 UTC, by this subscription's copies; as a share: of the copy equity then."""
    daily_loss_unit: LossUnit = LossUnit.QUOTE
    max_drawdown: Decimal | None = None
    """From the peak of this subscription's result since its start; as a share: of the copy equity at the peak."""
    drawdown_unit: LossUnit = LossUnit.QUOTE
    stop_mode: StopMode = StopMode.KEEP
    drift_less: DriftLess = DriftLess.ADOPT
    drift_more: DriftMore = DriftMore.IGNORE
    drift_liquidated: DriftLiquidated = DriftLiquidated.PAUSE
    drift_modes: DriftModes = DriftModes.HOLD
    silence: SilenceMode = SilenceMode.HOLD
    silence_loss: Decimal = Decimal("0.05")

    def slippage(self, base: str) -> Decimal:
        """Return the fraction by which an entry may be worse than the lead's price."""
        if self.max_slippage is not None:
            return self.max_slippage
        return PERCENT_OF_MAJORS if base in MAJORS else PERCENT_OF_OTHERS


@dataclass(frozen=True, slots=True)
class Equities:
    """Worth of both accounts in quote; None where no fresh reading is there."""

    copy: Decimal | None
    lead: Decimal | None


@dataclass(slots=True)
class Sized:
    """A size ≥ 0 in base units, or why there is none."""

    quantity: Decimal
    reason: SkipReason | None = None


def size(
    opening: Decimal,
    *,
    price: Decimal,
    share: Decimal | None,
    settings: CopySettings,
    equities: Equities,
    base: str,
) -> Sized:
    """Return the size of the lead's `opening` quantity; `share` is its part of the lead's order (fixed modes)."""
    match settings.mode:
        case SizingMode.RATIO:
            return Sized(product(abs(opening), settings.factor))
        case SizingMode.EQUITY:
            return _by_equity(abs(opening), settings=settings, equities=equities, base=base)
        case _:
            return _fixed(share, price=price, settings=settings, equities=equities)


def safety(*, slippage: Decimal, leverage: Decimal) -> Decimal:
    """Return ((1−S)/(1−S+L·S))·0.98: the share of the margin that survives the worst allowed entry and its fee."""
    left = 1 - slippage
    return EXACT.divide(left * Decimal("0.98"), left + leverage * slippage)


def _by_equity(opening: Decimal, *, settings: CopySettings, equities: Equities, base: str) -> Sized:
    if equities.copy is None or equities.lead is None:
        return Sized(ZERO, SkipReason.EQUITY_UNKNOWN)
    if equities.lead <= 0 or equities.copy <= 0:
        return Sized(ZERO, SkipReason.NO_EQUITY)
    asked = EXACT.multiply(EXACT.multiply(opening, settings.factor), equities.copy)
    if settings.keeps_margin:
        asked = EXACT.multiply(asked, safety(slippage=settings.slippage(base), leverage=settings.max_leverage))
    return Sized(keep(EXACT.divide(asked, equities.lead)))


def _fixed(share: Decimal | None, *, price: Decimal, settings: CopySettings, equities: Equities) -> Sized:
    if share is None:
        return Sized(ZERO, SkipReason.ORDER_UNKNOWN)
    if settings.mode is SizingMode.FIXED_QUANTITY:
        return Sized(product(settings.factor, share))
    amount = settings.factor
    if settings.mode is SizingMode.FIXED_PERCENT:
        if equities.copy is None:
            return Sized(ZERO, SkipReason.EQUITY_UNKNOWN)
        amount = EXACT.multiply(amount, max(equities.copy, ZERO))
    return Sized(keep(EXACT.divide(EXACT.multiply(amount, share), price)))
