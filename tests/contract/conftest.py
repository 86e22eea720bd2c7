"""A sandbox whose Stripe a file of tests has for itself."""

from collections.abc import Generator

import pytest

from tests.contract.served import Served


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A server of this file's own, without the app's endpoint."""
    server = Served(tmp_path_factory.mktemp("stripe"), COPYTRADE_STRIPE_WEBHOOK_SECRET="").start()
    yield server
    server.stop()


@pytest.fixture
def served(running: Served) -> Served:
    """The server, new and empty, its clock on time."""
    running.control("DELETE", "state")
    return running
