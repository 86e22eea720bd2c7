"""The ground of a measurement: engines, sandbox and the installation's own processes, in a folder that goes away."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from copytrade.engines import locate
from copytrade.installation import installation_keys
from copytrade.sandbox.client import Control
from tests.engines import started
from tests.processes import Processes
from tests.waiting import wait_for_http
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free

Figures = TypeVar("Figures")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a measurement stands on."""

    control: Control
    processes: Processes
    api_url: str


def apart(work: Callable[..., Figures], *facts: object, **named: object) -> Figures:
    """Do a part of a measurement in a process of its own, since each has one ground."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *facts, **named).result()


@contextmanager
def ground(*, durable: bool = False, **settings: str) -> Generator[Ground]:
    """Start engines and sandbox, migrate, and give the handle; `settings` are COPYTRADE_* without the prefix.

    Must come before anything reads the settings: one ground a process. `durable`: commits wait for the disk.
    """
    home = Path(tempfile.mkdtemp(prefix="copytrade-bench-"))
    home.chmod(0o711)
    try:
        engines = locate(home / "engines", run=home / "run")
        port = any_free()
        os.environ |= installation_keys(home / "var" / "keys") | {
            "COPYTRADE_VAR": str(home / "var"),
            "COPYTRADE_ENVIRONMENT": "sandbox",
            "COPYTRADE_DATABASE_URL": engines.database_url(),
            "COPYTRADE_REDIS_URL": engines.redis_url,
            "COPYTRADE_SANDBOX_PORT": str(port),
            "COPYTRADE_STRIPE_URL": f"http://127.0.0.1:{port}/stripe",
            "COPYTRADE_SANDBOX_HISTORY_DAYS": "0",
            "COPYTRADE_SANDBOX_LIMITS_FACTOR": "1000",
            "COPYTRADE_DEMO_BOTS": "0",
            **{f"COPYTRADE_{name.upper()}": value for name, value in settings.items()},
        }
        with started(engines, durable=durable) as running, _sandbox(port, log=home / "sandbox.log") as control:
            from copytrade.db.migrations import migrate_to_head

            migrate_to_head()
            processes = Processes(home / "log", engines=running)
            try:
                yield Ground(control, processes, f"http://127.0.0.1:{port}/binance")
                _nobody_crashed(processes)
            finally:
                processes.stop(*list(processes.running))
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _sandbox(port: int, *, log: Path) -> Iterator[Control]:
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "copytrade.sandbox.server"], stdout=out, stderr=out, preexec_fn=end_with_parent
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for_http(f"{url}/binance/fapi/v1/ping", alive=lambda: process.poll() is None, log=log)
        with Control(url, timeout=300) as control:
            control.limits(weight_per_minute=10**9, orders_per_10s=10**9, orders_per_minute=10**9)
            yield control
    finally:
        process.terminate()
        process.wait(timeout=20)


def _nobody_crashed(processes: Processes) -> None:
    if crashed := processes.crashed():
        raise RuntimeError(f"processes crashed: {crashed}")
