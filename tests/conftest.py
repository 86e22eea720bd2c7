"""The ground every test stands on: real engines, a sandbox, and no way out to the internet.

The environment is set here, at import, before anything reads the settings; engines and sandbox start when asked for.
"""

import atexit
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from copytrade import clock
from copytrade.engines import Engines, locate
from copytrade.installation import installation_keys
from copytrade.settings import ROOT
from tests import engines as test_engines
from tests.engines import EngineProcesses
from tests.processes import Processes
from tests.waiting import wait_for_http
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free, is_free

if TYPE_CHECKING:
    from sqlmodel import Session

    from copytrade.sandbox.client import Control

FOLDER = Path(__file__).parent
_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")


def _home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="copytrade-test-"))
    home.chmod(0o711)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


def _web_port() -> int:
    # The port goes into the pages' bundle: nearly always the same one, so that the bundle is built once, but never
    # that of another test session, which holds the lock of its port.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    for port in range(4301 + int(worker.removeprefix("gw")) if worker else 4300, 4400):
        file = open(Path(tempfile.gettempdir()) / f"copytrade-{os.getuid()}-test-port-{port}", "w")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        if is_free(port, host="127.0.0.1"):
            atexit.register(file.close)
            return port
        file.close()
    raise RuntimeError("no port from 4300 to 4399 is free")


HOME = _home()
ENGINES = locate(HOME / "engines", run=HOME / "run")
WEB_PORT = _web_port()
SANDBOX_PORT = any_free()
SMTP_PORT = any_free()

os.environ |= installation_keys(HOME / "var" / "keys") | {
    "COPYTRADE_VAR": str(HOME / "var"),
    "COPYTRADE_ENVIRONMENT": "sandbox",
    "COPYTRADE_DATABASE_URL": ENGINES.database_url(),
    "COPYTRADE_REDIS_URL": ENGINES.redis_url,
    "COPYTRADE_HOST": "127.0.0.1",
    "COPYTRADE_PORT": str(WEB_PORT),
    "COPYTRADE_WEB_WORKERS": "1",
    "COPYTRADE_SANDBOX_PORT": str(SANDBOX_PORT),
    "COPYTRADE_SANDBOX_HISTORY_DAYS": "0",
    "COPYTRADE_SANDBOX_LIMITS_FACTOR": "1000",
    "COPYTRADE_DEMO_BOTS": "0",
    "COPYTRADE_SANDBOX_SMTP_PORT": str(SMTP_PORT),
    "COPYTRADE_STRIPE_URL": f"http://127.0.0.1:{SANDBOX_PORT}/stripe",
    "COPYTRADE_SMTP_HOST": "127.0.0.1",
    "COPYTRADE_SMTP_PORT": str(SMTP_PORT),
    "COPYTRADE_ARGON2_MEMORY_KIB": "1024",
    "COPYTRADE_ARGON2_TIME_COST": "1",
    "COPYTRADE_CAPTURE_SPARE_S": "1",
    "COPYTRADE_POLL_INTERVAL_S": "1",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_REDIS_URL": ENGINES.redis_url,
    "REFLEX_WEB_WORKDIR": str(ROOT / "var" / f"test-web-{WEB_PORT}"),
    "PYTHONUNBUFFERED": "1",
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


@pytest.fixture(autouse=True)
def clock_put_right() -> Generator[None]:
    """Leave no test the time that another one has moved."""
    yield
    clock.set_offset(timedelta(0))


@pytest.fixture(scope="session")
def engine_processes() -> Generator[EngineProcesses]:
    """PostgreSQL and Valkey, empty, and the handle to kill them."""
    with test_engines.started(ENGINES) as running:
        yield running


@pytest.fixture(scope="session")
def engines(engine_processes: EngineProcesses) -> Engines:
    """PostgreSQL and Valkey, empty."""
    return engine_processes.engines


@pytest.fixture(scope="session")
def database(engines: Engines) -> Engines:
    """The engines with every migration applied."""
    from copytrade.db.migrations import migrate_to_head

    migrate_to_head()
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
        stdout=log,
        stderr=log,
        preexec_fn=end_with_parent,
    )
    url = f"http://127.0.0.1:{SANDBOX_PORT}"
    try:
        wait_for_http(f"{url}/binance/fapi/v1/ping", alive=lambda: process.poll() is None, log=HOME / "sandbox.log")
        with Control(url) as control:
            yield Sandbox(url=url, control=control, process=process)
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


@pytest.fixture
def processes(committed: Engines, sandbox: Sandbox, engine_processes: EngineProcesses) -> Generator[Processes]:
    """The installation's processes, none started yet; all are ended afterwards, and none may have crashed."""
    running = Processes(HOME / "log", engines=engine_processes)
    yield running
    crashed = running.crashed()
    running.stop(*running.running)
    assert crashed == {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Quick ones first; among several workers the long ones first, so that all end at about the same time."""
    order = ("unit", "model", "integration", "contract", "ui", "chaos", "e2e")
    if hasattr(config, "workerinput"):
        order = ("e2e", "contract", "chaos", "integration", "ui", "model", "unit")
    items.sort(key=lambda item: order.index(item.path.relative_to(FOLDER).parts[0]))


class InOneGo(LoadScopeScheduling):
    """Gives each worker whole files, since a file's tests share a stage, and one worker all that serves the pages."""

    PAGES = ("tests/e2e/", "tests/chaos/test_launch.py")
    """Their bundle bears the worker's port: another worker would build its own."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "pages" if file.startswith(self.PAGES) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InOneGo:
    """Hand the tests out in the order in which they were collected."""
    config.option.loadscopereorder = False
    return InOneGo(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes logged beside a test that failed with them."""
    report = yield
    if report.failed:
        for fixture in ("processes", "installation"):
            running = getattr(item, "funcargs", {}).get(fixture)
            if isinstance(running, Processes):
                report.sections += [(f"log of {name}", running.log(name)[-3000:]) for name in running.running]
    return report
