"""A copy onto the paper exchange as production runs it: a process of its own that follows public streams."""

import os
from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from copytrade.accounts import checking, snapshots, vault
from copytrade.accounts import queries as accounts
from copytrade.capture import polling, streaming
from copytrade.copying import engine
from copytrade.copying import queries as copies
from copytrade.db.session import reading
from copytrade.demo import filling
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.engines import Engines
from copytrade.sandbox.client import Control
from copytrade.settings import settings
from tests import engines as test_engines
from tests.conftest import Sandbox
from tests.contract.sandbox.paper_served import PaperServer
from tests.contract.sandbox.served import Raw
from tests.stage import Account, Pair, account, has_baseline
from tests.waiting import wait_until
from workers.loop import WarmLoop

PLACE = (Venue.BINANCE, Market.PERPETUAL)


@dataclass(frozen=True, slots=True)
class Stage:
    """Alice at the sandbox, Bob at the paper exchange that follows it."""

    control: Control
    paper: PaperServer
    lead: Account
    copy_id: UUID
    bob: UUID

    def held(self) -> Decimal:
        """Return what Bob holds at the paper exchange, in its own words."""
        key = vault.opener()(self.copy_id)
        raw = Raw(self.paper.url, {"api_key": key.api_key, "api_secret": key.api_secret})
        rows = raw.signed("GET", "/fapi/v2/positionRisk", symbol="BTCUSDT").body
        raw.close()
        return sum((Decimal(row["positionAmt"]) for row in rows), Decimal(0))


@pytest.fixture(scope="module")
def stage(database: Engines, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    sandbox.control.clear_faults()
    sandbox.control.set_price("BTCUSDT", 60_000)
    token = settings().paper_token.get_secret_value()
    paper = PaperServer(tmp_path_factory.mktemp("paper"), feed=sandbox.url, PAPER_TOKEN=token).start()
    os.environ["COPYTRADE_PAPER_EXCHANGE_URL"] = paper.url
    settings.cache_clear()
    loop = WarmLoop([polling.run, streaming.run, checking.run, snapshots.run, engine.run])
    loop.start()
    try:
        yield _begun(sandbox.control, paper)
    finally:
        loop.stop()
        del os.environ["COPYTRADE_PAPER_EXCHANGE_URL"]
        settings.cache_clear()
        paper.end()
        test_engines.wipe(database)


def _begun(control: Control, paper: PaperServer) -> Stage:
    alice = filling.person("alice@copytrade.example", is_trader=True)
    bob = filling.person("bob@copytrade.example", is_subscriber=True)
    lead = account(control, alice, role=Role.LEAD, name="alice-lead", place=PLACE)
    copy_id = filling.paper_account(bob, place=PLACE, label="Bob tries", funds=Decimal(20_000))
    profile_id = filling.profile(alice, lead_account_id=lead.id, name="alice", about="", price=Decimal(25))
    ratio = CopySettings(mode=SizingMode.RATIO, factor=Decimal("0.1"))
    made = filling.paper_copy(bob, profile_id=profile_id, copy_account_id=copy_id, settings=ratio)
    joined = Pair(control, lead, lead, profile_id, made)
    wait_until(lambda: has_baseline(joined), timeout=40, what="the lead's baseline")
    return Stage(control, paper, lead, copy_id, bob)


def test_a_trade_at_the_venue_is_copied_at_the_paper_exchange_at_the_streams_price(stage: Stage) -> None:
    at_the_venue = {str(stage.copy_id) in row["name"] for row in stage.control.accounts()}
    assert at_the_venue == {False}
    stage.control.place(stage.lead.key.account_id, "BTCUSDT", "BUY", "1")
    wait_until(lambda: stage.held() == Decimal("0.1"), timeout=30, every=0.2, what=f"the copy (it is {stage.held()})")
    with reading() as session:
        rows = copies.copies(session, owner=stage.bob).rows
    assert all(row.price == Decimal("60000.1") for row in rows)
    stage.control.place(stage.lead.key.account_id, "BTCUSDT", "SELL", "1")
    wait_until(lambda: stage.held() == 0, timeout=30, every=0.2, what="the exit on paper")


def test_the_worth_of_a_paper_position_follows_the_venue(stage: Stage) -> None:
    stage.control.place(stage.lead.key.account_id, "BTCUSDT", "BUY", "1")
    wait_until(lambda: stage.held() == Decimal("0.1"), timeout=30, every=0.2, what="the copy")
    before = _equity(stage)
    stage.control.set_price("BTCUSDT", 61_000)
    key = vault.opener()(stage.copy_id)
    raw = Raw(stage.paper.url, {"api_key": key.api_key, "api_secret": key.api_secret})

    def worth() -> Decimal:
        return Decimal(raw.signed("GET", "/fapi/v2/account").body["totalMarginBalance"])

    wait_until(lambda: worth() > before + 90, timeout=20, what=f"the gain ({before} → {worth()})")
    raw.close()


def _equity(stage: Stage) -> Decimal:
    with reading() as session:
        return accounts.equities(session, [stage.copy_id])[stage.copy_id].total


def test_what_the_paper_exchange_keeps_lies_in_its_own_folder(stage: Stage) -> None:
    folder: Path = stage.paper.folder / "paper" / "binance"
    assert {"listing.json", "last.json", "state.jsonl"} <= {file.name for file in folder.iterdir()}
