"""One installation on this machine: its folders, its addresses and the environment of its processes."""

import getpass
import json
import os
import shlex
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from copytrade.engines import CannotStart, Engines, locate, run_folder
from copytrade.installation import installation_keys
from workers.launching.ports import is_free, next_free

FIGURES = "figures"
"""Where all processes put their counters, so that one of them can answer for all (copytrade.metrics)."""
MOST_PROCESSES = 32
WEB_PORT, SANDBOX_PORT, SMTP_PORT, METRICS_PORT = 3000, 8430, 8530, 9464


@dataclass(frozen=True, slots=True)
class Home:
    """Where an installation lives and how it is reached."""

    var: Path
    run: Path
    engines: Engines
    host: str
    port: int
    sandbox_port: int
    smtp_port: int
    metrics_port: int
    production: bool
    embedded: bool

    @property
    def web(self) -> Path:
        """Folder of the pages' bundle."""
        return Path(os.environ.get("REFLEX_WEB_WORKDIR", "") or self.var / "web")

    @property
    def sandbox_url(self) -> str:
        """Base address of the sandbox."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def web_url(self) -> str:
        """Address of the web app on this machine."""
        return f"http://localhost:{self.port}"


def make_var(var: Path) -> None:
    """Make the folder of everything that is made at run time; CannotStart where it cannot be made or written."""
    _make(var)


def make_home(var: Path) -> Home:
    """Make the folders of the installation at `var` and choose its ports; CannotStart where that is impossible."""
    run = run_folder(var)
    _own(run, mode=0o711)
    for name in ("log", "keys"):
        _make(var / name)
    _fresh_figures(run)
    host = os.environ.get("COPYTRADE_HOST", "127.0.0.1")
    before = _ports_before(var)
    port = _port("COPYTRADE_PORT", default=WEB_PORT, before=before, host=host, taken=frozenset())
    sandbox = _port("COPYTRADE_SANDBOX_PORT", default=SANDBOX_PORT, before=before, host="127.0.0.1", taken={port})
    smtp = _port(
        "COPYTRADE_SANDBOX_SMTP_PORT", default=SMTP_PORT, before=before, host="127.0.0.1", taken={port, sandbox}
    )
    figures = _port(
        "COPYTRADE_METRICS_PORT", default=METRICS_PORT, before=before, host="127.0.0.1", taken={port, sandbox, smtp}
    )
    chosen = {
        "COPYTRADE_PORT": port,
        "COPYTRADE_SANDBOX_PORT": sandbox,
        "COPYTRADE_SANDBOX_SMTP_PORT": smtp,
        "COPYTRADE_METRICS_PORT": figures,
    }
    (var / "ports.json").write_text(json.dumps(chosen))
    return Home(
        var=var,
        run=run,
        engines=locate(var / "engines", run=run / "engines"),
        host=host,
        port=port,
        sandbox_port=sandbox,
        smtp_port=smtp,
        metrics_port=figures,
        production=os.environ.get("COPYTRADE_ENVIRONMENT", "sandbox") == "production",
        embedded=_embedded(),
    )


def _fresh_figures(run: Path) -> None:
    # What processes counted that are gone would be added to what the new ones count.
    shutil.rmtree(run / FIGURES, ignore_errors=True)
    (run / FIGURES).mkdir(mode=0o700)


def environment(home: Home) -> dict[str, str]:
    """Return the whole environment of the installation's processes; what the caller has set himself wins."""
    ours = {
        "COPYTRADE_VAR": str(home.var),
        "COPYTRADE_HOST": home.host,
        "COPYTRADE_DATABASE_URL": home.engines.database_url(),
        "COPYTRADE_REDIS_URL": home.engines.redis_url,
        "PROMETHEUS_MULTIPROC_DIR": str(home.run / FIGURES),
        "REFLEX_WEB_WORKDIR": str(home.web),
    }
    if not home.production:
        ours |= {
            "COPYTRADE_SANDBOX_WEIGHT_PER_MINUTE": "60000",
            "COPYTRADE_SANDBOX_LIMITS_FACTOR": "25",
            "COPYTRADE_STRIPE_URL": f"{home.sandbox_url}/stripe",
            "COPYTRADE_SMTP_HOST": "127.0.0.1",
            "COPYTRADE_SMTP_PORT": str(home.smtp_port),
        }
        ours |= installation_keys(home.var / "keys")
    ports = {
        "COPYTRADE_PORT": str(home.port),
        "COPYTRADE_SANDBOX_PORT": str(home.sandbox_port),
        "COPYTRADE_SANDBOX_SMTP_PORT": str(home.smtp_port),
        "COPYTRADE_METRICS_PORT": str(home.metrics_port),
    }
    # Who starts us without bytecode would have a dozen processes compile the same packages at once.
    callers = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return ours | callers | ports | _counts(home) | _for_supervisor(home)


