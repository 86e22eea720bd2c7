"""Where a poll begins: what the database knows of an account, and what its poller remembers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import col, select

from copytrade import clock
from copytrade.capture.models import CaptureLease, CaptureState, StoredFill
from copytrade.capture.reckoning import Rest, Search, last_rest
from copytrade.capture.service import Place
from copytrade.db.session import reading
from copytrade.domain.instruments import Role

RECENT = timedelta(seconds=30)
"""A symbol traded this recently is asked again whenever anything changed."""
SWEEP_BACK = timedelta(hours=1)


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
    is_first: bool = True
    """Nothing was polled yet by this process: what moved before it began is not known."""
    search: Search | None = None
    """On spot: what is asked about since a balance is not explained."""
    reckoned: str = ""
    """On spot: the mark at which fills and ledger were last found to explain all balances."""
    gone: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Symbols that the venue does not know, and when it last said so."""


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
    transfer_heard_at: datetime | None


def start_of(account_id: UUID) -> Start:
    """Return where a poll of an account begins."""
    with reading() as session:
        state = session.get(CaptureState, account_id)
        if state is None:
            raise LookupError(f"account {account_id} has no capture state")
        fills = select(StoredFill.symbol).where(StoredFill.exchange_account_id == account_id).distinct()
        recent = session.exec(fills.where(col(StoredFill.venue_time) > clock.now() - RECENT)).all()
        of_the_hour = session.exec(fills.where(col(StoredFill.venue_time) > clock.now() - SWEEP_BACK)).all()
        unplanned = fills.where(col(StoredFill.planned_at).is_(None), ~col(StoredFill.is_history))
        waiting = session.exec(unplanned).all()
        lease = session.get(CaptureLease, ("stream", account_id))
        return Start(
            cursors=dict(state.cursors),
            rest=last_rest(state),
            polled_until=state.polled_until,
            entries_until=state.entries_until or state.created_at,
            symbols={*recent, *waiting},
            of_the_hour=set(of_the_hour),
            is_waiting=state.role == Role.LEAD and bool(waiting),
            transfer_heard_at=state.transfer_heard_at,
            streamed_since=state.stream_connected_at if lease and lease.leased_until > clock.real_now() else None,
        )
