"""What may go wrong in a seed: processes that die or hang, engines that go away, a venue that fails in every way."""

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from copytrade import failpoints
from copytrade.db.session import transaction
from copytrade.failpoints import Label
from copytrade.queues import connection
from tests.chaos.seeds.people import People
from tests.chaos.seeds.world import World
from tests.processes import WORKERS, Processes

SPOILED = ("truncated", "html", "broken_json", "garbage", "bad_gzip", "empty")
SILENT_S = 10.0
"""So long nobody is heard: more than the installation's patience in these runs."""
MOST_TIMES = 4
"""A failpoint is armed for the first to the fourth time that it is reached."""


@dataclass(slots=True)
class Trouble:
    """Makes trouble by lot and mends it: `later` are the things to be put right, by seconds of the seed."""

    world: World
    processes: Processes
    var: Path
    chance: random.Random
    later: list[tuple[float, str, Callable[[], object]]] = field(
        default_factory=list[tuple[float, str, Callable[[], object]]]
    )
    people: People = field(init=False)
    away: set[str] = field(default_factory=set[str])
    """What is killed, frozen or moved and comes back by itself."""

    def __post_init__(self) -> None:
        self.people = People(self.world, self.chance, self.later)

    def strike(self, at: float) -> str:
        """Do one thing, of each kind as often as its weight says; return what it was."""
        kinds, weights = zip(*_KINDS, strict=True)
        return self.chance.choices(kinds, weights)[0](self, at)

    def mend(self, at: float, *, everything: bool = False) -> list[str]:
        """Put right what is due; return what it was."""
        due = [one for one in self.later if everything or one[0] <= at]
        self.later[:] = [one for one in self.later if one not in due]
        for _, _, act in due:
            act()
        return [what for _, what, _ in due]

    def _failpoint(self, at: float) -> str:
        label, times = self.chance.choice(list(Label)), self.chance.randrange(1, MOST_TIMES + 1)
        failpoints.arm(label, var=self.var, times=times)
        return f"armed {label}, time {times}"

    def _kill(self, at: float) -> str:
        names = [name for name in self.processes.running if name not in self.away]
        victims = self.chance.sample(names, k=min(self.chance.choice((1, 1, 1, 2, len(names))), len(names)))
        for name in victims:
            # Whoever revives the dead starts it again, as supervisord would.
            with suppress(ProcessLookupError):
                os.kill(self.processes.pid(name), signal.SIGKILL)
        return f"killed {', '.join(victims)}"

    def _freeze(self, at: float) -> str:
        names = [name for name in self.processes.running if name not in self.away]
        name, seconds = self.chance.choice(names), self.chance.choice((1.5, 3.0, 5.0))
        self._hang(at, name, seconds)
        return f"froze {name} for {seconds} s"

    def _hang(self, at: float, name: str, seconds: float) -> None:
        self.away.add(name)
        self.processes.freeze(name)

        def thaw() -> None:
            self.away.discard(name)
            self.processes.thaw(name)

        self.later.append((at + seconds, f"thawed {name}", thaw))

    def _engine(self, at: float) -> str:
        if {"postgres", "valkey"} & self.away:
            return ""
        name, seconds = self.chance.choice(("postgres", "valkey")), self.chance.choice((0.2, 1.0, 2.5))
        self.away.add(name)
        self.processes.kill(name)

        def start() -> None:
            self.away.discard(name)
            self.processes.start(name)

        self.later.append((at + seconds, f"started {name}", start))
        return f"killed {name} for {seconds} s"

    def _stop_gently(self, at: float) -> str:
        """A new version is rolled out: a process is told to end and comes back."""
        names = [name for name in self.processes.running if name not in self.away]
        name = self.chance.choice(names)
        self.processes.tell_to_end(name)
        return f"told {name} to end"

    def _hung_valkey(self, at: float) -> str:
        if {"postgres", "valkey"} & self.away:
            return ""
        seconds = self.chance.choice((1.0, 3.0))
        self._hang(at, "valkey", seconds)
        return f"froze valkey for {seconds} s"

    def _connections(self, at: float) -> str:
        """Every connection to the database breaks off, whatever it was doing."""
        if "postgres" in self.away:
            return ""
        with suppress(SQLAlchemyError), transaction() as session:
            session.connection().execute(text(_BREAK_OFF))
        return "broke off all connections to the database"

    def _flush(self, at: float) -> str:
        if "valkey" in self.away:
            return ""
        with suppress(RedisError):
            connection().flushall()
        return "FLUSHALL"

    def _orders_fail(self, at: float) -> str:
        """Requests that change something: executed or not, or late, and answered in some wrong way."""
        execute = self.chance.choice(("yes", "yes", "no", "late"))
        answer = self.chance.choice(("drop", "drop", "hang", "status", *SPOILED))
        facts = {"status": self.chance.choice((500, 502, 503, 504))} if answer == "status" else {}
        count, late = self.chance.randrange(1, 5), self.chance.randrange(300, 2000)
        where = self.chance.choice((*(lead.place[0].value for lead in self.world.leads), ""))
        self.world.control.fault(
            venue=where, method="POST", execute=execute, answer=answer, late_ms=late, count=count, **facts
        )
        return f"{count} POST at {where or 'all'}: execute {execute}, answer {answer} {facts or ''}"

    def _refused_for_rate(self, at: float) -> str:
        count, where = self.chance.randrange(1, 5), self.chance.choice(self.world.leads).place[0].value
        method = self.chance.choice(("POST", "GET", ""))
        self.world.control.fault(
            venue=where, method=method, execute="no", answer="status", status=429, retry_after=1, count=count
        )
        return f"{count} {method or 'any'} at {where}: 429"

    def _reads_fail(self, at: float) -> str:
        answer = self.chance.choice(("drop", "status", *SPOILED))
        count = self.chance.randrange(2, 20)
        self.world.control.fault(method="GET", execute="yes", answer=answer, status=503, count=count, chance=0.5)
        return f"{count} GET: {answer}"

    def _streams_cut(self, at: float) -> str:
        return f"cut {self.world.control.cut_streams()} streams"

    def _streams_lie(self, at: float) -> str:
        action, count = self.chance.choice(("lose", "double", "delay")), self.chance.randrange(1, 8)
        delay = self.chance.choice((300, 1500, 4000))
        self.world.control.stream_fault(action, count=count, delay_ms=delay)
        return f"{action} {count} stream messages ({delay} ms)"

    def _streams_silent(self, at: float) -> str:
        lead, seconds = self.chance.choice(self.world.leads).account.key.account_id, self.chance.choice((2.0, 5.0))
        self.world.control.silence_streams(lead)
        self.later.append(
            (at + seconds, f"stream of {lead} speaks", lambda: self.world.control.silence_streams(lead, silent=False))
        )
        return f"stream of {lead} silent for {seconds} s"

    def _lag(self, at: float) -> str:
        lag = self.chance.choice((300, 1000, 1500))
        self.world.control.read_lag(lag)
        self.later.append((at + 4, "no lag", lambda: self.world.control.read_lag(0)))
        return f"look-ups lag {lag} ms"

    def _slow(self, at: float) -> str:
        into, out = self.chance.choice((0, 50, 400)), self.chance.choice((0, 50, 400))
        self.world.control.latency(in_ms=into, out_ms=out)
        self.later.append((at + 4, "fast again", lambda: self.world.control.latency(in_ms=2, out_ms=2)))
        return f"latency {into} in, {out} out"

    def _skew(self, at: float) -> str:
        skew = self.chance.choice((-4000, -1200, 1200, 4000))
        # Our clock against theirs: a venue's trades and its time come from one clock.
        self.world.control.skew(skew, stamps=True)
        return f"venue's clock {skew} ms"

    def _another(self, at: float) -> str:
        name = f"{self.chance.choice(WORKERS)}:2"
        if name in self.processes.running or name in self.away:
            return ""
        self.processes.start(name)
        return f"started {name}"

    def _person(self, at: float) -> str:
        return self.people.act(at)

    def _silent_lead(self, at: float) -> str:
        """Nothing is heard of any lead, since whatever listens or polls hangs."""
        names = [name for name in self.processes.running if name.startswith(("stream", "worker-capture"))]
        if self.away & set(names):
            return ""
        for name in names:
            self._hang(at, name, SILENT_S)
        return f"froze {', '.join(names)} for {SILENT_S} s"

    def _prices(self, at: float) -> str:
        """The market jumps, and a little later back again."""
        symbol, percent = self.chance.choice(("BTCUSDT", "ETHUSDT")), self.chance.choice((-2, -1, 1, 2))
        if symbol in self.away:
            return ""
        [price] = [Decimal(row["mark"]) for row in self.world.control.market() if row["symbol"] == symbol]
        self.away.add(symbol)
        self.world.control.set_price(symbol, round(price * (100 + percent) / 100, 1))

        def back() -> None:
            self.away.discard(symbol)
            self.world.control.set_price(symbol, price)

        self.later.append((at + 5, f"{symbol} is back", back))
        return f"{symbol} goes {percent} %"


_BREAK_OFF = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""
_KINDS: tuple[tuple[Callable[[Trouble, float], str], int], ...] = (
    (Trouble._failpoint, 12),
    (Trouble._kill, 3),
    (Trouble._freeze, 2),
    (Trouble._stop_gently, 1),
    (Trouble._engine, 2),
    (Trouble._hung_valkey, 1),
    (Trouble._connections, 1),
    (Trouble._flush, 1),
    (Trouble._orders_fail, 7),
    (Trouble._refused_for_rate, 2),
    (Trouble._reads_fail, 3),
    (Trouble._streams_cut, 2),
    (Trouble._streams_lie, 3),
    (Trouble._streams_silent, 1),
    (Trouble._lag, 2),
    (Trouble._slow, 1),
    (Trouble._skew, 1),
    (Trouble._another, 2),
    (Trouble._person, 12),
    (Trouble._silent_lead, 1),
    (Trouble._prices, 2),
)
