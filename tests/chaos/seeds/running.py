"""One seed: a minute in which leads trade in bursts while everything goes wrong, then rest, then the books."""

import random
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from copytrade import failpoints
from copytrade.db.session import engine
from copytrade.domain.readings import UNSEEN
from copytrade.sandbox.client import Control
from tests.chaos.seeds import books, world
from tests.chaos.seeds.trouble import Trouble
from tests.chaos.seeds.world import World
from tests.processes import WORKERS, Processes
from tests.waiting import wait_until

WINDOWS = {
    "COPYTRADE_FAILPOINTS": "1",
    "COPYTRADE_ORDER_LOST_AFTER_S": "2",
    "COPYTRADE_ORDER_RECEIVE_WINDOW_MS": "2000",
    "COPYTRADE_ORDER_LEASE_MARGIN_S": "2",
    "COPYTRADE_REQUEST_TIMEOUT_MS": "2500",
    "COPYTRADE_CAPTURE_SPARE_S": "2",
    "COPYTRADE_SILENCE_AFTER_S": "6",
    # Two who copy the same trader are planned in two transactions: what is left of a plan outlives everything, too.
    "COPYTRADE_PLAN_BATCH": "1",
}
"""The venues' windows in these runs, so that what takes minutes in earnest takes seconds."""
TRADES_S = 22.0
BURST = (3, 9)
QUIET_S = UNSEEN.total_seconds() + 60
"""What a lost order may have done is not taken for his own hand for so long; after it two readings are due."""
CRASHED = re.compile(r'"event": "(part|poll|stream)\.crashed"|^Traceback \(most recent call last\)')
"""What no process may ever log, whatever befell it: a bug, or the end of the process by one."""


@dataclass(slots=True)
class Seed:
    """One run and what it did, second by second."""

    number: int
    control: Control
    processes: Processes
    var: Path
    told: list[str] = field(default_factory=list[str])
    began: float = field(default_factory=time.monotonic)

    def run(self) -> list[str]:
        """Return everything that was wrong in the end."""
        self.processes.variables |= WINDOWS
        failpoints.disarm(var=self.var)
        world.clean(self.control)
        self.processes.start(*WORKERS, *(f"{name}:2" for name in WORKERS if self.number % 3 == 0))
        stage = world.made(self.control, self.number)
        self.say(f"{len(stage.leads)} leads, {len(stage.copies)} copies")
        trouble = Trouble(stage, self.processes, self.var, random.Random(self.number + 1_000_000))
        self._trade(stage, trouble)
        self._rest(trouble)
        undone = world.wait_for_quiet(stage, meanwhile=self._revive, timeout=QUIET_S)
        self.say(f"quiet after {stage.trades} trades" if not undone else f"not quiet: {undone}")
        found = [*undone, *books.wrong(stage), *self._logged()]
        for copy in stage.copies:
            if any(one.startswith(books.name_of(copy)) for one in found):
                self.told += books.story(copy)
        self.say(f"{stage.replayed} of {stage.legs} legs reckoned anew, {stage.rebased} rebased; {len(found)} wrong")
        return found

    def say(self, what: str) -> None:
        """Note what happened."""
        if what:
            self.told.append(f"{time.monotonic() - self.began:6.1f} {what}")

    def report(self, found: list[str]) -> str:
        """Return what a person wants to see of a seed that failed."""
        logs = [f"--- {name}\n{self.processes.log(name)[-4000:]}" for name in self.processes.running]
        return "\n".join([f"SEED={self.number}", *found, "--- what happened", *self.told, *logs])

    def _trade(self, stage: World, trouble: Trouble) -> None:
        start = time.monotonic()
        strikes = sorted(trouble.chance.uniform(0, TRADES_S) for _ in range(trouble.chance.randrange(12, 36)))
        bursts = sorted(stage.chance.uniform(0, TRADES_S) for _ in range(stage.chance.randrange(8, 14)))
        while strikes or bursts:
            due = min([*strikes[:1], *bursts[:1]])
            wait_until(lambda due=due: self._until(start + due, start, trouble), timeout=60, every=0.05)
            if strikes and strikes[0] == due:
                strikes.pop(0)
                self.say(trouble.strike(due))
            else:
                bursts.pop(0)
                lead = stage.chance.choice(stage.leads)
                for _ in range(stage.chance.randrange(*BURST)):
                    self.say(f"lead {lead.account.key.account_id}: {stage.trade(lead)}")

    def _until(self, moment: float, start: float, trouble: Trouble) -> bool:
        self._revive()
        for what in trouble.mend(time.monotonic() - start):
            self.say(what)
        return time.monotonic() >= moment

    def _rest(self, trouble: Trouble) -> None:
        """End all trouble: what was killed runs again, the venue keeps its word."""
        failpoints.disarm(var=self.var)
        for _ in range(3):
            for what in trouble.mend(0, everything=True):
                self.say(what)
        world.clean(self.control)
        self._revive()
        engine().dispose()  # connections of this process to a database that was killed

    def _revive(self) -> None:
        for name, code in self.processes.revive().items():
            self.say(f"{name} had ended ({code}), runs again")
            if code not in (0, -signal.SIGKILL, -signal.SIGTERM):
                self.told.append(f"{name} ended by itself: {self.processes.log(name)[-3000:]}")

    def _logged(self) -> list[str]:
        found: list[str] = []
        for file in sorted(self.processes.logs.glob("*.log")):
            lines = file.read_text(errors="replace").splitlines()
            found += [f"{file.stem}: {line[:3000]}" for line in lines if CRASHED.search(line)][:3]
        return found
