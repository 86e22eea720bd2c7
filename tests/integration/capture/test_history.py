"""The past of an account, read as far as the venue keeps it."""

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from copytrade.capture import polling, queries
from copytrade.capture.storing import Source
from copytrade.db.session import reading
from copytrade.exchanges import modes
from copytrade.sandbox.client import Control
from copytrade.settings import settings
from tests.integration.capture.conftest import BTC, Lead, link
from tests.waiting import wait_for_http, wait_until
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free
from workers.loop import WarmLoop


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Control]:
    """A sandbox of its own whose traders have traded for ninety days."""
    port = any_free()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "COPYTRADE_VAR": str(tmp_path),
        "COPYTRADE_SANDBOX_PORT": str(port),
        "COPYTRADE_SANDBOX_SMTP_PORT": str(any_free()),
        "COPYTRADE_SANDBOX_HISTORY_DAYS": "90",
        "COPYTRADE_DEMO_BOTS": "0",
    }
    with (tmp_path / "sandbox.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "copytrade.sandbox.server"],
            env=os.environ | environment,
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,
        )
        try:
            wait_for_http(f"{url}/binance/fapi/v1/ping", timeout=100, alive=lambda: process.poll() is None)
            there = settings().model_copy(update={"sandbox_exchange_url": url})
            monkeypatch.setattr(modes, "settings", lambda: there)
            with Control(url) as control:
                yield control
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_ninety_days_are_read_at_linking_and_never_planned(
    committed: object, past: Control, run_parts: Callable[..., WarmLoop]
) -> None:
    trader = next(one for one in past.traders() if one["name"] == "kolibri")
    made = {**trader, "api_key": trader["read_api_key"], "api_secret": trader["read_api_secret"]}
    ref, number = link(past, made=made)
    alice = Lead(ref, number, past)
    run_parts(polling.run)

    def is_read() -> bool:
        with reading() as session:
            return queries.history_done(session, account_id=ref.id)

    wait_until(is_read, timeout=60, what="history")
    alice.wait_for_baseline()
    stored = alice.stored()
    assert {fill.trade_id for fill in stored} == alice.venue_trades()
    assert len(stored) > 1000
    assert all(fill.is_history for fill in stored)
    assert {Source.HISTORY} == {fill.source for fill in stored}
    assert alice.plan() == []
    booked = past.incomes(number)
    with reading() as session:
        entries = queries.entries(session, account_id=ref.id, since=stored[0].venue_time - timedelta(days=90))
        closes = queries.closes(session, venue="binance", symbols=[BTC], since=stored[0].venue_time.date())
    assert len(entries) == len(booked)
    assert sum(entry.amount for entry in entries) == sum(Decimal(row["income"]) for row in booked)
    assert len(closes) >= 89
