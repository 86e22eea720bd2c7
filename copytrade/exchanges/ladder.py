"""Errors of everything that is no order: reads may be repeated, settings are refused or not."""

from copytrade.domain.instruments import Venue
from copytrade.errors import BadCredentials, ExchangeError, OrderRefused, Unavailable
from copytrade.exchanges.facts import Codes
from copytrade.exchanges.judge import Failure

_NO_RIGHT = frozenset({401})
_TRUST_CODES_BELOW = 500


def read_error(failure: Failure, *, venue: Venue, codes: Codes) -> ExchangeError:
    """Return what a failed read raises: BadCredentials where the venue named the key, else Unavailable."""
    if failure.code in codes.credentials or (failure.status in _NO_RIGHT and failure.code):
        return BadCredentials(
            f"{venue.value} does not accept the key: {failure.text}",
            venue=venue.value,
            venue_code=failure.code,
            user="The exchange does not accept this API key.",
        )
    return Unavailable(
        f"{venue.value}: {failure.text}", venue=venue.value, venue_code=failure.code, retry_after=failure.retry_after
    )


def change_error(failure: Failure, *, venue: Venue, codes: Codes) -> ExchangeError:
    """Return what a failed change of a setting raises: OrderRefused where the venue said no, else as a read."""
    error = read_error(failure, venue=venue, codes=codes)
    refused = failure.status is not None and failure.status < _TRUST_CODES_BELOW and failure.code
    passing = failure.code in codes.not_executed | codes.clock | codes.unclear | codes.throttled
    passing = passing or failure.status in codes.throttled_statuses
    if isinstance(error, BadCredentials) or not refused or passing:
        return error
    return OrderRefused(f"{venue.value}: {failure.text}", venue=venue.value, venue_code=failure.code)
