"""The sandbox's characters traded for ninety days; their past is captured by the real loops and has to add up."""

import os
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import checking, snapshots
from copytrade.accounts import queries as accounts
from copytrade.accounts import service as linking
from copytrade.analytics import service, shown
from copytrade.analytics.models import AccountRecord, AccountStatistics, DailyEquity, RoundTrip
from copytrade.analytics.refreshing import SETTLING
from copytrade.capture import polling
from copytrade.capture.queries import with_history
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.domain.ranking import Unranked, reason_unranked
from copytrade.domain.trip_book import TripBook
from copytrade.domain.trips import ZERO
from copytrade.engines import Engines
from copytrade.sandbox.client import Control
from copytrade.settings import settings
from tests.waiting import wait_for_http, wait_until
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free
from workers.loop import WarmLoop

CENT = Decimal("0.01")
GAMBLER = "alles_oder_nichts"
LINKED = ("nordwind", "raster", GAMBLER)


@dataclass(frozen=True, slots=True)
class Character:
    """A trading character of the sandbox, linked as a lead."""

    name: str
    account_id: UUID
    number: int


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Control]:
    """A sandbox of its own whose characters have ninety days behind them, in the place of the usual one."""
    port, log = any_free(), tmp_path / "sandbox.log"
    changed = {
        "COPYTRADE_VAR": str(tmp_path),
        "COPYTRADE_SANDBOX_PORT": str(port),
        "COPYTRADE_SANDBOX_SMTP_PORT": "0",
        "COPYTRADE_SANDBOX_HISTORY_DAYS": "90",
        "COPYTRADE_DEMO_BOTS": "0",
    }
    with log.open("ab") as out:
        command = [sys.executable, "-m", "copytrade.sandbox.server"]
        process = subprocess.Popen(
            command, env=os.environ | changed, stdout=out, stderr=out, preexec_fn=end_with_parent
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_http(f"{url}/binance/fapi/v1/ping", timeout=100, alive=lambda: process.poll() is None, log=log)
        monkeypatch.setenv("COPYTRADE_SANDBOX_PORT", str(port))
        settings.cache_clear()
        control = Control(url)
        control.limits(weight_per_minute=1_000_000)
        yield control
        control.close()
    finally:
        monkeypatch.undo()
        settings.cache_clear()
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def characters(committed: Engines, aged: Control) -> list[Character]:
    found: list[Character] = []
    with transaction() as session:
        for row in aged.traders():
            if row["name"] not in LINKED:
                continue
            account_id = linking.link(
                session,
                owner=uuid4(),
                venue=Venue.BINANCE,
                market=Market.PERPETUAL,
                role=Role.LEAD,
                label=row["name"],
                api_key=row["api_key"],
                api_secret=row["api_secret"],
            )
            found.append(Character(row["name"], account_id, row["account_id"]))
    return found


@pytest.fixture
def captured(characters: list[Character]) -> list[Character]:
    """Their past, read by the loops that read everybody's."""
    loop = WarmLoop([checking.run, polling.run, snapshots.run])
    loop.start()
    ids = [character.account_id for character in characters]
    try:
        wait_until(lambda: _is_read(ids), timeout=90, what="the past of all characters")
    finally:
        loop.stop()
    wait_until(lambda: _is_settled(ids), timeout=30, what="settled readings")
    return characters


def _is_read(ids: list[UUID]) -> bool:
    with reading() as session:
        return with_history(session, account_ids=ids) == set(ids) == accounts.equities(session, ids).keys()


def _is_settled(ids: list[UUID]) -> bool:
    with reading() as session:
        return all(row.read_at <= clock.now() - SETTLING for row in accounts.equities(session, ids).values())


def test_the_past_of_the_characters_adds_up(captured: list[Character], aged: Control) -> None:
    assert service.refresh_all() == len(captured)
    for character in captured:
        with reading() as session:
            record = session.get_one(AccountRecord, character.account_id)
            days = _days(session, character.account_id)
            query = select(RoundTrip).where(RoundTrip.exchange_account_id == character.account_id)
            trips = session.exec(query).all()
            marks = {held.symbol: held.mark_price for held in accounts.positions(session, character.account_id)}
        open_trips = TripBook.load(record.book)
        earned = sum((trip.net for trip in trips), ZERO) + open_trips.unrealized(marks)
        earned += sum((trip.net for trip in open_trips.trips.values()), ZERO)
        flows = sum((day.flow for day in days), ZERO)
        assert abs(days[0].equity + flows + earned - days[-1].equity) < CENT, character.name
        assert record.fills_applied == len(aged.fills(character.number))
        assert (record.missing_fills, record.unpriced_fees, record.gap) == (0, 0, 0)
        assert not any(trip.is_estimated for trip in trips)
        assert len(days) >= 90
        assert [day.is_rebuilt for day in days] == [True] * (len(days) - 1) + [False]
        assert sum((day.change for day in days), ZERO) == days[-1].equity - days[0].equity - flows
    _assert_ruin(next(each for each in captured if each.name == GAMBLER))


def _assert_ruin(gambler: Character) -> None:
    with reading() as session:
        record = session.get_one(AccountRecord, gambler.account_id)
        whole = session.get_one(AccountStatistics, (gambler.account_id, "all"))
        days = _days(session, gambler.account_id)
    candidate = shown.candidate(uuid4(), record=record, row=whole, whole=whole, now=clock.now())
    assert reason_unranked(candidate) is Unranked.BLOWN_UP
    assert (whole.max_drawdown, whole.total_return) == (1.0, -1.0)
    assert min(day.nav for day in days) == 0


def _days(session: Session, account_id: UUID) -> list[DailyEquity]:
    query = select(DailyEquity).where(DailyEquity.exchange_account_id == account_id)
    return list(session.exec(query.order_by(col(DailyEquity.day))))
