"""Where a poll begins: what the database knows of an account, and what its poller remembers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from copytrade import clock
from copytrade.capture.reckoning import Rest, Search, rest_of
from copytrade.capture.service import Place
from copytrade.db.model import TRADES
from copytrade.db.session import reading
from copytrade.domain.instruments import Role

RECENT = timedelta(seconds=30)
"""A symbol traded this recently is asked again whenever anything changed."""
SWEEP_BACK = timedelta(hours=1)
PROVED = timedelta(seconds=30)
"""A stream this old that no poll found deaf is good."""


@dataclass(slots=True)
class Memory:
    """What one account's poller remembers between polls; the database holds what must not be lost."""

    mark: str = ""
    positions: dict[Place, Decimal] = field(default_factory=dict[Place, Decimal])
    looks_left: int = 0
    """Polls that still read after a change: what the venue shows late is then found."""
    owes_ledger: bool = True
    ledger_at: datetime | None = None
    wants_ledger: bool = False
    """Whether it is to be asked at the next poll, whatever it costs."""
    ledger_ids: set[str] = field(default_factory=set[str])
    missing: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Symbols whose fills do not explain a reading, and since when they are searched."""
    swept_at: datetime | None = None
    settled: tuple[str, datetime] | None = None
    """The mark at which the reading last agreed with P in everything, and when."""
    wants_baseline: bool = False
    """Whether a lead has no baseline yet: a second reading is wanted as soon as it counts."""
    is_first: bool = True
    """Nothing was polled yet by this process: what moved before it began is not known."""
    search: Search | None = None
    """On spot: what is asked about since a balance is not explained."""
    reckoned: str = ""
    """On spot: the mark at which fills and ledger were last found to explain all balances."""
    gone: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Symbols that the venue does not know, and when it last said so."""
    is_streamed: bool = False
    """Whether a stream tells what happens and no poll found it deaf."""

    def has_work(self) -> bool:
        """Return whether something was not found or not settled yet: the next poll must not be long in coming."""
        return bool(self.missing or self.search or self.wants_ledger or self.wants_baseline or not self.settled)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a poll begins, from the database."""

    cursors: dict[str, str]
    rest: Rest | None
    polled_until: datetime | None
    entries_until: datetime
    symbols: set[str]
    """Symbols traded just now, or with a fill that waits to be planned."""
    of_the_hour: set[str]
    is_waiting: bool
    streamed_since: datetime | None
    is_streamed: bool
    """Whether that stream has proved good: it is not new, and no poll found a fill that it did not tell."""
    transfer_heard_at: datetime | None


_START = text(f"""
SELECT state.cursors, state.balances, state.polled_until, state.entries_until, state.created_at, state.role,
    state.transfer_heard_at, CASE WHEN lease.leased_until > :real THEN state.stream_connected_at END AS streamed_since,
    state.stream_deaf_at,
    ARRAY(SELECT DISTINCT symbol FROM {TRADES}.fills
        WHERE exchange_account_id = :account AND venue_time > :recent) AS recent,
    ARRAY(SELECT DISTINCT symbol FROM {TRADES}.fills
        WHERE exchange_account_id = :account AND venue_time > :hour) AS of_the_hour,
    ARRAY(SELECT DISTINCT symbol FROM {TRADES}.fills
        WHERE exchange_account_id = :account AND planned_at IS NULL AND NOT is_history) AS waiting
FROM {TRADES}.capture_states state
LEFT JOIN {TRADES}.capture_leases lease
    ON lease.exchange_account_id = state.exchange_account_id AND lease.kind = 'stream'
WHERE state.exchange_account_id = :account
""")  # noqa: S608 - only the schema's name goes in


def start_of(account_id: UUID) -> Start:
    """Return where a poll of an account begins, in one query: most polls find nothing else to do."""
    now = clock.now()
    times = {"real": clock.real_now(), "recent": now - RECENT, "hour": now - SWEEP_BACK}
    with reading() as session:
        row = session.connection().execute(_START, {"account": account_id, **times}).one()
    since, deaf = row.streamed_since, row.stream_deaf_at
    return Start(
        is_streamed=since is not None and now - since > PROVED and (deaf is None or deaf <= since),
        cursors=row.cursors,
        rest=rest_of(row.balances),
        polled_until=row.polled_until,
        entries_until=row.entries_until or row.created_at,
        symbols={*row.recent, *row.waiting},
        of_the_hour=set(row.of_the_hour),
        is_waiting=row.role == Role.LEAD and bool(row.waiting),
        transfer_heard_at=row.transfer_heard_at,
        streamed_since=since,
    )
