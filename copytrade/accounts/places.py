"""Where accounts can be opened or linked: a venue and a market that this installation serves."""

from typing import TypeVar

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select

from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.queries import account_ref
from copytrade.accounts.reasons import State
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.errors import InvalidInput
from copytrade.exchanges.port import AccountRef
from copytrade.exchanges.venues import is_served

T = TypeVar("T", Venue, Market, Role)


def place_of(venue: Venue | str, market: Market | str) -> tuple[Venue, Market]:
    """Return the place that was named; InvalidInput for one that is not served."""
    place = member_of(Venue, venue, field="venue"), member_of(Market, market, field="market")
    if not is_served(place[0], market=place[1]):
        raise InvalidInput(
            f"{place[0]} {place[1]} was not ready", user="This exchange and market cannot be linked yet.", field="venue"
        )
    return place


def member_of(kind: type[T], value: str, *, field: str) -> T:
    """Return the member of an enum by its value; InvalidInput naming the field for none."""
    try:
        return kind(value)
    except ValueError:
        raise InvalidInput(f"{field} was unknown", user="Please choose one of the list.", field=field) from None


def one_of_each(session: Session) -> list[AccountRef]:
    """Return one active account of every venue, market and mode, in one query: by which a place's terms are read."""
    place = (col(ExchangeAccount.venue), col(ExchangeAccount.market), col(ExchangeAccount.mode))
    rows = session.exec(
        select(ExchangeAccount)
        .ext(distinct_on(*place))
        .where(ExchangeAccount.state == State.ACTIVE)
        .order_by(*place, col(ExchangeAccount.id))
    )
    return [account_ref(row) for row in rows]
