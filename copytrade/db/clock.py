"""The one row that moves every process's clock together in a sandboxed installation."""

from datetime import timedelta

from sqlmodel import Field, Session, SQLModel

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.model import PEOPLE
from copytrade.settings import settings


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


def advance(session: Session, by: timedelta) -> None:
    """Move the clock of every process ahead; refused in production."""
    if settings().is_production:
        raise RuntimeError("the clock of a production installation does not move")
    row = session.get(ClockOffset, 1) or ClockOffset()
    row.seconds += int(by.total_seconds())
    session.add(row)
    ring(session, "clock")
