"""What Bitget tells of a key, for both markets; and orders that could not be prepared."""

from copytrade.domain.fills import KeyPermissions
from copytrade.domain.orders import Outcome, OutcomeKind, Refusal
from copytrade.errors import BadCredentials, ExchangeError, Unavailable
from copytrade.exchanges.bitget import rights
from copytrade.exchanges.wire import Wire

_IS_UNIFIED = "40085"


async def permissions(wire: Wire) -> KeyPermissions:
    """Return the rights of a key; an account of the unified kind is told as unfit."""
    try:
        await wire.ask("privateUtaGetV3AccountSettings")
    except ExchangeError as error:
        # classic accounts are told 40084; whatever else is wrong with the key, the next call says better
        if not error.venue_code:
            raise
    else:
        return rights.UNIFIED
    try:
        body = await wire.ask("privateSpotGetV2SpotAccountInfo")
    except BadCredentials as error:
        if error.venue_code == _IS_UNIFIED:
            return rights.UNIFIED
        raise
    return wire.read(lambda answer: rights.permissions(answer["data"], market=wire.ground.market), body)


def not_sent(error: ExchangeError) -> Outcome:
    """Return the outcome of an order that was not sent, since what it needed to know could not be read."""
    if isinstance(error, BadCredentials):
        return Outcome(
            OutcomeKind.REFUSED, refusal=Refusal.CREDENTIALS, venue_code=error.venue_code, message=error.message
        )
    retry_after = error.retry_after if isinstance(error, Unavailable) else None
    return Outcome(OutcomeKind.NOT_SENT, venue_code=error.venue_code, message=error.message, retry_after=retry_after)
