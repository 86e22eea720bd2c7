"""`python -m benchmarks [PART …]`: measures, prints a table and writes var/bench.json (figure: number).

Each part runs in a process of its own, since each has engines and settings of its own. A part that is not asked for
keeps the figures that it had.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path

from copytrade.settings import ROOT

PARTS = (
    *("sandbox", "memory", "plan", "own", "fanout", "burst", "growth", "limits", "store", "capture", "polling"),
    "billing",
)
FILE = ROOT / "var" / "bench.json"


def main(asked: list[str]) -> int:
    """Run the parts and return the exit code."""
    if unknown := set(asked) - set(PARTS):
        sys.exit(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    figures: dict[str, float] = json.loads(FILE.read_text()) if FILE.exists() else {}
    for part in asked or PARTS:
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", "--inside", part], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            return done.returncode
        fresh = json.loads(done.stdout.splitlines()[-1])
        figures |= fresh
        for name, value in sorted(fresh.items(), key=lambda row: _order(row[0])):
            print(f"  {name:<36}{value:>14,.3f}", flush=True)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    Path(FILE).write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    return 0


def _order(name: str) -> tuple[str, int, str]:
    room, *rest = name.split(".")
    return (room, int(rest[0]) if rest[0].isdecimal() else 0, name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        print(json.dumps(importlib.import_module(f"benchmarks.{sys.argv[2]}").measure()))
    else:
        sys.exit(main(sys.argv[1:]))
