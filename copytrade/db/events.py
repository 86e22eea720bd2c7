"""What happened: rows written in the same transaction as the change, read by whoever stands above."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Session, SQLModel

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.model import PEOPLE, moment

EVENTS = "events"
"""Topic of the bell that each event rings."""


class Event(SQLModel, table=True):
    """One thing that happened, to one person (or to the operators where `user_id` is None)."""

    __tablename__ = "events"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    kind: str = Field(index=True)
    user_id: UUID | None = Field(default=None, index=True)
    cause: str = Field(default="", index=True)
    """What makes two events one for a reader: an alarm is told once per cause."""
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON().with_variant(JSONB(), "postgresql")))
    happened_at: datetime = moment(index=True)
    handled_at: datetime | None = moment(nullable=True, index=True)


def record(session: Session, kind: str, *, user_id: UUID | None = None, cause: str = "", **facts: object) -> None:
    """Write an event; `facts` are shown to the user, so amounts and times go in as strings, never a secret."""
    session.add(
        Event(
            kind=kind,
            user_id=user_id,
            cause=cause,
            facts={name: str(fact) for name, fact in facts.items()},
            happened_at=clock.now(),
        )
    )
    ring(session, EVENTS)
