"""Contract 10: a service has a person told something."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from copytrade.api.callers import service as for_service
from copytrade.api.routing import contract
from copytrade.db.session import transaction
from copytrade.notifications import service
from copytrade.users.service_tokens import Scope, ServiceCaller

router = contract("10 · notifications")


class Notification(BaseModel):
    """Whom to tell what; the same `dedupe_key` is told once."""

    user_id: UUID
    kind: str = Field(max_length=60, examples=["account.paused"])
    facts: dict[str, str] = Field(default_factory=dict, examples=[{"label": "Main account", "venue": "binance"}])
    dedupe_key: str = Field(default="", max_length=100, examples=["account-paused-2026-03-01"])


class Told(BaseModel):
    """Whether a notice was made now, or had been made before under the same key."""

    told: bool


@router.post("/notifications", status_code=201)
def notify(wish: Notification, _caller: Annotated[ServiceCaller, for_service(Scope.NOTIFICATIONS_WRITE)]) -> Told:
    """Tell a person something, in the app and by mail as he wishes."""
    with transaction() as session:
        told = service.notify(
            session, user_id=wish.user_id, kind=wish.kind, facts=wish.facts, dedupe_key=wish.dedupe_key
        )
    return Told(told=told)
