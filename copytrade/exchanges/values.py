"""Numbers and times as the venues write them, read exactly. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS = 60
"""Beyond this a number is no quantity, price or fee but an attack: a short exponent would make it gigabytes long."""


def number(value: Any) -> Decimal:
    """Return an exact, finite decimal of a string or integer; ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("number was not exact")
    parsed = Decimal(value)
    if not parsed.is_finite():
        raise ValueError("number was not finite")
    if abs(parsed.adjusted()) > _MOST_DIGITS or len(str(value)) > 2 * _MOST_DIGITS:
        raise ValueError("number was too long")
    return parsed


def positive(value: Any) -> Decimal:
    """Return an exact decimal above 0; ValueError otherwise."""
    parsed = number(value)
    if parsed <= 0:
        raise ValueError("number was not above 0")
    return parsed


def moment(ms: Any) -> datetime:
    """Return the UTC time of milliseconds since 1970, exactly; ValueError where it is none."""
    if isinstance(ms, bool) or not isinstance(ms, str | int):
        raise ValueError("time was not told in whole milliseconds")
    return EPOCH + timedelta(milliseconds=int(ms))


def ms_of(at: datetime) -> int:
    """Return the milliseconds since 1970 of a time, rounded down."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def plain(value: Decimal) -> str:
    """Return a decimal as digits without an exponent."""
    return format(value.normalize(), "f")


def text(value: Any) -> str:
    """Return an id or name that the venue wrote as a string or an integer; ValueError where it is neither or empty."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError("an id or name was missing")
    return str(value)


def flag(row: Mapping[str, Any], name: str) -> bool | None:
    """Return a yes or no, None where the venue did not tell."""
    value = row.get(name)
    return value if isinstance(value, bool) else None


def truth(value: Any) -> bool:
    """Return a yes or no that must be told; ValueError where it is none."""
    if not isinstance(value, bool):
        raise ValueError("a yes or no was not told")
    return value
