"""What ends with whom: Linux's means to leave no orphan behind."""

import ctypes
import ctypes.util
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def end_with_parent() -> None:
    """Have the kernel end this process when its parent dies (Linux; elsewhere nothing happens)."""
    _prctl(_PR_SET_PDEATHSIG, argument=signal.SIGTERM)


def adopt_orphans() -> None:
    """Make this process the parent of its descendants' orphans, so that it can end them (Linux)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, argument=1)


def _prctl(option: int, *, argument: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0)
