"""Copy settings between their table and the pure engine."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlmodel import Session

from copytrade.copying import bulk
from copytrade.copying.models import CopySetting
from copytrade.db.trips import Ask, Asking, answered
from copytrade.domain.sizing import (
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

_COLUMNS = (
    "subscription_id, mode, factor, max_order_notional, max_position_notional, max_total_notional, "
    "max_open_positions, max_leverage, max_slippage, max_entry_age_s, keeps_margin, is_paused, symbols, directions, "
    "start_mode, end_mode, max_daily_loss, daily_loss_unit, max_drawdown, drawdown_unit, stop_mode, drift_less, "
    "drift_more, drift_liquidated, drift_modes, silence, silence_loss"
)


def of(session: Session, subscription_ids: Sequence[UUID], *, locking: bool = False) -> dict[UUID, CopySettings]:
    """Return the settings of several subscriptions; locked, so that two plans cannot both take the last 100 USDT."""
    return answered(session, asking(subscription_ids, locking=locking))


def asking(subscription_ids: Sequence[UUID], *, locking: bool = False) -> Asking[dict[UUID, CopySettings]]:
    """Ask for what `of` returns."""
    clause = "ORDER BY subscription_id FOR UPDATE" if locking else ""
    query = f"SELECT {_COLUMNS} FROM trades.copy_settings WHERE subscription_id = ANY(%(ids)s) {clause}"  # noqa: S608 - text of ours
    [rows] = yield [Ask(query, {"ids": list(subscription_ids)})]
    return {row[0]: _settings((*row[1:12], tuple(row[12]), *row[13:])) for row in rows}


def values(settings: CopySettings) -> dict[str, Any]:
    """Return the columns of a row that hold these settings."""
    return {
        "mode": settings.mode.value,
        "factor": settings.factor,
        "max_order_notional": settings.max_order_notional,
        "max_position_notional": settings.max_position_notional,
        "max_total_notional": settings.max_total_notional,
        "max_open_positions": settings.max_open_positions,
        "max_leverage": settings.max_leverage,
        "max_slippage": settings.max_slippage,
        "max_entry_age_s": settings.max_entry_age_s,
        "keeps_margin": settings.keeps_margin,
        "is_paused": settings.is_paused,
        "symbols": list(settings.symbols),
        "directions": settings.directions.value,
        "start_mode": settings.start_mode.value,
        "end_mode": settings.end_mode.value,
        "max_daily_loss": settings.max_daily_loss,
        "daily_loss_unit": settings.daily_loss_unit.value,
        "max_drawdown": settings.max_drawdown,
        "drawdown_unit": settings.drawdown_unit.value,
        "stop_mode": settings.stop_mode.value,
        "drift_less": settings.drift_less.value,
        "drift_more": settings.drift_more.value,
        "drift_liquidated": settings.drift_liquidated.value,
        "drift_modes": settings.drift_modes.value,
        "silence": settings.silence.value,
        "silence_loss": settings.silence_loss,
    }


def write(row: CopySetting, settings: CopySettings) -> None:
    """Put settings into their row."""
    for name, value in values(settings).items():
        setattr(row, name, value)


@lru_cache(maxsize=20_000)
def _settings(row: bulk.Row) -> CopySettings:
    # Read with every fill of a lead, for each who copies him, and hardly ever changed.
    return CopySettings(
        mode=SizingMode(row[0]),
        factor=row[1],
        max_order_notional=row[2],
        max_position_notional=row[3],
        max_total_notional=row[4],
        max_open_positions=row[5],
        max_leverage=row[6],
        max_slippage=row[7],
        max_entry_age_s=row[8],
        keeps_margin=row[9],
        is_paused=row[10],
        symbols=row[11],
        directions=Direction(row[12]),
        start_mode=StartMode(row[13]),
        end_mode=EndMode(row[14]),
        max_daily_loss=row[15],
        daily_loss_unit=LossUnit(row[16]),
        max_drawdown=row[17],
        drawdown_unit=LossUnit(row[18]),
        stop_mode=StopMode(row[19]),
        drift_less=DriftLess(row[20]),
        drift_more=DriftMore(row[21]),
        drift_liquidated=DriftLiquidated(row[22]),
        drift_modes=DriftModes(row[23]),
        silence=SilenceMode(row[24]),
        silence_loss=row[25],
    )
