"""Ids as they come from the browser: anything at all."""

from uuid import UUID

from copytrade.errors import NotFound


def id_of(text: object) -> UUID:
    """Return the id that a handler was given; what is no id is not found, like somebody else's."""
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFound("an id was malformed", user="There is nothing at this address.") from None
