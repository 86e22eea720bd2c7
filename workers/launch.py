"""The launcher: brings up one installation on this machine and takes all of it down again.

Order: lock → left-overs of a killed start → folders, ports → supervisord → sandbox, engines → migrations → pages →
the rest → the demo's filling. Whatever ends this process ends everything it started.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from copytrade.engines import CannotStart, create_database, prepare, run_folder, wait_until_up
from copytrade.settings import ROOT
from workers.launching import demofile
from workers.launching.home import Home, environment, make_home, make_var
from workers.launching.leftovers import sweep
from workers.launching.lock import Lock, only_one
from workers.launching.logs import LogFollower
from workers.launching.pages import build_pages
from workers.launching.parent import adopt_orphans, end_with_parent
from workers.launching.supervision import Supervisor, start_supervisor, stop_supervisor, tail, wait_for

ENGINES = ("engines:postgres", "engines:valkey")
SANDBOX = "app:sandbox"
PAPER = ("app:paper-binance", "app:paper-bybit", "app:paper-bitget")
REST = (
    *("app:web", "app:worker-copy", "app:worker-capture", "app:stream", "app:cron"),
    *("app:worker-billing", "app:worker-notify", "app:worker-analytics", "app:inner"),
)


class StopAsked(BaseException):
    """Somebody wants the installation to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an installation until it is told to stop; return the exit code."""
    asked = _parser().parse_args(arguments)
    if asked.end_with_parent:
        end_with_parent()
    adopt_orphans()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _stop_once)
    var = Path(os.environ.get("COPYTRADE_VAR", "") or ROOT / "var").resolve()
    try:
        make_var(var)
        with only_one(var) as lock:
            _run(var, lock=lock, demo=asked.demo)
    except CannotStart as problem:
        print(f"CopyTrade cannot start: {problem}", file=sys.stderr, flush=True)
        return 1
    except StopAsked:
        return 0
    return 0


def _run(var: Path, *, lock: Lock, demo: bool) -> None:
    run = run_folder(var)
    supervisor: Supervisor | None = None
    (var / "demo.json").unlink(missing_ok=True)
    if swept := sweep(run):
        _say(f"Ended {swept} processes that an earlier start had left behind.")
    try:
        home = make_home(var)
        lock.tell(home.web_url)
        variables = environment(home)
        if home.embedded:
            prepare(home.engines)
        supervisor = start_supervisor(variables, run=run)
        _bring_up(home, variables=variables, supervisor=supervisor)
        people = _fill(home, variables=variables) if demo else {}
        _watch(home, supervisor=supervisor, people=people)
    finally:
        _ignore_signals()
        if supervisor is not None:
            _say("\nStopping…")
            stop_supervisor(supervisor)
        sweep(run)
        shutil.rmtree(run, ignore_errors=True)
        (var / "demo.json").unlink(missing_ok=True)
        if supervisor is not None:
            _say(f"Stopped. The data is kept in {var}.")


def _bring_up(home: Home, *, variables: Mapping[str, str], supervisor: Supervisor) -> None:
    log = home.var / "log"
    if not home.production:
        supervisor.start(SANDBOX)
    elif variables.get("COPYTRADE_PAPER_TOKEN"):
        supervisor.start(*PAPER)
    if home.embedded:
        _say("Starting PostgreSQL and Valkey…")
        supervisor.start(*ENGINES)
        wait_until_up(home.engines, alive=supervisor.is_alive)
        create_database(home.engines)
    _command("copytrade.cli", "migrate", variables=variables, log=log / "migrate.log", what="The migrations")
    if build_pages(variables, web=home.web, log=log / "pages.log"):
        _say("Built the pages.")
    if not home.production:
        _wait_for_http(f"{home.sandbox_url}/binance/fapi/v1/ping", supervisor=supervisor, log=log, what="The sandbox")
    supervisor.start(*REST)
    _wait_for_http(f"http://{home.host}:{home.port}/ping", supervisor=supervisor, log=log, what="The web app")


def _fill(home: Home, *, variables: Mapping[str, str]) -> dict[str, Any]:
    _say("Filling the demo…")
    file = home.var / "demo-people.json"
    _command("copytrade.demo", variables=variables, log=home.var / "log" / "demo.log", what="The demo's filling")
    return json.loads(file.read_text())


def _watch(home: Home, *, supervisor: Supervisor, people: dict[str, Any]) -> NoReturn:
    """Keep var/demo.json's processes current and follow the logs, until somebody wants us to stop."""
    follower = LogFollower(home.var / "log")
    follower.skip()
    content: dict[str, Any] = {}
    while True:
        known = demofile.describe(home, people=people, processes=supervisor.pids())
        if known != content:
            demofile.write(home.var / "demo.json", content=known)
            if not content:
                _say(demofile.welcome(known))
            content = known
        for line in follower.fresh():
            print(line)
        sys.stdout.flush()
        time.sleep(0.4)
        if not supervisor.is_alive():
            raise CannotStart("supervisord ended; so does everything else.")


def _command(*module: str, variables: Mapping[str, str], log: Path, what: str) -> None:
    with log.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", *module],
            env={**variables, "COPYTRADE_KEYRING": ""},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=False,
        )
    if done.returncode != 0:
        raise CannotStart(f"{what} failed:\n{tail(log)}")


def _wait_for_http(url: str, *, supervisor: Supervisor, log: Path, what: str) -> None:
    def answers() -> bool:
        supervisor.check(log)
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    wait_for(answers, supervisor=supervisor, timeout=180, what=what)


def _say(text: str) -> None:
    print(text, flush=True)


def _stop_once(_signal: int, _frame: object) -> NoReturn:
    _ignore_signals()
    raise StopAsked


def _ignore_signals() -> None:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.launch", description=__doc__)
    parser.add_argument("--demo", action="store_true", help="fill it with people who trade and copy")
    parser.add_argument("--end-with-parent", action="store_true", help="end when the process that started it ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
