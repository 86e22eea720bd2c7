"""One lead fill to 1, 10, 100 and 1,000 subscribers at 20 ms of venue latency: ours, floor and loop in one run.

Ours runs from the execution of the lead's order at the venue to the moment the last copy order was acknowledged.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from benchmarks.ground import Ground, ground

SIZES = (1, 10, 100, 1000)
SYMBOL = "BTCUSDT"
LATENCY_MS = 20
ROUNDS = {1: 9, 10: 9, 100: 7, 1000: 5}
PAIRS = 60
"""Lead orders to one subscriber, for the percentiles of a single copy."""
PATIENCE_S = 120.0
Found = TypeVar("Found")


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
        # The floor and the loop trade accounts of their own: ours would take their positions for the subscriber's.
        self._others = [self._key(number) for number in range(max(SIZES))]

    def run(self) -> dict[str, float]:
        place = self._place
        place.processes.start("worker-capture", "worker-copy", "stream", "cron")
        # A running service has read the past of its accounts long ago.
        self._wait(self._is_captured, what="the accounts' past, and the leads' baselines and streams")
        place.control.latency(in_ms=LATENCY_MS / 2, out_ms=LATENCY_MS / 2)
        figures: dict[str, float] = {}
        for size in SIZES:
            self._lead_trades(size)  # leverage and connections: a first copy is not what a running service does
            self._lead_trades(size)
            ours, floor = [], []
            for number in range(ROUNDS[size]):
                ours.append(self._lead_trades(size))
                floor.append(self._outside("benchmarks.floor", size, number=number))
            loop = self._outside("benchmarks.sequential", size, number=len(floor))
            seconds = statistics.median(ours)
            figures |= {
                f"fanout.{size}.seconds": seconds,
                f"fanout.{size}.floor_seconds": statistics.median(floor),
                f"fanout.{size}.floor_ratio": seconds / statistics.median(floor),
                f"fanout.{size}.sequential_seconds": loop,
                f"fanout.{size}.sequential_speedup": loop / seconds,
            }
        singles = sorted(self._lead_trades(1) * 1000 for _ in range(PAIRS))
        return figures | {
            "copy.p50_ms": statistics.median(singles),
            "copy.p99_ms": singles[min(len(singles) - 1, int(len(singles) * 0.99))],
        }

    def _lead_trades(self, size: int) -> float:
        """Let the lead open or close 1 BTC and return the seconds until the last copy was acknowledged."""
        lead = self._leads[size]
        held = self._place.control.position(lead.sandbox_id, SYMBOL)
        side = "SELL" if held > 0 else "BUY"
        order = self._place.control.place(lead.sandbox_id, SYMBOL, side, "1")
        executed = datetime.fromtimestamp(int(order["updateTime"]) / 1000, UTC)
        last = self._wait(lambda: self._last_copy(lead.account_id, since=executed, size=size), what="the copies")
        return (last - executed).total_seconds()

    def _last_copy(self, lead_id: Any, *, since: datetime, size: int) -> datetime | None:
        rows = self._rows(
            "select count(distinct o.leg_id), max(o.acknowledged_at) from trades.copy_orders o"
            " join trades.legs l on l.id = o.leg_id"
            " where l.lead_account_id = %s and o.created_at >= %s and o.state = 'filled'",
            (lead_id, since),
        )
        count, last = rows[0]
        return last if count == size else None

    def _is_captured(self) -> bool | None:
        rows = self._rows(
            "select count(*) filter (where baseline_at is not null and role = 'lead'),"
            " count(*) filter (where history_done_at is not null) from trades.capture_states"
        )
        streams = sum(self._place.control.streams()["users"].values())
        return True if rows[0] == (len(SIZES), sum(SIZES) + len(SIZES)) and streams >= len(SIZES) else None

    def _outside(self, module: str, size: int, *, number: int) -> float:
        job = {
            "api_url": self._place.api_url,
            "keys": self._others[:size],
            "symbol": SYMBOL if module.endswith("floor") else "BTC/USDT:USDT",
            "quantity": "0.01",
            "side": ("BUY" if number % 2 == 0 else "SELL") if module.endswith("floor") else "buy",
            "tag": f"{module.rsplit('.', 1)[1]}-{size}-{number}",
        }
        done = subprocess.run(
            [sys.executable, "-m", module], input=json.dumps(job), capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)["seconds"]

    def _key(self, number: int) -> dict[str, str]:
        made = self._place.control.create_account(f"other-{number}", deposit=1_000_000)
        return {"api_key": made["api_key"], "api_secret": made["api_secret"]}

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        import psycopg

        with psycopg.connect(
            dbname="copytrade", user="postgres", host=str(self._place.processes.engines.engines.run)
        ) as connection:
            return connection.execute(query, values).fetchall()  # pyright: ignore[reportArgumentType]

    def _wait(self, look: Callable[[], Found | None], *, what: str) -> Found:
        deadline = time.monotonic() + PATIENCE_S
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come about within {PATIENCE_S:.0f} s")
            if crashed := self._place.processes.crashed():
                raise RuntimeError(f"processes crashed: {crashed}")
            time.sleep(0.02)
        return found
