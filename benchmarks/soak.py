"""`make soak MINUTES=30`: leads who trade without end, and whether memory, connections or backlog grow with them."""

import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.ground import Ground, ground
from benchmarks.watch import SYMBOL, rows, wait_for_leads
from copytrade.settings import ROOT

if TYPE_CHECKING:
    from benchmarks.crowd import Lead

LEADS, EACH = 5, 20
PROCESSES = ("worker-capture", "worker-copy", "stream", "cron", "worker-analytics", "worker-notify")
EVERY_S = 10.0
WARMING = 0.2
"""The first part of the time, in which clients, caches and pools fill, is not judged."""
FILE = ROOT / "var" / "soak.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: minutes since the start, memory of each process in MB, all their connections, what waits."""

    minute: float
    memory: dict[str, float]
    connections: int
    backlog: int

    @property
    def rss_mb(self) -> float:
        """Return the memory of all processes."""
        return sum(self.memory.values())


def main(minutes: float) -> None:
    """Trade for so long, print what grew and write var/soak.json."""
    with ground(snapshot_interval_s="60", poll_interval_s="5") as place:
        from benchmarks import crowd

        leads = [crowd.gather(place.control, subscribers=EACH) for _ in range(LEADS)]
        place.processes.start(*PROCESSES)
        wait_for_leads(place, leads=LEADS)
        samples = _trade(place, leads, minutes=minutes)
    judged = [one for one in samples if one.minute >= minutes * WARMING]
    figures = {
        "soak.minutes": minutes,
        "soak.rss_mb": judged[-1].rss_mb,
        "soak.rss_mb_per_min": _slope([(one.minute, one.rss_mb) for one in judged]),
        **{
            f"soak.{name}.rss_mb_per_min": _slope([(one.minute, one.memory[name]) for one in judged])
            for name in PROCESSES
        },
        "soak.connections_per_min": _slope([(one.minute, one.connections) for one in judged]),
        "soak.backlog_per_min": _slope([(one.minute, one.backlog) for one in judged]),
        "soak.backlog_most": max(one.backlog for one in judged),
    }
    for name, value in figures.items():
        print(f"  {name:<36}{value:>14,.3f}")
    FILE.parent.mkdir(parents=True, exist_ok=True)
    Path(FILE).write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")


def _trade(place: Ground, leads: Sequence["Lead"], *, minutes: float) -> list[Sample]:
    chance = random.Random(7)
    began = looked = time.monotonic()
    samples = [_look(place, 0.0)]
    while (now := time.monotonic()) - began < minutes * 60:
        lead = chance.choice(leads)
        held = place.control.position(lead.sandbox_id, SYMBOL)
        side = "SELL" if held > 3 or (held > 0 and chance.random() < 0.5) else "BUY"
        place.control.place(lead.sandbox_id, SYMBOL, side, str(chance.randrange(1, 10) / 10))
        if now - looked >= EVERY_S:
            looked = now
            samples.append(_look(place, (now - began) / 60))
            _tell(samples)
            if crashed := place.processes.crashed():
                raise RuntimeError(f"processes crashed: {crashed}")
        time.sleep(chance.random() * 0.5)
    return samples


def _tell(samples: Sequence[Sample]) -> None:
    """Print the newest look, once a minute."""
    newest = samples[-1]
    if int(newest.minute) > int(samples[-2].minute):
        memory = "  ".join(f"{name} {mb:.1f}" for name, mb in newest.memory.items())
        print(
            f"  minute {newest.minute:.0f}: {memory}, {newest.connections} connections, {newest.backlog} wait",
            flush=True,
        )


def _look(place: Ground, minute: float) -> Sample:
    found = {name: psutil.Process(place.processes.pid(name)) for name in PROCESSES}
    [(waiting,)] = rows(
        place,
        "SELECT (SELECT count(*) FROM trades.fills WHERE planned_at IS NULL AND NOT is_history)"
        " + (SELECT count(*) FROM trades.copy_orders WHERE state IN ('planned', 'sending', 'unknown', 'placed'))",
    )
    connections = sum(len(process.net_connections(kind="inet")) for process in found.values())
    memory = {name: process.memory_info().rss / 1e6 for name, process in found.items()}
    return Sample(minute, memory, connections, waiting)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much the second grows a unit of the first, by least squares."""
    across, up = (statistics.fmean(axis) for axis in zip(*points, strict=True))
    spread = sum((x - across) ** 2 for x, _ in points)
    return sum((x - across) * (y - up) for x, y in points) / spread


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)
