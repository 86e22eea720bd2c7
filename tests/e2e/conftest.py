"""The browser, and the installation that the journeys share."""

import os
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.chromium import launch_options
from tests.processes import Processes


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    """Chromium, without a window."""
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**launch_options())
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def web(installation: Processes) -> str:
    """Address of the running web app."""
    assert "web" in installation.running
    return f"http://localhost:{os.environ['COPYTRADE_PORT']}"
