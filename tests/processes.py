"""The installation's real processes in a test: started, killed and started again by name.

Their command lines and variables come from supervisord.conf, so that a test runs what `make demo` runs.
"""

import configparser
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from copytrade.settings import ROOT
from tests.engines import EngineProcesses
from tests.waiting import wait_for_http, wait_until
from workers.launching.parent import end_with_parent

WORKERS = ("worker-copy", "worker-capture", "stream", "cron")
EVERYTHING = (*WORKERS, "worker-billing", "worker-notify", "worker-analytics", "web")


@dataclass(frozen=True, slots=True)
class Program:
    """How supervisord would start a process."""

    command: list[str]
    variables: dict[str, str]


def program(name: str, *, environment: Mapping[str, str]) -> Program:
    """Read one program of supervisord.conf, with the variables it is given."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    parser.read(ROOT / "supervisord.conf")
    section = parser[f"program:{name}"]
    line = section["command"]
    for variable, value in environment.items():
        line = line.replace(f"%(ENV_{variable})s", value)
    pairs = (pair.partition("=") for pair in shlex.split(section.get("environment", "").replace(",", " ")))
    return Program(command=shlex.split(line), variables={key: value for key, _, value in pairs})


@dataclass(slots=True)
class Processes:
    """Processes of one installation on the test session's engines and sandbox.

    `worker-copy:2` is a second process of `worker-copy`, and so on.
    """

    logs: Path
    engines: EngineProcesses
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    """Settings of these processes beside the test session's own."""

    def start(self, *names: str) -> None:
        """Start processes by their names in supervisord.conf; `postgres` and `valkey` come up again after a kill."""
        if again := [name for name in names if name in self.engines.running]:
            self.engines.start(*again)
        for name in names:
            if name not in again:
                self.running[name] = self._spawn(name)

    def kill(self, *names: str) -> None:
        """SIGKILL processes, all at once, and wait until they are gone."""
        doomed = [self._process(name) for name in names]
        for process in doomed:
            process.kill()
        for process in doomed:
            process.wait(timeout=10)
        for name in names:
            self.running.pop(name, None)

    def restart(self, *names: str) -> None:
        """Kill processes and start them again."""
        self.kill(*names)
        self.start(*names)

    def stop(self, *names: str) -> None:
        """End processes as a stop of the installation does; kill what does not go within 20 s."""
        leaving = [self.running.pop(name) for name in names]
        for process in leaving:
            process.terminate()
        for process in leaving:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def tell_to_end(self, name: str) -> None:
        """Ask a process to end, as the roll-out of a new version does, and do not wait for it."""
        self._process(name).terminate()

    def freeze(self, name: str) -> None:
        """Stop a process as if its machine hung."""
        self._process(name).send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on."""
        self._process(name).send_signal(signal.SIGCONT)

    def pid(self, name: str) -> int:
        """Return the process id."""
        return self._process(name).pid

    def log(self, name: str) -> str:
        """Return what a process wrote so far."""
        file = self.logs / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def wait_for_web(self) -> str:
        """Wait until the web process answers; return its address."""
        url = f"http://localhost:{os.environ['COPYTRADE_PORT']}"
        wait_for_http(f"{url}/ping", alive=lambda: "web" in self.running, log=self.logs / "web.log", timeout=120)
        return url

    def wait_for_line(self, name: str, text: str, *, timeout: float = 20) -> None:
        """Wait until a process has logged `text`."""
        wait_until(lambda: text in self.log(name), timeout=timeout, what=f"{text!r} in the log of {name}")

    def revive(self) -> dict[str, int]:
        """Start again what ended though nobody asked it to, as supervisord would; return how each of them ended."""
        ended = {name: code for name, process in self.running.items() if (code := process.poll()) is not None}
        for name in ended:
            self.running.pop(name)
        self.start(*ended)
        return ended

    def crashed(self) -> dict[str, str]:
        """Return the end of the log of each process that ended though nobody asked it to."""
        return {name: self.log(name)[-3000:] for name, process in self.running.items() if process.poll() is not None}

    def _process(self, name: str) -> subprocess.Popen[bytes]:
        return self.running.get(name) or self.engines.running[name]

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        assert name not in self.running, f"{name} runs already"
        environment = os.environ | self.variables | {"COPYTRADE_PYTHON": sys.executable, "PYTHONUNBUFFERED": "1"}
        found = program(name.partition(":")[0], environment=environment)
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                found.command,
                env=environment | found.variables,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,
            )
