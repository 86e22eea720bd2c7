"""The time. `now()` may be moved in a sandboxed installation; `real_now()` never is."""

from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def real_now() -> datetime:
    """Return the real time, for signatures, receive windows and leases."""
    return datetime.now(UTC)


def now() -> datetime:
    """Return the service's time: real time plus the sandbox's offset (always 0 in production)."""
    return datetime.now(UTC) + _offset


def set_offset(offset: timedelta) -> None:
    """Move this process's clock; `db.clock` reads the one row that keeps all processes together."""
    global _offset  # noqa: PLW0603 - the one moving part of the clock
    _offset = offset


def offset() -> timedelta:
    """Return how far this process's clock is moved."""
    return _offset
