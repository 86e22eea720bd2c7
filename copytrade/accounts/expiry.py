"""Keys that expire: how long one has, when to look next, and who is told fourteen days, three days and a day before."""

from datetime import datetime, timedelta

from sqlmodel import Session, select

from copytrade.accounts.models import ExchangeAccount
from copytrade.db.events import Event, record

WARN_DAYS = (14, 3, 1)


def days_left(expires_at: datetime | None, *, now: datetime) -> int | None:
    """Return the full days that a key has, None where it does not expire."""
    return None if expires_at is None else max((expires_at - now) // timedelta(days=1), 0)


def next_check(expires_at: datetime | None, *, now: datetime, usual: timedelta) -> datetime:
    """Return when to check again: after the usual time, or earlier where a warning or the end falls due."""
    moments = [now + usual]
    if expires_at is not None:
        warnings = [expires_at - timedelta(days=days) for days in WARN_DAYS]
        moments += [at for at in (*warnings, expires_at + timedelta(seconds=1)) if at > now]
    return min(moments)


def warn(session: Session, account: ExchangeAccount, *, now: datetime) -> None:
    """Tell the owner once for each of the warnings that is due: only the most urgent of those not told yet."""
    expires_at = account.key_expires_at
    if expires_at is None or expires_at <= now:
        return
    due = [days for days in WARN_DAYS if expires_at - now <= timedelta(days=days)]
    if not due:
        return
    # The event itself remembers that it was told; a new key has another expiry and so another cause.
    cause = f"key_expires:{account.id}:{expires_at:%Y%m%dT%H%M%S}:{min(due)}"
    if session.exec(select(Event.id).where(Event.cause == cause).limit(1)).first() is None:
        record(
            session,
            "account.key_expires",
            user_id=account.user_id,
            cause=cause,
            account_id=account.id,
            label=account.label,
            venue=account.venue,
            expires=expires_at.isoformat(),
        )
