"""When traders are paid, and how little is not worth a transfer."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from copytrade.domain.money import digits


def last_date(now: datetime, *, every: str) -> datetime:
    """Return the latest date of payouts: midnight UTC of today (`daily`), of Monday (`weekly`), of the first."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match every:
        case "daily":
            return today
        case "weekly":
            return today - timedelta(days=today.weekday())
        case "monthly":
            return today.replace(day=1)
        case _:
            raise ValueError(f"payouts were {every!r}, not daily, weekly or monthly")


def next_date(now: datetime, *, every: str) -> datetime:
    """Return the next date of payouts after now."""
    last = last_date(now, every=every)
    return last_date(last + timedelta(days={"daily": 1, "weekly": 7}.get(every, 32)), every=every)


def paid_on(available_at: datetime, *, every: str) -> datetime:
    """Return the date on which a sum is paid that is free from a time on."""
    last = last_date(available_at, every=every)
    return last if last >= available_at else next_date(available_at, every=every)


def least(amount: Decimal, *, currency: str) -> int:
    """Return a minimum in minor units, rounded up where the currency is coarser."""
    return int(amount.scaleb(digits(currency)).to_integral_value(rounding=ROUND_CEILING))
