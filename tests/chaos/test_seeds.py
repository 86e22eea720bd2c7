"""Seeds of chaos: whatever dies, hangs, lies or goes away while leads trade, the exchange's books are right in the end.

`make chaos SEEDS=30` runs the first thirty, `SEED=17` one, `MINUTES=20` new ones for so long.
"""

import os
import random
import time
from collections.abc import Iterable, Iterator

import pytest

from tests.chaos.seeds.running import Seed
from tests.conftest import HOME, Sandbox
from tests.engines import EngineProcesses, wipe
from tests.processes import Processes

IN_THE_SUITE = (7, 21)
"""Two whose legs are replayed exactly, with every kind of trouble among them."""
LIMIT_S = 600


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a seed, or one that goes on with new ones."""
    if minutes := float(os.environ.get("CHAOS_MINUTES") or 0):
        mark = pytest.mark.timeout(minutes * 60 + LIMIT_S)
        metafunc.parametrize("seeds", [pytest.param(_fresh(minutes), id=f"{minutes:.0f}-minutes", marks=mark)])
        return
    one = os.environ.get("CHAOS_SEED")
    many = int(os.environ.get("CHAOS_SEEDS") or 0)
    numbers = [int(one)] if one else range(1, many + 1) if many else IN_THE_SUITE
    mark = pytest.mark.timeout(LIMIT_S)
    metafunc.parametrize("seeds", [pytest.param([number], id=str(number), marks=mark) for number in numbers])


def _fresh(minutes: float) -> Iterator[int]:
    ends = time.monotonic() + minutes * 60
    while time.monotonic() < ends:
        yield random.randrange(1000, 1_000_000)


def test_the_books_are_right_in_the_end(
    committed: object, sandbox: Sandbox, engine_processes: EngineProcesses, seeds: Iterable[int]
) -> None:
    for number in seeds:
        processes = Processes(HOME / "log" / f"seed-{number}", engines=engine_processes)
        seed = Seed(number, sandbox.control, processes, HOME / "var")
        try:
            found = seed.run()
            assert not found, seed.report(found)
        except Exception as error:
            # At once: of thirty seeds pytest itself tells of the first that failed when the last has ended.
            print(f"seed {number} FAILED: {error!r}\n{seed.report([])}", flush=True)
            raise
        finally:
            processes.stop(*processes.running)
            processes.start(*(name for name in ("postgres", "valkey") if _is_down(engine_processes, name)))
        print(f"seed {number}: {seed.told[-1]}")
        wipe(engine_processes.engines)


def _is_down(engines: EngineProcesses, name: str) -> bool:
    return engines.running[name].poll() is not None
