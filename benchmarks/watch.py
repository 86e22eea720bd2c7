"""What measurements share: waiting for a condition, looking into the tables, a lead who trades and is copied."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from benchmarks.ground import Ground

if TYPE_CHECKING:
    import psycopg

    from benchmarks.crowd import Lead

SYMBOL = "BTCUSDT"
LATENCY_MS = 20
PATIENCE_S = 120.0
LOOK_EVERY_S = 0.05
Found = TypeVar("Found")

_COPIED = """
SELECT count(DISTINCT o.leg_id), max(o.acknowledged_at)
FROM trades.copy_orders o JOIN trades.legs l ON l.id = o.leg_id
WHERE l.lead_account_id = ANY(%s) AND o.created_at >= %s AND o.state = 'filled'
"""


def wait(place: Ground, look: Callable[[], Found | None], *, what: str, patience_s: float = PATIENCE_S) -> Found:
    """Return what `look` finds once it finds something."""
    deadline = time.monotonic() + patience_s
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about within {patience_s:.0f} s")
        if crashed := place.processes.crashed():
            raise RuntimeError(f"processes crashed: {crashed}")
        time.sleep(LOOK_EVERY_S)
    return found


def rows(place: Ground, query: str, values: Sequence[Any] = ()) -> list[Any]:
    """Return what a query finds in the installation's database."""
    return _connected(str(place.processes.engines.engines.run)).execute(query, values).fetchall()  # pyright: ignore[reportArgumentType]


@lru_cache(maxsize=1)
def _connected(where: str) -> "psycopg.Connection[Any]":
    # One connection for all looks: making one costs the machine that is measured more than asking.
    import psycopg

    return psycopg.connect(dbname="copytrade", user="postgres", host=where, autocommit=True)


def wait_for_leads(place: Ground, *, leads: int, patience_s: float = PATIENCE_S) -> None:
    """Wait until what the leads hold is known and their streams are heard."""

    def are_heard() -> bool | None:
        [(known,)] = rows(
            place,
            "SELECT count(*) FROM trades.capture_states WHERE role = 'lead' AND baseline_at IS NOT NULL"
            " AND history_done_at IS NOT NULL",
        )
        return True if known == leads and sum(place.control.streams()["users"].values()) >= leads else None

    wait(place, are_heard, what="the leads' baselines and streams", patience_s=patience_s)


def copied(place: Ground, leads: Sequence["Lead"], *, patience_s: float = PATIENCE_S) -> float:
    """Let each lead open or close 1 BTC, all at the same moment; return the seconds until the last copy was accepted.

    Counted from the first execution at the venue.
    """
    sides = ["SELL" if place.control.position(lead.sandbox_id, SYMBOL) > 0 else "BUY" for lead in leads]
    orders = [place.control.place(lead.sandbox_id, SYMBOL, side, "1") for lead, side in zip(leads, sides, strict=True)]
    executed = [datetime.fromtimestamp(int(order["updateTime"]) / 1000, UTC) for order in orders]
    expected, since = sum(lead.subscribers for lead in leads), min(executed)

    def last() -> datetime | None:
        [(count, at)] = rows(place, _COPIED, ([lead.account_id for lead in leads], since))
        return at if count == expected else None

    return (wait(place, last, what=f"{expected} copies", patience_s=patience_s) - since).total_seconds()
