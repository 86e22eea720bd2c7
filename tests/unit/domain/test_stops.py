"""The loss stops of a subscription: days, peaks, units, and how each ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from copytrade.domain import stops
from copytrade.domain.sizing import CopySettings, LossUnit
from copytrade.domain.skips import SkipReason
from copytrade.domain.stops import Stand

NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 8, 21, tzinfo=UTC)
LOSES_100 = CopySettings(max_daily_loss=Decimal(100))
FALLS_100 = CopySettings(max_drawdown=Decimal(100))


def start(pnl: str = "0", *, equity: str | None = "1000", days_ago: int = 0) -> Stand:
    started = NOON - timedelta(days=days_ago, hours=1)
    worth = Decimal(equity) if equity else None
    return stops.began(started_at=started, pnl=Decimal(pnl), equity=worth, now=NOON)


def after(stand: Stand, pnl: str, *, at: datetime, equity: str | None = None) -> Stand:
    worth = Decimal(equity) if equity else None
    return stops.read(stand, pnl=Decimal(pnl), equity=worth, now=at)


def reason(stand: Stand, settings: CopySettings, *, at: datetime) -> SkipReason | None:
    return stops.stopped_by(stops.judge(stand, settings, now=at), settings, now=at)


@pytest.mark.parametrize(("pnl", "stops_it"), [("-99.99", False), ("-100", True), ("-250", True), ("300", False)])
def test_a_daily_loss_stops_entries_when_it_is_reached(pnl: str, stops_it: bool) -> None:
    later = NOON + timedelta(seconds=5)
    found = reason(after(start(), pnl, at=later), LOSES_100, at=later)
    assert found == (SkipReason.DAILY_LOSS if stops_it else None)


def test_a_gain_of_today_has_to_be_lost_first() -> None:
    stand = after(start(), "80", at=NOON + timedelta(seconds=5))
    stand = after(stand, "-99", at=NOON + timedelta(seconds=10))
    assert (stand.loss_today, stand.drawdown) == (99, 179)
    assert reason(stand, LOSES_100, at=NOON) is None
    assert reason(stand, FALLS_100, at=NOON) is SkipReason.DRAWDOWN


def test_a_stop_stays_though_the_loss_is_made_good() -> None:
    low = NOON + timedelta(seconds=5)
    stand = stops.judge(after(start(), "-100", at=low), LOSES_100, now=low)
    high = low + timedelta(hours=1)
    stand = stops.judge(after(stand, "500", at=high), LOSES_100, now=high)
    assert stops.stopped_by(stand, LOSES_100, now=high) is SkipReason.DAILY_LOSS
    assert stand.daily_stopped_at == low


def test_the_daily_stop_ends_at_midnight_even_before_the_next_reading() -> None:
    stand = stops.judge(after(start(), "-100", at=NOON + timedelta(hours=1)), LOSES_100, now=NOON)
    last = MIDNIGHT - timedelta(microseconds=1)
    assert stops.stopped_by(stand, LOSES_100, now=last) is SkipReason.DAILY_LOSS
    assert stops.stopped_by(stand, LOSES_100, now=MIDNIGHT) is None


def test_a_new_day_starts_from_its_own_pnl_and_equity() -> None:
    stand = after(start(), "-90", at=MIDNIGHT - timedelta(seconds=5), equity="910")
    stand = after(stand, "-95", at=MIDNIGHT + timedelta(seconds=2), equity="905")
    assert (stand.day, stand.day_pnl, stand.day_equity) == (MIDNIGHT.date(), -95, 905)
    stand = after(stand, "-194", at=MIDNIGHT + timedelta(hours=1))
    assert reason(stand, LOSES_100, at=MIDNIGHT) is None
    stand = after(stand, "-195", at=MIDNIGHT + timedelta(hours=2))
    assert reason(stand, LOSES_100, at=MIDNIGHT) is SkipReason.DAILY_LOSS


def test_after_a_gap_over_midnight_the_day_starts_with_the_nearest_reading() -> None:
    stand = after(start(), "-10", at=MIDNIGHT - timedelta(minutes=1))
    late = after(stand, "-200", at=MIDNIGHT + timedelta(hours=3), equity="800")
    assert (late.day_pnl, late.day_equity) == (-10, 990)
    assert reason(late, LOSES_100, at=late.read_at) is SkipReason.DAILY_LOSS


@pytest.mark.parametrize(("pnl", "found"), [("-49.9", None), ("-50", SkipReason.DAILY_LOSS)])
def test_a_share_is_of_the_equity_at_the_start_of_the_day(pnl: str, found: SkipReason | None) -> None:
    settings = CopySettings(max_daily_loss=Decimal("0.05"), daily_loss_unit=LossUnit.SHARE)
    stand = after(start(equity="1000"), pnl, at=NOON + timedelta(seconds=5), equity="700")
    assert reason(stand, settings, at=NOON) == found


def test_a_share_of_the_peak_is_of_the_equity_then() -> None:
    settings = CopySettings(max_drawdown=Decimal("0.1"), drawdown_unit=LossUnit.SHARE)
    stand = after(start(equity="1000"), "500", at=NOON + timedelta(seconds=5), equity="1500")
    stand = after(stand, "351", at=NOON + timedelta(seconds=10), equity="9000")
    assert reason(stand, settings, at=NOON) is None
    stand = after(stand, "350", at=NOON + timedelta(seconds=15), equity="9000")
    assert reason(stand, settings, at=NOON) is SkipReason.DRAWDOWN


@pytest.mark.parametrize("equity", [None, "-5"])
def test_a_share_of_an_unknown_or_empty_account_stops_nobody(equity: str | None) -> None:
    settings = CopySettings(max_daily_loss=Decimal("0.01"), daily_loss_unit=LossUnit.SHARE)
    stand = after(start(equity=equity), "-1000", at=NOON + timedelta(seconds=5))
    assert reason(stand, settings, at=NOON) is None


def test_an_equity_that_is_read_later_is_taken_back_to_the_start_of_the_day() -> None:
    stand = after(start(equity=None), "-20", at=NOON + timedelta(seconds=5), equity="980")
    assert (stand.day_equity, stand.peak_equity) == (1000, 1000)


def test_who_starts_below_zero_has_his_peak_at_the_start() -> None:
    stand = start("-30", equity="970", days_ago=3)
    assert (stand.peak_pnl, stand.peak_equity, stand.drawdown) == (0, 1000, 30)
    assert (stand.day_pnl, stand.loss_today) == (-30, 0)


def test_the_drawdown_stop_ends_when_the_subscriber_says_so_and_the_peak_starts_anew() -> None:
    low = NOON + timedelta(seconds=5)
    stand = stops.judge(after(start(), "-100", at=low), FALLS_100, now=low)
    tomorrow = MIDNIGHT + timedelta(hours=1)
    assert stops.stopped_by(stand, FALLS_100, now=tomorrow) is SkipReason.DRAWDOWN
    stand = stops.resumed(stand)
    assert reason(stand, FALLS_100, at=tomorrow) is None
    stand = after(stand, "-199", at=tomorrow, equity="801")
    assert (stand.peak_pnl, stand.peak_equity) == (-100, 900)
    assert reason(stand, FALLS_100, at=tomorrow) is None
    assert reason(after(stand, "-200", at=MIDNIGHT + timedelta(hours=2)), FALLS_100, at=tomorrow) is SkipReason.DRAWDOWN


def test_a_stop_without_its_limit_holds_nothing() -> None:
    stand = stops.judge(after(start(), "-100", at=NOON + timedelta(seconds=5)), LOSES_100, now=NOON)
    unlimited = replace(LOSES_100, max_daily_loss=None)
    assert stops.stopped_by(stand, unlimited, now=NOON) is None
    assert stops.judge(stand, unlimited, now=NOON).daily_stopped_at is None


def test_an_older_reading_changes_nothing() -> None:
    stand = after(start(), "-10", at=NOON + timedelta(seconds=5))
    assert after(stand, "-500", at=NOON + timedelta(seconds=4)) == stand
