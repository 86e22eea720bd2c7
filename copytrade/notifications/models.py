"""Tables of notices: the inbox in the app, the mails, and who wants what."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from copytrade.db.model import PEOPLE, key, moment


class MailState(StrEnum):
    """What became of a mail."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class Channel(StrEnum):
    """A way to reach a person."""

    APP = "app"
    MAIL = "mail"


def _facts() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSONB(), nullable=False))


class Notice(SQLModel, table=True):
    """One line of a person's inbox; kept as kind and facts, put into words in the reader's language."""

    __tablename__ = "notices"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("user_id", "dedupe_key"),
        Index("ix_notices_unread", "user_id", postgresql_where=text("read_at is null")),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    user_id: UUID = Field(index=True)
    kind: str
    facts: dict[str, Any] = _facts()
    dedupe_key: str
    created_at: datetime = moment()
    read_at: datetime | None = moment(nullable=True)


class Mail(SQLModel, table=True):
    """One mail to send: sent at least once, told apart by its Message-ID."""

    __tablename__ = "mails"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("user_id", "dedupe_key"),
        Index("ix_mails_due", "try_at", postgresql_where=text("state = 'pending'")),
        {"schema": PEOPLE},
    )

    id: UUID = key()
    user_id: UUID
    kind: str
    facts: dict[str, Any] = _facts()
    dedupe_key: str
    state: str = MailState.PENDING
    attempts: int = 0
    error: str = ""
    try_at: datetime = moment()
    created_at: datetime = moment()
    sent_at: datetime | None = moment(nullable=True)


class Preference(SQLModel, table=True):
    """What a person switched off or on again; without a row the channel is on."""

    __tablename__ = "notice_preferences"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    user_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    is_on: bool
