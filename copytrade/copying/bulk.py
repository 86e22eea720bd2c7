"""Batch reads and writes: one statement for a thousand rows, by unnest, past the ORM that would cost more than SQL."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import psycopg
from sqlalchemy import ARRAY, JSON, Boolean, Integer, Table, Uuid
from sqlmodel import Session, SQLModel

from copytrade.db.model import Amount, UtcDateTime

Row = tuple[Any, ...]


def connection(session: Session) -> "psycopg.Connection[Row]":
    """Return the driver's connection of the session's transaction, after what the session holds was flushed."""
    session.flush()
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"driver was {type(driver).__name__}")
    return cast("psycopg.Connection[Row]", driver)


def fetch(session: Session, query: str, **values: object) -> list[Row]:
    """Run one statement and return its rows."""
    with connection(session).cursor() as cursor:
        cursor.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []


def table(model: type[SQLModel]) -> Table:
    """Return the table of a model."""
    return cast("Table", model.__table__)  # pyright: ignore[reportAttributeAccessIssue]


def insert(
    session: Session, model: type[SQLModel], columns: Sequence[str], rows: Sequence[Row], *, conflict: str = ""
) -> None:
    """Insert rows given in the order of `columns`."""
    if rows:
        names = ", ".join(columns)
        source, values = _source(model, columns, rows)
        fetch(session, f"INSERT INTO {table(model).fullname} ({names}) {source} {conflict}", **values)


def update(session: Session, model: type[SQLModel], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Update rows given in the order of `columns`, the first of which is the key."""
    if rows:
        key, *others = columns
        source, values = _source(model, columns, rows)
        changes = ", ".join(f"{name} = new.{name}" for name in others)
        target = table(model).fullname
        query = f"UPDATE {target} SET {changes} FROM ({source}) AS new WHERE {target}.{key} = new.{key}"  # noqa: S608 - names of ours
        fetch(session, query, **values)


def jsonb(value: object) -> str:
    """Return what a JSONB column of a batch takes."""
    return json.dumps(value, separators=(",", ":"))


def ids(values: Sequence[UUID] | set[UUID]) -> list[UUID]:
    """Return an array parameter of ids."""
    return list(values)


@lru_cache(maxsize=64)
def _types(of: Table) -> dict[str, str]:
    return {column.name: _type_of(column.type) for column in of.columns}


def _type_of(kind: object) -> str:
    match kind:
        case Amount():
            return "numeric"
        case UtcDateTime():
            return "timestamptz"
        case Uuid():
            return "uuid"
        case Boolean():
            return "boolean"
        case Integer():
            return "bigint"
        case JSON():
            return "jsonb"
        case ARRAY():
            raise TypeError("arrays do not travel in a batch")
        case _:
            return "text"


def _source(model: type[SQLModel], columns: Sequence[str], rows: Sequence[Row]) -> tuple[str, dict[str, Any]]:
    types = _types(table(model))
    shown = ", ".join(f"u.{name}::jsonb" if types[name] == "jsonb" else f"u.{name}" for name in columns)
    casts = ", ".join(f"%({name})s::{_carried(types[name])}[]" for name in columns)
    aliased = ", ".join(f"{part} AS {name}" for part, name in zip(shown.split(", "), columns, strict=True))
    values = {name: [row[at] for row in rows] for at, name in enumerate(columns)}
    return f"SELECT {aliased} FROM unnest({casts}) AS u ({', '.join(columns)})", values  # noqa: S608 - names of ours


def _carried(kind: str) -> str:
    return "text" if kind == "jsonb" else kind
