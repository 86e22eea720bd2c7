"""Calls to services off the event loop: one session, one transaction, a thread of its own."""

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlmodel import Session

from copytrade.db.session import reading, transaction

P = ParamSpec("P")
T = TypeVar("T")


async def read(query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a query shows."""

    def run() -> T:
        with reading() as session:
            return query(session, *args, **kwargs)

    return await asyncio.to_thread(run)


async def change(service: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what changes things and commit it; nothing stays where it raises."""

    def run() -> T:
        with transaction() as session:
            return service(session, *args, **kwargs)

    return await asyncio.to_thread(run)
