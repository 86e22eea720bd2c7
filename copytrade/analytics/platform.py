"""The platform's own numbers: what the landing page tells a stranger."""

from datetime import UTC, datetime, time

from sqlmodel import Session

from copytrade import clock
from copytrade.analytics.rows import PlatformNumbers
from copytrade.copying import quality as copying
from copytrade.subscriptions import queries as subscriptions


def platform_numbers(session: Session) -> PlatformNumbers:
    """Return live counts over the whole installation; copies are those since 00:00 UTC."""
    today = datetime.combine(clock.now().astimezone(UTC).date(), time.min, tzinfo=UTC)
    profiles = subscriptions.published(session)
    found = copying.delays_of_all(session, since=today)
    return PlatformNumbers(
        traders=len(profiles),
        subscribers=sum(profile.subscribers for profile in profiles),
        copies_today=found.count,
        median_delay_ms=found.delay_p50_ms,
        median_slippage_bps=found.slippage_p50_bps,
    )
