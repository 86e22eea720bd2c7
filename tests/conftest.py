"""The ground every test stands on: real engines, a sandbox, and no way out to the internet.

The environment is set here, at import, before anything reads the settings; engines and sandbox start when asked for.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from copytrade.engines import Engines, locate
from copytrade.installation import installation_keys
from tests import engines as test_engines
from tests.waiting import wait_for_http
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free

if TYPE_CHECKING:
    from sqlmodel import Session

    from copytrade.sandbox.client import Control

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")


def _home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="copytrade-test-"))
    home.chmod(0o711)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


HOME = _home()
ENGINES = locate(HOME / "engines", run=HOME / "run")
SANDBOX_PORT = any_free()
SMTP_PORT = any_free()

os.environ |= installation_keys(HOME / "var" / "keys") | {
    "COPYTRADE_VAR": str(HOME / "var"),
    "COPYTRADE_ENVIRONMENT": "sandbox",
    "COPYTRADE_DATABASE_URL": ENGINES.database_url(),
    "COPYTRADE_REDIS_URL": ENGINES.redis_url,
    "COPYTRADE_SANDBOX_PORT": str(SANDBOX_PORT),
    "COPYTRADE_SANDBOX_SMTP_PORT": str(SMTP_PORT),
    "COPYTRADE_STRIPE_URL": f"http://127.0.0.1:{SANDBOX_PORT}/stripe",
    "COPYTRADE_SMTP_HOST": "127.0.0.1",
    "COPYTRADE_SMTP_PORT": str(SMTP_PORT),
    "COPYTRADE_ARGON2_MEMORY_KIB": "1024",
    "COPYTRADE_ARGON2_TIME_COST": "1",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_REDIS_URL": ENGINES.redis_url,
}


def _stay_on_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        host = arguments[1][0] if isinstance(arguments[1], tuple) else "localhost"
    elif event == "socket.getaddrinfo":
        host = arguments[0] or "localhost"
    else:
        return
    host = host.decode() if isinstance(host, bytes) else str(host)
    if not host.startswith(_LOOPBACK):
        raise RuntimeError(f"a test reached out to {host}")


sys.addaudithook(_stay_on_loopback)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The running sandbox: its base address, its control interface and its process."""

    url: str
    control: "Control"
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="session")
def engines() -> Generator[Engines]:
    """PostgreSQL and Valkey, empty."""
    with test_engines.started(ENGINES) as running:
        yield running


@pytest.fixture(scope="session")
def database(engines: Engines) -> Engines:
    """The engines with every migration applied."""
    test_engines.migrate()
    return engines


@pytest.fixture
def session(database: Engines) -> Generator["Session"]:
    """A session whose commits stay inside one transaction, rolled back at the end; the test's other sessions join."""
    from sqlmodel import Session

    from copytrade.db.session import bound, engine

    with engine().connect() as connection:
        outer = connection.begin()
        token = bound.set(connection)
        try:
            with Session(connection, join_transaction_mode="create_savepoint") as opened:
                yield opened
        finally:
            bound.reset(token)
            outer.rollback()


@pytest.fixture
def committed(database: Engines) -> Generator[Engines]:
    """A database that other processes see: everything really commits and is wiped afterwards."""
    yield database
    test_engines.wipe(database)


@pytest.fixture(scope="session")
def sandbox() -> Generator[Sandbox]:
    """The sandbox server (exchanges, Stripe, mail) with an empty state; bots do not trade."""
    from copytrade.sandbox.client import Control

    log = (HOME / "sandbox.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "copytrade.sandbox.server"],
        env=os.environ | {"COPYTRADE_DEMO_BOTS": "0"},
        stdout=log,
        stderr=log,
        preexec_fn=end_with_parent,
    )
    url = f"http://127.0.0.1:{SANDBOX_PORT}"
    try:
        wait_for_http(f"{url}/binance/fapi/v1/ping", alive=lambda: process.poll() is None, log=HOME / "sandbox.log")
        yield Sandbox(url=url, control=Control(url), process=process)
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()
