"""One lead fill to 1, 10, 100 and 1,000 subscribers at 20 ms of venue latency: ours, the floor and two other ways.

Ours runs from the execution of the lead's order at the venue to the moment the last copy order was accepted, with two
worker processes. The floor sends the same orders by bare aiohttp and HMAC; the others are a loop over warm ccxt
clients, and a forked RQ job with a client of its own for each order. All of them in one run.
"""

import json
import statistics
import subprocess
import sys

from benchmarks.ground import Ground, ground
from benchmarks.watch import LATENCY_MS, SYMBOL, copied, rows, wait

SIZES = (1, 10, 100, 1000)
ROUNDS = {1: 9, 10: 9, 100: 7, 1000: 7}
PAIRS = 60
"""Lead orders to one subscriber, for the percentiles of a single copy."""
WORKERS = ("worker-copy", "worker-copy:2")


def measure() -> dict[str, float]:
    """Return `fanout.N.*` and `copy.*`."""
    with ground(
        snapshot_interval_s="3600", copy_equity_max_age_s="7200", lead_equity_max_age_s="30", poll_interval_s="5"
    ) as place:
        return _Fanout(place).run()


class _Fanout:
    def __init__(self, place: Ground) -> None:
        from benchmarks import crowd

        self._place = place
        self._leads = {size: crowd.gather(place.control, subscribers=size) for size in SIZES}
        # The floor and the loops trade accounts of their own: ours would take their positions for the subscriber's.
        self._others = [self._key(number) for number in range(max(SIZES))]

    def run(self) -> dict[str, float]:
        place = self._place
        place.processes.start("worker-capture", *WORKERS, "stream", "cron")
        # A running service has read the past of its accounts long ago.
        wait(place, self._is_captured, what="the accounts' past, and the leads' baselines and streams")
        place.control.latency(in_ms=LATENCY_MS / 2, out_ms=LATENCY_MS / 2)
        figures: dict[str, float] = {}
        for size in SIZES:
            figures |= self._against_others(size)
        singles = sorted(self._lead_trades(1) * 1000 for _ in range(PAIRS))
        return figures | {
            "copy.p50_ms": statistics.median(singles),
            "copy.p99_ms": singles[min(len(singles) - 1, int(len(singles) * 0.99))],
        }

    def _against_others(self, size: int) -> dict[str, float]:
        for _ in range(2):  # leverage and connections: a first copy is not what a running service does
            self._lead_trades(size)
        ours, floors = list[float](), list[float]()
        for number in range(ROUNDS[size]):
            ours.append(self._lead_trades(size))
            floors.append(self._outside("floor", size, number=number))
        seconds, floor = statistics.median(ours), statistics.median(floors)
        figures = {"seconds": seconds, "floor_seconds": floor, "floor_ratio": seconds / floor}
        for name in ("sequential", "forked"):
            other = self._outside(name, size, number=len(floors))
            figures |= {f"{name}_seconds": other, f"{name}_speedup": other / seconds}
        return {f"fanout.{size}.{name}": value for name, value in figures.items()}

    def _lead_trades(self, size: int) -> float:
        return copied(self._place, [self._leads[size]])

    def _is_captured(self) -> bool | None:
        [(baselines, read)] = rows(
            self._place,
            "select count(*) filter (where baseline_at is not null and role = 'lead'),"
            " count(*) filter (where history_done_at is not null) from trades.capture_states",
        )
        streams = sum(self._place.control.streams()["users"].values())
        is_read = (baselines, read) == (len(SIZES), sum(SIZES) + len(SIZES))
        return True if is_read and streams >= len(SIZES) else None

    def _outside(self, name: str, size: int, *, number: int) -> float:
        is_bare = name == "floor"
        job = {
            "api_url": self._place.api_url,
            "keys": self._others[:size],
            "symbol": SYMBOL if is_bare else "BTC/USDT:USDT",
            "quantity": "0.01",
            "side": ("BUY" if number % 2 == 0 else "SELL") if is_bare else "buy",
            "tag": f"{name}-{size}-{number}",
        }
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["seconds"]

    def _key(self, number: int) -> dict[str, str]:
        made = self._place.control.create_account(f"other-{number}", deposit=1_000_000)
        return {"api_key": made["api_key"], "api_secret": made["api_secret"]}
