"""Lists of a venue's rows: each is read or kept as it came, none is dropped and none spoils its neighbours."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

Parsed = TypeVar("Parsed")
Read = TypeVar("Read", covariant=True)

ODD = (AttributeError, KeyError, IndexError, TypeError, ValueError, ArithmeticError)
"""What reading a body raises that is not what the venue should have said."""
_KEPT = 2000


class ReadRow(Protocol[Read]):
    """Reads a row about one symbol."""

    def __call__(self, row: Any, *, symbol: str) -> Read: ...


def read_rows(rows: Iterable[Any], parse: Callable[[Any], Parsed]) -> tuple[list[Parsed], tuple[str, ...]]:
    """Return the rows that could be read, in order, and those that could not, as the venue sent them."""
    read: list[Parsed] = []
    spoiled: list[str] = []
    for row in rows:
        try:
            read.append(parse(row))
        except ODD:
            spoiled.append(as_sent(row))
    return read, tuple(spoiled)


def as_sent(row: Any) -> str:
    """Return a row or frame as text, cut where it is long."""
    return json.dumps(row, default=str)[:_KEPT]
