"""How a fan-out grows with the subscribers: 100, 1,000, 10,000, and with fewer warm clients than accounts."""

import math
import statistics
import sys
from collections.abc import Sequence

from benchmarks.ground import apart, ground
from benchmarks.watch import LATENCY_MS, copied, wait_for_leads

SIZES = (100, 1000, 10_000)
ROUNDS = {100: 7, 1000: 5, 10_000: 3}
PATIENCE_S = 600.0
WORKERS = ("worker-copy", "worker-copy:2")


def measure() -> dict[str, float]:
    """Return `fanout.10000.seconds`, the growth's exponent (1 is linear), and 10,000 with 1,000 warm clients."""
    seconds = apart(_seconds, SIZES, warm_clients=10_000)
    cold = apart(_seconds, SIZES[-1:], warm_clients=1000)
    return {f"growth.{size}.seconds": value for size, value in seconds.items() if size != SIZES[-1]} | {
        "fanout.10000.seconds": seconds[SIZES[-1]],
        "fanout.10000.us_per_subscriber": seconds[SIZES[-1]] / SIZES[-1] * 1e6,
        "growth.exponent": _exponent(seconds),
        "fanout.10000.seconds_with_1000_warm": cold[SIZES[-1]],
    }


def _seconds(sizes: Sequence[int], *, warm_clients: int) -> dict[int, float]:
    with ground(
        snapshot_interval_s="3600",
        copy_equity_max_age_s="7200",
        lead_equity_max_age_s="3600",
        poll_interval_s="15",
        copy_polls_per_s="0.1",
        warm_clients=str(warm_clients),
    ) as place:
        from benchmarks import crowd

        # Ten thousand cold clients take longer than a minute, and each is to be copied onto.
        leads = {size: crowd.gather(place.control, subscribers=size, max_entry_age_s=3600) for size in sizes}
        place.processes.start("worker-capture", *WORKERS, "stream", "cron")
        # Eleven thousand accounts are linked at once: their first readings take minutes.
        wait_for_leads(place, leads=len(sizes), patience_s=1200)
        place.control.latency(in_ms=LATENCY_MS / 2, out_ms=LATENCY_MS / 2)
        found: dict[int, float] = {}
        for size in sizes:
            for _ in range(2):  # leverage and connections: a first copy is not what is measured
                copied(place, [leads[size]], patience_s=PATIENCE_S)
            found[size] = statistics.median(
                copied(place, [leads[size]], patience_s=PATIENCE_S) for _ in range(ROUNDS[size])
            )
            print(f"  {size} with {warm_clients} warm: {found[size]:.2f} s", file=sys.stderr, flush=True)
        return found


def _exponent(seconds: dict[int, float]) -> float:
    """Return the slope of log(time) over log(subscribers), by least squares."""
    points = [(math.log(size), math.log(value)) for size, value in seconds.items()]
    across, up = (statistics.fmean(axis) for axis in zip(*points, strict=True))
    return sum((x - across) * (y - up) for x, y in points) / sum((x - across) ** 2 for x, _ in points)
