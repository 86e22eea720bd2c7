"""The engine and its sessions: one lazy engine a process, one commit at the edge."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from sqlalchemy import Connection, Engine, create_engine
from sqlmodel import Session

from copytrade.settings import settings

bound: ContextVar[Connection | None] = ContextVar("bound", default=None)
"""A test's connection: sessions then join its transaction, and the test rolls all of it back."""


@lru_cache(maxsize=2)
def _engine_of(pid: int) -> Engine:
    return create_engine(
        settings().database_url,
        pool_size=10,
        max_overflow=20,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"application_name": f"copytrade-{pid}"},
    )


def engine() -> Engine:
    """Return this process's engine; a forked child gets its own."""
    return _engine_of(os.getpid())


@contextmanager
def reading() -> Generator[Session]:
    """Give a session that is never committed."""
    with Session(bound.get() or engine(), join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        yield session


@contextmanager
def transaction() -> Generator[Session]:
    """Give a session that commits when the block ends well and rolls back when it raises."""
    with Session(bound.get() or engine(), join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        yield session
        session.commit()
