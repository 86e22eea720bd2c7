"""Our own part of one copy: from the message of a lead's fill to the copy order on its way out, with fsync on.

The message is stamped by the stream process when it comes, the order by the worker when it is signed: one machine,
one clock. What the venue and the network take is in neither. A fill that came while an order of the same leg was on its
way is not counted: it waits for that order's outcome, which is the venue's time.
"""

import statistics

from benchmarks.ground import Ground, ground
from benchmarks.watch import LATENCY_MS, copied, rows, wait_for_leads

COPIES = 300
WARM = 6
_PARTS = """
SELECT extract(epoch FROM o.sent_at - f.received_at) * 1000, extract(epoch FROM o.claimed_at - f.received_at) * 1000
FROM trades.copy_orders o
JOIN trades.copy_order_parts c ON c.order_id = o.id JOIN trades.copy_parts p ON p.id = c.part_id
JOIN trades.fills f ON f.id = p.fill_id
WHERE NOT EXISTS (
    SELECT 1 FROM trades.copy_orders e
    WHERE e.leg_id = o.leg_id AND e.sent_at < o.sent_at AND e.acknowledged_at > f.received_at
)
ORDER BY o.id DESC LIMIT %s
"""


def measure() -> dict[str, float]:
    """Return `own.*`: percentiles over copies of a lead with one subscriber, one after the other."""
    with ground(
        durable=True,
        snapshot_interval_s="3600",
        copy_equity_max_age_s="7200",
        lead_equity_max_age_s="3600",
        poll_interval_s="5",
    ) as place:
        return _measured(place)


def _measured(place: Ground) -> dict[str, float]:
    from benchmarks import crowd

    lead = crowd.gather(place.control, subscribers=1)
    place.processes.start("worker-capture", "worker-copy", "worker-copy:2", "stream", "cron")
    wait_for_leads(place, leads=1)
    place.control.latency(in_ms=LATENCY_MS / 2, out_ms=LATENCY_MS / 2)
    for _ in range(COPIES + WARM):
        copied(place, [lead])
    found = rows(place, _PARTS, (COPIES,))
    sent, claimed = sorted(float(row[0]) for row in found), sorted(float(row[1]) for row in found)
    return {
        "own.p50_ms": statistics.median(sent),
        "own.p99_ms": sent[int(len(sent) * 0.99)],
        "own.until_planned.p50_ms": statistics.median(claimed),
    }
