"""The launcher as a person meets it: it starts, tells where it is, and leaves nothing behind however it ends."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from copytrade.engines import run_folder
from copytrade.settings import ROOT
from tests.waiting import wait_for_http, wait_until
from workers.launching.leftovers import sweep

# The first start builds the pages: seconds on a quiet machine, a minute or two on a busy one.
pytestmark = pytest.mark.timeout(400)

PROGRAMS = {
    *("postgres", "valkey", "sandbox", "web", "stream", "cron", "inner"),
    *("worker-copy", "worker-capture", "worker-billing", "worker-notify", "worker-analytics"),
}


@dataclass(slots=True)
class Launch:
    """A launcher in a folder of its own, as `make` starts it."""

    var: Path
    process: subprocess.Popen[bytes]

    def said(self) -> str:
        """Return what the terminal showed so far."""
        return self.var.with_suffix(".out").read_text()

    def told(self) -> dict[str, Any]:
        """Return var/demo.json, empty while there is none."""
        file = self.var / "demo.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def wait_until_up(self) -> dict[str, Any]:
        """Return var/demo.json once all processes stand in it."""

        def up() -> bool:
            assert self.process.poll() is None, self.said()
            processes = self.told().get("processes", {})  # of a killed start, where the file was left behind
            return set(processes) == PROGRAMS and all(
                psutil.pid_exists(pid) for pids in processes.values() for pid in pids
            )

        wait_until(up, timeout=240, every=0.2, what="the installation to come up")
        return self.told()

    def left(self) -> list[psutil.Process]:
        """Return the living processes of this installation."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            alive = process.status() != psutil.STATUS_ZOMBIE
            return alive and process.environ().get("COPYTRADE_RUN") == str(run_folder(self.var))
        except psutil.Error:
            return False


def launch(var: Path, **variables: str) -> Launch:
    """Start the launcher with nothing of the test session's own installation but the port and its bundle."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("COPYTRADE_", "REFLEX_"))}
    shared = {name: os.environ[name] for name in ("COPYTRADE_PORT", "REFLEX_WEB_WORKDIR")}
    given = {"COPYTRADE_VAR": str(var), "COPYTRADE_SANDBOX_HISTORY_DAYS": "0", "COPYTRADE_DEMO_BOTS": "0"} | shared
    with var.with_suffix(".out").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.launch"],
            cwd=ROOT,
            env=plain | given | variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    return Launch(var, process)


def refusal(var: Path, **variables: str) -> str:
    """Return what a launcher says that cannot start."""
    refused = launch(var, **variables)
    assert refused.process.wait(timeout=60) == 1
    return refused.said().strip()


@pytest.fixture(scope="module")
def var() -> Generator[Path]:
    """A data folder that the engines' user can enter."""
    home = Path(tempfile.mkdtemp(prefix="copytrade-launch-"))
    home.chmod(0o711)
    yield home / "var"
    shutil.rmtree(home)


@pytest.fixture(autouse=True)
def nothing_stays(var: Path) -> Generator[None]:
    """End what a failed test left running."""
    yield
    sweep(run_folder(var))
    shutil.rmtree(run_folder(var), ignore_errors=True)


def test_an_installation_starts_heals_and_leaves_nothing(var: Path) -> None:
    started = launch(var, COPYTRADE_COPY_WORKERS="2")
    told = started.wait_until_up()
    wait_until(lambda: len(started.told()["processes"]["worker-copy"]) == 2, what="the second worker-copy")
    told = started.told()
    wait_for_http(f"{told['web']}/ping")
    wait_for_http(f"{told['mail']}/messages")

    assert f"already running here, at {told['web']}" in refusal(var)

    keyring = (var / "keys" / "keyring").read_text().encode()
    for name, pids in told["processes"].items():
        knows = any(keyring in Path(f"/proc/{pid}/environ").read_bytes() for pid in pids)
        assert knows == (name in ("worker-copy", "worker-capture", "stream")), name

    worker = told["processes"]["worker-copy"]
    os.kill(worker[0], signal.SIGKILL)

    def healed() -> bool:
        now = started.told()["processes"].get("worker-copy", [])
        return len(now) == 2 and worker[0] not in now

    wait_until(healed, timeout=20)

    os.killpg(started.process.pid, signal.SIGINT)
    os.killpg(started.process.pid, signal.SIGINT)
    assert started.process.wait(timeout=60) == 0
    assert started.left() == []
    assert started.told() == {}
    assert not run_folder(var).exists()


def test_a_killed_installation_leaves_nothing_and_starts_again_with_its_data(var: Path) -> None:
    keys = (var / "keys" / "keyring").read_text()
    started = launch(var)
    before = started.wait_until_up()
    started.process.kill()
    wait_until(lambda: not started.left(), timeout=60, what="all processes to end with their launcher")
    started.process.wait(timeout=20)

    again = launch(var)
    assert again.wait_until_up()["web"] == before["web"]
    assert (var / "keys" / "keyring").read_text() == keys
    os.kill(supervisord(again), signal.SIGKILL)
    assert again.process.wait(timeout=60) == 1
    assert again.left() == []
    assert "supervisord ended" in again.said()


def supervisord(started: Launch) -> int:
    """Return the pid of the launcher's one child."""
    return psutil.Process(started.process.pid).children()[0].pid


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert refusal(tmp_path / "var", COPYTRADE_PORT=port) == (
            f"CopyTrade cannot start: Port {port} (COPYTRADE_PORT) is taken by another program; "
            "choose another or leave it unset."
        )


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "COPYTRADE_PORT was 'abc'; it must be a port" in refusal(tmp_path / "var", COPYTRADE_PORT="abc")


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    said = refusal(tmp_path / "var")
    assert said.startswith("CopyTrade cannot start: The data folder cannot be made: ")
    assert len(said.splitlines()) == 1


def test_a_data_folder_with_something_else_in_it_is_named(var: Path) -> None:
    broken = var.parent / "broken"
    (broken / "engines" / "postgres").mkdir(parents=True)
    (broken / "engines" / "postgres" / "holiday.jpg").touch()
    said = refusal(broken)
    assert "holds no PostgreSQL data; move it away or delete it." in said
    assert len(said.splitlines()) == 1


def test_one_external_engine_without_the_other_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path / "var", COPYTRADE_REDIS_URL="redis://127.0.0.1:1/0")
    assert "COPYTRADE_REDIS_URL is set without its twin" in said
