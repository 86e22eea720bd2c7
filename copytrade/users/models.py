"""Tables of people and their sessions."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from copytrade.db.model import PEOPLE, key, moment


class User(SQLModel, table=True):
    """A person: trader, subscriber, operator or several of them."""

    __tablename__ = "users"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    id: UUID = key()
    email: str = Field(max_length=254, unique=True)
    """Normalised and lower-case: one person, one row."""
    password_hash: str = Field(repr=False)
    name: str = Field(default="", max_length=60)
    is_trader: bool = False
    is_subscriber: bool = False
    is_operator: bool = False
    locale: str = Field(default="en", max_length=5)
    timezone: str = Field(default="", max_length=64)
    theme: str = Field(default="system", max_length=10)
    accepted_terms_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class UserSession(SQLModel, table=True):
    """A signed-in browser; only the hash of its token is kept."""

    __tablename__ = "user_sessions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": PEOPLE}

    id: UUID = key()
    user_id: UUID = Field(foreign_key=f"{PEOPLE}.users.id", index=True, ondelete="CASCADE")
    token_hash: bytes = Field(unique=True, repr=False)
    user_agent: str = Field(default="", max_length=200)
    network: str = Field(default="", max_length=64)
    """The address with its last part cut off: enough to recognise, too little to follow."""
    created_at: datetime = moment()
    last_seen_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
