"""When a subscription has lost enough: the daily loss and the fall from the peak (copy-engine, Limits). Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

from copytrade.domain.quantities import ZERO, product
from copytrade.domain.sizing import CopySettings, LossUnit
from copytrade.domain.skips import SkipReason


@dataclass(frozen=True, slots=True)
class Stand:
    """How the copies of one subscription stand. PnL in USDT, since its start; equity of the copy account."""

    day: date
    """The UTC day that began at `day_pnl` and `day_equity`."""
    day_pnl: Decimal
    day_equity: Decimal | None
    pnl: Decimal
    peak_pnl: Decimal
    peak_equity: Decimal | None
    read_at: datetime
    daily_stopped_at: datetime | None = None
    drawdown_stopped_at: datetime | None = None

    @property
    def loss_today(self) -> Decimal:
        """Return the loss ≥ 0 since 00:00 UTC."""
        return max(self.day_pnl - self.pnl, ZERO)

    @property
    def drawdown(self) -> Decimal:
        """Return the fall ≥ 0 from the peak since the start."""
        return max(self.peak_pnl - self.pnl, ZERO)


def began(*, started_at: datetime, pnl: Decimal, equity: Decimal | None, now: datetime) -> Stand:
    """Return the first stand: at the start the PnL was 0, which is the peak until it is passed.

    Where the start was on an earlier day, the day is reckoned from this reading on: 00:00 was not read.
    """
    day_pnl = ZERO if day_of(started_at) == day_of(now) else pnl
    peak = max(pnl, ZERO)
    return Stand(
        day=day_of(now),
        day_pnl=day_pnl,
        day_equity=_equity_at(day_pnl, pnl=pnl, equity=equity),
        pnl=pnl,
        peak_pnl=peak,
        peak_equity=_equity_at(peak, pnl=pnl, equity=equity),
        read_at=now,
    )


def read(stand: Stand, *, pnl: Decimal, equity: Decimal | None, now: datetime) -> Stand:
    """Return the stand after a newer reading; a new day begins with the reading that was nearest to 00:00 UTC."""
    if now <= stand.read_at:
        return stand
    today = day_of(now)
    if today > stand.day:
        midnight = datetime.combine(today, time(), UTC)
        start = pnl if now - midnight <= midnight - stand.read_at else stand.pnl
        at_start = _equity_at(start, pnl=pnl, equity=equity)
        stand = replace(stand, day=today, day_pnl=start, day_equity=at_start, daily_stopped_at=None)
    elif stand.day_equity is None:
        stand = replace(stand, day_equity=_equity_at(stand.day_pnl, pnl=pnl, equity=equity))
    if pnl > stand.peak_pnl:
        stand = replace(stand, peak_pnl=pnl, peak_equity=equity)
    elif stand.peak_equity is None:
        stand = replace(stand, peak_equity=_equity_at(stand.peak_pnl, pnl=pnl, equity=equity))
    return replace(stand, pnl=pnl, read_at=now)


def judge(stand: Stand, settings: CopySettings, *, now: datetime) -> Stand:
    """Return the stand with the stops that it has reached; one stays, whatever comes after, as long as its limit."""
    daily = _limit(settings.max_daily_loss, settings.daily_loss_unit, equity=stand.day_equity)
    fall = _limit(settings.max_drawdown, settings.drawdown_unit, equity=stand.peak_equity)
    reached_daily = daily is not None and stand.loss_today >= daily
    reached_fall = fall is not None and stand.drawdown >= fall
    daily_at = stand.daily_stopped_at or (now if reached_daily else None)
    fall_at = stand.drawdown_stopped_at or (now if reached_fall else None)
    return replace(
        stand,
        daily_stopped_at=daily_at if settings.max_daily_loss is not None else None,
        drawdown_stopped_at=fall_at if settings.max_drawdown is not None else None,
    )


def stopped_by(stand: Stand, settings: CopySettings, *, now: datetime) -> SkipReason | None:
    """Return which stop holds entries now: the daily one ends with its UTC day, both with their limit."""
    if stand.drawdown_stopped_at is not None and settings.max_drawdown is not None:
        return SkipReason.DRAWDOWN
    is_today = stand.day == day_of(now)
    if stand.daily_stopped_at is not None and is_today and settings.max_daily_loss is not None:
        return SkipReason.DAILY_LOSS
    return None


def resumed(stand: Stand) -> Stand:
    """Return the stand after the subscriber let entries go on: the peak starts anew from here."""
    return replace(stand, peak_pnl=stand.pnl, peak_equity=None, drawdown_stopped_at=None)


def day_of(moment: datetime) -> date:
    """Return the UTC day of a moment."""
    return moment.astimezone(UTC).date()


def _limit(most: Decimal | None, unit: LossUnit, *, equity: Decimal | None) -> Decimal | None:
    if most is None or unit is LossUnit.QUOTE:
        return most
    # A share of nothing would stop whoever has lost nothing.
    return product(most, equity) if equity is not None and equity > 0 else None


def _equity_at(then: Decimal, *, pnl: Decimal, equity: Decimal | None) -> Decimal | None:
    """Return the equity when the PnL was `then`, as far as these copies moved it."""
    return equity - (pnl - then) if equity is not None else None
