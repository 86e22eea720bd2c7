"""The browser, and the installation that the journeys share.

Both end with this folder's tests: the browser's driver keeps an event loop running in this process, and the
installation's workers would work for whatever another test puts into the tables.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from copytrade.engines import Engines
from tests import engines as test_engines
from tests.chromium import launch_options
from tests.conftest import HOME, Sandbox
from tests.engines import EngineProcesses
from tests.processes import EVERYTHING, Processes
from workers.launching.pages import build_pages

HASTY = {"COPYTRADE_SNAPSHOT_INTERVAL_S": "5", "COPYTRADE_COPY_POLL_INTERVAL_S": "3"}
"""People at a browser wait for the next reading of an account; here it comes sooner than after half a minute."""


@pytest.fixture(scope="session")
def pages() -> Path:
    """The pages' bundle, built unless the one of an earlier session is still right."""
    web = Path(os.environ["REFLEX_WEB_WORKDIR"])
    web.mkdir(parents=True, exist_ok=True)
    build_pages(os.environ, web=web, log=HOME / "pages.log")
    return web


@pytest.fixture(scope="package")
def installation(
    database: Engines, sandbox: Sandbox, engine_processes: EngineProcesses, pages: Path
) -> Generator[Processes]:
    """Everything as `make demo` starts it, web included, for browser journeys; its people are the journeys' own."""
    running = Processes(HOME / "log", engines=engine_processes, variables=HASTY)
    try:
        running.start(*EVERYTHING)
        running.wait_for_web()
        yield running
        assert running.crashed() == {}
    finally:
        running.stop(*running.running)
        test_engines.wipe(database)


@pytest.fixture(scope="package")
def browser() -> Generator[Browser]:
    """Chromium, without a window."""
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**launch_options())
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def web(installation: Processes) -> str:
    """Address of the running web app."""
    assert "web" in installation.running
    return f"http://localhost:{os.environ['COPYTRADE_PORT']}"
