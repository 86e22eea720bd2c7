"""What can go wrong and is expected: named after the fact, each with a text for the user.

A bug is none of these: it crashes the job or the request and is logged.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """A text for the user: a key of the catalogue (the English sentence) and what goes into its braces."""

    text: str
    facts: dict[str, str] = field(default_factory=dict)


class CopyTradeError(Exception):
    """An expected failure; `user` is what a page or the API may show, `message` is for the log."""

    status = 400
    code = "error"

    def __init__(self, message: str, *, user: str | None = None, field: str | None = None, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.user = Said(user or message, {key: str(value) for key, value in facts.items()})


class InvalidInput(CopyTradeError):
    """What was typed cannot be used; `field` names the input."""

    status, code = 422, "invalid_input"


class NotFound(CopyTradeError):
    """There is no such thing, or not for the one who asks."""

    status, code = 404, "not_found"


class NotAllowed(CopyTradeError):
    """The one who asks may not do this. Where the thing itself is not his, raise NotFound instead."""

    status, code = 403, "not_allowed"


class NotSignedIn(CopyTradeError):
    """Nobody is signed in."""

    status, code = 401, "not_signed_in"


class Conflict(CopyTradeError):
    """It clashes with what is there already."""

    status, code = 409, "conflict"


class LimitReached(CopyTradeError):
    """Too often or too much; try again later."""

    status, code = 429, "limit_reached"


class ExchangeError(CopyTradeError):
    """A venue did not do what was asked; `venue_code` is the venue's own code where it gave one."""

    status, code = 502, "exchange_error"

    def __init__(
        self, message: str, *, venue: str, venue_code: str = "", user: str | None = None, field: str | None = None
    ) -> None:
        super().__init__(message, user=user, field=field, venue=venue)
        self.venue = venue
        self.venue_code = venue_code


class Unavailable(ExchangeError):
    """A read failed or nothing was sent; it may be repeated, after `retry_after` seconds where known."""

    code = "exchange_unavailable"

    def __init__(self, message: str, *, venue: str, venue_code: str = "", retry_after: float | None = None) -> None:
        super().__init__(
            message,
            venue=venue,
            venue_code=venue_code,
            user="The exchange did not answer. Nothing was changed; please try again.",
        )
        self.retry_after = retry_after


class BadCredentials(ExchangeError):
    """The venue does not accept the key: wrong, revoked, expired, another address, or without the right."""

    status, code = 422, "bad_credentials"


class OrderRefused(ExchangeError):
    """The venue refused the order for certain: nothing was placed."""

    status, code = 422, "order_refused"
