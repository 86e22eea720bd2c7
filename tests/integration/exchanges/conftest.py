"""Clients over real engines and the sandbox, with settings of a test's own."""

from collections.abc import Callable, Generator
from typing import Any
from uuid import UUID, uuid4

import pytest

from copytrade.domain.instruments import Market, Venue
from copytrade.exchanges.port import AccountRef, Credentials
from copytrade.settings import settings
from tests.conftest import Sandbox
from tests.integration.accounts.linking import leave_no_limits

Configured = Callable[..., None]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Generator[Configured]:
    """Change settings of this process until the test ends."""

    def change(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"COPYTRADE_{name.upper()}", value)
        settings.cache_clear()

    yield change
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(autouse=True)
def _fresh(engines: Any, sandbox: Sandbox) -> Generator[None]:
    leave_no_limits()
    yield
    sandbox.control.clear_faults()
    leave_no_limits()


class Person:
    """An account of the sandbox and how a pool opens it."""

    def __init__(self, sandbox: Sandbox, *, egress: str = "", venue: Venue = Venue.BINANCE) -> None:
        self.made = sandbox.control.create_account("test", venue=venue, deposit=1000, reading=True, futures=True)
        self.ref = AccountRef(uuid4(), venue, Market.PERPETUAL, "sandbox", egress)

    def credentials(self, account_id: UUID) -> Credentials:
        return Credentials(self.made["api_key"], self.made["api_secret"])
