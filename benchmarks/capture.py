"""Capture by stream: 1, 100 and 1,000 lead accounts on one stream process, from the execution to the committed row.

Nothing else runs: no polls, no planning. The sandbox and PostgreSQL share the machine with the process measured.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import psutil

from benchmarks.ground import Ground, ground
from benchmarks.sandbox import Keys, signed_order

SIZES = (1, 100, 1000)
RATE = 100.0
"""Lead orders a second while the delay is measured, over all accounts; one alone makes a fifth of it."""
DELAYS = 1500
BURST = 6000
AT_ONCE = 32
PATIENCE_S = 180.0


def measure() -> dict[str, float]:
    """Return `capture.N.*` and `stream.account_mb`."""
    with ground(poll_interval_s="3600", snapshot_interval_s="3600") as place:
        return _Capture(place).run()


class _Capture:
    def __init__(self, place: Ground) -> None:
        self._place = place
        self._keys: list[Keys] = []
        self._numbers = itertools.count()

    def run(self) -> dict[str, float]:
        self._note_commits()
        self._place.processes.start("stream")
        figures: dict[str, float] = {}
        resident: dict[int, float] = {}
        for size in SIZES:
            self._grow(size)
            self._trade(self._keys, rate=RATE, orders=200)
            resident[size] = psutil.Process(self._place.processes.pid("stream")).memory_info().rss / 1e6
            delays = self._delays(size)
            figures |= {
                f"capture.{size}.p50_ms": delays[len(delays) // 2],
                f"capture.{size}.p99_ms": delays[int(len(delays) * 0.99)],
            }
            spent = self._cpu_s()
            figures[f"capture.{size}.fills_per_s"], fills = self._burst()
            figures[f"capture.{size}.cpu_ms_per_fill"] = (self._cpu_s() - spent) * 1000 / fills
        few, many = min(SIZES), max(SIZES)
        figures["stream.account_mb"] = (resident[many] - resident[few]) / (many - few)
        return figures

    def _note_commits(self) -> None:
        """Have PostgreSQL remember when each row was committed: what is measured ends there."""
        self._ask("ALTER SYSTEM SET track_commit_timestamp = on")
        self._ask("CHECKPOINT")  # the engine commits asynchronously here, and is killed to start anew
        self._place.processes.restart("postgres")

    def _grow(self, size: int) -> None:
        from benchmarks import capture_leads

        made = capture_leads.gather(self._place.control, count=size - len(self._keys))
        self._keys += [Keys(lead.api_key, lead.api_secret.encode()) for lead in made]
        self._wait(lambda: sum(self._place.control.streams()["users"].values()) >= size, what="the streams")

    def _delays(self, size: int) -> list[float]:
        began = self._now()
        self._trade(self._keys, rate=RATE if size > 1 else RATE / 5, orders=DELAYS if size > 1 else DELAYS // 5)
        self._settle()
        return [
            float(row[0])
            for row in self._ask(
                "select extract(epoch from pg_xact_commit_timestamp(xmin) - venue_time) * 1000 as delay"
                " from trades.fills where venue_time >= %s order by delay",
                (began,),
            )
        ]

    def _cpu_s(self) -> float:
        times = psutil.Process(self._place.processes.pid("stream")).cpu_times()
        return times.user + times.system

    def _burst(self) -> tuple[float, int]:
        """Return the fills a second from the first execution to the last commit, as fast as they are traded."""
        began = self._now()
        self._trade(self._keys, rate=0, orders=BURST)
        self._settle()
        count, seconds = self._ask(
            "select count(*), extract(epoch from max(pg_xact_commit_timestamp(xmin)) - min(venue_time))"
            " from trades.fills where venue_time >= %s",
            (began,),
        )[0]
        return float(count) / float(seconds), int(count)

    def _settle(self) -> None:
        wanted = self._executed()
        self._wait(lambda: self._ask("select count(*) from trades.fills")[0][0] == wanted, what=f"{wanted} fills")

    def _executed(self) -> int:
        """Return how many fills the venue told: those of orders that took several levels are several."""
        return sum(self._place.control.account(row["account_id"])["fills"] for row in self._place.control.accounts())

    def _now(self) -> Any:
        return self._ask("select now()")[0][0]

    def _trade(self, keys: Sequence[Keys], *, rate: float, orders: int) -> None:
        asyncio.run(self._send_all(keys, rate=rate, orders=orders))

    async def _send_all(self, keys: Sequence[Keys], *, rate: float, orders: int) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            waiting = iter(zip(range(orders), itertools.cycle(keys), strict=False))
            began = time.perf_counter()

            async def sender() -> None:
                for number, key in waiting:
                    if rate:
                        await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
                    await self._send(session, key)

            await asyncio.gather(*(sender() for _ in range(AT_ONCE)))

    async def _send(self, session: aiohttp.ClientSession, keys: Keys) -> None:
        number = next(self._numbers)
        side = "BUY" if number // len(self._keys) % 2 == 0 else "SELL"
        body = signed_order(keys.secret, symbol="BTCUSDT", side=side, quantity="0.002", client_id=f"c-{number}")
        headers = {"X-MBX-APIKEY": keys.api_key, "Content-Type": "application/x-www-form-urlencoded"}
        async with session.post(f"{self._place.api_url}/fapi/v1/order", data=body, headers=headers) as response:
            content = await response.read()
            if response.status != 200:
                raise RuntimeError(f"an order was refused: {response.status} {content.decode(errors='replace')}")

    def _ask(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        import psycopg

        where = str(self._place.processes.engines.engines.run)
        with psycopg.connect(dbname="copytrade", user="postgres", host=where, autocommit=True) as connection:
            cursor = connection.execute(query, values)  # pyright: ignore[reportArgumentType]
            return cursor.fetchall() if cursor.description else []

    def _wait(self, look: Callable[[], bool], *, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not look():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come about within {PATIENCE_S:.0f} s")
            if crashed := self._place.processes.crashed():
                raise RuntimeError(f"processes crashed: {crashed}")
            time.sleep(0.05)
