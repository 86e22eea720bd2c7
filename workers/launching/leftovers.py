"""Processes of this installation that outlived their launcher: found by their environment, ended."""

import os
from pathlib import Path

import psutil


def sweep(run: Path) -> int:
    """End every process that carries this installation's COPYTRADE_RUN, but us; return how many there were."""
    ended = 0
    while found := [process for process in psutil.process_iter() if _is_ours(process, run)]:
        _signal(found, kill=False)
        _, stubborn = psutil.wait_procs(found, timeout=10)
        _signal(stubborn, kill=True)
        psutil.wait_procs(stubborn, timeout=5)
        ended += len(found)  # and look again: one may have started another meanwhile
    return ended


def _is_ours(process: psutil.Process, run: Path) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        return process.environ().get("COPYTRADE_RUN") == str(run) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def _signal(processes: list[psutil.Process], *, kill: bool) -> None:
    for process in processes:
        try:
            if kill:
                process.kill()
            elif process.name() == "postgres":
                # Its fast stop; TERM would wait for clients that never leave.
                process.send_signal(2)
            else:
                process.terminate()
        except psutil.Error:
            continue
