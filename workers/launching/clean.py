"""Deletes what an installation made at run time, its data too; refuses while it runs."""

import os
import shutil
import sys
from pathlib import Path

from copytrade.engines import CannotStart, locate, run_folder
from copytrade.settings import ROOT
from workers.launching.lock import is_running


def clean(var: Path) -> None:
    """Delete the data, the bundle, the logs and the keys of the installation at `var`."""
    if is_running(var):
        raise CannotStart("the installation runs; end it first (Ctrl-C in its terminal).")
    run = run_folder(var)
    for folder in (locate(var / "engines", run=run / "engines").data, run, var):
        if folder.exists():
            shutil.rmtree(folder)


if __name__ == "__main__":
    try:
        clean(Path(os.environ.get("COPYTRADE_VAR", "") or ROOT / "var").resolve())
    except CannotStart as problem:
        sys.exit(f"CopyTrade cannot be cleaned: {problem}")
