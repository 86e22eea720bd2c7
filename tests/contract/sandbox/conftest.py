"""One sandbox server for each module here, and Alice's and Bob's accounts on it."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.sandbox.served import Raw, SandboxServer
from workers.launching.ports import any_free


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[SandboxServer]:
    running = SandboxServer(tmp_path_factory.mktemp("sandbox")).start()
    yield running
    assert running.end() == 0, running.log()
    assert "Traceback" not in running.log(), running.log()


@pytest.fixture
def tls(tmp_path: Path) -> Generator[tuple[SandboxServer, int]]:
    """Give a sandbox that also listens with TLS, and where, for clients that keep the venues' own hosts."""
    port = any_free()
    running = SandboxServer(tmp_path, SANDBOX_TLS_PORT=str(port)).start()
    yield running, port
    assert running.end() == 0


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Generator[None]:
    yield
    if "server" in request.fixturenames:
        running: SandboxServer = request.getfixturevalue("server")
        running.control.clear_faults()
        running.control.release_price()


@pytest.fixture
def alice(server: SandboxServer) -> dict[str, Any]:
    return server.control.create_account("alice", deposit=100_000)


@pytest.fixture
def bob(server: SandboxServer) -> dict[str, Any]:
    return server.control.create_account("bob", deposit=100_000)


@pytest.fixture
def raw(server: SandboxServer, alice: dict[str, Any]) -> Generator[Raw]:
    opened = Raw(server.url, alice)
    yield opened
    opened.close()


@pytest.fixture
def open_raw(server: SandboxServer) -> Generator[Callable[[dict[str, Any]], Raw]]:
    opened: list[Raw] = []

    def opener(account: dict[str, Any]) -> Raw:
        opened.append(Raw(server.url, account))
        return opened[-1]

    yield opener
    for client in opened:
        client.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
