"""Tables for spreadsheets (CSV): plain numbers, UTC times, in every language the same."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet_of(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows under their columns as CSV; nothing that people wrote is a formula in it."""
    return "".join((line_of(columns), *map(line_of, rows)))


def line_of(row: Sequence[object]) -> str:
    """Return one line of a table, for those that are sent as they are read."""
    text = io.StringIO()
    csv.writer(text).writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case _:
            return str(value)
