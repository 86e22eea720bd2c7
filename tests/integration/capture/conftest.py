"""Alice's lead account on the sandbox, captured by the real loops in a thread."""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select

from copytrade import clock
from copytrade.accounts import checking, service
from copytrade.accounts.vault import opener
from copytrade.capture import polling, queries, streaming
from copytrade.capture import service as capture
from copytrade.capture.models import CaptureState, StoredFill
from copytrade.db.session import reading, transaction
from copytrade.domain.changes import LeadChange
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.engines import Engines
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import AccountRef
from copytrade.sandbox.client import Control
from tests.conftest import Sandbox
from tests.waiting import wait_until
from workers.loop import Part, WarmLoop

BTC = "BTC/USDT:USDT"


def opened(control: Control, *, venue: Venue, market: Market, **facts: Any) -> dict[str, Any]:
    """Open an account at the sandbox with a million, on spot with some coins besides."""
    coins = {"USDT": 1_000_000, "ETH": 10}
    money: dict[str, Any] = {"coins": coins} if market is Market.SPOT else {"deposit": 1_000_000}
    return control.create_account("alice", venue=venue.value, **money | facts)


def link(
    control: Control,
    *,
    role: Role = Role.LEAD,
    made: dict[str, Any] | None = None,
    venue: Venue = Venue.BINANCE,
    market: Market = Market.PERPETUAL,
) -> tuple[AccountRef, int]:
    """Link an account of the sandbox, a new one where none is given, and have its key checked."""
    made = made or opened(control, venue=venue, market=market)
    with transaction() as session:
        account_id = service.link(
            session,
            owner=uuid4(),
            venue=venue,
            market=market,
            role=role,
            label="",
            api_key=made["api_key"],
            api_secret=made["api_secret"],
            passphrase=made.get("passphrase", ""),
        )
    ref = AccountRef(account_id, venue, market, "sandbox")

    async def check() -> None:
        pool = Pool(opener())
        try:
            await checking.check(pool, ref, role=role)
        finally:
            await pool.close()

    asyncio.run(check())
    return ref, made["account_id"]


@dataclass
class Lead:
    """A captured lead: its account here and at the sandbox, and what was planned of it."""

    ref: AccountRef
    number: int
    control: Control
    planned: list[LeadChange] = field(default_factory=list)

    def trade(self, side: str, quantity: str, symbol: str = "BTCUSDT") -> dict[str, Any]:
        return self.control.place(self.number, symbol, side, quantity, market=self.ref.market.value)

    def venue_trades(self) -> set[str]:
        return {str(row["id"]) for row in self.control.fills(self.number)}

    def held(self) -> dict[str, Decimal]:
        """Return P of what is not flat, by symbol."""
        with reading() as session:
            return {
                one.instrument.symbol: one.quantity for one in queries.lead_positions(session, account_id=self.ref.id)
            }

    def stored(self) -> list[StoredFill]:
        with reading() as session:
            query = select(StoredFill).where(StoredFill.exchange_account_id == self.ref.id)
            return list(session.exec(query.order_by(col(StoredFill.venue_time), col(StoredFill.trade_id))))

    def count(self) -> int:
        with reading() as session:
            return queries.fill_count(session, account_id=self.ref.id, until=clock.now() + timedelta(days=1))

    def state(self) -> CaptureState:
        with reading() as session:
            state = session.get(CaptureState, self.ref.id)
            assert state is not None
            return state

    def plan(self) -> list[LeadChange]:
        """Plan as the copying side does: take, mark, commit."""
        now = clock.now()
        with transaction() as session:
            taken = capture.take_next(session, lead_account_id=self.ref.id, now=now)
            capture.mark_planned(session, taken, now=now)
        self.planned += taken.changes
        return taken.changes

    def wait_for_baseline(self) -> None:
        def is_set() -> bool:
            with reading() as session:
                state = session.get(CaptureState, self.ref.id)
                return state is not None and state.baseline_at is not None

        wait_until(is_set, timeout=20, what="baseline")

    def wait_until_planned(self, count: int, *, timeout: float = 15) -> list[LeadChange]:
        def enough() -> bool:
            self.plan()
            return len(self.planned) >= count

        wait_until(enough, timeout=timeout, what=f"{count} planned changes")
        return self.planned


@pytest.fixture
def control(sandbox: Sandbox) -> Generator[Control]:
    sandbox.control.limits(weight_per_minute=1_000_000, spot_weight_per_minute=1_000_000)
    sandbox.control.limits(venue="bybit", requests_per_5s=1_000_000, reads_per_s=1_000_000)
    sandbox.control.limits(venue="bitget", user_percent=1_000_000)
    yield sandbox.control
    sandbox.control.clear_faults()


@pytest.fixture
def alice(committed: Engines, control: Control) -> Lead:
    ref, number = link(control)
    return Lead(ref, number, control)


@pytest.fixture
def run_parts(committed: Engines) -> Generator[Callable[..., WarmLoop]]:
    """Start loops of capture; all are stopped at the end."""
    loops: list[WarmLoop] = []

    def start(*parts: Part) -> WarmLoop:
        loop = WarmLoop(parts)
        loop.start()
        loops.append(loop)
        return loop

    yield start
    for loop in loops:
        loop.stop()


@pytest.fixture
def both(run_parts: Callable[..., WarmLoop]) -> WarmLoop:
    """Polling and streaming together."""
    return run_parts(polling.run, streaming.run)
