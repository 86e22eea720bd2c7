"""The share that an operator agrees on with a trader."""

from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.errors import InvalidInput, NotAllowed, NotFound
from copytrade.payments.ledger_models import TraderShare
from copytrade.users import queries as users

LEAST, MOST = Decimal("0.5"), Decimal(1)
"""The trader gets the larger part, and at most all of it."""


def agree(session: Session, *, by: UUID, trader_id: UUID, share: Decimal) -> None:
    """Set a trader's part of what is paid from now on (0.85 is 85 %); only operators may."""
    if not users.person(session, by).is_operator:
        raise NotAllowed(f"user {by} is no operator", user="Only operators may do this.")
    if not users.person(session, trader_id).is_trader:
        raise NotFound(f"user {trader_id} is no trader", user="There is no such trader.")
    if not share.is_finite() or not LEAST < share <= MOST or share != round(share, 4):
        raise InvalidInput(
            f"share was {share}", user="A trader's share is above 50 and up to 100 percent.", field="share"
        )
    session.add(TraderShare(trader_id=trader_id, share=share, set_by=by, set_at=clock.now()))
    ring(session, f"user:{trader_id}")
