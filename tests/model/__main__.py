"""`python -m tests.model --runs 100000` looks for a broken invariant; `--case spot/ratio/7` tells one run."""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from copytrade.domain.sizing import SizingMode
from tests.model.chance import Case, Place, chance_of
from tests.model.runs import Failure, run

BATCH = 250
KINDS = [(place, sizing) for place in Place for sizing in SizingMode]


def case_of(number: int) -> Case:
    """Return the n-th case: all markets and sizings in turn, each with the same seed."""
    place, sizing = KINDS[number % len(KINDS)]
    return Case(number // len(KINDS), place, sizing)


def batch(start: int) -> list[Failure]:
    """Run one batch of cases; return those that broke something."""
    failures = (run(case_of(number)) for number in range(start, start + BATCH))
    return [failure for failure in failures if failure is not None]


def search(runs: int, *, first: int, processes: int) -> int:
    """Run many cases and say which broke what; return how many did."""
    began, done, broken = time.monotonic(), 0, 0
    with ProcessPoolExecutor(processes) as pool:
        for failures in pool.map(batch, range(first, first + runs, BATCH)):
            done += BATCH
            for failure in failures:
                broken += 1
                print(f"BROKEN {failure.case}: {failure.what[:600]}", flush=True)
            if done % 5000 == 0:
                print(f"{done} runs, {broken} broken, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{done} runs, {broken} broken, {time.monotonic() - began:.0f} s", flush=True)
    return broken


def tell(name: str) -> int:
    """Print all that happens in one case; return 1 if something broke."""
    place, sizing, seed = name.split("/")
    case = Case(int(seed), Place(place), SizingMode(sizing))
    print("troubles:", ", ".join(sorted(chance_of(case).troubles)))
    trace = list[str]()
    failure = run(case, trace=trace)
    print("\n".join(trace))
    print(f"BROKEN {failure.what}" if failure else "all held")
    return int(failure is not None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="model")
    parser.add_argument("--runs", type=int, default=15_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--case", default="")
    asked = parser.parse_args()
    if asked.case:
        return tell(asked.case)
    return int(search(asked.runs, first=asked.first, processes=asked.processes) > 0)


if __name__ == "__main__":
    sys.exit(main())
