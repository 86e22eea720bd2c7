"""Membership of many values as one array: with a parameter for each the driver reads the long statement anew."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import SQLCoreOperations


def among_ids(column: SQLCoreOperations[Any], ids: Iterable[object]) -> ColumnElement[bool]:
    """Return the condition that a column of ids is one of these."""
    return column == any_(literal(list(ids), ARRAY(Uuid())))


def among_texts(column: SQLCoreOperations[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column of texts is one of these."""
    return column == any_(literal(list(texts), ARRAY(Text())))
