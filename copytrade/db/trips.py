"""Trips to the database: statements past the ORM, several of several rooms in one trip where nothing keeps them apart.

A question that may share a trip is a generator: it yields statements, is sent the rows of each and returns what they
mean. The statements of a trip are carried out one after the other: each sees what those before it have locked.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

import psycopg
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

Row = tuple[Any, ...]
T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Ask:
    """One statement and its values by name."""

    query: str
    values: Mapping[str, object]


Asking = Generator[Sequence[Ask], Sequence[list[Row]], A]
"""A question: yields statements that may be asked together, is sent the rows of each, returns the answer."""
_Asked = tuple[Generator[Sequence[Ask], Sequence[list[Row]], Any], Sequence[Ask], "Answer[Any]"]


class Answer(Generic[T]):
    """What a question of a trip was answered; there once the trip was made."""

    __slots__ = ("_value",)

    _value: T

    def give(self, value: T) -> None:
        """Take what the question made of its rows."""
        self._value = value

    @property
    def value(self) -> T:
        """Return the answer; raise AttributeError before the trip was made."""
        return self._value


class Trip:
    """Questions that are asked together."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: list[_Asked] = []

    def ask(self, asking: Asking[T]) -> Answer[T]:
        """Take a question along."""
        answer: Answer[T] = Answer()
        _go_on(asking, None, answer, self._asked)
        return answer

    def go(self) -> None:
        """Ask everything; a question that asks on shares the next trip with the others that do."""
        while self._asked:
            asked, self._asked = self._asked, []
            rows = iter(_carried_out(self._session, [one for _, asks, _ in asked for one in asks]))
            for asking, asks, answer in asked:
                _go_on(asking, [next(rows) for _ in asks], answer, self._asked)


def answered(session: Session, asking: Asking[T]) -> T:
    """Ask one question alone."""
    trip = Trip(session)
    answer = trip.ask(asking)
    trip.go()
    return answer.value


def _go_on(asking: Asking[T], rows: Sequence[list[Row]] | None, answer: Answer[T], asked: list[_Asked]) -> None:
    try:
        asks = next(asking) if rows is None else asking.send(rows)
    except StopIteration as done:
        answer.give(done.value)
    else:
        asked.append((asking, asks, answer))


def _carried_out(session: Session, asks: Sequence[Ask]) -> list[list[Row]]:
    driver = connection(session)
    cursors: list[psycopg.Cursor[Row]] = []
    with _as_the_orm_tells(), driver.pipeline():
        for ask in asks:
            cursor = driver.cursor()
            cursor.execute(ask.query.encode(), parameters(ask.values))
            cursors.append(cursor)
    return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


@contextmanager
def _as_the_orm_tells() -> Generator[None]:
    """Raise what the ORM raises where the database is away: whoever tries again knows one error, not two."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise OperationalError(None, None, error, hide_parameters=True) from error


def connection(session: Session) -> "psycopg.Connection[Row]":
    """Return the driver's connection of the session's transaction, after what the session holds was flushed."""
    session.flush()
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"driver was {type(driver).__name__}")
    return cast("psycopg.Connection[Row]", driver)


def fetch(session: Session, query: str, **values: object) -> list[Row]:
    """Run one statement and return its rows."""
    with _as_the_orm_tells(), connection(session).cursor() as cursor:
        cursor.execute(query.encode(), parameters(values))
        return cursor.fetchall() if cursor.description else []


def parameters(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as the driver takes them fastest."""
    return {name: _literal(value) for name, value in values.items()}


def _literal(value: object) -> object:
    if not isinstance(value, list):
        return value
    items = cast("list[Any]", value)
    return array(items, "uuid") if items and isinstance(items[0], UUID) else items


def array(values: "list[Any] | tuple[Any, ...]", kind: str) -> str:
    """Return an array literal: one string costs a tenth of what the driver takes to dump a list."""
    match kind:
        case "uuid":
            parts = ["NULL" if value is None else value.hex for value in values]
        case "text" | "jsonb":
            known = {value: _quoted(value) for value in set(values) if value is not None}
            parts = [known.get(value, "NULL") for value in values]
        case "timestamptz":
            known = {value: value.isoformat() for value in set(values) if value is not None}
            parts = [known.get(value, "NULL") for value in values]
        case _:
            parts = ["NULL" if value is None else str(value) for value in values]
    return "{" + ",".join(parts) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
