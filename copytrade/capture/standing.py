"""How capture stands with single accounts, as their owners see it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade import clock
from copytrade.db.model import TRADES
from copytrade.db.trips import Ask, Asking, answered

_STANDING = text(f"""
SELECT state.exchange_account_id, state.baseline_at, state.last_polled_at, state.problem, lease.owner IS NOT NULL,
       CASE WHEN state.stream_deaf_at IS NULL OR state.stream_deaf_at <= state.stream_connected_at
            THEN state.stream_connected_at END,
       (SELECT max(fill.venue_time) FROM {TRADES}.fills fill
        WHERE fill.exchange_account_id = state.exchange_account_id)
FROM {TRADES}.capture_states state
LEFT JOIN {TRADES}.capture_leases lease ON lease.kind = 'stream'
    AND lease.exchange_account_id = state.exchange_account_id AND lease.leased_until >= :now
WHERE state.exchange_account_id = ANY(:accounts)
""")  # noqa: S608 - only the schema's name goes in


_HEARD = f"""
SELECT state.exchange_account_id, GREATEST(state.last_polled_at, lease.heard_at)
FROM {TRADES}.capture_states state
LEFT JOIN {TRADES}.capture_leases lease ON lease.kind = 'stream'
    AND lease.exchange_account_id = state.exchange_account_id
WHERE state.exchange_account_id = ANY(%(accounts)s)
"""  # noqa: S608 - only the schema's name goes in


@dataclass(frozen=True, slots=True)
class Standing:
    """What capture knows of an account."""

    baseline_at: datetime | None
    last_polled_at: datetime | None
    problem: str
    stream_since: datetime | None
    """Since when its stream is connected; None: it is not, or was found to be deaf."""
    last_fill_at: datetime | None


def standings(session: Session, account_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return how capture stands with accounts that it has seen, in one query."""
    rows = session.connection().execute(_STANDING, {"accounts": list(account_ids), "now": clock.real_now()})
    return {
        account_id: Standing(
            baseline_at=baseline_at,
            last_polled_at=last_polled_at,
            problem=problem,
            stream_since=connected_at if is_streamed else None,
            last_fill_at=last_fill_at,
        )
        for account_id, baseline_at, last_polled_at, problem, is_streamed, connected_at, last_fill_at in rows
    }


def heard(session: Session, account_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return when accounts were last heard of: a poll was completed, or their stream was known to stand."""
    return answered(session, asking_heard(account_ids))


def asking_heard(account_ids: Collection[UUID]) -> Asking[dict[UUID, datetime]]:
    """Ask for what `heard` returns."""
    [rows] = yield [Ask(_HEARD, {"accounts": list(account_ids)})]
    return {account_id: at for account_id, at in rows if at is not None}
