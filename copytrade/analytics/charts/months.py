"""Returns by month as a table of cells: numbers in them, colour by strength, blank where there is no data."""

from collections.abc import Sequence
from dataclasses import dataclass

from copytrade.domain.performance import Month, years
from copytrade.i18n.voice import Voice

STRENGTHS = 3


@dataclass(frozen=True, slots=True)
class MonthCell:
    """One month: its text, `gain`, `loss` or no tone, strength 0 to 3, and whether days of it are missing."""

    text: str = ""
    tone: str = ""
    strength: int = 0
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class YearRow:
    """Twelve months and the year, which is their product."""

    year: str
    months: list[MonthCell]
    total: MonthCell


def month_table(rows: Sequence[Month], *, voice: Voice) -> list[YearRow]:
    """Return the years, newest first; strengths are relative to the 95th percentile of all months."""
    sizes = sorted(abs(row.growth) for row in rows)
    scale = sizes[min(len(sizes) - 1, int(len(sizes) * 0.95))] if sizes else 0.0
    totals = years(rows)
    table: list[YearRow] = []
    for year in sorted(totals, reverse=True):
        found = {row.month: row for row in rows if row.year == year}
        cells = [_cell(found.get(month), scale=scale, voice=voice) for month in range(1, 13)]
        whole = Month(year, 0, totals[year], is_partial=len(found) < 12)
        table.append(YearRow(str(year), cells, _cell(whole, scale=0.0, voice=voice)))
    return table


def _cell(month: Month | None, *, scale: float, voice: Voice) -> MonthCell:
    if month is None:
        return MonthCell()
    shown = voice.move(month.growth)
    strength = min(STRENGTHS, round(abs(month.growth) / scale * STRENGTHS)) if scale else 0
    return MonthCell(shown.text, shown.tone, strength, month.is_partial)
