"""The engine and its sessions: one lazy engine a process, one commit at the edge."""

import math
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel import Session

from copytrade.settings import settings

bound: ContextVar[Connection | None] = ContextVar("bound", default=None)
"""A test's connection: sessions then join its transaction, and the test rolls all of it back."""
_USED_AT = "used_at"
_FRESH_S = 1.0
"""So lately used, a connection is not asked whether it lives: that costs a transaction of ours a twentieth."""


@lru_cache(maxsize=2)
def _engine_of(pid: int) -> Engine:
    engine = create_engine(
        settings().database_url,
        pool_size=10,
        max_overflow=20,
        # The connection used last knows the statements that are asked all the time.
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={"application_name": f"copytrade-{pid}", "prepare_threshold": 2},
    )
    event.listen(engine, "connect", _remember_statements)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ping)
    return engine


def _remember_statements(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    # A process asks some two hundred different ones: with room for fewer they would be read and planned anew each time.
    connection.prepared_max = 500


def _note_use(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _ping(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
    """Have a connection that lay idle replaced if it is dead; one used just now is taken as it is."""
    if time.monotonic() - record.info.get(_USED_AT, math.inf) < _FRESH_S:
        return
    try:
        cursor = connection.cursor()
        cursor.execute("")
        cursor.close()
        connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError from error


def engine() -> Engine:
    """Return this process's engine; a forked child gets its own."""
    return _engine_of(os.getpid())


@contextmanager
def reading() -> Generator[Session]:
    """Give a session that writes nothing: each statement is a transaction of its own."""
    bind = bound.get() or _reading_engine_of(os.getpid())
    with Session(bind, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        event.listen(session, "before_flush", _refuse)
        event.listen(session, "transient_to_pending", _refuse_row)
        yield session


@lru_cache(maxsize=2)
def _reading_engine_of(pid: int) -> Engine:
    # A rollback would have the driver forget the statements that its connection has prepared, all of them.
    return _engine_of(pid).execution_options(isolation_level="AUTOCOMMIT")


def _refuse(session: Session, context: object, instances: object) -> None:
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("a session for reading was about to write")


def _refuse_row(session: Session, row: object) -> None:
    raise RuntimeError("a session for reading was about to write")


@contextmanager
def transaction() -> Generator[Session]:
    """Give a session that commits when the block ends well and rolls back when it raises."""
    with Session(bound.get() or engine(), join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        yield session
        session.commit()