def _counts(home: Home) -> dict[str, str]:
    # What benchmarks/README.md measures is two of each; a demo has few copies and payments, and starts sooner with one.
    several = 2 if home.production else 1
    return {
        "COPYTRADE_WEB_WORKERS": _count("COPYTRADE_WEB_WORKERS", default=2),
        "COPYTRADE_COPY_WORKERS": _count("COPYTRADE_COPY_WORKERS", default=several),
        "COPYTRADE_BILLING_WORKERS": _count("COPYTRADE_BILLING_WORKERS", default=several),
    }


def _for_supervisor(home: Home) -> dict[str, str]:
    # The engines get no variable of ours but the one by which left-overs are recognised.
    bare = ["/usr/bin/env", "-i", f"COPYTRADE_RUN={home.run}", "LC_ALL=C"]
    return {
        "COPYTRADE_RUN": str(home.run),
        "COPYTRADE_PYTHON": sys.executable,
        "COPYTRADE_USER": getpass.getuser(),
        "COPYTRADE_ENGINE_USER": home.engines.user,
        "COPYTRADE_POSTGRES_COMMAND": shlex.join([*bare, *home.engines.postgres_command(durable=True)]),
        "COPYTRADE_VALKEY_COMMAND": shlex.join([*bare, *home.engines.valkey_command(durable=True)]),
        "REFLEX_TELEMETRY_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
    }


def _count(variable: str, *, default: int) -> str:
    wanted = os.environ.get(variable, "") or str(default)
    if not wanted.isdecimal() or not 1 <= int(wanted) <= MOST_PROCESSES:
        raise CannotStart(f"{variable} must be a number from 1 to {MOST_PROCESSES}, not {wanted!r}.")
    return wanted


def _port(variable: str, *, default: int, before: dict[str, int], host: str, taken: frozenset[int] | set[int]) -> int:
    wanted = os.environ.get(variable, "")
    if not wanted:
        first = before.get(variable, default)
        if first not in taken and is_free(first, host=host):
            return first
        return next_free(default, host=host, avoid=frozenset(taken))
    if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
        raise CannotStart(f"{variable} was {wanted!r}; it must be a port between 1 and 65535.")
    if not is_free(int(wanted), host=host):
        raise CannotStart(f"Port {wanted} ({variable}) is taken by another program; choose another or leave it unset.")
    return int(wanted)


def _embedded() -> bool:
    given = [name for name in ("COPYTRADE_DATABASE_URL", "COPYTRADE_REDIS_URL") if os.environ.get(name)]
    if len(given) == 1:
        raise CannotStart(f"{given[0]} is set without its twin; give PostgreSQL's and Redis' address, or neither.")
    return not given


def _ports_before(var: Path) -> dict[str, int]:
    # A bundle knows its port: the same one again spares a build.
    try:
        found = json.loads((var / "ports.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: port for name, port in found.items() if isinstance(port, int)} if isinstance(found, dict) else {}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The data folder cannot be made: {error.strerror}: {error.filename}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CannotStart(f"The data folder {folder} cannot be written by {getpass.getuser()}.")


def _own(folder: Path, *, mode: int) -> None:
    folder.mkdir(mode=mode, exist_ok=True)
    state = folder.lstat()
    if state.st_uid != os.getuid() or not stat.S_ISDIR(state.st_mode):
        raise CannotStart(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own.")
    folder.chmod(mode)
