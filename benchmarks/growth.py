"""How a fan-out grows with the subscribers: 100, 1,000, 10,000, and with fewer warm clients than accounts."""

import math
import os
import statistics
import sys
from typing import TYPE_CHECKING

from benchmarks.ground import Ground, ground
from benchmarks.watch import LATENCY_MS, copied, rows, wait, wait_for_leads

if TYPE_CHECKING:
    from benchmarks.crowd import Lead

SIZES = (100, 1000, 10_000)
ROUNDS = {100: 7, 1000: 5, 10_000: 3}
FEW = 1000
PATIENCE_S = 600.0
WORKERS = ("worker-copy", "worker-copy:2")


def measure() -> dict[str, float]:
    """Return `fanout.10000.seconds`, the growth's exponent (1 is linear), and 10,000 with 1,000 warm clients."""
    with ground(
        snapshot_interval_s="3600",
        copy_equity_max_age_s="7200",
        lead_equity_max_age_s="3600",
        poll_interval_s="15",
        copy_polls_per_s="0.1",
        warm_clients=str(SIZES[-1]),
    ) as place:
        from benchmarks import crowd

        # Ten thousand cold clients take longer than a minute, and each is to be copied onto.
        leads = {size: crowd.gather(place.control, subscribers=size, max_entry_age_s=3600) for size in SIZES}
        place.processes.start("worker-capture", *WORKERS, "stream", "cron")
        _wait_for_calm(place, accounts=sum(SIZES) + len(SIZES))
        wait_for_leads(place, leads=len(SIZES))
        place.control.latency(in_ms=LATENCY_MS / 2, out_ms=LATENCY_MS / 2)
        seconds = {size: _seconds(place, leads[size]) for size in SIZES}
        os.environ["COPYTRADE_WARM_CLIENTS"] = str(FEW)
        place.processes.restart(*WORKERS)
        with_few = _seconds(place, leads[SIZES[-1]])
    return {f"growth.{size}.seconds": value for size, value in seconds.items() if size != SIZES[-1]} | {
        "fanout.10000.seconds": seconds[SIZES[-1]],
        "fanout.10000.us_per_subscriber": seconds[SIZES[-1]] / SIZES[-1] * 1e6,
        "growth.exponent": _exponent(seconds),
        "fanout.10000.seconds_with_1000_warm": with_few,
    }


def _seconds(place: Ground, lead: "Lead") -> float:
    for _ in range(2):  # leverage and connections: a first copy is not what is measured
        copied(place, [lead], patience_s=PATIENCE_S)
    found = statistics.median(copied(place, [lead], patience_s=PATIENCE_S) for _ in range(ROUNDS[lead.subscribers]))
    print(f"  {lead.subscribers}: {found:.2f} s", file=sys.stderr, flush=True)
    return found


def _wait_for_calm(place: Ground, *, accounts: int) -> None:
    """Wait for the first readings of accounts that are linked at once; their past is empty, and said to be read."""

    def are(condition: str) -> bool | None:
        [(count,)] = rows(place, f"SELECT count(*) FROM trades.capture_states WHERE {condition}")
        return True if count == accounts else None

    wait(place, lambda: are("true"), what="the accounts' states")
    rows(place, "UPDATE trades.capture_states SET history_done_at = now() WHERE role = 'copy' RETURNING 1")
    wait(place, lambda: are("polled_until IS NOT NULL"), what="the accounts' first polls", patience_s=1200)


def _exponent(seconds: dict[int, float]) -> float:
    """Return the slope of log(time) over log(subscribers), by least squares."""
    points = [(math.log(size), math.log(value)) for size, value in seconds.items()]
    across, up = (statistics.fmean(axis) for axis in zip(*points, strict=True))
    return sum((x - across) * (y - up) for x, y in points) / sum((x - across) ** 2 for x, _ in points)
