"""Fifty leads with twenty subscribers each who all trade at the same moment, against one lead with a thousand."""

import statistics

from benchmarks.ground import ground
from benchmarks.watch import LATENCY_MS, copied, wait_for_leads

LEADS, EACH = 50, 20
ROUNDS = 5
WORKERS = ("worker-copy", "worker-copy:2")


def measure() -> dict[str, float]:
    """Return `burst.50x20.*` and the time of 1 × 1,000 in the same run."""
    with ground(
        snapshot_interval_s="3600", copy_equity_max_age_s="7200", lead_equity_max_age_s="3600", poll_interval_s="15"
    ) as place:
        from benchmarks import crowd

        one = [crowd.gather(place.control, subscribers=LEADS * EACH)]
        many = [crowd.gather(place.control, subscribers=EACH) for _ in range(LEADS)]
        place.processes.start("worker-capture", *WORKERS, "stream", "cron")
        wait_for_leads(place, leads=LEADS + 1)
        place.control.latency(in_ms=LATENCY_MS / 2, out_ms=LATENCY_MS / 2)
        for leads in (one, many, one, many):  # leverage and connections: a first copy is not what is measured
            copied(place, leads)
        alone, together = [], []
        for _ in range(ROUNDS):
            alone.append(copied(place, one))
            together.append(copied(place, many))
        seconds, at_once = statistics.median(alone), statistics.median(together)
        return {
            "burst.1x1000.seconds": seconds,
            f"burst.{LEADS}x{EACH}.seconds": at_once,
            f"burst.{LEADS}x{EACH}.ratio": at_once / seconds,
        }
