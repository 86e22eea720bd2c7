"""A person as the rest of the service sees him: no hash, no secret."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is and how he wants to be spoken to."""

    id: UUID
    email: str
    name: str
    is_trader: bool
    is_subscriber: bool
    is_operator: bool
    locale: str
    timezone: str
    theme: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in browser in the list of sessions."""

    id: UUID
    user_agent: str
    network: str
    created_at: datetime
    last_seen_at: datetime
