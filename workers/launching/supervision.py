"""Supervisord, and what we ask of it over its unix socket."""

import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from copytrade.engines import CannotStart
from copytrade.settings import ROOT
from workers.launching.parent import end_with_parent

_DOWN = ("FATAL", "EXITED")


@dataclass(frozen=True, slots=True)
class Supervisor:
    """A running supervisord and its socket."""

    process: subprocess.Popen[bytes]
    socket: Path

    def call(self, method: str, *arguments: Any) -> Any:
        """Ask supervisord; a proxy is made for each call, since one that failed once stays broken."""
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        finally:
            transport.close()

    def start(self, *names: str) -> None:
        """Start all processes of programs (`group:program`) without waiting for them."""
        known = self.states()
        for name in names:
            for one in [one for one in known if f"{one['group']}:{program_of(one['name'])}" == name]:
                try:
                    self.call("startProcess", f"{one['group']}:{one['name']}", False)
                except xmlrpc.client.Fault as fault:
                    raise CannotStart(f"{one['name']} could not be started: {fault.faultString}") from None

    def states(self) -> list[dict[str, Any]]:
        """Return what supervisord knows of each program."""
        return self.call("getAllProcessInfo")

    def check(self, log_folder: Path) -> None:
        """Raise CannotStart, with the end of its log, for a program that supervisord has given up."""
        for state in self.states():
            if state["statename"] in _DOWN:
                raise CannotStart(f"{state['name']} does not start:\n{tail(log_folder / (state['name'] + '.log'))}")

    def is_alive(self) -> bool:
        """Tell whether supervisord itself runs."""
        return self.process.poll() is None

    def pids(self) -> dict[str, list[int]]:
        """Return the processes of each running program, with web's own workers."""
        found: dict[str, list[int]] = {}
        for state in self.states():
            if state["pid"]:
                found.setdefault(program_of(state["name"]), []).append(int(state["pid"]))
        for pid in found.get("web", [])[:1]:
            found["web"] += children(pid)
        return found


def program_of(process: str) -> str:
    """Return the program of a process of supervisord's: `worker-copy-2` is one of worker-copy's."""
    name, _, number = process.rpartition("-")
    return name if number.isdecimal() else process


def start_supervisor(environment: Mapping[str, str], *, run: Path) -> Supervisor:
    """Start supervisord in a session of its own, so that Ctrl-C reaches it only through us, and wait for its socket."""
    socket = run / "supervisor.sock"
    socket.unlink(missing_ok=True)
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(ROOT / "supervisord.conf")],
        env=dict(environment),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509 - no other thread runs yet
    )
    supervisor = Supervisor(process=process, socket=socket)
    wait_for(lambda: _answers(supervisor), supervisor=supervisor, timeout=15, what="supervisord")
    return supervisor


def wait_for(condition: Callable[[], bool], *, supervisor: Supervisor, timeout: float, what: str) -> None:
    """Wait until `condition` holds; CannotStart when supervisord ends or the time is over."""
    deadline = time.monotonic() + timeout
    while not condition():
        if not supervisor.is_alive():
            raise CannotStart(f"supervisord ended while we waited for {what}")
        if time.monotonic() > deadline:
            raise CannotStart(f"{what} did not come up within {timeout:.0f} s; see the logs in var/log.")
        time.sleep(0.05)


def stop_supervisor(supervisor: Supervisor) -> None:
    """Have supervisord end everything, the app before the engines, and wait for it."""
    supervisor.process.terminate()
    try:
        supervisor.process.wait(timeout=45)
    except subprocess.TimeoutExpired:
        supervisor.process.kill()
        supervisor.process.wait()


def children(pid: int) -> list[int]:
    """Return the direct children of a process."""
    try:
        return sorted(child.pid for child in psutil.Process(pid).children())
    except psutil.Error:
        return []


def tail(file: Path, *, lines: int = 15) -> str:
    """Return the last lines of a log."""
    try:
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def _answers(supervisor: Supervisor) -> bool:
    try:
        return bool(supervisor.call("getState"))
    except (OSError, xmlrpc.client.Error):
        return False
