"""Where accounts can be opened or linked: a venue and a market that this installation serves."""

from typing import TypeVar

from copytrade.domain.instruments import Market, Role, Venue
from copytrade.errors import InvalidInput
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
