"""Pages of a list that is newest first, and the cursor to the next one."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote, unquote

from copytrade.sandbox.bybit import errors

Row = TypeVar("Row")


def page(rows: Sequence[Row], *, cursor: str, limit: int, key: Callable[[Row], int]) -> tuple[list[Row], str]:
    """Return the rows after a cursor and the cursor after them; rows fall by `key`, which no two of them share."""
    if cursor:
        before = _read(cursor)
        rows = [row for row in rows if key(row) < before]
    shown = list(rows[:limit])
    return shown, quote(f"{key(shown[-1])}:1", safe="") if len(rows) > limit else ""


def _read(cursor: str) -> int:
    number, _, one = unquote(cursor).partition(":")
    if not number.isdecimal() or one != "1":
        raise errors.bad_parameter("cursor")
    return int(number)
