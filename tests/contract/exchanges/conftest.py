"""A pool of clients in one event loop a module, and Alice's account at each of the six places in turn."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from copytrade.domain.instruments import Market, Venue
from copytrade.sandbox.client import Control
from tests.conftest import Sandbox
from tests.contract.exchanges.places import BTC_ID, MANNERS, PLACES, Account, Bench, named, open_account


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens accounts at a place; rights of the key, coins and the like are its facts."""

    control: Control
    bench: Bench
    place: tuple[Venue, Market]

    def __call__(self, **facts: Any) -> Account:
        return open_account(self.control, self.bench, self.place, **facts)

    @property
    def is_spot(self) -> bool:
        return self.place[1] is Market.SPOT


@pytest.fixture(scope="module")
def bench() -> Generator[Bench]:
    opened = Bench()
    yield opened
    opened.close()


@pytest.fixture
def control(sandbox: Sandbox) -> Generator[Control]:
    for venue in {venue for venue, _ in PLACES}:
        sandbox.control.limits(venue=venue.value, **MANNERS[venue].limits)
    sandbox.control.set_price(BTC_ID, 60000)
    yield sandbox.control
    sandbox.control.clear_faults()
    sandbox.control.release_price(BTC_ID)


@pytest.fixture(params=PLACES, ids=named)
def place(request: pytest.FixtureRequest) -> tuple[Venue, Market]:
    return request.param


@pytest.fixture
def opened(control: Control, bench: Bench, place: tuple[Venue, Market]) -> Opener:
    return Opener(control, bench, place)


@pytest.fixture
def alice(opened: Opener) -> Account:
    return opened()
