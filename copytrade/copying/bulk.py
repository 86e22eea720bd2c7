"""Batch reads and writes: one statement for a thousand rows, by unnest, past the ORM that would cost more than SQL."""

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import orjson
from sqlalchemy import ARRAY, JSON, Boolean, Date, Integer, Table, Uuid
from sqlmodel import Session, SQLModel

from copytrade.db.model import Amount, UtcDateTime
from copytrade.db.trips import Row as Row
from copytrade.db.trips import array, connection
from copytrade.db.trips import fetch as fetch


@contextmanager
def pipelined(session: Session) -> Generator[None]:
    """Send the block's statements without waiting for one another: the next is built while the last is carried out."""
    with connection(session).pipeline():
        yield


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


def update(
    session: Session,
    model: type[SQLModel],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    keeping: Collection[str] = (),
) -> None:
    """Update rows given in the order of `columns`, the first of which is the key.

    Where the new value of a column in `keeping` is NULL or empty, the old one stays.
    """
    if rows:
        key, *others = columns
        source, values = _source(model, columns, rows)
        target, types = table(model).fullname, _types(table(model))
        changes = ", ".join(f"{name} = {_new(name, types[name], target, name in keeping)}" for name in others)
        query = f"UPDATE {target} SET {changes} FROM ({source}) AS new WHERE {target}.{key} = new.{key}"  # noqa: S608 - names of ours
        fetch(session, query, **values)


def _new(name: str, kind: str, target: str, is_kept: bool) -> str:
    if not is_kept:
        return f"new.{name}"
    fresh = f"nullif(new.{name}, '')" if kind == "text" else f"new.{name}"
    return f"coalesce({fresh}, {target}.{name})"


def jsonb(value: object) -> str:
    """Return what a JSONB column of a batch takes."""
    return orjson.dumps(value).decode()


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
        case Date():
            return "date"
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
    shown, unnested, values = list[str](), list[str](), dict[str, Any]()
    for name, column in zip(columns, zip(*rows, strict=True), strict=True):
        kind = types[name]
        # What is the same in all rows travels once; at least the key is always unnested.
        if unnested and _is_one(column):
            shown.append(f"%({name})s::{kind} AS {name}")
            values[name] = column[0]
        else:
            shown.append(f"u.{name}::jsonb AS {name}" if kind == "jsonb" else f"u.{name} AS {name}")
            unnested.append(name)
            values[name] = array(column, kind)
    casts = ", ".join(f"%({name})s::{_carried(types[name])}[]" for name in unnested)
    return f"SELECT {', '.join(shown)} FROM unnest({casts}) AS u ({', '.join(unnested)})", values  # noqa: S608 - names of ours


def _is_one(column: Sequence[Any]) -> bool:
    first = column[0]
    return column[-1] is first and all(value is first for value in column)


def _carried(kind: str) -> str:
    return "text" if kind == "jsonb" else kind
