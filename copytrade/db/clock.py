"""The one row that moves every process's clock together in a sandboxed installation."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Field, Session, SQLModel

from copytrade import clock
from copytrade.db.bell import bell, ring
from copytrade.db.model import PEOPLE
from copytrade.db.session import reading
from copytrade.settings import settings

EVERY_S = 5.0
log = structlog.get_logger()


class ClockOffset(SQLModel, table=True):
    """How far the service's time is ahead of the real one."""

    __tablename__ = "clock_offsets"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    id: int = Field(default=1, primary_key=True)
    seconds: int = 0


def follow(session: Session) -> None:
    """Set this process's clock by the row; in production the clock never moves."""
    if settings().is_production:
        return
    row = session.get(ClockOffset, 1)
    clock.set_offset(timedelta(seconds=row.seconds if row else 0))


def follow_now() -> None:
    """Set this process's clock by the row now."""
    if settings().is_production:
        return
    with reading() as session:
        follow(session)


async def keep_following() -> None:
    """Keep the clock of a process with an event loop where the installation's is."""
    async for _ in bell().rings("clock", every=EVERY_S):
        try:
            await asyncio.to_thread(follow_now)
        except DBAPIError as error:
            log.warning("clock.database_away", reason=type(error).__name__)


def advance(session: Session, by: timedelta) -> None:
    """Move the clock of every process ahead; refused in production."""
    if settings().is_production:
        raise RuntimeError("the clock of a production installation does not move")
    row = session.get(ClockOffset, 1) or ClockOffset()
    row.seconds += int(by.total_seconds())
    session.add(row)
    ring(session, "clock")
