"""The contract, part 7: what takes days, and a venue that goes away and comes back. On a sandbox of its own."""

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from signal import SIGKILL

import pytest

from copytrade import clock
from copytrade.domain.fills import EntryKind
from copytrade.domain.orders import OutcomeKind
from copytrade.errors import Unavailable
from copytrade.exchanges import ground
from copytrade.exchanges.port import ExchangeClient
from copytrade.sandbox.client import Control
from copytrade.settings import settings
from tests.contract.exchanges.conftest import Opener
from tests.contract.exchanges.places import BTC_ID, PERPETUALS, PLACES, Account, all_fills, heard_until, named, soon
from tests.contract.sandbox.served import SandboxServer

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[SandboxServer]:
    running = SandboxServer(tmp_path_factory.mktemp("sandbox")).start()
    yield running
    assert running.end() == 0, running.log()


@pytest.fixture
def control(server: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Generator[Control]:
    """The controls of this module's sandbox, which the clients find too; our clock goes with it."""
    here = settings().model_copy(update={"sandbox_exchange_url": server.url})
    monkeypatch.setattr(ground, "settings", lambda: here)
    for venue in {venue for venue, _ in PLACES}:
        server.control.limits(venue=venue.value)
    server.control.set_price(BTC_ID, 60000)
    follow(server.control)
    yield server.control
    clock.set_offset(timedelta(0))


def follow(control: Control) -> None:
    clock.set_offset(timedelta(milliseconds=control.time()["offset_ms"]))


def pass_time(control: Control, by: timedelta) -> None:
    control.advance(by.total_seconds(), step_s=4 * 3600)
    follow(control)


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_120_funding_is_booked_and_the_wallet_still_explained(opened: Opener, control: Control) -> None:
    alice = opened(deposit=0)
    since = clock.now() - timedelta(minutes=1)
    control.transfer(alice.number, 100_000)
    alice.trade("BUY", "1")
    pass_time(control, timedelta(hours=17))
    entries = alice.run(lambda client: client.entries(since=since, until=clock.now() + timedelta(minutes=1)))
    funding = [entry for entry in entries if entry.kind is EntryKind.FUNDING]
    assert len(funding) >= 2
    assert all(entry.amount != 0 and entry.symbol == alice.symbol for entry in funding)
    wallet = alice.run(lambda client: client.equity()).wallet
    assert sum(entry.amount for entry in entries) == wallet
    fills, _ = alice.run(lambda client: all_fills(client, alice.symbol))
    assert fills == []  # what was traded 17 hours ago is out of that walk, and funding is no fill


def test_121_fills_of_long_ago_are_walked_over_every_window(alice: Account, control: Control) -> None:
    began = clock.now()
    for _ in range(4):
        alice.trade("SELL", "0.1")
        pass_time(control, 9 * DAY)
    alice.trade("SELL", "0.1")

    async def use(client: ExchangeClient) -> list[str]:
        found: list[str] = []
        cursor, is_last = "", False
        while not is_last:
            page = await client.fills(alice.symbol, cursor=cursor, since=began - DAY)
            assert not page.spoiled
            found += [fill.trade_id for fill in page.fills]
            cursor, is_last = page.cursor, page.is_last
        return found

    assert sorted(set(alice.run(use))) == sorted(alice.filled_ids())
    listed = alice.run(lambda client: client.recent_orders(alice.symbol, since=clock.now() - DAY))
    assert len(listed) == 1


def test_122_entries_of_long_ago_are_walked_over_every_window(opened: Opener, control: Control) -> None:
    alice = opened()
    began = clock.now()
    for amount in (1, 2, 3):
        control.transfer(alice.number, amount, **alice.where)
        pass_time(control, 25 * DAY)
    entries = alice.run(lambda client: client.entries(since=began, until=clock.now()))
    moved = [entry.amount for entry in entries if entry.kind is EntryKind.TRANSFER and entry.amount < 10]
    assert moved == [1, 2, 3]
    assert [entry.venue_time for entry in entries] == sorted(entry.venue_time for entry in entries)
    later = alice.run(lambda client: client.entries(since=began + 20 * DAY, until=began + 30 * DAY))
    assert [entry.amount for entry in later if entry.kind is EntryKind.TRANSFER] == [2]


def test_123_a_venue_that_is_gone_is_unavailable_and_comes_back(alice: Account, server: SandboxServer) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            server.end(SIGKILL)
            with pytest.raises(Unavailable):
                await client.equity()
            outcome = await client.place(alice.sell(), not_after=soon())
            assert outcome.kind in (OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN)
            server.start()
            alice.control = server.control
            await heard_until(messages, lambda message: message.connected, within=20)
            alice.trade("SELL", "0.1")
            heard = await heard_until(messages, lambda message: message.fill is not None)
            assert heard[-1].fill is not None
            assert heard[-1].fill.signed == Decimal("-0.1")
            assert (await client.equity()).total > 0

    alice.run(use, alone=True)
