"""How many subscribers a trader had, won and lost, month by month."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

_MONTHS = """
with months as (
  select at as starts, at + interval '1 month' as ends
  from generate_series(cast(:since as timestamp), cast(:now as timestamp), interval '1 month') as at
), mine as (
  select started_at at time zone 'UTC' as begun, ended_at at time zone 'UTC' as ended,
    successor_id is null as is_last,
    not exists (select 1 from people.subscriptions before where before.successor_id = own.id) as is_first
  from people.subscriptions own
  where trader_id = :trader and not is_paper and started_at is not null
)
select starts::date,
  count(*) filter (where begun < starts and (ended is null or ended >= starts)),
  count(*) filter (where is_first and begun >= starts and begun < ends),
  count(*) filter (where is_last and ended >= starts and ended < ends)
from months left join mine on begun < ends and (ended is null or ended >= starts)
group by starts order by starts
"""


@dataclass(frozen=True, slots=True)
class SubscriberMonth:
    """A month of a trader's subscribers; `churn` is the part of those at its start that left, None without any."""

    month: date
    at_start: int
    joined: int
    left: int

    @property
    def churn(self) -> Decimal | None:
        """What part left."""
        return Decimal(self.left) / self.at_start if self.at_start else None


def subscribers_by_month(session: Session, *, owner: UUID, since: datetime, now: datetime) -> list[SubscriberMonth]:
    """Return a trader's months from `since` (the start of one, UTC) on; who moved to another account did not leave."""
    values = {"trader": owner, "since": since.replace(tzinfo=None), "now": now.replace(tzinfo=None)}
    rows = session.connection().execute(text(_MONTHS), values)
    return [SubscriberMonth(row[0], int(row[1]), int(row[2]), int(row[3])) for row in rows]
