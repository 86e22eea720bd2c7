"""What the venues' own limits make of a fan-out to 1,000: from one address, and from a pool of ten.

The sandbox counts as the venues do, and our budgets keep to it. Accounts are made ready with the limits off, since that
happens long before the trade; the minute before the measured one is sat out, since venues count by minutes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import redis

from benchmarks.ground import Ground, apart, ground
from benchmarks.watch import LATENCY_MS, copied, wait_for_leads

if TYPE_CHECKING:
    from benchmarks.crowd import Lead

SUBSCRIBERS = 1000
MINUTE_S = 61
PATIENCE_S = 400.0
WORKERS = ("worker-copy", "worker-copy:2")
REAL = {
    "binance": {"weight_per_minute": 2400, "orders_per_10s": 300, "orders_per_minute": 1200},
    "bybit": {"requests_per_5s": 600, "orders_per_s": 10, "settings_per_s": 10, "reads_per_s": 50},
    "bitget": {"requests_per_minute": 6000, "user_percent": 100},
}
OFF = {
    "binance": {},
    "bybit": {"requests_per_5s": 10**9, "orders_per_s": 10**9, "settings_per_s": 10**9, "reads_per_s": 10**9},
    "bitget": {"requests_per_minute": 10**9, "user_percent": 10**9},
}


def measure() -> dict[str, float]:
    """Return `fanout.limits.VENUE.{one,ten}_seconds`."""
    figures = {f"fanout.limits.{venue}.one_seconds": seconds for venue, seconds in apart(_seconds, []).items()}
    with _proxies(10) as ports:
        found = apart(_seconds, [f"http://127.0.0.1:{port}" for port in ports])
    return figures | {f"fanout.limits.{venue}.ten_seconds": seconds for venue, seconds in found.items()}


def _seconds(proxies: Sequence[str]) -> dict[str, float]:
    ways = [proxy.removeprefix("http://") for proxy in proxies] or [""]
    with ground(
        snapshot_interval_s="3600",
        copy_equity_max_age_s="7200",
        lead_equity_max_age_s="3600",
        poll_interval_s="15",
        copy_polls_per_s="0.1",
        egress_proxies=json.dumps(list(proxies)),
        egress_in_sandbox="true" if proxies else "false",
    ) as place:
        from benchmarks import crowd
        from copytrade.domain.instruments import Venue

        for venue, rules in OFF.items():
            if rules:
                place.control.limits(venue=venue, **rules)
        leads = {
            venue: crowd.gather(
                place.control, subscribers=SUBSCRIBERS, venue=Venue(venue), ways=ways, max_entry_age_s=3600
            )
            for venue in REAL
        }
        place.processes.start("worker-capture", *WORKERS, "stream", "cron")
        wait_for_leads(place, leads=len(leads), patience_s=PATIENCE_S)
        place.control.latency(in_ms=LATENCY_MS / 2, out_ms=LATENCY_MS / 2)
        for lead in (*leads.values(), *leads.values()):
            copied(place, [lead], patience_s=PATIENCE_S)
        return _limited(place, leads)


def _limited(place: Ground, leads: dict[str, "Lead"]) -> dict[str, float]:
    os.environ["COPYTRADE_SANDBOX_LIMITS_FACTOR"] = "1"
    place.processes.kill("worker-capture", *WORKERS, "stream")
    # what was used while a thousand times as much was allowed
    redis.Redis.from_url(os.environ["COPYTRADE_REDIS_URL"]).flushall()
    try:
        place.processes.start("worker-capture", *WORKERS, "stream")
    finally:
        os.environ["COPYTRADE_SANDBOX_LIMITS_FACTOR"] = "1000"
    for venue, rules in REAL.items():
        place.control.limits(venue=venue, **rules)
    wait_for_leads(place, leads=len(leads), patience_s=PATIENCE_S)
    for lead in leads.values():  # the processes are new: their clients are warmed
        copied(place, [lead], patience_s=PATIENCE_S)
    time.sleep(MINUTE_S)
    return {venue: copied(place, [lead], patience_s=PATIENCE_S) for venue, lead in leads.items()}


@contextmanager
def _proxies(count: int) -> Generator[list[int]]:
    serving = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.proxies", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert serving.stdin is not None
    assert serving.stdout is not None
    try:
        yield json.loads(serving.stdout.readline())
    finally:
        serving.stdin.close()
        serving.wait(timeout=20)
