"""What tables share: names of constraints, column types, ids and the two schemas."""

import os
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, Numeric, types
from sqlmodel import Field, SQLModel

PEOPLE = "people"
"""Schema of users, accounts, subscriptions, payments, notifications."""
TRADES = "trades"
"""Schema of capture, copying, analytics; ids cross between the two, no foreign key does."""

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

_last_ms = 0
_sequence = 0


def new_id() -> UUID:
    """Return a time-ordered UUID (version 7, RFC 9562): rows of one process sort by when they were made."""
    global _last_ms, _sequence  # noqa: PLW0603 - the counter that keeps ids of one millisecond in order
    now_ms = max(time.time_ns() // 1_000_000, _last_ms)
    _sequence = (_sequence + 1) & 0xFFF if now_ms == _last_ms else 0
    if now_ms == _last_ms and _sequence == 0:
        now_ms += 1
    _last_ms = now_ms
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=(now_ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | _sequence << 64 | 0b10 << 62 | random)


class UtcDateTime(types.TypeDecorator[datetime]):
    """A timestamp with time zone that takes and gives aware UTC only."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("time was naive; times are aware UTC")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.astimezone(UTC)


class Amount(types.TypeDecorator[Decimal]):
    """Exact decimal of any size (NUMERIC without limits)."""

    impl = Numeric(asdecimal=True)
    cache_ok = True

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Decimal | None:
        if isinstance(value, float):
            raise TypeError("amount was a float; money and quantities are Decimal")
        return Decimal(value) if value is not None else None


def key() -> Any:
    """Return the field of a primary key: a UUID chosen in Python, so that it is known before the insert."""
    return Field(default_factory=new_id, primary_key=True)


def moment(*, default: Any = ..., index: bool = False, nullable: bool = False) -> Any:
    """Return the field of an aware UTC time."""
    if nullable and default is ...:
        default = None
    return Field(default=default, sa_type=UtcDateTime, index=index, nullable=nullable)  # pyright: ignore[reportArgumentType, reportCallIssue]


def amount(*, default: Any = ..., nullable: bool = False) -> Any:
    """Return the field of an exact decimal."""
    if nullable and default is ...:
        default = None
    return Field(default=default, sa_type=Amount, nullable=nullable)  # pyright: ignore[reportArgumentType, reportCallIssue]


def units(*, default: Any = ...) -> Any:
    """Return the field of an amount of money in whole minor units of its currency."""
    return Field(default=default, sa_type=BigInteger, nullable=False)  # pyright: ignore[reportArgumentType, reportCallIssue]
