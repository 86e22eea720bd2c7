"""One launcher an installation: a lock that the system drops with its process."""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from copytrade.engines import CannotStart


@dataclass(frozen=True, slots=True)
class Lock:
    """The held lock; it can say where the installation is reached."""

    file: TextIO

    def tell(self, web: str) -> None:
        """Leave the address for whoever comes second."""
        self.file.seek(0)
        self.file.truncate()
        json.dump({"pid": os.getpid(), "web": web}, self.file)
        self.file.flush()


@contextmanager
def only_one(var: Path) -> Generator[Lock]:
    """Hold the lock of the installation at `var`; CannotStart with its address where it runs already."""
    with (var / "launch.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(_running(file)) from None
        yield Lock(file)


def is_running(var: Path) -> bool:
    """Tell whether a launcher holds the lock of the installation at `var`."""
    try:
        with only_one(var):
            return False
    except FileNotFoundError:
        return False
    except CannotStart:
        return True


def _running(file: TextIO) -> str:
    file.seek(0)
    try:
        said = json.load(file)
        return f"it is already running here, at {said['web']} (process {said['pid']})."
    except (ValueError, KeyError):
        return "it is already starting here."
