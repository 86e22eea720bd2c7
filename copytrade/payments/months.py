"""Money summed up by month (UTC) and currency, in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade.payments.ledger_models import EntryKind

TAKING = (EntryKind.REFUND, EntryKind.REFUND_FAILED, EntryKind.DISPUTE_LOST, EntryKind.DISPUTE_WON)
"""What takes a part of a payment back, or gives it again."""
Key = tuple[date, str]
"""First day of the month, currency."""
_PAID = """
select date_trunc('month', paid_at at time zone 'UTC')::date, currency,
  count(*), sum(minor), sum(platform_minor), sum(trader_minor)
from people.paid_periods where paid_at >= :since {of_trader} group by 1, 2
"""
_BOOKED = """
select date_trunc('month', happened_at at time zone 'UTC')::date, currency, sum(minor)
from people.ledger_entries
where account = :account and happened_at >= :since and kind = any(:kinds)
  and kind not in ('paid', 'payout', 'payout_canceled', 'reversal')
group by 1, 2
"""


@dataclass(frozen=True, slots=True)
class PaidSums:
    """What was paid in a month, in minor units."""

    payments: int = 0
    gross: int = 0
    platform: int = 0
    traders: int = 0


def months_before(now: datetime, *, months: int) -> datetime:
    """Return the start of the first of so many months, the running one being the last."""
    number = now.year * 12 + now.month - 1 - (months - 1)
    return now.replace(year=number // 12, month=number % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)


def paid_by_month(session: Session, *, since: datetime, trader_id: UUID | None = None) -> dict[Key, PaidSums]:
    """Return what subscribers of a trader, or of everybody, paid."""
    statement = _PAID.format(of_trader="and trader_id = :trader" if trader_id else "")
    values = {"since": since} | ({"trader": trader_id} if trader_id else {})
    rows = session.connection().execute(text(statement), values)
    return {(row[0], row[1]): PaidSums(*(int(number) for number in row[2:])) for row in rows}


def booked_by_month(session: Session, *, account: str, since: datetime, kinds: Sequence[EntryKind]) -> dict[Key, int]:
    """Return what bookings of these kinds did to an account."""
    values = {"account": account, "since": since, "kinds": [kind.value for kind in kinds]}
    rows = session.connection().execute(text(_BOOKED), values)
    return {(row[0], row[1]): int(row[2]) for row in rows}
