"""Contract 5: the traders whose fills are to be captured."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from copytrade.api.callers import service
from copytrade.api.routing import contract
from copytrade.db.session import reading
from copytrade.subscriptions import queries
from copytrade.users.service_tokens import Scope, ServiceCaller

router = contract("5 · traders")


class TraderAnswer(BaseModel):
    """A trader with an active lead account; no keys."""

    trader_id: UUID
    profile_id: UUID | None
    lead_account_id: UUID
    venue: str
    market: str


@router.get("/traders")
def traders(_caller: Annotated[ServiceCaller, service(Scope.TRADERS_READ)]) -> list[TraderAnswer]:
    """Return the traders with linked, active lead accounts."""
    with reading() as session:
        return [
            TraderAnswer(
                trader_id=row.user_id,
                profile_id=row.profile_id,
                lead_account_id=row.lead_account_id,
                venue=row.venue,
                market=row.market,
            )
            for row in queries.traders(session)
        ]
