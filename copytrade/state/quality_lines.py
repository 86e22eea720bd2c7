"""How closely copies follow, as a page shows it: percentiles of delay and slippage."""

from dataclasses import dataclass

from copytrade.analytics.rows import CopyQuality
from copytrade.i18n.voice import Voice


@dataclass(frozen=True, slots=True)
class QualityLine:
    """Percentiles over the copies of one trader or one exchange."""

    name: str
    count: str
    delay_p50: str
    delay_p95: str
    delay_p99: str
    slippage_p50: str
    slippage_p95: str
    slippage_p99: str


def quality_line(name: str, quality: CopyQuality, voice: Voice) -> QualityLine:
    """Return percentiles as they are shown."""
    return QualityLine(
        name=name,
        count=voice.number(quality.count, places=0),
        delay_p50=voice.milliseconds(quality.delay_p50_ms),
        delay_p95=voice.milliseconds(quality.delay_p95_ms),
        delay_p99=voice.milliseconds(quality.delay_p99_ms),
        slippage_p50=voice.basis_points(quality.slippage_p50_bps),
        slippage_p95=voice.basis_points(quality.slippage_p95_bps),
        slippage_p99=voice.basis_points(quality.slippage_p99_bps),
    )
