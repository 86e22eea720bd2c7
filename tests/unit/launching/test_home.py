"""Ports, environment, logs and the demo's file of an installation."""

import configparser
import json
import os
import shutil
import socket
import stat
from collections.abc import Generator
from pathlib import Path

import pytest

from copytrade.engines import CannotStart, run_folder
from copytrade.settings import ROOT
from tests.processes import program
from workers.launching import demofile
from workers.launching.home import environment, make_home, make_var
from workers.launching.lock import is_running, only_one
from workers.launching.logs import LogFollower
from workers.launching.ports import any_free, next_free

OPENERS = {"worker-copy", "worker-capture", "stream"}

NAMES = ("COPYTRADE_PORT", "COPYTRADE_SANDBOX_PORT", "COPYTRADE_SANDBOX_SMTP_PORT", "COPYTRADE_METRICS_PORT")


@pytest.fixture(autouse=True)
def plain_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A shell that knows nothing of the test session's installation; the sockets' folder goes with the test."""
    for name in list(os.environ):
        if name.startswith("COPYTRADE_"):
            monkeypatch.delenv(name)
    yield
    shutil.rmtree(run_folder(tmp_path / "var"), ignore_errors=True)


def test_a_taken_port_gives_way_to_the_next(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert next_free(port, host="127.0.0.1") > port


def test_the_ports_of_the_last_start_are_taken_again(tmp_path: Path) -> None:
    make_var(tmp_path / "var")
    before = {name: any_free() for name in NAMES}
    (tmp_path / "var" / "ports.json").write_text(json.dumps(before))
    home = make_home(tmp_path / "var")
    assert [home.port, home.sandbox_port, home.smtp_port, home.metrics_port] == list(before.values())


def test_a_damaged_list_of_ports_is_no_obstacle(tmp_path: Path) -> None:
    make_var(tmp_path / "var")
    (tmp_path / "var" / "ports.json").write_text("{")
    assert make_home(tmp_path / "var").port >= 3000


def test_the_callers_variables_win_but_not_over_the_chosen_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYTRADE_DEMO_BOTS", "0")
    monkeypatch.setenv("COPYTRADE_PORT", str(any_free()))
    make_var(tmp_path / "var")
    home = make_home(tmp_path / "var")
    variables = environment(home)
    assert variables["COPYTRADE_DEMO_BOTS"] == "0"
    assert variables["COPYTRADE_PORT"] == os.environ["COPYTRADE_PORT"] == str(home.port)
    assert variables["COPYTRADE_STRIPE_URL"] == f"{home.sandbox_url}/stripe"


def test_production_gets_no_sandbox_and_no_keys_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYTRADE_ENVIRONMENT", "production")
    make_var(tmp_path / "var")
    variables = environment(make_home(tmp_path / "var"))
    assert {"COPYTRADE_STRIPE_URL", "COPYTRADE_SMTP_HOST", "COPYTRADE_KEYRING"} & set(variables) == set()


def test_copy_and_billing_have_two_processes_in_production_and_one_in_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_var(tmp_path / "var")

    def counts() -> list[str]:
        variables = environment(make_home(tmp_path / "var"))
        return [variables[f"COPYTRADE_{name}_WORKERS"] for name in ("COPY", "BILLING")]

    assert counts() == ["1", "1"]
    monkeypatch.setenv("COPYTRADE_ENVIRONMENT", "production")
    monkeypatch.setenv("COPYTRADE_COPY_WORKERS", "")
    assert counts() == ["2", "2"]
    monkeypatch.setenv("COPYTRADE_COPY_WORKERS", "5")
    assert counts() == ["5", "2"]


@pytest.mark.parametrize("wanted", ["0", "-1", "two", "33", "1.5"])
def test_a_number_of_processes_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("COPYTRADE_BILLING_WORKERS", wanted)
    make_var(tmp_path / "var")
    with pytest.raises(CannotStart, match="COPYTRADE_BILLING_WORKERS"):
        environment(make_home(tmp_path / "var"))


def test_only_who_opens_secrets_is_started_with_the_keyring() -> None:
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "supervisord.conf")
    ours = [name.partition(":")[2] for name in parser.sections() if name.startswith("program:")]
    given = {
        name
        for name in ours
        if name not in ("postgres", "valkey") and program(name, environment={}).variables.get("COPYTRADE_KEYRING") != ""
    }
    assert given == OPENERS


def test_the_engines_get_no_variable_of_ours(tmp_path: Path) -> None:
    make_var(tmp_path / "var")
    variables = environment(make_home(tmp_path / "var"))
    for engine in ("POSTGRES", "VALKEY"):
        assert variables[f"COPYTRADE_{engine}_COMMAND"].startswith("/usr/bin/env -i COPYTRADE_RUN=")


def test_the_second_launcher_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    with only_one(tmp_path) as lock:
        lock.tell("http://localhost:3000")
        assert is_running(tmp_path)
        with pytest.raises(CannotStart, match="already running here, at http://localhost:3000"), only_one(tmp_path):
            pass
    assert not is_running(tmp_path)


def test_logs_are_followed_line_by_line_and_across_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "stream.log"
    log.write_text("old\n")
    follower = LogFollower(tmp_path)
    follower.skip()
    with log.open("a") as out:
        out.write("one\ntw")
    assert [line.split("| ")[1] for line in follower.fresh()] == ["one"]
    with log.open("a") as out:
        out.write("o\n")
    assert [line.split("| ")[1] for line in follower.fresh()] == ["two"]
    log.write_text("new\n")
    assert [line.split("| ")[1] for line in follower.fresh()] == ["new"]


def test_the_demos_file_is_its_owners_alone_and_has_its_form(tmp_path: Path) -> None:
    make_var(tmp_path / "var")
    home = make_home(tmp_path / "var")
    people = {
        "users": [{"role": "trader", "email": "alice@example.org", "password": "secret"}],
        "exchange_accounts": [],
    }
    content = demofile.describe(home, people=people, processes={"web": [1, 2]})
    demofile.write(tmp_path / "demo.json", content=content)
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert set(json.loads((tmp_path / "demo.json").read_text())) == {
        *("web", "sandbox", "mail", "users", "exchange_accounts", "processes"),
    }
    assert "alice@example.org  secret" in demofile.welcome(content)
