"""The contract, part 7: what takes days, and a venue that goes away and comes back. On a sandbox of its own."""

import asyncio
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from signal import SIGKILL

import pytest

from copytrade import clock
from copytrade.domain.fills import EntryKind
from copytrade.domain.instruments import Market, Venue
from copytrade.domain.orders import OutcomeKind
from copytrade.errors import Unavailable
from copytrade.exchanges import modes
from copytrade.exchanges.port import ExchangeClient
from copytrade.sandbox.client import Control
from copytrade.settings import settings
from tests.contract.exchanges.places import (
    BTC_ID,
    PERPETUALS,
    PLACES,
    Account,
    Bench,
    heard_until,
    named,
    open_account,
    soon,
)
from tests.contract.sandbox.served import SandboxServer

DAY = timedelta(days=1)
PAUSE = 9 * DAY
"""Longer than the longest window of trades that any venue answers for."""


@dataclass(frozen=True, slots=True)
class Past:
    """Accounts that traded and were paid into, once every pause, since `began`."""

    began: datetime
    accounts: dict[tuple[Venue, Market], Account]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[SandboxServer]:
    running = SandboxServer(tmp_path_factory.mktemp("sandbox")).start()
    yield running
    assert running.end() == 0, running.log()


@pytest.fixture(scope="module")
def past(server: SandboxServer, bench: Bench) -> Past:
    control, began = server.control, clock.real_now()
    control.set_price(BTC_ID, 60000)
    accounts = {place: open_account(control, bench, place, deposit=0) for place in PLACES}
    for count in range(1, 5):
        for alice in accounts.values():
            control.transfer(alice.number, 50_000 * count, **alice.where)
            alice.trade("SELL", "0.1")
        control.advance(PAUSE.total_seconds(), step_s=4 * 3600)
    return Past(began - timedelta(minutes=1), accounts)


@pytest.fixture
def control(server: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Generator[Control]:
    """The controls of this module's sandbox, which the clients find too; our clock goes with it."""
    here = settings().model_copy(update={"sandbox_exchange_url": server.url})
    monkeypatch.setattr(modes, "settings", lambda: here)
    for venue in {venue for venue, _ in PLACES}:
        server.control.limits(venue=venue.value)
    clock.set_offset(timedelta(milliseconds=server.control.time()["offset_ms"]))
    yield server.control
    clock.set_offset(timedelta(0))


def test_120_fills_of_long_ago_are_walked_over_every_window(
    past: Past, control: Control, place: tuple[Venue, Market]
) -> None:
    alice = past.accounts[place]

    async def use(client: ExchangeClient) -> list[str]:
        found: list[str] = []
        cursor, is_last = "", False
        while not is_last:
            page = await client.fills(alice.symbol, cursor=cursor, since=past.began)
            assert not page.spoiled
            found += [fill.trade_id for fill in page.fills]
            cursor, is_last = page.cursor, page.is_last
        return found

    assert sorted(set(alice.run(use))) == sorted(alice.filled_ids())
    assert len(alice.filled_ids()) == 4


def test_121_orders_are_listed_since_a_time(past: Past, control: Control, place: tuple[Venue, Market]) -> None:
    alice = past.accounts[place]
    lately = alice.run(lambda client: client.recent_orders(alice.symbol, since=clock.now() - PAUSE - DAY))
    assert [order.filled for order in lately] == [Decimal("0.1")]


def test_122_entries_of_long_ago_are_walked_over_every_window(
    past: Past, control: Control, place: tuple[Venue, Market]
) -> None:
    alice = past.accounts[place]
    entries = alice.run(lambda client: client.entries(since=past.began, until=clock.now()))
    paid = [entry.amount for entry in entries if entry.kind is EntryKind.TRANSFER and entry.asset == "USDT"]
    assert [amount for amount in paid if amount < 500_000] == [50_000, 100_000, 150_000, 200_000]
    assert [entry.venue_time for entry in entries] == sorted(entry.venue_time for entry in entries)
    later = alice.run(lambda client: client.entries(since=past.began + PAUSE - DAY, until=past.began + 2 * PAUSE - DAY))
    assert [entry.amount for entry in later if entry.kind is EntryKind.TRANSFER] == [100_000]


@pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
def test_123_funding_is_booked_and_the_wallet_explained(
    past: Past, control: Control, place: tuple[Venue, Market]
) -> None:
    alice = past.accounts[place]
    entries = alice.run(lambda client: client.entries(since=past.began, until=clock.now()))
    funding = [entry for entry in entries if entry.kind is EntryKind.FUNDING]
    assert 4 * 9 * 3 - 1 <= len(funding) <= 4 * 9 * 3 + 1
    assert {entry.symbol for entry in funding} == {alice.symbol}
    assert all(entry.amount != 0 for entry in funding)
    wallet = alice.run(lambda client: client.equity()).wallet
    assert sum(entry.amount for entry in entries) == wallet


def test_124_a_venue_that_is_gone_is_unavailable_and_comes_back(
    server: SandboxServer, control: Control, bench: Bench
) -> None:
    """All places at once, since starting a sandbox takes its time."""
    accounts = [open_account(control, bench, place) for place in PLACES]
    everybody = asyncio.Barrier(len(accounts))

    async def life(client: ExchangeClient, alice: Account) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            if await everybody.wait() == 0:
                server.end(SIGKILL)
            await everybody.wait()
            with pytest.raises(Unavailable):
                await client.equity()
            outcome = await client.place(alice.sell(), not_after=soon())
            assert outcome.kind in (OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN)
            if await everybody.wait() == 0:
                server.start()
            await everybody.wait()
            alice.control = server.control
            await heard_until(messages, lambda message: message.connected, within=30)
            alice.trade("SELL", "0.1")
            heard = await heard_until(messages, lambda message: message.fill is not None)
            assert heard[-1].fill is not None
            assert heard[-1].fill.signed == Decimal("-0.1")
            assert (await client.equity()).total > 0

    bench.run_together(accounts, life)
