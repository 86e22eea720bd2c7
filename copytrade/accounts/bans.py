"""Tells the operators that a venue has banned one of our addresses."""

import structlog
from sqlalchemy.exc import OperationalError

from copytrade import clock
from copytrade.db.events import record
from copytrade.db.session import transaction
from copytrade.exchanges.gate import Ban

log = structlog.get_logger()


def tell(ban: Ban) -> None:
    """Raise an alarm, once an hour for an address; a database that is away leaves it to the log and the metric."""
    hour = clock.real_now().strftime("%Y%m%dT%H")
    try:
        with transaction() as session:
            record(
                session,
                "alarm.venue_ban",
                cause=f"venue_ban:{ban.venue}:{ban.mode}:{ban.way}:{hour}",
                venue=ban.venue,
                mode=ban.mode,
                way_out=ban.way or "direct",
                seconds=round(ban.seconds),
            )
    except OperationalError as error:
        log.warning("ban.not_told", venue=ban.venue.value, reason=type(error.orig).__name__)
